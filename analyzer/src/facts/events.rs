//! Events: what each fact family wants of the logs, and one fold that reads every log once for
//! all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::{
    boot, boot_options, certificates, firewall, licensing, logons, network_access, network_events,
    pressure, processes, remote_desktop, services, servicing, topology,
};
use crate::formats::evtx::{Event, Fold, Header, Need};

/// A channel, a provider, and the event IDs of interest.
///
/// Never the ID alone: System 2004 is Resource-Exhaustion-Detector's or Setup's, Application 4625
/// is EventSystem's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// The channel, compared without case.
    pub channel: &'static str,
    /// The provider's names (`Provider/@Name` or `@EventSourceName`), compared without case. A
    /// `*` at the end stands for any rest: named SQL Server instances are `MSSQL$NAME`.
    pub providers: &'static [&'static str],
    /// The event IDs.
    pub ids: &'static [u32],
}

impl Want {
    /// Whether a record is one of these.
    pub fn matches(&self, header: &Header<'_>) -> bool {
        self.ids.contains(&header.event_id)
            && self.channel.eq_ignore_ascii_case(header.channel)
            && self
                .providers
                .iter()
                .any(|provider| is_from(header, provider))
    }
}

fn is_from(header: &Header<'_>, provider: &str) -> bool {
    let Some(start) = provider.strip_suffix('*') else {
        return header.is_from(provider);
    };
    let starts = |name: &str| {
        name.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    starts(header.provider) || header.source.is_some_and(starts)
}

/// The part of the fold that belongs to one fact family. It keeps itself bounded: aggregates,
/// top-N, samples; never every event.
pub trait EventFamily: Default + Send + Sync {
    /// The records it wants decoded.
    const WANTS: &'static [Want];

    /// Takes a record that it wants.
    fn event(&mut self, event: &Event<'_>);

    /// Takes in what was accumulated from later records of the same log.
    fn merge(&mut self, later: Self);
}

/// Everything that the fact families gathered from events.
#[derive(Default)]
pub struct EventFacts {
    /// For [`super::boot`].
    pub boot: boot::Events,
    /// For [`super::boot_options`].
    pub boot_options: boot_options::Events,
    /// For [`super::certificates`].
    pub certificates: certificates::Events,
    /// For [`super::firewall`].
    pub firewall: firewall::Events,
    /// For [`super::licensing`].
    pub licensing: licensing::Events,
    /// For [`super::logons`].
    pub logons: logons::Events,
    /// For [`super::network_access`].
    pub network_access: network_access::Events,
    /// For [`super::processes`].
    pub processes: processes::Events,
    /// For [`super::pressure`].
    pub pressure: pressure::Events,
    /// For [`super::network_events`].
    pub network: network_events::Events,
    /// For [`super::remote_desktop`].
    pub remote_desktop: remote_desktop::Events,
    /// For [`super::services`].
    pub services: services::Events,
    /// For [`super::servicing`].
    pub servicing: servicing::Events,
    /// For [`super::topology`].
    pub topology: topology::Events,
}

/// Hands the record to each family that wants it.
fn offer<F: EventFamily>(family: &mut F, event: &Event<'_>) {
    if F::WANTS.iter().any(|want| want.matches(&event.header)) {
        family.event(event);
    }
}

impl EventFacts {
    /// What all families want.
    fn wants() -> impl Iterator<Item = &'static Want> {
        [
            boot::Events::WANTS,
            boot_options::Events::WANTS,
            certificates::Events::WANTS,
            firewall::Events::WANTS,
            licensing::Events::WANTS,
            logons::Events::WANTS,
            network_access::Events::WANTS,
            processes::Events::WANTS,
            pressure::Events::WANTS,
            network_events::Events::WANTS,
            remote_desktop::Events::WANTS,
            services::Events::WANTS,
            servicing::Events::WANTS,
            topology::Events::WANTS,
        ]
        .into_iter()
        .flatten()
    }

    fn event(&mut self, event: &Event<'_>) {
        offer(&mut self.boot, event);
        offer(&mut self.boot_options, event);
        offer(&mut self.certificates, event);
        offer(&mut self.firewall, event);
        offer(&mut self.licensing, event);
        offer(&mut self.logons, event);
        offer(&mut self.network_access, event);
        offer(&mut self.processes, event);
        offer(&mut self.pressure, event);
        offer(&mut self.network, event);
        offer(&mut self.remote_desktop, event);
        offer(&mut self.services, event);
        offer(&mut self.servicing, event);
        offer(&mut self.topology, event);
    }

    /// Takes in what was gathered from later records, or from another channel.
    pub fn merge(&mut self, later: Self) {
        self.boot.merge(later.boot);
        self.boot_options.merge(later.boot_options);
        self.certificates.merge(later.certificates);
        self.firewall.merge(later.firewall);
        self.licensing.merge(later.licensing);
        self.logons.merge(later.logons);
        self.network_access.merge(later.network_access);
        self.processes.merge(later.processes);
        self.pressure.merge(later.pressure);
        self.network.merge(later.network);
        self.remote_desktop.merge(later.remote_desktop);
        self.services.merge(later.services);
        self.servicing.merge(later.servicing);
        self.topology.merge(later.topology);
    }
}

/// How many names of computers are counted in one log; a hostile log could name millions.
const MAX_NAMES: usize = 64;

/// Reads one log for all families.
#[derive(Default)]
pub struct EventFold {
    /// What the families gathered.
    pub facts: EventFacts,
    /// How many records each computer name has.
    pub computers: BTreeMap<String, u64>,
    /// How many records each channel has.
    pub channels: BTreeMap<String, u64>,
    /// The computer of the last record that names one.
    pub last_computer: String,
}

/// The event IDs that any family wants. Most records end here.
static WANTED_IDS: LazyLock<BTreeSet<u32>> = LazyLock::new(|| {
    EventFacts::wants()
        .flat_map(|want| want.ids)
        .copied()
        .collect()
});

impl Fold for EventFold {
    fn glance(&mut self, header: &Header<'_>) -> Need {
        count(&mut self.computers, header.computer);
        count(&mut self.channels, header.channel);
        if !header.computer.is_empty() && self.last_computer != header.computer {
            header.computer.clone_into(&mut self.last_computer);
        }
        let wanted = WANTED_IDS.contains(&header.event_id)
            && EventFacts::wants().any(|want| want.matches(header));
        if wanted { Need::Fields } else { Need::Skip }
    }

    fn event(&mut self, event: &Event<'_>) {
        self.facts.event(event);
    }

    fn fork(&self) -> Self {
        Self::default()
    }

    fn merge(&mut self, later: Self) {
        self.facts.merge(later.facts);
        if !later.last_computer.is_empty() {
            self.last_computer = later.last_computer;
        }
        for (counts, more) in [
            (&mut self.computers, later.computers),
            (&mut self.channels, later.channels),
        ] {
            for (name, number) in more {
                add(counts, &name, number);
            }
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(number) => *number += 1,
        None => add(counts, name, 1),
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, number: u64) {
    if let Some(sum) = counts.get_mut(name) {
        *sum += number;
    } else if counts.len() < MAX_NAMES {
        counts.insert(name.to_owned(), number);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use snapdiag_bundle::channel;

    use super::*;

    #[test]
    fn a_collector_asks_security_for_all_that_is_looked_for() {
        let wants = EventFacts::wants();
        let wanted: BTreeSet<u32> = wants
            .filter(|want| want.channel.eq_ignore_ascii_case(channel::SECURITY))
            .flat_map(|want| want.ids.iter().copied())
            .collect();
        let asked: BTreeSet<u32> = channel::SECURITY_IDS.iter().copied().collect();
        assert_eq!(asked, wanted);
    }
}
