//! Does the firewall of the machine let Remote Desktop in?

mod gate;
mod remedies;
mod scope;
mod service;

use self::gate::{Gate, Match, Outcome, allows_udp, gate, misfit};
use self::scope::Scope;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::fact::Fact;
use crate::facts::firewall::{Firewall, RuleLayer};
use crate::facts::remote_desktop::{DEFAULT_PORT, Listener, RDP_TCP};
use crate::formats::firewall_rule::Profile;

/// The check.
pub const CHECK: Check = Check {
    id: "rdp-firewall",
    category: Category::RemoteDesktop,
    title: "Remote Desktop in the firewall",
    page: include_str!("rdp_firewall.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::helpful("network.firewall"),
        Input::helpful("services.table"),
        Input::helpful("eventlog.firewall"),
        Input::helpful("eventlog.network-profile"),
        Input::helpful("eventlog.security"),
    ],
    thresholds: &[],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    if let Some(decision) = cx.unsupported() {
        return decision;
    }
    let mut judge = Judge::new();
    if cx.snapshot.remote_desktop.edition_may_host.value() == Some(&false) {
        return judge
            .not_applicable("this edition of Windows accepts no Remote Desktop connections");
    }
    let firewall = &cx.snapshot.firewall;
    let build = cx.snapshot.machine.build.value().copied();
    let ports = ports(&mut judge, cx);
    // Rules may be for some versions alone, and up to Windows 7 the kernel is the listener.
    let machine = &cx.snapshot.machine;
    judge.require(&machine.build, "the build of Windows", "the SOFTWARE hive");
    demand(&mut judge, firewall);
    let filtering = service::judge(&mut judge, cx);
    let view = View::new(firewall);
    view.exhibit(&mut judge);
    let mut open = Vec::new();
    for port in &ports {
        let gates: Vec<Gate<'_>> = view
            .profiles
            .iter()
            .filter_map(|profile| firewall.profile(*profile))
            .map(|facts| gate(firewall, facts, *port, build))
            .collect();
        let told: Vec<String> = gates.iter().map(Gate::describe).collect();
        if filtering {
            let case = Case {
                cx,
                view: &view,
                port: *port,
                gates: &gates,
            };
            case.judge(&mut judge);
        } else {
            judge.note(format!(
                "by its rules, port {port} would be: {}",
                told.join("; ")
            ));
        }
        open.push(format!("port {port}: {}", told.join("; ")));
    }
    notes(&mut judge, firewall);
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    judge.finish(
        format!(
            "the firewall lets Remote Desktop in on port {}{}",
            ports.join(", "),
            view.in_words()
        ),
        open.join("; "),
    )
}

/// The ports of the listeners that are switched on.
fn ports(judge: &mut Judge, cx: &Context<'_>) -> Vec<u16> {
    let listeners = &cx.snapshot.remote_desktop.listeners;
    judge.require(
        listeners,
        "which port Remote Desktop listens on",
        "the SYSTEM hive",
    );
    let on = |listener: &&Listener| {
        let rdp = listener
            .protocol
            .value()
            .is_none_or(|protocol| protocol.text.to_ascii_uppercase().contains("RDP"));
        let named = listener.name.eq_ignore_ascii_case(RDP_TCP);
        listener.is_enabled() != Some(false) && (named || rdp && !listener.port.is_absent())
    };
    let mut ports = Vec::new();
    for listener in listeners.value().into_iter().flatten().filter(on) {
        match listener.port_number() {
            Some(port) if !ports.contains(&port) => ports.push(port),
            Some(_) => {}
            None => judge.lacks(
                format!("the port of listener {} is not known", listener.name),
                "the SYSTEM hive",
            ),
        }
    }
    // Without a listener of its own there is still the port that everybody tries.
    if ports.is_empty() && listeners.value().is_some() {
        ports.push(DEFAULT_PORT);
    }
    ports
}

/// Everything that must have been seen before the port may be called open.
fn demand(judge: &mut Judge, firewall: &Firewall) {
    for profile in &firewall.profiles {
        let name = profile.profile.name();
        let system = format!("the {name} profile's own settings");
        judge.require(&profile.local.enable, &system, "the SYSTEM hive");
        let policy = format!("the policy for the {name} profile");
        judge.require(&profile.policy.enable, &policy, "the SOFTWARE hive");
    }
    judge.require(
        &firewall.local_rules,
        "the rules of the machine",
        "the SYSTEM hive",
    );
    if firewall.local_rules.is_absent() {
        judge.lacks(
            "there is no key with the rules of the machine",
            "the SYSTEM hive",
        );
    }
    judge.require(
        &firewall.mdm_rules,
        "the rules of device management",
        "the SYSTEM hive",
    );
    judge.require(
        &firewall.policy_rules,
        "the rules of group policy",
        "the SOFTWARE hive",
    );
    judge.require(
        &firewall.legacy_rules,
        "the policies of Windows XP",
        "the SOFTWARE hive",
    );
}

/// Which profiles are looked at.
struct View<'a> {
    firewall: &'a Firewall,
    profiles: Vec<Profile>,
    /// Windows itself said which are in force.
    is_live: bool,
    /// The one that the newest network suggests.
    estimate: Option<(Profile, &'a Fact<Profile>)>,
}

impl<'a> View<'a> {
    fn new(firewall: &'a Firewall) -> Self {
        let live = firewall.active.value().filter(|active| !active.is_empty());
        // The event tells when a network was connected; the registry only the day it keeps.
        let estimate = [&firewall.last_connected, &firewall.last_network]
            .into_iter()
            .find_map(|fact| Some((*fact.value()?, fact)));
        Self {
            firewall,
            profiles: live.cloned().unwrap_or_else(|| Profile::ALL.to_vec()),
            is_live: live.is_some(),
            estimate: estimate.filter(|_| live.is_none()),
        }
    }

    fn exhibit(&self, judge: &mut Judge) {
        if self.is_live {
            let names: Vec<&str> = self.profiles.iter().map(|profile| profile.name()).collect();
            let says = format!("profile in force: {}", names.join(", "));
            judge.exhibit(says, &self.firewall.active);
            return;
        }
        judge.would_help("the profile in force (network.firewall), from the running machine");
        judge.note("which profile is in force is not known, so all three were looked at");
        if let Some((profile, fact)) = self.estimate {
            let says = format!("the network connected last was {}", profile.name());
            judge.exhibit(says, fact);
        }
    }

    fn in_words(&self) -> String {
        let names: Vec<&str> = self.profiles.iter().map(|profile| profile.name()).collect();
        match (self.is_live, names.as_slice()) {
            (true, [one]) => format!(" in the {one} profile, which is in force"),
            (true, _) => format!(" in the profiles in force ({})", names.join(", ")),
            (false, _) => " in all three profiles".to_owned(),
        }
    }
}

/// One port, with what becomes of a connection in each profile.
struct Case<'a> {
    cx: &'a Context<'a>,
    view: &'a View<'a>,
    port: u16,
    gates: &'a [Gate<'a>],
}

impl Case<'_> {
    fn judge(&self, judge: &mut Judge) {
        for gate in self.gates {
            if let Outcome::Unknown(why) = &gate.outcome {
                let what = format!("in the {} profile, {why}", gate.profile().name());
                judge.lacks(what, "the hives SYSTEM and SOFTWARE");
            }
        }
        let closed: Vec<Profile> = self
            .gates
            .iter()
            .filter(|gate| gate.is_closed())
            .map(Gate::profile)
            .collect();
        let everywhere = closed.len() == self.gates.len();
        let here = self
            .view
            .estimate
            .is_some_and(|(profile, _)| closed.contains(&profile));
        let verdict = if everywhere || here {
            Verdict::Critical
        } else {
            Verdict::Warning
        };
        let certain = everywhere || self.view.is_live;
        self.shields_up(judge, verdict, certain);
        self.blocked(judge, verdict, certain);
        self.no_rule(judge, verdict, certain);
        self.perhaps_blocked(judge);
        self.local_only(judge);
        self.off(judge);
        self.remarks(judge);
    }

    /// The gates with an outcome, and whether there are any; `None` while some are not known.
    fn with(&self, test: impl Fn(&Outcome<'_>) -> bool) -> (Vec<&Gate<'_>>, Option<bool>) {
        let found: Vec<&Gate<'_>> = self
            .gates
            .iter()
            .filter(|gate| test(&gate.outcome))
            .collect();
        let unknown = |gate: &Gate<'_>| matches!(gate.outcome, Outcome::Unknown(_));
        let holds = if found.is_empty() && self.gates.iter().any(unknown) {
            None
        } else {
            Some(!found.is_empty())
        };
        (found, holds)
    }

    fn compared(&self) -> String {
        let told: Vec<String> = self.gates.iter().map(Gate::describe).collect();
        format!("port {}: {}", self.port, told.join("; "))
    }

    fn shields_up(&self, judge: &mut Judge, verdict: Verdict, certain: bool) {
        let (gates, holds) = self.with(|outcome| matches!(outcome, Outcome::ShieldsUp));
        let Some(problem) = judge.rule(verdict, "everything-blocked", self.compared(), holds)
        else {
            return;
        };
        problem.headline(format!(
            "the firewall blocks every connection{}, whatever its rules allow",
            self.places(&gates)
        ));
        for gate in gates {
            let says = format!("{}: all connections in are blocked", gate.profile().name());
            problem.evidence_expected(says, "0", &gate.facts.blocks_everything);
            problem.remedy(remedies::lower_shields(self.cx, gate.facts));
        }
        doubt(problem, certain);
    }

    fn blocked(&self, judge: &mut Judge, verdict: Verdict, certain: bool) {
        let (gates, holds) = self.with(|outcome| matches!(outcome, Outcome::Blocked(_)));
        let Some(problem) = judge.rule(verdict, "blocking-rule", self.compared(), holds) else {
            return;
        };
        problem.headline(format!(
            "a firewall rule blocks Remote Desktop on port {}{}; a block wins over every rule that allows",
            self.port,
            self.places(&gates)
        ));
        for gate in gates {
            if let Outcome::Blocked(found) = &gate.outcome {
                problem.exhibits(told(found), std::slice::from_ref(&found.rule.evidence));
                problem.remedy(remedies::disable(self.cx, found.rule));
            }
        }
        doubt(problem, certain);
    }

    fn no_rule(&self, judge: &mut Judge, verdict: Verdict, certain: bool) {
        let (gates, holds) = self.with(|outcome| matches!(outcome, Outcome::NoRule));
        let Some(problem) = judge.rule(verdict, "no-rule", self.compared(), holds) else {
            return;
        };
        problem.headline(format!(
            "no firewall rule lets Remote Desktop in on port {}{}",
            self.port,
            self.places(&gates)
        ));
        let firewall = self.view.firewall;
        for gate in &gates {
            let name = gate.profile().name();
            problem.evidence(format!("{name}: the firewall is on"), &gate.facts.enabled);
            if gate.facts.merges_local_rules.value() == Some(&false) {
                problem.because(format!(
                    "in the {name} profile group policy ignores the machine's own rules"
                ));
                let says = format!("{name}: rules of the machine are ignored");
                problem.evidence_expected(says, "1", &gate.facts.policy.merge);
            }
        }
        let build = self.cx.snapshot.machine.build.value().copied();
        let mut built_in = remedies::built_in(firewall);
        built_in.sort_by_key(|rule| misfit(&rule.rule, build).is_some());
        if built_in.is_empty() {
            problem.evidence(
                "none of the rules of the machine fits",
                &firewall.local_rules,
            );
        }
        for rule in built_in {
            let text = &rule.rule;
            let state = if text.active { "active" } else { "not active" };
            let says = format!(
                "built-in rule {} is {state}, {}{}",
                rule.id,
                remedies::reach(text),
                misfit(text, build)
                    .map(|why| format!("; not for this connection: {why}"))
                    .unwrap_or_default()
            );
            problem.exhibits(says, std::slice::from_ref(&rule.evidence));
        }
        for drop in &firewall.drops {
            let from = drop.text("SourceAddress").unwrap_or("an unnamed address");
            let says = format!("a connection from {from} was dropped");
            problem.exhibits(says, std::slice::from_ref(&drop.evidence));
        }
        let merged = gates
            .iter()
            .all(|gate| gate.facts.merges_local_rules.value() == Some(&true));
        problem.remedy(remedies::open(self.cx, self.port, merged));
        doubt(problem, certain);
    }

    fn perhaps_blocked(&self, judge: &mut Judge) {
        let (gates, holds) = self.with(|outcome| matches!(outcome, Outcome::PerhapsBlocked(_)));
        let compared = self.compared();
        let rule = judge.rule(Verdict::Warning, "doubtful-block", compared, holds);
        let Some(problem) = rule else {
            return;
        };
        problem.headline(format!(
            "a firewall rule may block Remote Desktop on port {}{}",
            self.port,
            self.places(&gates)
        ));
        for gate in gates {
            if let Outcome::PerhapsBlocked(found) = &gate.outcome {
                problem.exhibits(told(found), std::slice::from_ref(&found.rule.evidence));
                problem.remedy(remedies::disable(self.cx, found.rule));
            }
        }
        problem.confidence(Confidence::Medium);
    }

    fn local_only(&self, judge: &mut Judge) {
        let local = |outcome: &Outcome<'_>| matches!(outcome, Outcome::Allowed(found) if found.scope == Scope::Local);
        let (gates, holds) = self.with(local);
        let compared = self.compared();
        let rule = judge.rule(Verdict::Warning, "local-only", compared, holds);
        let Some(problem) = rule else {
            return;
        };
        problem.headline(format!(
            "the firewall lets Remote Desktop in on port {} from private networks alone{}",
            self.port,
            self.places(&gates)
        ));
        problem.because("who comes from the internet is dropped; who comes through a VPN or a bastion host is not");
        for gate in gates {
            if let Outcome::Allowed(found) = &gate.outcome {
                problem.exhibits(told(found), std::slice::from_ref(&found.rule.evidence));
                problem.remedy(remedies::widen(self.cx, found.rule));
            }
        }
        problem.confidence(Confidence::Medium);
    }

    fn off(&self, judge: &mut Judge) {
        let (gates, holds) = self.with(|outcome| matches!(outcome, Outcome::Off));
        let compared = self.compared();
        let Some(problem) = judge.rule(Verdict::Warning, "off", compared, holds) else {
            return;
        };
        problem.headline(format!(
            "the firewall is off{}: Remote Desktop is let in, and so is everything else",
            self.places(&gates)
        ));
        for gate in gates {
            let says = format!("{}: the firewall is off", gate.profile().name());
            problem.evidence_expected(says, "1", &gate.facts.enabled);
            problem.remedy(remedies::switch_on(self.cx, gate.facts));
        }
    }

    /// What is worth knowing of gates that are open.
    fn remarks(&self, judge: &mut Judge) {
        for gate in self.gates {
            let name = gate.profile().name();
            if let Outcome::Allowed(found) = &gate.outcome {
                judge.exhibit_evidence(told(found), std::slice::from_ref(&found.rule.evidence));
                if found.scope == Scope::Limited {
                    let from = found.rule.rule.remote_addresses.join(", ");
                    judge.note(format!("{name}: only from {}", shortened(&from)));
                }
                if let Some(doubt) = &found.doubt {
                    judge.note(format!("rule {}: {doubt}", found.rule.id));
                    judge.at_most(Confidence::Medium);
                }
                let firewall = self.view.firewall;
                let build = self.cx.snapshot.machine.build.value().copied();
                if !allows_udp(firewall, gate.facts, self.port, build) {
                    judge.note(format!(
                        "{name}: UDP is not let in, so connections are slower"
                    ));
                }
            }
            for found in &gate.partly_blocked {
                judge.exhibit_evidence(told(found), std::slice::from_ref(&found.rule.evidence));
                let from = found.rule.rule.remote_addresses.join(", ");
                judge.note(format!("{name}: blocked from {}", shortened(&from)));
            }
        }
    }

    /// Where, in words, for a headline.
    fn places(&self, gates: &[&Gate<'_>]) -> String {
        let names: Vec<&str> = gates.iter().map(|gate| gate.profile().name()).collect();
        let names = names.join(" and ");
        if self.view.is_live {
            return format!(" in the {names} profile, which is in force");
        }
        match self.view.estimate {
            _ if gates.len() == self.gates.len() => " in every profile".to_owned(),
            Some((profile, _)) => format!(
                " in the {names} profile (the network connected last was {})",
                profile.name()
            ),
            None => format!(" in the {names} profile; which one is in force is not known"),
        }
    }
}

fn doubt(problem: &mut crate::checks::check::Problem, certain: bool) {
    if !certain {
        problem.confidence(Confidence::Medium);
    }
}

/// A rule in words.
fn told(found: &Match<'_>) -> String {
    let layer = match found.rule.layer {
        RuleLayer::Policy => "rule of group policy",
        RuleLayer::LegacyPolicy => "old group policy",
        RuleLayer::Mdm => "rule of device management",
        RuleLayer::Local => "rule of the machine",
    };
    format!(
        "{layer} {}, {}",
        found.rule.id,
        remedies::reach(&found.rule.rule)
    )
}

/// A text as long as a line may be.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// What is worth knowing whatever the verdict.
fn notes(judge: &mut Judge, firewall: &Firewall) {
    for rules in [
        &firewall.local_rules,
        &firewall.policy_rules,
        &firewall.mdm_rules,
    ] {
        if let Some(set) = rules.value().filter(|set| set.unreadable > 0) {
            judge.note(format!(
                "{} firewall rules could not be read: {}",
                set.unreadable,
                shortened(&set.unreadable_ids.join("; "))
            ));
        }
    }
    for rules in &firewall.connection_security {
        if let Some(count) = rules.value().filter(|count| **count > 0) {
            judge.note(format!(
                "{count} connection security rules (IPsec) exist; one that demands authentication keeps others out"
            ));
        }
    }
    for profile in &firewall.profiles {
        let configured = profile
            .policy
            .enable
            .value()
            .or(profile.local.enable.value());
        let on = configured
            .and_then(|number| number.value)
            .is_none_or(|number| number != 0);
        if profile.enabled.value().is_some_and(|live| *live != on) {
            judge.note(format!(
                "{}: the running firewall is {}, its configuration says otherwise; another product may own it",
                profile.profile.name(),
                if on { "off" } else { "on" }
            ));
        }
    }
    for change in firewall.changes.iter().rev().take(3) {
        let what = change
            .text("RuleName")
            .or(change.text("RuleId"))
            .unwrap_or("a setting");
        let says = format!("event {}: {} was changed", change.id, shortened(what));
        judge.exhibit_evidence(says, std::slice::from_ref(&change.evidence));
    }
}

#[cfg(test)]
mod tests;
