//! What was listening when the snapshot was taken.

use jiff::Timestamp;
use snapdiag_bundle::records::{ProbeOutcome, Transport};

use super::remedies;
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::Snapshot;
use crate::facts::remote_desktop::{ConnectProbe, DEFAULT_PORT, Listener as Station};
use crate::facts::services::{RUNNING, STOPPED, Service};
use crate::facts::sockets::{Listener as Socket, TableSource, TcpRow};

/// The service of Remote Desktop.
const SERVICE: &str = "TermService";
/// First port of the dynamic range where none was set; RPC endpoints of a shared process lie there.
const DEFAULT_DYNAMIC_START: u16 = 49152;

/// The live tables, seen from the configured port.
pub(super) struct Runtime<'a> {
    snapshot: &'a Snapshot,
    station: &'a Station,
    port: u16,
    /// `TermService`, where the services were read.
    service: Option<&'a Service>,
    /// The listeners on the port; `None` without a table.
    on_port: Option<Vec<&'a Socket>>,
    /// Those of `TermService` on the port.
    own: Vec<&'a Socket>,
    /// Those of other processes on the port.
    foreign: Vec<&'a Socket>,
    /// Those of `TermService` on other ports.
    elsewhere: Vec<&'a Socket>,
}

impl<'a> Runtime<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, station: &'a Station, port: u16) -> Self {
        let mut runtime = Self {
            snapshot,
            station,
            port,
            service: snapshot.services.service(SERVICE),
            on_port: snapshot.sockets.on_port(port),
            own: Vec::new(),
            foreign: Vec::new(),
            elsewhere: Vec::new(),
        };
        for socket in snapshot.sockets.listeners.value().into_iter().flatten() {
            match (runtime.is_of_service(socket), socket.port == port) {
                (Some(true), true) => runtime.own.push(socket),
                (Some(false), true) => runtime.foreign.push(socket),
                (Some(true), false) if runtime.may_be_rdp(socket.port) => {
                    runtime.elsewhere.push(socket);
                }
                _ => {}
            }
        }
        runtime
    }

    /// Whether a socket belongs to the service's process: by the table of services, else by the
    /// services in the process; a stopped service owns nothing.
    fn is_of_service(&self, socket: &Socket) -> Option<bool> {
        let pid = socket.pid?;
        let of_service = self.service.and_then(|service| {
            let own = *service.runtime.pid.value()?;
            (own != 0).then_some(own)
        });
        match (of_service, self.snapshot.sockets.owner(pid)) {
            (Some(own), _) => Some(own == pid),
            (None, Some(owner)) => {
                let mut names = owner.services.iter();
                Some(names.any(|name| name.eq_ignore_ascii_case(SERVICE)))
            }
            (None, None) => (self.state() == Some(STOPPED)).then_some(false),
        }
    }

    /// Whether a port of the service's process could be its Remote Desktop port: RPC endpoints of
    /// a shared process lie in the dynamic range.
    fn may_be_rdp(&self, port: u16) -> bool {
        let range = self.snapshot.sockets.dynamic_range(Transport::Tcp);
        let dynamic = range.map_or(port >= DEFAULT_DYNAMIC_START, |range| range.contains(port));
        port == DEFAULT_PORT || !dynamic
    }

    fn state(&self) -> Option<u32> {
        self.service?.runtime.state.value().copied()
    }

    /// Whether the table shows the service on the port.
    pub(super) fn listens(&self) -> bool {
        !self.own.is_empty()
    }

    /// Connections are refused and nothing listens: as it should be.
    pub(super) fn is_expected_to_be_silent(&self) -> bool {
        let nobody = self.on_port.as_ref().is_none_or(Vec::is_empty);
        self.snapshot.remote_desktop.is_denied() == Some(true) && nobody
    }

    pub(super) fn judge(&self, judge: &mut Judge) {
        self.taken(judge);
        self.silent(judge);
        self.restart_needed(judge);
        self.shared(judge);
        self.narrow(judge);
        self.unanswered(judge);
        self.demand(judge);
        let table = self.snapshot.sockets.tcp.value();
        if table.is_some_and(|table| table.source == TableSource::NetstatText) {
            judge.at_most(Confidence::Medium);
        }
        for socket in &self.own {
            judge.exhibit_evidence(
                format!("{SERVICE} listens on {}", place(socket)),
                std::slice::from_ref(&socket.evidence),
            );
        }
    }

    /// Another process has the port.
    fn taken(&self, judge: &mut Judge) {
        let holds = match &self.on_port {
            Some(sockets) if sockets.is_empty() || !self.own.is_empty() => Some(false),
            Some(_) if !self.foreign.is_empty() => Some(true),
            _ => None,
        };
        let compared = self.holders();
        let problem = judge.rule(Verdict::Critical, "taken", compared, holds);
        let (Some(problem), Some(socket)) = (problem, self.foreign.first()) else {
            return;
        };
        let owner = self.owner_words(socket);
        problem.headline(format!(
            "port {} of Remote Desktop is held by {owner}",
            self.port
        ));
        self.show_foreign(problem);
        problem.remedy(remedies::free_port(self.port, &owner));
    }

    /// Another process has the port on some address, beside the service.
    fn shared(&self, judge: &mut Judge) {
        let holds = self
            .on_port
            .as_ref()
            .map(|_| !self.own.is_empty() && !self.foreign.is_empty());
        let compared = self.holders();
        let problem = judge.rule(Verdict::Warning, "shared", compared, holds);
        let (Some(problem), Some(socket)) = (problem, self.foreign.first()) else {
            return;
        };
        let owner = self.owner_words(socket);
        problem.headline(format!(
            "beside {SERVICE}, {owner} listens on {}: connections to that address do not reach Remote Desktop",
            place(socket)
        ));
        self.show_foreign(problem);
        problem.remedy(remedies::free_port(self.port, &owner));
    }

    /// Who listens on the port, and who should.
    fn holders(&self) -> String {
        let holders = self.on_port.as_ref().map(|sockets| {
            words::list(
                sockets
                    .iter()
                    .map(|socket| match self.is_of_service(socket) {
                        Some(true) => format!("{SERVICE} on {}", place(socket)),
                        Some(false) => format!("{} on {}", self.owner_words(socket), place(socket)),
                        None => format!("a process that is not known on {}", place(socket)),
                    }),
            )
        });
        format!(
            "listening on port {}: {}; expected: {SERVICE} alone",
            self.port,
            words::value(holders)
        )
    }

    fn show_foreign(&self, problem: &mut crate::checks::check::Problem) {
        for socket in &self.foreign {
            problem.exhibits(
                format!("{} listens on {}", self.owner_words(socket), place(socket)),
                std::slice::from_ref(&socket.evidence),
            );
            let owner = socket.pid.and_then(|pid| self.snapshot.sockets.owner(pid));
            if let Some(owner) = owner {
                problem.exhibits(
                    format!("process {} is {}", owner.pid, owner.image),
                    std::slice::from_ref(&owner.evidence),
                );
            }
        }
    }

    /// When the listener's key was written, and when the service's process started.
    fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let changed = self.station.key.value().and_then(|key| key.last_write);
        let started = self
            .service
            .and_then(|service| service.runtime.process.value()?.created_at);
        (changed, started)
    }

    /// Whether the service listens on the port that was set before.
    fn listens_on_old_port(&self) -> Option<bool> {
        let (changed, started) = self.times();
        let newer = match (changed, started) {
            (Some(changed), Some(started)) => changed > started,
            // Nothing says that the service has seen the change.
            _ => true,
        };
        self.on_port
            .as_ref()
            .map(|sockets| sockets.is_empty() && !self.elsewhere.is_empty() && newer)
    }

    /// The service has to be restarted to take the port that is set.
    fn restart_needed(&self, judge: &mut Judge) {
        let (changed, started) = self.times();
        let holds = self.listens_on_old_port();
        let compared = format!(
            "{SERVICE} listens on port {}, expected {}; RDP-Tcp written {}, process started {}",
            words::list(
                self.own
                    .iter()
                    .chain(&self.elsewhere)
                    .map(|socket| socket.port)
            ),
            self.port,
            words::value(changed),
            words::value(started)
        );
        let problem = judge.rule(Verdict::Warning, "restart-needed", compared, holds);
        let (Some(problem), Some(socket)) = (problem, self.elsewhere.first()) else {
            return;
        };
        problem
            .headline(format!(
                "the port was changed to {} but the service still listens on {}: it has to be restarted",
                self.port, socket.port
            ))
            .evidence(format!("RDP-Tcp is set to port {}", self.port), &self.station.port)
            .exhibits(
                format!("{SERVICE} listens on {}", place(socket)),
                std::slice::from_ref(&socket.evidence),
            )
            .remedy(remedies::restart_service(self.port));
        if let (Some(changed), Some(started)) = (changed, started) {
            problem.because(format!(
                "RDP-Tcp was last written at {changed}, the service started at {started}"
            ));
        }
    }

    /// Nothing listens on the port.
    fn silent(&self, judge: &mut Judge) {
        let denied = self.snapshot.remote_desktop.is_denied();
        let refused = self.refused_probe();
        let empty = match &self.on_port {
            Some(sockets) if !sockets.is_empty() => Some(false),
            Some(_) if self.snapshot.sockets.lists_every_listener() => Some(true),
            Some(_) => None,
            None => refused.map(|_| true),
        };
        let holds = match (empty, denied) {
            (Some(false), _) | (_, Some(true)) => Some(false),
            (Some(true), Some(false)) => Some(self.listens_on_old_port() != Some(true)),
            _ => None,
        };
        let compared = format!(
            "connections allowed: {}; {}",
            words::answer(denied.map(|denied| !denied)),
            match (&self.on_port, refused) {
                (None, Some(probe)) => format!(
                    "connection to {}:{} refused, expected answered",
                    probe.target, probe.port
                ),
                _ => self.holders(),
            }
        );
        let Some(problem) = judge.rule(Verdict::Critical, "not-listening", compared, holds) else {
            return;
        };
        let why = match self.state() {
            Some(RUNNING) => "although the service runs",
            Some(STOPPED) => "because the service is stopped (see rds-service)",
            Some(_) => "because the service is neither running nor stopped (see rds-service)",
            None => "and the state of the service is not known",
        };
        problem
            .headline(format!(
                "nothing listens on port {} of Remote Desktop, {why}",
                self.port
            ))
            .evidence(
                format!("RDP-Tcp is set to port {}", self.port),
                &self.station.port,
            )
            .evidence(
                "connections are allowed",
                &self.snapshot.remote_desktop.deny.effective,
            )
            .remedy(remedies::bring_up(self.station, self.port));
        if let Some(service) = self.service {
            problem.evidence(format!("state of {SERVICE}"), &service.runtime.state);
        }
        if self.station.is_enabled() == Some(false) {
            problem
                .because("the listener is switched off (see rdp-tcp)")
                .evidence("fEnableWinStation = 0", &self.station.enabled);
        }
        for socket in &self.elsewhere {
            problem.exhibits(
                format!("{SERVICE} listens on {} instead", place(socket)),
                std::slice::from_ref(&socket.evidence),
            );
        }
        for row in self.bound() {
            let pid = row
                .pid
                .map_or("a process that is not named".to_owned(), |pid| {
                    format!("process {pid}")
                });
            let says = format!(
                "{pid} has port {} bound and does not listen on it",
                self.port
            );
            problem.because(says.clone());
            problem.exhibits(says, self.snapshot.sockets.bound_row(row).as_slice());
        }
        if let (None, Some(probe)) = (&self.on_port, refused) {
            problem
                .because("without a table of listeners, known by a connection that was refused")
                .confidence(Confidence::Medium)
                .exhibits(
                    "the connection was refused",
                    std::slice::from_ref(&probe.evidence),
                );
        }
    }

    /// The service listens, but not for everybody.
    fn narrow(&self, judge: &mut Judge) {
        let everywhere = self
            .own
            .iter()
            .any(|socket| socket.address.is_ipv4() && socket.address.is_unspecified());
        let holds = self
            .on_port
            .as_ref()
            .map(|_| !self.own.is_empty() && !everywhere);
        let places: Vec<String> = self.own.iter().map(|socket| place(socket)).collect();
        let compared = format!(
            "{SERVICE} listens on {}; expected 0.0.0.0:{}",
            words::list(&places),
            self.port
        );
        let Some(problem) = judge.rule(Verdict::Warning, "narrow", compared, holds) else {
            return;
        };
        let only_v6 = self.own.iter().all(|socket| socket.address.is_ipv6());
        problem
            .headline(if only_v6 {
                "Remote Desktop listens on IPv6 only".to_owned()
            } else {
                format!("Remote Desktop listens on {} only", places.join(", "))
            })
            .because("clients that come to another address are not served")
            .remedy(remedies::all_adapters(self.station));
    }

    /// The service listens, and the machine itself does not reach it.
    fn unanswered(&self, judge: &mut Judge) {
        let failed = self.probes().find(|probe| {
            matches!(
                probe.outcome,
                ProbeOutcome::Refused { .. }
                    | ProbeOutcome::Timeout
                    | ProbeOutcome::Unreachable { .. }
            )
        });
        let holds = self
            .snapshot
            .remote_desktop
            .probes
            .value()
            .map(|_| !self.own.is_empty() && failed.is_some());
        let compared = format!(
            "connections of the machine to its own port {}: {}; expected answered",
            self.port,
            self.tried()
        );
        let problem = judge.rule(Verdict::Warning, "unanswered", compared, holds);
        let (Some(problem), Some(probe)) = (problem, failed) else {
            return;
        };
        problem
            .headline(format!(
                "the service listens on port {}, but the machine itself cannot connect to {}:{}",
                self.port, probe.target, probe.port
            ))
            .because("something between the network stack and the service interferes: a filter driver, security software, or a service that hangs")
            .exhibits("the connection failed", std::slice::from_ref(&probe.evidence))
            .remedy(remedies::restart_service(self.port));
    }

    /// The probes of the configured port. The loopback address means nothing for a listener that
    /// is bound to one adapter.
    fn probes(&self) -> impl Iterator<Item = &'a ConnectProbe> {
        let bound = self
            .station
            .lan_adapter
            .value()
            .is_some_and(|number| number.value != Some(0));
        let port = self.port;
        let probes = self.snapshot.remote_desktop.probes.value();
        probes
            .into_iter()
            .flatten()
            .filter(move |probe| probe.port == port && !(bound && probe.target.is_loopback()))
    }

    /// How those probes ended, in words.
    fn tried(&self) -> String {
        if self.snapshot.remote_desktop.probes.value().is_none() {
            return "not known".to_owned();
        }
        words::list(self.probes().map(|probe| {
            let outcome = match probe.outcome {
                ProbeOutcome::Answered { .. } => "answered",
                ProbeOutcome::Refused { .. } => "refused",
                ProbeOutcome::Timeout => "timed out",
                ProbeOutcome::Unreachable { .. } => "unreachable",
                _ => "not tried",
            };
            format!("{} {outcome}", probe.target)
        }))
    }

    /// A probe that was refused while none was answered.
    fn refused_probe(&self) -> Option<&'a ConnectProbe> {
        let answered =
            |probe: &ConnectProbe| matches!(probe.outcome, ProbeOutcome::Answered { .. });
        if self.probes().any(answered) {
            return None;
        }
        self.probes()
            .find(|probe| matches!(probe.outcome, ProbeOutcome::Refused { .. }))
    }

    /// What must have been seen before `ok`: the service listening on the port.
    fn demand(&self, judge: &mut Judge) {
        const TABLE: &str = "the TCP table (network.tcp) or the output of netstat -ano";
        let sockets = &self.snapshot.sockets;
        let Some(on_port) = &self.on_port else {
            let why = sockets
                .listeners
                .why_unsettled()
                .unwrap_or_else(|| "not collected".to_owned());
            judge.lacks(format!("what listens is not known ({why})"), TABLE);
            return;
        };
        if !on_port.is_empty() {
            if self.own.is_empty() && self.foreign.is_empty() {
                judge.lacks(
                    format!(
                        "something listens on port {}, but whose it is is not known",
                        self.port
                    ),
                    "the table of services (services.table) or of processes (processes.table)",
                );
            }
            return;
        }
        if !sockets.lists_every_listener() {
            judge.lacks("the table of listeners is not whole", TABLE);
        }
        judge.require(
            &self.snapshot.remote_desktop.deny.effective,
            "whether connections are allowed",
            "the SYSTEM and SOFTWARE hives",
        );
        if self.snapshot.remote_desktop.is_denied().is_none() {
            judge.lacks(
                "whether connections are allowed is not certain (see rdp-allowed)",
                "the SYSTEM and SOFTWARE hives",
            );
        }
    }

    /// A process in words.
    /// Who keeps the port from the service without listening, which no table shows.
    fn bound(&self) -> impl Iterator<Item = &TcpRow> {
        let bound = self.snapshot.sockets.bound.value();
        let rows = bound.into_iter().flat_map(|bound| &bound.rows);
        rows.filter(|row| row.local_port == self.port)
    }

    fn owner_words(&self, socket: &Socket) -> String {
        let Some(pid) = socket.pid else {
            return "a process that the table does not name".to_owned();
        };
        match self.snapshot.sockets.owner(pid) {
            Some(owner) if owner.services.is_empty() => format!("{} (process {pid})", owner.image),
            Some(owner) => format!(
                "{} (process {pid} with {})",
                owner.image,
                owner.services.join(", ")
            ),
            None => format!("process {pid}"),
        }
    }
}

/// `address:port` as people write it.
fn place(socket: &Socket) -> String {
    std::net::SocketAddr::new(socket.address, socket.port).to_string()
}
