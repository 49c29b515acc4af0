//! What is limited now, and what will be.

use crate::facts::Snapshot;

/// Memory limits, in bytes.
pub(super) struct Limits {
    /// What the firmware tells of.
    pub(super) installed: Option<u64>,
    /// What Windows uses.
    pub(super) visible: Option<u64>,
    /// The largest physical memory that the log tells of.
    pub(super) logged: Option<u64>,
    /// What the edition uses at most.
    pub(super) cap: Option<u64>,
    /// The address limit in force.
    pub(super) address: Option<u64>,
    /// An address limit that waits for the next start.
    pub(super) address_pending: Option<u64>,
    /// Memory taken away now.
    pub(super) removed: Option<u64>,
    /// Memory that the next start will take away.
    pub(super) removed_pending: Option<u64>,
    /// Whether a limit in force is told by an event or by the store alone.
    pub(super) inferred: bool,
    /// Whether store and options were both read.
    settled: bool,
}

impl Limits {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let (boot, topology) = (&snapshot.boot_options, &snapshot.topology);
        let installed = topology.installed_bytes.value().copied();
        let visible = topology.visible_bytes.value().copied();
        let given = boot.given.value();
        let given_limit = given.and_then(|given| given.max_memory_mib?.checked_mul(1 << 20));
        let given_removed = given.and_then(|given| given.burned_memory_mib?.checked_mul(1 << 20));
        let stored_limit = boot.truncate_memory.value().map(|setting| setting.value);
        let stored_removed = boot
            .remove_memory
            .value()
            .map(|setting| setting.value.saturating_mul(1 << 20))
            .filter(|bytes| *bytes > 0);

        // The kernel is told a truncatememory as MAXMEM, so its absence means "not yet".
        let limit_waits = |limit: u64| match visible {
            Some(visible) => visible > limit,
            None => given.is_some(),
        };
        // Whether it is told a removememory as BURNMEMORY is not confirmed: only memory that is
        // still there means "not yet".
        let removal_waits = |removed: u64| match (installed, visible) {
            (Some(installed), Some(visible)) => installed.saturating_sub(visible) < removed,
            _ => false,
        };
        let waiting = |told: Option<u64>, stored: Option<u64>, waits: &dyn Fn(u64) -> bool| match (
            told.filter(|bytes| *bytes > 0),
            stored,
        ) {
            (Some(told), stored) => (Some(told), stored.filter(|bytes| *bytes != told)),
            (None, Some(stored)) if waits(stored) => (None, Some(stored)),
            (None, stored) => (stored, None),
        };
        let (address, address_pending) = waiting(given_limit, stored_limit, &limit_waits);
        let (removed, removed_pending) = waiting(given_removed, stored_removed, &removal_waits);
        let told = (address.is_some() && given_limit.is_some())
            || (removed.is_some() && given_removed.is_some());
        Self {
            installed,
            visible,
            logged: topology.logged_memory.value().map(|memory| memory.bytes),
            cap: topology
                .memory_cap_bytes
                .value()
                .copied()
                .filter(|cap| *cap > 0),
            address,
            address_pending,
            removed,
            removed_pending,
            inferred: given.is_none_or(|given| given.logged) || (!told && visible.is_none()),
            settled: given.is_some()
                && boot.truncate_memory.is_settled()
                && boot.remove_memory.is_settled(),
        }
    }

    /// Whether store and options were read and hold no limit.
    pub(super) fn configured_none(&self) -> bool {
        self.settled
            && !self.limited()
            && self.address_pending.is_none()
            && self.removed_pending.is_none()
    }

    /// Whether a limit is in force.
    pub(super) fn limited(&self) -> bool {
        self.address.is_some() || self.removed.is_some()
    }

    /// What Windows cannot use.
    pub(super) fn reserved(&self) -> Option<u64> {
        Some(self.installed?.saturating_sub(self.visible?))
    }

    /// The memory of the machine: as the firmware tells, else what is used and what was removed.
    pub(super) fn whole(&self) -> Option<u64> {
        self.installed
            .or_else(|| self.visible?.checked_add(self.removed?))
    }
}
