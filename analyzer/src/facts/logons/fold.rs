//! What is gathered while the logs are read.
//!
//! The time of capture is not known then, so everything is kept by absolute time, the newest
//! first (see [`Newest`]). What is kept is exact; what was dropped is older than it.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::newest::{Join, Newest, One};
use super::tally::{Minute, Tally};
use crate::facts::events::{EventFamily, Want};
use crate::formats::evtx::Event;
use snapdiag_bundle::channel;

/// Provider of logons in the Security log.
pub(super) const AUDITING: &str = "Microsoft-Windows-Security-Auditing";
/// Provider of "log cleared" and of gaps in the Security log.
pub(super) const EVENTLOG: &str = "Microsoft-Windows-Eventlog";
/// Provider of the Remote Desktop transport's events.
pub(super) const RDPCORETS: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS";
/// Provider of Remote Desktop connections.
pub(super) const RCM: &str = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
/// Provider of sessions.
pub(super) const LSM: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";

/// The newest occupied minutes: two weeks of uninterrupted failures.
pub(super) const MINUTES: usize = 14 * 24 * 60;
/// The newest pairs of minute and source: a day of 90 sources that never pause.
pub(super) const PAIRS: usize = 131_072;
/// The newest pairs of hour and attempted user.
pub(super) const USERS: usize = 32_768;
/// The newest hours with a success, by source and user.
pub(super) const SUCCESSES: usize = 65_536;
/// The newest events that are kept with their fields.
pub(super) const NOTED: usize = 64;

/// Minutes since 1970, UTC.
pub(super) fn minute_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(60)
}

/// What one source did in one minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attempts {
    /// Security 4625.
    pub(super) logon: u64,
    /// RdpCoreTS 140.
    pub(super) refused: u64,
    /// RdpCoreTS 131 over TCP.
    pub(super) connected: u64,
    /// OpenSSH, SQL Server and Kerberos failures.
    pub(super) other: u64,
    /// The users that were tried.
    pub(super) user: One,
}

impl Join for Attempts {
    fn join(&mut self, other: Self) {
        self.logon.join(other.logon);
        self.refused.join(other.refused);
        self.connected.join(other.connected);
        self.other.join(other.other);
        self.user.join(other.user);
    }
}

/// A successful logon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Success {
    pub(super) time: Timestamp,
    pub(super) record: u64,
    pub(super) by: By,
}

/// Which event tells of a success, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// RemoteConnectionManager 1149. Without NLA it is written before any password is checked.
    Rcm1149,
    /// OpenSSH 4, "Accepted password".
    Ssh,
    /// `LocalSessionManager` 21 or 25.
    Lsm,
    /// Security 4624, type 3 or 10.
    Logon4624,
}

/// First and last success of an hour, and the most telling one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Successes(pub(super) Option<[Success; 2]>, pub(super) Option<By>);

impl Join for Successes {
    fn join(&mut self, other: Self) {
        self.0 = match (self.0, other.0) {
            (Some([first, last]), Some([other_first, other_last])) => {
                Some([first.min(other_first), last.max(other_last)])
            }
            (own, other) => own.or(other),
        };
        self.1 = self.1.max(other.1);
    }
}

/// An event that is kept with its fields: a cleared log, a new account, a new service.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Noted {
    pub(super) id: u32,
    pub(super) fields: Map<String, Json>,
}

impl Join for Noted {
    /// The same record twice: two copies of a log.
    fn join(&mut self, _: Self) {}
}

/// What the logs say of logons.
#[derive(Default)]
pub struct Events {
    pub(super) minutes: Newest<i64, Minute, MINUTES>,
    pub(super) pairs: Newest<(i64, Option<IpAddr>), Attempts, PAIRS>,
    pub(super) users: Newest<(i64, Box<str>), u64, USERS>,
    pub(super) successes: Newest<(i64, IpAddr, Box<str>), Successes, SUCCESSES>,
    pub(super) clears: Newest<(Timestamp, String, u64), Noted, NOTED>,
    pub(super) changes: Newest<(Timestamp, String, u64), Noted, NOTED>,
    /// 4625 in the whole log, for the share of the live log.
    pub(super) logon_failures: u64,
}

const AUDITED: &[u32] = &[4624, 4625, 4740, 4771, 4776, 4720, 4732, 4608, 4616];

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        want("Security", &[AUDITING], AUDITED),
        want("Security", &[EVENTLOG], &[1100, 1101, 1102]),
        want("System", &[EVENTLOG], &[104]),
        want("System", &["Service Control Manager"], &[7045]),
        want("System", &["TermDD"], &[50, 56]),
        want(
            "System",
            &["Schannel", "Microsoft-Windows-Schannel"],
            &[36874, 36888],
        ),
        want("Application", &["MSSQLSERVER", "MSSQL$*"], &[18456]),
        want(
            channel::RDPCORETS_OPERATIONAL,
            &[RDPCORETS],
            &[131, 139, 140],
        ),
        want(channel::RCM_OPERATIONAL, &[RCM], &[261, 1149]),
        want(channel::RCM_ADMIN, &[RCM], &[1006]),
        want(channel::LSM_OPERATIONAL, &[LSM], &[21, 25]),
        want(channel::OPENSSH, &["OpenSSH"], &[4]),
    ];

    fn event(&mut self, event: &Event<'_>) {
        match event.header.event_id {
            4625 => self.failed_logon(event),
            4624 => self.logon(event),
            4776 => self.ntlm(event),
            4771 => self.kerberos(event),
            140 => self.remote_desktop(event, Tally::Rdp140),
            139 => self.remote_desktop(event, Tally::Rdp139),
            131 => self.remote_desktop(event, Tally::Rdp131),
            1149 => self.success(event, Tally::Rcm1149, By::Rcm1149, ["Param3", "Param1"]),
            21 | 25 => self.success(event, Tally::Lsm, By::Lsm, ["Address", "User"]),
            18456 => self.sql(event),
            4 => self.ssh(event),
            104 | 1102 => self.note(event, true),
            4720 | 4732 | 7045 => self.note(event, false),
            4616 => self.clock(event),
            id => {
                if let Some(tally) = plain(id) {
                    self.tally(event, Minute::one(tally));
                }
            }
        }
    }

    fn merge(&mut self, later: Self) {
        self.minutes.merge(later.minutes);
        self.pairs.merge(later.pairs);
        self.users.merge(later.users);
        self.successes.merge(later.successes);
        self.clears.merge(later.clears);
        self.changes.merge(later.changes);
        self.logon_failures = self.logon_failures.saturating_add(later.logon_failures);
    }
}

const fn want(
    channel: &'static str,
    providers: &'static [&'static str],
    ids: &'static [u32],
) -> Want {
    Want {
        channel,
        providers,
        ids,
    }
}

/// Events that are only counted.
fn plain(id: u32) -> Option<Tally> {
    Some(match id {
        261 => Tally::Rcm261,
        50 | 56 => Tally::TermDd,
        36874 | 36888 => Tally::Schannel,
        1006 => Tally::Rcm1006,
        4740 => Tally::Lockout4740,
        1100 => Tally::LogStopped,
        1101 => Tally::Dropped,
        4608 => Tally::Started,
        _ => return None,
    })
}
