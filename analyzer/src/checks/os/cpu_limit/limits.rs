//! What is limited now, and what will be.

use crate::facts::Snapshot;

/// Limits on logical processors.
pub(super) struct Limits {
    /// Processors that Windows uses.
    pub(super) active: Option<u64>,
    /// Processors of the machine.
    pub(super) present: Option<u64>,
    /// Whether the firmware counts them.
    pub(super) by_firmware: bool,
    /// The limit in force.
    pub(super) processors: Option<u64>,
    /// Whether that is `onecpu`.
    pub(super) one_processor: bool,
    /// A limit that waits for the next start.
    pub(super) pending: Option<u64>,
    /// Whether that is `onecpu`.
    pub(super) pending_one_processor: bool,
    /// Whether the limit in force is told by an event or by the store alone.
    pub(super) inferred: bool,
    /// Whether store and options were both read.
    settled: bool,
}

impl Limits {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let (boot, topology) = (&snapshot.boot_options, &snapshot.topology);
        let active = topology.active_processors.value().copied().map(u64::from);
        let given = boot.given.value();
        let stored_number = boot.processors.value().map(|setting| setting.value);
        let stored_one = boot
            .one_processor
            .value()
            .is_some_and(|setting| setting.value != 0);
        // onecpu is the tighter of the two, and both end in a number of processors.
        let stored = match stored_one {
            true => Some(1),
            false => stored_number.filter(|count| *count > 0),
        };
        let given_one = given.is_some_and(|given| given.one_processor);
        let told = match given_one {
            true => Some(1),
            false => given
                .and_then(|given| given.processors)
                .filter(|count| *count > 0),
        };
        let waits = |limit: u64| match active {
            Some(active) => active > limit,
            None => given.is_some(),
        };
        let (processors, pending) = match (told, stored) {
            (Some(told), stored) => (Some(told), stored.filter(|count| *count != told)),
            (None, Some(stored)) if waits(stored) => (None, Some(stored)),
            (None, stored) => (stored, None),
        };
        let present = topology.present_processors.value();
        Self {
            active,
            present: present.map(|present| u64::from(present.count)),
            by_firmware: present.is_some_and(|present| present.by_firmware),
            processors,
            one_processor: match told {
                Some(_) => given_one,
                None => stored_one && processors.is_some(),
            },
            pending,
            pending_one_processor: stored_one && pending.is_some(),
            inferred: match told {
                Some(_) => given.is_some_and(|given| given.logged),
                None => active.is_none(),
            },
            settled: given.is_some()
                && boot.processors.is_settled()
                && boot.one_processor.is_settled(),
        }
    }

    /// Whether store and options were read and no limit is in force.
    pub(super) fn none_in_force(&self) -> bool {
        self.settled && self.processors.is_none()
    }

    /// Whether store and options were read and hold no limit.
    pub(super) fn configured_none(&self) -> bool {
        self.none_in_force() && self.pending.is_none()
    }

    /// Whether Windows uses every processor of the machine.
    pub(super) fn all_active(&self) -> bool {
        match (self.active, self.present) {
            (Some(active), Some(present)) => active >= present,
            _ => false,
        }
    }
}
