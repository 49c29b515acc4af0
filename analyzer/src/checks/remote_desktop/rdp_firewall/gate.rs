//! One profile of the firewall and one port: does a connection come through?

use super::scope::{Scope, scope};
use crate::facts::fact::Fact;
use crate::facts::firewall::{Firewall, ProfileFacts, Rule, RuleSet, TCP, UDP, is_term_service};
use crate::formats::firewall_rule::{Action, Direction, FirewallRule, Platform, Profile};

/// The last build whose kernel takes Remote Desktop's connections (Windows 7, Server 2008 R2).
const LAST_KERNEL_LISTENER: u32 = 7601;

/// Keys that change nothing about which connection a rule is for.
const HARMLESS: [&str; 8] = [
    "Desc", "Edge", "Defer", "LSM", "LOM", "PCross", "ICMP4", "ICMP6",
];

/// A rule that is for the connection.
#[derive(Clone, Debug)]
pub(super) struct Match<'a> {
    /// The rule.
    pub(super) rule: &'a Rule,
    /// Where the connection may come from.
    pub(super) scope: Scope,
    /// Why it may not be for it after all.
    pub(super) doubt: Option<String>,
}

/// What becomes of a connection.
#[derive(Clone, Debug)]
pub(super) enum Outcome<'a> {
    /// Everything is blocked, whatever the rules say.
    ShieldsUp,
    /// A rule blocks it.
    Blocked(Match<'a>),
    /// No rule allows it.
    NoRule,
    /// A rule allows it, and another one may block it.
    PerhapsBlocked(Match<'a>),
    /// The firewall does not filter.
    Off,
    /// A rule allows it.
    Allowed(Match<'a>),
    /// No rule is for it, and the default is to allow.
    AllowedByDefault,
    /// The facts do not say.
    Unknown(String),
}

/// A profile with what becomes of a connection in it.
pub(super) struct Gate<'a> {
    pub(super) facts: &'a ProfileFacts,
    pub(super) outcome: Outcome<'a>,
    /// Blocking rules for some addresses alone.
    pub(super) partly_blocked: Vec<Match<'a>>,
}

impl Gate<'_> {
    pub(super) fn profile(&self) -> Profile {
        self.facts.profile
    }

    /// Whether nothing comes through.
    pub(super) fn is_closed(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::ShieldsUp | Outcome::Blocked(_) | Outcome::NoRule
        )
    }

    /// The gate in words, for the trace.
    pub(super) fn describe(&self) -> String {
        let outcome = match &self.outcome {
            Outcome::ShieldsUp => "on, everything blocked".to_owned(),
            Outcome::Blocked(found) => format!("on, blocked by rule {}", found.rule.id),
            Outcome::NoRule => "on, no rule allows it".to_owned(),
            Outcome::PerhapsBlocked(found) => {
                format!("on, perhaps blocked by rule {}", found.rule.id)
            }
            Outcome::Off => "off".to_owned(),
            Outcome::Allowed(found) => format!("on, allowed by rule {}", found.rule.id),
            Outcome::AllowedByDefault => "on, allowed by default".to_owned(),
            Outcome::Unknown(why) => format!("not known: {why}"),
        };
        format!("{}: {outcome}", self.profile().name())
    }
}

/// What becomes of a TCP connection to `port` in a profile.
pub(super) fn gate<'a>(
    firewall: &'a Firewall,
    facts: &'a ProfileFacts,
    port: u16,
    build: Option<u32>,
) -> Gate<'a> {
    let matches = matches(firewall, facts, TCP, port, build);
    let (blocks, allows): (Vec<_>, Vec<_>) = matches
        .into_iter()
        .partition(|found| found.rule.rule.action == Some(Action::Block));
    let (blocks, partly_blocked): (Vec<_>, Vec<_>) = blocks
        .into_iter()
        .partition(|found| found.scope == Scope::Any);
    Gate {
        outcome: outcome(firewall, facts, blocks, allows),
        facts,
        partly_blocked,
    }
}

fn outcome<'a>(
    firewall: &'a Firewall,
    facts: &'a ProfileFacts,
    blocks: Vec<Match<'a>>,
    allows: Vec<Match<'a>>,
) -> Outcome<'a> {
    match (&facts.enabled, facts.enabled.value()) {
        (_, Some(false)) => return Outcome::Off,
        (unsettled, None) => return unknown("whether it is on", unsettled),
        _ => {}
    }
    match facts.blocks_everything.value() {
        Some(true) => return Outcome::ShieldsUp,
        None => return unknown("whether everything is blocked", &facts.blocks_everything),
        Some(false) => {}
    }
    let (certain, doubtful): (Vec<_>, Vec<_>) =
        blocks.into_iter().partition(|found| found.doubt.is_none());
    if let Some(block) = certain.into_iter().next() {
        return Outcome::Blocked(block);
    }
    if let Some(why) = unsettled_rules(firewall, facts) {
        return Outcome::Unknown(why);
    }
    // The widest certain rule speaks for all; a doubtful one only where there is no other.
    let widest = allows
        .into_iter()
        .max_by_key(|found| (found.doubt.is_none(), found.scope));
    match (widest, doubtful.into_iter().next()) {
        (Some(_), Some(block)) => Outcome::PerhapsBlocked(block),
        (Some(allow), None) => Outcome::Allowed(allow),
        (None, block) => match (facts.allows_by_default.value(), block) {
            (Some(true), Some(block)) => Outcome::PerhapsBlocked(block),
            (Some(true), None) => Outcome::AllowedByDefault,
            (Some(false), _) => Outcome::NoRule,
            (None, _) => unknown("the default action", &facts.allows_by_default),
        },
    }
}

fn unknown<'a, T>(what: &str, fact: &Fact<T>) -> Outcome<'a> {
    let why = fact.why_unsettled().unwrap_or_default();
    Outcome::Unknown(format!("{what} is not known ({why})"))
}

/// The layers of rules that count in a profile.
fn layers<'a>(
    firewall: &'a Firewall,
    facts: &ProfileFacts,
) -> impl Iterator<Item = &'a Fact<RuleSet>> {
    let local = facts.merges_local_rules.value() != Some(&false);
    [
        Some(&firewall.policy_rules),
        Some(&firewall.legacy_rules),
        Some(&firewall.mdm_rules),
        local.then_some(&firewall.local_rules),
    ]
    .into_iter()
    .flatten()
}

/// Why the rules that count are not all known.
fn unsettled_rules(firewall: &Firewall, facts: &ProfileFacts) -> Option<String> {
    if let Some(why) = facts.merges_local_rules.why_unsettled() {
        return Some(format!("whether local rules count is not known ({why})"));
    }
    layers(firewall, facts).find_map(|layer| match (layer.why_unsettled(), layer.value()) {
        (Some(why), _) => Some(format!("a layer of rules is not known ({why})")),
        (None, Some(set)) if set.left_out > 0 => {
            Some(format!("{} more rules may be for it", set.left_out))
        }
        _ => None,
    })
}

/// The active rules that are for a connection in a profile.
fn matches<'a>(
    firewall: &'a Firewall,
    facts: &ProfileFacts,
    protocol: u16,
    port: u16,
    build: Option<u32>,
) -> Vec<Match<'a>> {
    layers(firewall, facts)
        .filter_map(Fact::value)
        .flat_map(|set| &set.kept)
        .filter(|rule| rule.rule.is_for(facts.profile))
        .filter_map(|rule| fits(rule, protocol, port, build))
        .collect()
}

/// Whether a rule allows UDP to the port in a profile, which Remote Desktop uses besides TCP.
pub(super) fn allows_udp(
    firewall: &Firewall,
    facts: &ProfileFacts,
    port: u16,
    build: Option<u32>,
) -> bool {
    matches(firewall, facts, UDP, port, build)
        .iter()
        .any(|found| found.rule.rule.action == Some(Action::Allow))
}

/// Whether a rule is for a connection to Remote Desktop.
fn fits(rule: &Rule, protocol: u16, port: u16, build: Option<u32>) -> Option<Match<'_>> {
    let text = &rule.rule;
    let for_it = text.active
        && text.direction == Some(Direction::In)
        && text.protocol.is_none_or(|number| number == protocol)
        && text.is_for_port(port)
        && text.remote_ports.is_empty()
        && text.service.as_deref().is_none_or(is_term_service);
    if !for_it {
        return None;
    }
    let mut doubts = doubts(text)?;
    match application(text, build) {
        Some(true) => {}
        Some(false) => return None,
        None => doubts.push("it is for the kernel, and the build is not known".to_owned()),
    }
    match platform(&text.platforms, build) {
        Some(true) => {}
        Some(false) => return None,
        None => doubts.push("it is for some versions of Windows".to_owned()),
    }
    // What Windows cannot read it does not enforce: no reason to call the port open.
    if !text.problems.is_empty() {
        if text.action != Some(Action::Block) {
            return None;
        }
        doubts.push(text.problems.join(", "));
    }
    text.action?;
    Some(Match {
        rule,
        scope: scope(&text.remote_addresses),
        doubt: (!doubts.is_empty()).then(|| doubts.join("; ")),
    })
}

/// What else narrows a rule down; `None` when it is for packaged applications alone.
fn doubts(rule: &FirewallRule) -> Option<Vec<String>> {
    let mut doubts = Vec::new();
    if rule.action == Some(Action::Bypass) {
        doubts.push("it lets in authenticated connections alone".to_owned());
    }
    if !rule.local_addresses.is_empty() {
        doubts.push(format!("to {} alone", rule.local_addresses.join(", ")));
    }
    for field in &rule.other {
        let is = |key: &&str| key.eq_ignore_ascii_case(&field.key);
        if ["AppPkgId", "LUOwn"].iter().any(is) {
            return None;
        }
        if !HARMLESS.iter().any(is) {
            doubts.push(format!("{} narrows it down", field.key));
        }
    }
    Some(doubts)
}

/// Whether the rule's program is where the listener is: the service host, or up to Windows 7 the
/// kernel. `None` when that depends on a build that is not known.
fn application(rule: &FirewallRule, build: Option<u32>) -> Option<bool> {
    let Some(application) = rule.application.as_deref() else {
        return Some(true);
    };
    if application.eq_ignore_ascii_case("System") {
        return build.map(|build| build <= LAST_KERNEL_LISTENER);
    }
    let name = application.rsplit(['\\', '/']).next();
    Some(name.is_some_and(|name| name.eq_ignore_ascii_case("svchost.exe")))
}

/// Whether one of the platforms is this Windows.
fn platform(platforms: &[Platform], build: Option<u32>) -> Option<bool> {
    if platforms.is_empty() {
        return Some(true);
    }
    let this = match build? {
        10_240.. => (10, 0),
        9600.. => (6, 3),
        9200.. => (6, 2),
        7600.. => (6, 1),
        _ => (6, 0),
    };
    Some(platforms.iter().any(|platform| {
        let version = (platform.major, platform.minor);
        if platform.or_later {
            version <= this
        } else {
            version == this
        }
    }))
}

/// Why a rule can never be for Remote Desktop's TCP connections, whatever its port and profile.
pub(super) fn misfit(rule: &FirewallRule, build: Option<u32>) -> Option<String> {
    if let Some(service) = rule.service.as_deref()
        && !is_term_service(service)
    {
        return Some(format!("it is for the service {service} alone"));
    }
    if let Some(program) = rule.application.as_deref()
        && application(rule, build) == Some(false)
    {
        return Some(format!("it is for the program {program} alone"));
    }
    match rule.protocol {
        None | Some(TCP) => None,
        Some(UDP) => Some("it is for UDP".to_owned()),
        Some(number) => Some(format!("it is for IP protocol {number}")),
    }
}
