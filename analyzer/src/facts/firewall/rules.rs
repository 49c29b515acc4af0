//! The rules that can matter for Remote Desktop, of all rules of a layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::registry::{Below, Entry, data};
use crate::formats::firewall_rule::{Action, Direction, FirewallRule};

/// The group of the built-in rules for Remote Desktop, the same in every language.
pub const REMOTE_DESKTOP_GROUP: &str = "@FirewallAPI.dll,-28752";

/// How many rules of one layer are kept; a machine has a handful that matter.
const MAX_KEPT: usize = 256;
/// How many characters all kept rules of one layer may have together.
const MAX_TEXT: usize = 4 << 20;
/// How many unreadable rules are named.
const MAX_NAMED: usize = 8;

/// The protocol number of TCP.
pub const TCP: u16 = 6;
/// The protocol number of UDP.
pub const UDP: u16 = 17;

/// Who made a rule.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuleLayer {
    /// Group policy.
    Policy,
    /// A group policy of Windows XP.
    LegacyPolicy,
    /// Device management.
    Mdm,
    /// The machine's administrators and programs.
    Local,
}

/// A rule and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Its id: the name of the registry value.
    pub id: String,
    /// Who made it.
    pub layer: RuleLayer,
    /// What it says.
    pub rule: FirewallRule,
    /// Where it stands.
    pub evidence: Evidence,
}

/// The rules of one layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSet {
    /// How many rules there are.
    pub total: usize,
    /// How many of them are active.
    pub active: usize,
    /// The rules that can matter for Remote Desktop: for connections in, by TCP or UDP, to one of
    /// its ports, for its process, active or not; and the built-in ones, whatever they say.
    /// Active ones first, blocking ones before others, then by id.
    pub kept: Vec<Rule>,
    /// How many more of these there are than were kept.
    pub left_out: usize,
    /// How many rules could not be read.
    pub unreadable: usize,
    /// The first of them, with what is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable_ids: Vec<String>,
}

/// Reads the rules of a layer and keeps those that can matter for one of `ports`.
pub(super) fn gather(
    below: &Below<'_>,
    key: &str,
    layer: RuleLayer,
    ports: &[u16],
) -> Fact<RuleSet> {
    let entries = below.values(key);
    let template = entries.evidence.first().cloned();
    entries.map(|entries| {
        let mut set = RuleSet::default();
        for entry in &entries {
            // The default value of the key is no rule.
            if !entry.value.name.is_empty() {
                set.take(entry, layer, ports, template.as_ref());
            }
        }
        set.bound();
        set
    })
}

impl RuleSet {
    fn take(&mut self, entry: &Entry, layer: RuleLayer, ports: &[u16], key: Option<&Evidence>) {
        self.total += 1;
        let text = entry.value.as_string();
        let parsed = match &text {
            Some(text) => FirewallRule::parse(text).map_err(|error| error.to_string()),
            None => Err(format!(
                "{} where REG_SZ is expected",
                entry.value.kind.name()
            )),
        };
        let rule = match parsed {
            Ok(rule) => rule,
            Err(why) => {
                self.unreadable += 1;
                if self.unreadable_ids.len() < MAX_NAMED {
                    self.unreadable_ids
                        .push(format!("{}: {why}", entry.value.name));
                }
                return;
            }
        };
        self.active += usize::from(rule.active);
        if !can_matter(&rule, ports) {
            return;
        }
        let mut evidence = Evidence::new("", entry.locator.clone(), data(&entry.value));
        if let Some(key) = key {
            evidence.artifact.clone_from(&key.artifact);
            evidence.time = key.time;
            evidence.doubt.clone_from(&key.doubt);
        }
        self.kept.push(Rule {
            id: entry.value.name.clone(),
            layer,
            rule,
            evidence,
        });
    }

    /// Orders the kept rules and drops those beyond the limits.
    fn bound(&mut self) {
        self.kept.sort_by(|a, b| {
            let order = |rule: &Rule| (!rule.rule.active, rule.rule.action != Some(Action::Block));
            order(a).cmp(&order(b)).then_with(|| a.id.cmp(&b.id))
        });
        let mut text = 0_usize;
        let fits = self.kept.iter().take(MAX_KEPT).take_while(|rule| {
            text = text.saturating_add(rule.evidence.raw.as_str().map_or(0, str::len));
            text <= MAX_TEXT
        });
        let fits = fits.count();
        self.left_out = self.kept.len() - fits;
        self.kept.truncate(fits);
    }
}

/// Whether a rule can matter for Remote Desktop on one of `ports`.
fn can_matter(rule: &FirewallRule, ports: &[u16]) -> bool {
    if rule.group.as_deref() == Some(REMOTE_DESKTOP_GROUP) {
        return true;
    }
    rule.direction == Some(Direction::In)
        && rule
            .protocol
            .is_none_or(|number| number == TCP || number == UDP)
        && ports.iter().any(|port| rule.is_for_port(*port))
        && rule.application.as_deref().is_none_or(may_listen)
        && rule.service.as_deref().is_none_or(is_term_service)
}

/// Whether Remote Desktop's listener can be in that program: the service host, or up to
/// Windows 7 the kernel.
fn may_listen(application: &str) -> bool {
    let name = application
        .rsplit(['\\', '/'])
        .next()
        .unwrap_or(application);
    name.eq_ignore_ascii_case("svchost.exe") || application.eq_ignore_ascii_case("System")
}

/// Whether a rule's service is Remote Desktop's, or any.
pub fn is_term_service(service: &str) -> bool {
    service == "*" || service.eq_ignore_ascii_case("TermService")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matters(text: &str) -> bool {
        can_matter(&FirewallRule::parse(text).unwrap(), &[3389, 13389])
    }

    #[test]
    fn what_can_open_or_close_the_port_is_kept() {
        assert!(
            matters("v2.30|Action=Allow|Active=TRUE|Dir=In|"),
            "for everything"
        );
        assert!(matters("v2.30|Dir=In|Protocol=6|LPort=13389|"));
        assert!(matters("v2.30|Dir=In|Protocol=17|LPort2_10=3000-4000|"));
        assert!(matters(
            r"v2.30|Dir=In|App=%SystemRoot%\system32\svchost.exe|Svc=TERMSERVICE|"
        ));
        assert!(matters(
            r"v2.30|Dir=In|App=C:\Windows\System32\SVCHOST.EXE|Svc=*|"
        ));
        assert!(matters("v2.10|Dir=In|Protocol=6|LPort=3389|App=System|"));
    }

    #[test]
    fn what_cannot_is_not() {
        assert!(!matters("v2.30|Dir=Out|Protocol=6|LPort=3389|"));
        assert!(!matters("v2.30|Protocol=6|LPort=3389|"), "no direction");
        assert!(!matters("v2.30|Dir=In|Protocol=1|"), "ICMP");
        assert!(!matters("v2.30|Dir=In|Protocol=6|LPort=3388|"));
        assert!(!matters("v2.30|Dir=In|Protocol=6|LPort=RPC|"));
        assert!(!matters(
            r"v2.30|Dir=In|LPort=3389|App=C:\tool\svchost.exe.bak|"
        ));
        assert!(!matters(
            r"v2.30|Dir=In|App=%SystemRoot%\system32\svchost.exe|Svc=dnscache|"
        ));
    }

    #[test]
    fn the_built_in_rules_are_kept_even_when_they_do_not_fit() {
        assert!(matters(
            "v2.30|Dir=In|Protocol=6|LPort=1|EmbedCtxt=@FirewallAPI.dll,-28752|"
        ));
    }

    #[test]
    fn limits_keep_the_rules_that_decide() {
        let rule = |id: usize, text: &str| Rule {
            id: format!("{id:04}"),
            layer: RuleLayer::Local,
            rule: FirewallRule::parse(text).unwrap(),
            evidence: Evidence::new("", "reg:SYSTEM\\x::y".parse().unwrap(), text),
        };
        let mut set = RuleSet {
            kept: (0..MAX_KEPT)
                .map(|id| rule(id, "v2.30|Action=Allow|"))
                .collect(),
            ..RuleSet::default()
        };
        set.kept.push(rule(9000, "v2.30|Action=Allow|Active=TRUE|"));
        set.kept.push(rule(9001, "v2.30|Action=Block|Active=TRUE|"));
        set.bound();
        assert_eq!((set.kept.len(), set.left_out), (MAX_KEPT, 2));
        assert_eq!(set.kept[0].id, "9001", "an active block first");
        assert_eq!(set.kept[1].id, "9000");
        let long = "x".repeat(MAX_TEXT / 2 + 1);
        set.kept = (0..3)
            .map(|id| rule(id, &format!("v2.30|Name={long}|")))
            .collect();
        set.bound();
        assert_eq!((set.kept.len(), set.left_out), (1, 2));
    }
}
