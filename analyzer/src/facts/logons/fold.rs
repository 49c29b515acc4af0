//! What is gathered while the logs are read.
//!
//! The time of capture is not known then, so everything is kept by absolute time, the newest
//! first (see [`Newest`]). What is kept is exact; what was dropped is older than it.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::newest::{Join, Newest, One};
use super::origin;
use super::tally::{Minute, Tally};
use crate::facts::events::{EventFamily, Want};
use crate::formats::evtx::{Event, Fields, Value};
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
pub(super) const SUCCESSES: usize = 16_384;
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
    fn join(&mut self, other: Self) {
        if self.id == 0 {
            *self = other;
        }
    }
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

/// Logon types that need somebody or something at the machine itself: interactive, batch,
/// service, unlock, new credentials, cached.
const LOCAL_TYPES: &[u64] = &[2, 4, 5, 7, 9, 11, 12, 13];

impl Events {
    fn tally(&mut self, event: &Event<'_>, minute: Minute) {
        self.minutes.add(minute_of(event.header.time), minute);
    }

    /// A failed attempt of a source on a user.
    fn attempt(
        &mut self,
        event: &Event<'_>,
        source: Option<IpAddr>,
        mut attempts: Attempts,
        user: Option<&str>,
    ) {
        attempts.user = One::of(user);
        let minute = minute_of(event.header.time);
        self.pairs.add((minute, source), attempts);
        if let Some(user) = user {
            self.users.add((minute.div_euclid(60), user.into()), 1);
        }
    }

    fn failed_logon(&mut self, event: &Event<'_>) {
        let fields = &event.fields;
        self.logon_failures = self.logon_failures.saturating_add(1);
        let mut minute = Minute::one(Tally::Logon4625);
        if let Some(reason) = reason(fields) {
            minute.count(reason);
        }
        let server = fields
            .get("ProcessName")
            .map(ToString::to_string)
            .unwrap_or_default();
        if server.to_ascii_lowercase().ends_with("sshd.exe") {
            minute.count(Tally::SshServer);
        }
        let source = origin::address_in(fields, "IpAddress");
        if is_from_outside(fields, source) {
            minute.count(Tally::Attempts);
            if source.is_none() {
                minute.count(Tally::Unattributed);
            }
            let attempts = Attempts {
                logon: 1,
                ..Attempts::default()
            };
            let user = origin::user_in(fields, "TargetUserName");
            self.attempt(event, source, attempts, user.as_deref());
        }
        self.tally(event, minute);
    }

    fn logon(&mut self, event: &Event<'_>) {
        let kind = event.fields.get("LogonType").and_then(Value::as_u64);
        if matches!(kind, Some(3 | 10)) {
            self.success(
                event,
                Tally::Logon4624,
                By::Logon4624,
                ["IpAddress", "TargetUserName"],
            );
        } else {
            self.tally(event, Minute::one(Tally::Logon4624));
        }
    }

    /// A success; `names` are the fields with its address and its user. Machine accounts and
    /// anonymous (null session) logons prove no password.
    fn success(&mut self, event: &Event<'_>, tally: Tally, by: By, names: [&str; 2]) {
        self.tally(event, Minute::one(tally));
        let [address, user] = names;
        let address = origin::address_in(&event.fields, address);
        let user = origin::user_in(&event.fields, user);
        self.succeeded(event, by, address, user);
    }

    fn succeeded(
        &mut self,
        event: &Event<'_>,
        by: By,
        address: Option<IpAddr>,
        user: Option<String>,
    ) {
        let (Some(address), Some(user)) = (address, user) else {
            return;
        };
        if origin::is_self(address) || user.ends_with('$') || user == "anonymous logon" {
            return;
        }
        let success = Success {
            time: event.header.time,
            record: event.header.record_id,
            by,
        };
        let hour = minute_of(success.time).div_euclid(60);
        self.successes.add(
            (hour, address, user.into()),
            Successes(Some([success, success]), Some(by)),
        );
    }

    fn ntlm(&mut self, event: &Event<'_>) {
        if event
            .fields
            .get("Status")
            .and_then(Value::as_u64)
            .is_some_and(|status| status != 0)
        {
            self.tally(event, Minute::one(Tally::NtlmRefused));
        }
    }

    fn kerberos(&mut self, event: &Event<'_>) {
        self.tally(event, Minute::one(Tally::Kerberos4771));
        let source = origin::address_in(&event.fields, "IpAddress");
        let user = origin::user_in(&event.fields, "TargetUserName");
        self.other(event, source, user.as_deref());
    }

    /// A failure that only its own server's event tells of.
    fn other(&mut self, event: &Event<'_>, source: Option<IpAddr>, user: Option<&str>) {
        let attempts = Attempts {
            other: 1,
            ..Attempts::default()
        };
        self.attempt(event, source, attempts, user);
    }

    fn remote_desktop(&mut self, event: &Event<'_>, tally: Tally) {
        self.tally(event, Minute::one(tally));
        let fields = &event.fields;
        let source = origin::address_in(fields, "IPString")
            .or_else(|| origin::address_in(fields, "ClientIP"));
        let Some(source) = source.filter(|source| !origin::is_self(*source)) else {
            return;
        };
        let udp = fields.get("ConnType").and_then(Value::as_str) == Some("UDP");
        let attempts = Attempts {
            refused: u64::from(tally == Tally::Rdp140),
            // One session opens one TCP and up to two UDP connections.
            connected: u64::from(tally == Tally::Rdp131 && !udp),
            ..Attempts::default()
        };
        self.pairs
            .add((minute_of(event.header.time), Some(source)), attempts);
    }

    /// SQL Server: positional values are the user, the reason and ` [CLIENT: 192.0.2.1]`.
    fn sql(&mut self, event: &Event<'_>) {
        let client = event.fields.iter().find_map(|field| {
            let text = field.value.as_str()?;
            let (_, rest) = text.split_once("[CLIENT: ")?;
            origin::address(rest.trim_end().trim_end_matches(']'))
        });
        let user = event
            .fields
            .at(0)
            .and_then(|user| origin::user(&user.to_string()));
        if client.is_some_and(origin::is_self) {
            return;
        }
        self.tally(event, Minute::one(Tally::Sql));
        self.other(event, client, user.as_deref());
    }

    /// The SSH server's lines as sshd words them. The user's name may hold anything, so the line
    /// is read from its end.
    fn ssh(&mut self, event: &Event<'_>) {
        let mut minute = Minute::one(Tally::Ssh);
        let payload = event
            .fields
            .get("payload")
            .map(ToString::to_string)
            .unwrap_or_default();
        let is = |verb: &str| {
            payload.strip_prefix(verb).and_then(|rest| {
                rest.strip_prefix("password for ")
                    .or_else(|| rest.strip_prefix("keyboard-interactive/pam for "))
            })
        };
        let parts = |rest: &str| {
            let (user, from) = rest.rsplit_once(" from ")?;
            let user = user.strip_prefix("invalid user ").unwrap_or(user);
            let source = origin::address(from.split(' ').next().unwrap_or(from))?;
            Some((source, origin::user(user)))
        };
        if let Some((source, user)) = is("Failed ").and_then(parts) {
            if !origin::is_self(source) {
                minute.count(Tally::SshRefused);
                // The same failure is a 4625 without address: only the source is new.
                let attempts = Attempts {
                    other: 1,
                    user: One::of(user.as_deref()),
                    ..Attempts::default()
                };
                self.pairs
                    .add((minute_of(event.header.time), Some(source)), attempts);
            }
        } else if let Some((source, user)) = is("Accepted ").and_then(parts) {
            self.succeeded(event, By::Ssh, Some(source), user);
        }
        self.tally(event, minute);
    }

    fn note(&mut self, event: &Event<'_>, clear: bool) {
        let header = &event.header;
        let table = if clear {
            &mut self.clears
        } else {
            &mut self.changes
        };
        table.add(
            (header.time, header.channel.to_owned(), header.record_id),
            Noted {
                id: header.event_id,
                fields: event.fields.to_json(),
            },
        );
    }

    fn clock(&mut self, event: &Event<'_>) {
        let time = |name: &str| match event.fields.get(name)? {
            Value::Time(time) => Some(time.as_second()),
            Value::Text(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_second),
            _ => None,
        };
        let (Some(old), Some(new)) = (time("PreviousTime"), time("NewTime")) else {
            return;
        };
        if old.abs_diff(new) >= 300 {
            self.tally(event, Minute::one(Tally::ClockJump));
        }
    }
}

/// Whether a 4625 is an attempt from outside: not from the machine itself, not a local logon
/// type without an address, and not a machine account in its own network.
fn is_from_outside(fields: &Fields, source: Option<IpAddr>) -> bool {
    let kind = fields.get("LogonType").and_then(Value::as_u64);
    let machine = fields
        .get("TargetUserName")
        .is_some_and(|name| name.to_string().trim_end().ends_with('$'));
    match source {
        Some(address) if origin::is_self(address) => false,
        Some(address) => !(machine && origin::is_private(address)),
        None => !machine && !kind.is_some_and(|kind| LOCAL_TYPES.contains(&kind)),
    }
}

/// Why a logon failed: `SubStatus`, or `Status` where that is 0 (MS-ERREF 2.3.1).
fn reason(fields: &Fields) -> Option<Tally> {
    let status = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_u64)
            .filter(|code| *code != 0)
    };
    match status("SubStatus").or_else(|| status("Status"))? {
        0xC000_0064 => Some(Tally::NoSuchUser),
        0xC000_006A => Some(Tally::BadPassword),
        0xC000_0234 => Some(Tally::LockedOut),
        0xC000_006E..=0xC000_0072 | 0xC000_0193 | 0xC000_0224 | 0xC000_015B => Some(Tally::Barred),
        _ => None,
    }
}
