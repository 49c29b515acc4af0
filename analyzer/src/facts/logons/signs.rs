//! Supporting signs: no verdict rests on them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clears::text;
use super::coverage::Window;
use super::fold::{Events, Noted};
use super::tally::Tally;

/// Counts of the window, and changes to accounts and services in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signs {
    /// `TermDD` 50 and 56: broken Remote Desktop protocol, as scanners and probes send it.
    pub term_dd: u64,
    /// Schannel 36874 and 36888: broken TLS handshakes.
    pub schannel: u64,
    /// RemoteConnectionManager 261: connections that came in.
    pub incoming: u64,
    /// RdpCoreTS 139: refused by the security layer.
    pub refused_by_security_layer: u64,
    /// RemoteConnectionManager/Admin 1006: many incomplete connections.
    pub incomplete: u64,
    /// Security 4740: lockouts.
    pub lockouts: u64,
    /// Security 4776 with an error: NTLM validations that failed.
    pub ntlm: u64,
    /// Security 1101: audit events were dropped.
    pub dropped: u64,
    /// Security 1100: the log service stopped (a restart does that, too).
    pub log_stopped: u64,
    /// Security 4608: Windows started.
    pub started: u64,
    /// Security 4616: the clock jumped by five minutes or more.
    pub clock_jumps: u64,
    /// New accounts, new administrators, new services; newest first, at most 64.
    pub changes: Vec<Change>,
}

/// A change that an intruder would make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// When.
    pub time: Timestamp,
    /// What, in words.
    pub what: String,
}

impl Signs {
    pub(super) fn gather(events: &Events, window: Option<Window>) -> Self {
        let Some(window) = window else {
            return Self::default();
        };
        let sum = |tally| super::rates::sum(events, window, tally);
        Self {
            term_dd: sum(Tally::TermDd),
            schannel: sum(Tally::Schannel),
            incoming: sum(Tally::Rcm261),
            refused_by_security_layer: sum(Tally::Rdp139),
            incomplete: sum(Tally::Rcm1006),
            lockouts: sum(Tally::Lockout4740),
            ntlm: sum(Tally::NtlmRefused),
            dropped: sum(Tally::Dropped),
            log_stopped: sum(Tally::LogStopped),
            started: sum(Tally::Started),
            clock_jumps: sum(Tally::ClockJump),
            changes: events
                .changes
                .entries()
                .iter()
                .rev()
                .filter(|((time, ..), _)| *time >= window.from && *time < window.to)
                .filter_map(|((time, ..), noted)| {
                    Some(Change {
                        time: *time,
                        what: change(noted)?,
                    })
                })
                .collect(),
        }
    }
}

/// What a noted event says; `None` for members of other groups than Administrators (S-1-5-32-544)
/// and Remote Desktop Users (S-1-5-32-555).
fn change(noted: &Noted) -> Option<String> {
    let name = |field: &str| text(noted, field).unwrap_or_else(|| "?".to_owned());
    match noted.id {
        4720 => Some(format!("account {} was created", name("TargetUserName"))),
        4732 => {
            let group = match name("TargetSid").as_str() {
                "S-1-5-32-544" => "Administrators",
                "S-1-5-32-555" => "Remote Desktop Users",
                _ => return None,
            };
            Some(format!("{} became a member of {group}", name("MemberSid")))
        }
        7045 => Some(format!(
            "service {} was installed ({})",
            name("ServiceName"),
            name("ImagePath")
        )),
        _ => None,
    }
}
