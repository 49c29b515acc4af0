//! Windows Firewall: profiles, policy and the rules that decide about Remote Desktop.

mod events;
mod legacy;
mod listeners;
mod network;
mod profiles;
mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::{channel, records};

pub use self::events::{Events, FirewallEvent};
pub use self::listeners::ListenerPort;
pub use self::profiles::{Layer, ProfileFacts};
pub use self::rules::{Rule, RuleLayer, RuleSet};
use super::fact::Fact;
use super::inventory::Channel;
use super::sources::Sources;
use crate::formats::firewall_rule::Profile;

/// Windows Firewall: profiles, policy and the rules that decide about Remote Desktop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Firewall {
    /// The ports of the Remote Desktop listeners; the rules kept are those that can matter for
    /// one of them.
    pub ports: Fact<Vec<ListenerPort>>,
    /// The build of Windows (`CurrentBuild`); up to 7601 the kernel itself listens.
    pub build: Fact<u32>,
    /// Domain, private, public, in this order.
    pub profiles: Vec<ProfileFacts>,
    /// The profiles in force, as Windows says (`CurrentProfileTypes`).
    pub active: Fact<Vec<Profile>>,
    /// The category of the network connected last, by the registry.
    pub last_network: Fact<Profile>,
    /// The category of the network that the newest event 10000 says was connected.
    pub last_connected: Fact<Profile>,
    /// Rules of the machine.
    pub local_rules: Fact<RuleSet>,
    /// Rules of group policy.
    pub policy_rules: Fact<RuleSet>,
    /// Rules of device management.
    pub mdm_rules: Fact<RuleSet>,
    /// Exceptions by the group policies of Windows XP, which are still honoured, as rules.
    pub legacy_rules: Fact<RuleSet>,
    /// How many connection security rules the machine and group policy have; one may demand
    /// authentication by `IPsec`.
    pub connection_security: [Fact<usize>; 2],
    /// How far the firewall's log reaches.
    pub log: Fact<Channel>,
    /// The newest changes of settings and of rules for Remote Desktop, oldest first.
    pub changes: Vec<FirewallEvent>,
    /// The newest dropped connections to a Remote Desktop port (Security 5152, 5157; only where
    /// that is audited), oldest first.
    pub drops: Vec<FirewallEvent>,
}

impl Firewall {
    /// What is known of a profile.
    pub fn profile(&self, profile: Profile) -> Option<&ProfileFacts> {
        self.profiles.iter().find(|facts| facts.profile == profile)
    }

    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let ports = listeners::ports(sources);
        let numbers: Vec<u16> = ports
            .value()
            .into_iter()
            .flatten()
            .filter_map(ListenerPort::number)
            .collect();
        let live: Fact<records::FirewallState> = sources.record("network.firewall");
        let control_set = sources.system().control_set();
        let local = control_set.below(profiles::LOCAL);
        let policy = sources.software().below(profiles::POLICY);
        let logged = &sources.events().firewall;
        let log = sources.channel(channel::FIREWALL);
        Self {
            build: listeners::build(sources),
            profiles: Profile::ALL
                .into_iter()
                .map(|profile| profiles::gather(profile, &local, &policy, &live))
                .collect(),
            active: network::active(&live),
            last_network: network::last_network(sources),
            last_connected: network::last_connected(sources, logged),
            local_rules: rules::gather(&local, "FirewallRules", RuleLayer::Local, &numbers),
            policy_rules: rules::gather(&policy, "FirewallRules", RuleLayer::Policy, &numbers),
            mdm_rules: rules::gather(&local, "Mdm\\FirewallRules", RuleLayer::Mdm, &numbers),
            legacy_rules: legacy::gather(&policy),
            connection_security: [&local, &policy]
                .map(|layer| layer.values("ConSecRules").map(|rules| rules.len())),
            changes: events::changes(logged, &log, &numbers),
            drops: events::drops(logged, &sources.channel("Security"), &numbers),
            log,
            ports,
        }
    }
}
