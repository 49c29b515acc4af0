//! The role, the mode and the licence servers.

use crate::checks::check::Judge;
use crate::checks::remote_desktop::registry::{number_or, shown};
use crate::facts::Snapshot;
use crate::facts::fact::State;
use crate::facts::licensing::Licensing;
use crate::facts::machine::ProductType;

/// `LicensingMode`: per device.
pub(super) const PER_DEVICE: u64 = 2;
/// `LicensingMode`: per user.
pub(super) const PER_USER: u64 = 4;
/// The edition of Windows with several sessions for Azure; its licences come with the users'.
const MULTI_SESSION: &str = "ServerRdsh";

/// Whether the machine is a session host.
pub(super) enum Role {
    /// Both signs say so.
    Installed,
    /// It is not, or needs no licences.
    NotApplicable(String),
    /// The signs disagree, or were not seen.
    Open(String),
}

/// Two independent signs: how Remote Desktop Services are set (`TSAppCompat`, and the running
/// system's own word), and what is installed (Server Manager's memory, else the packages).
pub(super) fn role(snapshot: &Snapshot) -> Role {
    let machine = &snapshot.machine;
    if machine.product_type.value() == Some(&ProductType::Workstation) {
        let why = "a workstation edition has no session host role";
        return Role::NotApplicable(why.to_owned());
    }
    if machine
        .edition
        .value()
        .is_some_and(|edition| edition.eq_ignore_ascii_case(MULTI_SESSION))
    {
        let why = "this edition's sessions are licensed with their users, without a licence server";
        return Role::NotApplicable(why.to_owned());
    }
    match (set(snapshot), installed(&snapshot.licensing)) {
        (Some(true), Some(true)) => Role::Installed,
        (Some(false), Some(false)) => Role::NotApplicable(
            "the session host role is not installed: two administrators' sessions need no licences".to_owned(),
        ),
        (Some(true), Some(false)) => Role::Open("TSAppCompat says that this is a session host, and no such role is recorded as installed".to_owned()),
        (Some(false), Some(true)) => Role::Open("the session host role is recorded as installed, and TSAppCompat does not say so".to_owned()),
        _ => Role::Open("whether the session host role is installed is not known".to_owned()),
    }
}

/// Whether Remote Desktop Services work as a session host.
fn set(snapshot: &Snapshot) -> Option<bool> {
    let configured = number_or(&snapshot.remote_desktop.application_mode, 0).map(|mode| mode == 1);
    match snapshot.licensing.live_role.value() {
        Some(1) => Some(true),
        _ => configured,
    }
}

/// Whether the role is recorded as installed. The packages are asked where Server Manager
/// remembers nothing.
fn installed(facts: &Licensing) -> Option<bool> {
    match &facts.component.state {
        State::Known(state) => Some(state.value == Some(1)),
        State::Absent => facts.package.value_or(false),
        _ => None,
    }
}

/// How licensing is set up.
pub(super) struct Setup<'a> {
    /// The facts.
    pub(super) facts: &'a Licensing,
}

impl<'a> Setup<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            facts: &snapshot.licensing,
        }
    }

    /// The mode in force: policy over local, else what the running system says. `None` where it
    /// is not known; 5 where none is set.
    pub(super) fn mode(&self) -> Option<u64> {
        const NOT_SET: u64 = 5;
        let mode = &self.facts.mode.effective;
        if mode.is_absent() {
            let live = self.facts.live_mode.value();
            return Some(live.map_or(NOT_SET, |mode| u64::from(*mode)));
        }
        mode.value().copied()
    }

    /// The mode in words.
    pub(super) fn mode_words(&self) -> String {
        match self.mode() {
            Some(PER_DEVICE) => "per device".to_owned(),
            Some(PER_USER) => "per user".to_owned(),
            Some(5) => "not configured".to_owned(),
            Some(other) => format!("{other}, which is none"),
            None => "not known".to_owned(),
        }
    }

    /// The licence servers: those of a policy, else those set locally, else those of the running
    /// system. `None` where they are not known.
    pub(super) fn servers(&self) -> Option<Vec<&'a str>> {
        match &self.facts.servers_by_policy.state {
            State::Known(text) => {
                let names = text.text.split(',').map(str::trim);
                return Some(names.filter(|name| !name.is_empty()).collect());
            }
            State::Absent => {}
            _ => return None,
        }
        let names = |list: &'a Vec<String>| -> Vec<&'a str> {
            let names = list.iter().map(|name| name.trim());
            names.filter(|name| !name.is_empty()).collect()
        };
        match &self.facts.servers.state {
            State::Known(list) if !names(list).is_empty() => Some(names(list)),
            State::Known(_) | State::Absent => Some(
                self.facts
                    .live_servers
                    .value()
                    .map(names)
                    .unwrap_or_default(),
            ),
            _ => None,
        }
    }

    /// Whether a licence server is named.
    pub(super) fn has_server(&self) -> Option<bool> {
        self.servers().map(|servers| !servers.is_empty())
    }

    /// Whether both a mode and a licence server are set.
    pub(super) fn configured(&self) -> Option<bool> {
        let mode = self
            .mode()
            .map(|mode| matches!(mode, PER_DEVICE | PER_USER));
        match (mode, self.has_server()) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Both in words.
    pub(super) fn words(&self) -> String {
        let servers = match self.servers() {
            None => "not known".to_owned(),
            Some(names) if names.is_empty() => "none".to_owned(),
            Some(names) => names.join(", "),
        };
        format!(
            "licensing mode: {}; licence servers: {servers}",
            self.mode_words()
        )
    }
}

/// Evidence and notes whatever the verdict.
pub(super) fn show(judge: &mut Judge, snapshot: &Snapshot) {
    let facts = &snapshot.licensing;
    let app = &snapshot.remote_desktop.application_mode;
    judge.exhibit(format!("TSAppCompat = {}", shown(app)), app);
    judge.exhibit(
        format!("RDS-RD-Server: InstallState = {}", shown(&facts.component)),
        &facts.component,
    );
    if facts.component.is_absent() {
        judge.exhibit("packages of the session host", &facts.package);
    }
    if let Some(mode) = facts.live_role.value() {
        judge.exhibit(format!("TerminalServerMode = {mode}"), &facts.live_role);
    }
    if facts.own_server.value().is_some() {
        judge.note("a licence server runs, or ran, on this machine itself");
        judge.exhibit("the service TermServLicensing", &facts.own_server);
    }
    if let Some(key) = facts.grace_key.value() {
        let written = key
            .last_write
            .map_or_else(String::new, |at| format!(", last written at {at}"));
        judge.note(format!("the key of the grace period is there{written}; its content is encrypted and tells no number of days"));
    }
    if let (Some(live), Some(set)) = (facts.live_mode.value(), facts.mode.effective.value())
        && u64::from(*live) != *set
    {
        judge.note(format!("the running system says licensing mode {live}, the registry {set}: a change may not be in force yet"));
    }
    if let Some(success) = snapshot.remote_desktop.logged.newest_success() {
        judge.exhibit_evidence(
            format!("a user came in at {}", success.time),
            std::slice::from_ref(&success.evidence),
        );
    }
}
