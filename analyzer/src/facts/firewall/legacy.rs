//! The group policies of Windows XP that still open or close ports, read as rules.
//!
//! `…\WindowsFirewall\{Domain,Standard}Profile\Services\RemoteDesktop` (`Enabled`, `RemoteAddresses`)
//! and `…\GloballyOpenPorts\List` (`port:protocol:scope:status:name`). The standard profile of
//! then is private and public of now.

use super::rules::{Rule, RuleLayer, RuleSet};
use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::sources::registry::{Below, data};
use crate::formats::firewall_rule::{Action, Direction, FirewallRule, Ports, Profile};

/// How many open ports of one profile are looked at.
const MAX_PORTS: usize = 256;

/// Remote Desktop's exception is for this port, whatever the listener's is.
const REMOTE_DESKTOP_PORT: u16 = 3389;

const PROFILES: [(&str, &[Profile]); 2] = [
    ("DomainProfile", &[Profile::Domain]),
    ("StandardProfile", &[Profile::Private, Profile::Public]),
];

/// Reads the exceptions.
pub(super) fn gather(policy: &Below<'_>) -> Fact<RuleSet> {
    let mut set = RuleSet::default();
    let mut places = Vec::new();
    for (key, profiles) in PROFILES {
        let service = format!("{key}\\Services\\RemoteDesktop");
        let list = format!("{key}\\GloballyOpenPorts\\List");
        let enabled = policy.number(&service, "Enabled");
        let scope = policy.text(&service, "RemoteAddresses");
        let ports = policy.values(&list);
        let unsettled = [enabled.carry::<RuleSet>(), scope.carry(), ports.carry()];
        for missing in unsettled.into_iter().flatten() {
            if !matches!(missing.state, State::Absent) {
                return missing;
            }
        }
        places.extend(enabled.evidence.iter().take(1).cloned());
        if let (Some(number), Some(evidence)) = (enabled.value(), enabled.evidence.first()) {
            let action = if number.value == Some(0) {
                Action::Block
            } else {
                Action::Allow
            };
            let scope = scope.value().map_or("*", |scope| &scope.text);
            let rule = exception(profiles, action, 6, REMOTE_DESKTOP_PORT, scope);
            set.add(&service, rule, evidence.clone());
        }
        let key = ports.evidence.first().cloned();
        for entry in ports.value().into_iter().flatten().take(MAX_PORTS) {
            let text = entry.value.as_string().unwrap_or_default();
            let Some(rule) = open_port(profiles, &text) else {
                set.unreadable += 1;
                continue;
            };
            let mut evidence = Evidence::new("", entry.locator.clone(), data(&entry.value));
            if let Some(key) = &key {
                evidence.artifact.clone_from(&key.artifact);
                evidence.time = key.time;
                evidence.doubt.clone_from(&key.doubt);
            }
            set.add(&format!("{list}\\{}", entry.value.name), rule, evidence);
        }
    }
    if set.kept.is_empty() && set.unreadable == 0 {
        return Fact::absent(places);
    }
    let evidence: Vec<Evidence> = set.kept.iter().map(|rule| rule.evidence.clone()).collect();
    Fact::known(set, evidence)
}

impl RuleSet {
    fn add(&mut self, id: &str, rule: FirewallRule, evidence: Evidence) {
        self.total += 1;
        self.active += usize::from(rule.active);
        self.kept.push(Rule {
            id: id.to_owned(),
            layer: RuleLayer::LegacyPolicy,
            rule,
            evidence,
        });
    }
}

/// `3389:TCP:*:Enabled:name`.
fn open_port(profiles: &[Profile], text: &str) -> Option<FirewallRule> {
    let mut parts = text.splitn(5, ':');
    let port = parts.next()?.trim().parse().ok()?;
    let protocol = match parts.next()?.trim() {
        p if p.eq_ignore_ascii_case("TCP") => 6,
        p if p.eq_ignore_ascii_case("UDP") => 17,
        _ => return None,
    };
    let scope = parts.next()?;
    let action = match parts.next()?.trim() {
        status if status.eq_ignore_ascii_case("enabled") => Action::Allow,
        status if status.eq_ignore_ascii_case("disabled") => Action::Block,
        _ => return None,
    };
    Some(exception(profiles, action, protocol, port, scope))
}

fn exception(
    profiles: &[Profile],
    action: Action,
    protocol: u16,
    port: u16,
    scope: &str,
) -> FirewallRule {
    let everywhere = scope.trim().is_empty() || scope.trim() == "*";
    let addresses = scope.split(',').map(|address| address.trim().to_owned());
    FirewallRule {
        action: Some(action),
        active: true,
        direction: Some(Direction::In),
        protocol: Some(protocol),
        profiles: profiles.to_vec(),
        local_ports: vec![Ports::Range {
            low: port,
            high: port,
        }],
        remote_addresses: if everywhere {
            Vec::new()
        } else {
            addresses.collect()
        },
        ..FirewallRule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_port_is_an_allowing_rule() {
        let rule = open_port(&[Profile::Domain], "13389:TCP:*:Enabled:a:b").unwrap();
        assert_eq!(rule.action, Some(Action::Allow));
        assert!(rule.active && rule.is_for_port(13389) && !rule.is_for_port(3389));
        assert!(rule.remote_addresses.is_empty());
        assert!(!rule.is_for(Profile::Public));
    }

    #[test]
    fn its_scope_and_status_are_kept() {
        let rule = open_port(&[], "3389:tcp:LocalSubnet,10.0.0.0/8:disabled:x").unwrap();
        assert_eq!(rule.action, Some(Action::Block));
        assert_eq!(rule.remote_addresses, ["LocalSubnet", "10.0.0.0/8"]);
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for text in [
            "",
            "3389",
            "x:TCP:*:Enabled:n",
            "3389:ICMP:*:Enabled:n",
            "3389:TCP:*:on:n",
        ] {
            assert_eq!(open_port(&[], text), None, "{text:?}");
        }
    }
}
