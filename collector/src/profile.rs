//! How much is collected: three sets of items with their bounds.

use std::time::Duration;

use clap::ValueEnum;
use snapdiag_bundle::Item;

const MB: u64 = 1_000_000;

/// How much is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// some 30 s, 64 MB: fewer and shorter logs, samples
    Minimal,
    /// 3 min, mostly below 200 MB: all, 128 MB a log
    Standard,
    /// 15 min, 4 GB: all, up to 1 GB a log
    Full,
}

/// The event logs of the minimal profile.
const MINIMAL_LOGS: &[&str] = &[
    "eventlog.system",
    "eventlog.application",
    "eventlog.security",
    "eventlog.rcm-operational",
    "eventlog.lsm-operational",
    "eventlog.rdpcorets-operational",
];

impl Profile {
    /// The word that is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }

    /// Whether an item belongs to it.
    pub fn takes(self, item: &Item) -> bool {
        self != Self::Minimal
            || !item.id.starts_with("eventlog.")
            || MINIMAL_LOGS.contains(&item.id)
    }

    /// How long a run on a live machine may take.
    pub fn deadline(self) -> Duration {
        Duration::from_secs(match self {
            Self::Minimal => 45,
            Self::Standard => 180,
            Self::Full => 900,
        })
    }

    /// Size of the bundle at which nothing large is added any more, bytes.
    pub fn most_bytes(self) -> u64 {
        match self {
            Self::Minimal => 64 * MB,
            Self::Standard => 1_000 * MB,
            Self::Full => 4_000 * MB,
        }
    }

    /// Most bytes of one event log.
    pub fn log_bytes(self) -> u64 {
        match self {
            Self::Minimal => 16 * MB,
            Self::Standard => 128 * MB,
            Self::Full => 1_000 * MB,
        }
    }

    /// Samples of the counters, one a second. The checks call a load sustained from 25 s on, and
    /// compare socket tables that are 30 s apart: in the minimal profile they say less.
    pub fn samples(self) -> u32 {
        match self {
            Self::Minimal => 11,
            Self::Standard | Self::Full => 31,
        }
    }

    /// Free space without which a run does not start, bytes: room for the bundle as it mostly is,
    /// and for one exported log beside it.
    pub fn room_bytes(self) -> u64 {
        self.log_bytes() + 64 * MB
    }
}
