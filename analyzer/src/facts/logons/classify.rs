//! What each event means: an attempt and its source, a success, a change.

use std::net::IpAddr;

use jiff::Timestamp;

use super::fold::{Attempts, By, Events, Noted, Success, Successes, minute_of};
use super::newest::One;
use super::origin;
use super::tally::{Minute, Tally};
use crate::formats::evtx::{Event, Fields, Value};

/// Logon types that need somebody or something at the machine itself: interactive, batch,
/// service, unlock, new credentials, cached.
const LOCAL_TYPES: &[u64] = &[2, 4, 5, 7, 9, 11, 12, 13];

impl Events {
    pub(super) fn tally(&mut self, event: &Event<'_>, minute: Minute) {
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

    pub(super) fn failed_logon(&mut self, event: &Event<'_>) {
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

    pub(super) fn logon(&mut self, event: &Event<'_>) {
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
    pub(super) fn success(&mut self, event: &Event<'_>, tally: Tally, by: By, names: [&str; 2]) {
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

    pub(super) fn ntlm(&mut self, event: &Event<'_>) {
        if event
            .fields
            .get("Status")
            .and_then(Value::as_u64)
            .is_some_and(|status| status != 0)
        {
            self.tally(event, Minute::one(Tally::NtlmRefused));
        }
    }

    pub(super) fn kerberos(&mut self, event: &Event<'_>) {
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

    pub(super) fn remote_desktop(&mut self, event: &Event<'_>, tally: Tally) {
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
    pub(super) fn sql(&mut self, event: &Event<'_>) {
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
    pub(super) fn ssh(&mut self, event: &Event<'_>) {
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

    pub(super) fn note(&mut self, event: &Event<'_>, clear: bool) {
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

    pub(super) fn clock(&mut self, event: &Event<'_>) {
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
