//! Windows Firewall: profiles, policy and the rules that decide about Remote Desktop.

mod events;
mod legacy;
mod network;
mod profiles;
mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::{channel, records};

pub use self::events::{Events, FirewallEvent};
pub use self::profiles::{Layer, ProfileFacts};
pub use self::rules::{REMOTE_DESKTOP_GROUP, Rule, RuleLayer, RuleSet, TCP, UDP, is_term_service};
use super::fact::Fact;
use super::inventory::Channel;
use super::remote_desktop::{Listener, RemoteDesktop};
use super::sources::Sources;
use crate::formats::firewall_rule::Profile;

/// Windows Firewall: profiles, policy and the rules that decide about Remote Desktop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Firewall {
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

    /// Gathers the facts of this family; the rules kept are those that can matter for a listener
    /// of Remote Desktop.
    pub fn gather(sources: &Sources, remote_desktop: &RemoteDesktop) -> Self {
        let listeners = remote_desktop.listeners.value().into_iter().flatten();
        let ports: Vec<u16> = listeners.filter_map(Listener::port_number).collect();
        let live: Fact<records::FirewallState> = sources.record("network.firewall");
        let control_set = sources.system().control_set();
        let local = control_set.below(profiles::LOCAL);
        let policy = sources.software().below(profiles::POLICY);
        let logged = &sources.events().firewall;
        let log = sources.channel(channel::FIREWALL);
        Self {
            profiles: Profile::ALL
                .into_iter()
                .map(|profile| profiles::gather(profile, &local, &policy, &live))
                .collect(),
            active: network::active(&live),
            last_network: network::last_network(sources),
            last_connected: network::last_connected(sources, logged),
            local_rules: rules::gather(&local, "FirewallRules", RuleLayer::Local, &ports),
            policy_rules: rules::gather(&policy, "FirewallRules", RuleLayer::Policy, &ports),
            mdm_rules: rules::gather(&local, "Mdm\\FirewallRules", RuleLayer::Mdm, &ports),
            legacy_rules: legacy::gather(&policy),
            connection_security: [&local, &policy]
                .map(|layer| layer.values("ConSecRules").map(|rules| rules.len())),
            changes: events::changes(logged, &log, &ports),
            drops: events::drops(logged, &sources.channel("Security"), &ports),
            log,
        }
    }
}
