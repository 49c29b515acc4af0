//! What is limited now, and what will be.

use crate::facts::Snapshot;

/// A limit: how many processors, and whether it is `onecpu` that says so.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Cap {
    pub(super) processors: u64,
    pub(super) one: bool,
}

impl Cap {
    /// `onecpu` is the tighter of the two, and both end in a number of processors; 0 is none.
    fn of(one: bool, processors: Option<u64>) -> Option<Self> {
        let processors = if one { Some(1) } else { processors };
        let processors = processors.filter(|count| *count > 0)?;
        Some(Self { processors, one })
    }
}

/// Limits on logical processors.
pub(super) struct Limits {
    /// Processors that Windows uses.
    pub(super) active: Option<u64>,
    /// Processors of the machine.
    pub(super) present: Option<u64>,
    /// Whether the firmware counts them.
    pub(super) by_firmware: bool,
    /// The limit in force.
    pub(super) force: Option<Cap>,
    /// A limit that waits for the next start.
    pub(super) waiting: Option<Cap>,
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
        let stored = Cap::of(stored_one, stored_number);
        let told = given.and_then(|given| Cap::of(given.one_processor, given.processors));
        let waits = |limit: Cap| match active {
            Some(active) => active > limit.processors,
            None => given.is_some(),
        };
        let (force, waiting) = match (told, stored) {
            (Some(told), stored) => (
                Some(told),
                stored.filter(|stored| stored.processors != told.processors),
            ),
            (None, Some(stored)) if waits(stored) => (None, Some(stored)),
            (None, stored) => (stored, None),
        };
        let present = topology.present_processors.value();
        Self {
            active,
            present: present.map(|present| u64::from(present.count)),
            by_firmware: present.is_some_and(|present| present.by_firmware),
            force,
            waiting,
            inferred: match told {
                Some(_) => given.is_some_and(|given| given.logged),
                None => active.is_none(),
            },
            settled: given.is_some()
                && boot.processors.is_settled()
                && boot.one_processor.is_settled(),
        }
    }

    /// The processors of the limit in force.
    pub(super) fn processors(&self) -> Option<u64> {
        self.force.map(|cap| cap.processors)
    }

    /// Whether store and options were read and no limit is in force.
    pub(super) fn none_in_force(&self) -> bool {
        self.settled && self.force.is_none()
    }

    /// Whether store and options were read and hold no limit.
    pub(super) fn configured_none(&self) -> bool {
        self.none_in_force() && self.waiting.is_none()
    }

    /// Whether Windows uses every processor of the machine.
    pub(super) fn all_active(&self) -> bool {
        match (self.active, self.present) {
            (Some(active), Some(present)) => active >= present,
            _ => false,
        }
    }
}
