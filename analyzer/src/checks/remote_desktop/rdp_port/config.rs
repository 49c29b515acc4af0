//! What the configuration alone says of the port.

use snapdiag_bundle::records::Transport;

use super::remedies;
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::Snapshot;
use crate::facts::remote_desktop::{DEFAULT_PORT, Listener, RemoteDesktop};

/// First port of the dynamic range where none was set, Windows Vista and later (KB929851).
const DEFAULT_DYNAMIC_START: u16 = 49152;

/// A number that is no port. True when sound.
pub(super) fn invalid_port(judge: &mut Judge, listener: &Listener) -> bool {
    let number = listener.port.value();
    let holds = listener.port.is_settled().then(|| {
        number.is_some_and(|number| {
            number
                .value
                .is_none_or(|value| value == 0 || value > u64::from(u16::MAX))
        })
    });
    let shown = match number.map(|number| number.value) {
        Some(Some(value)) => value.to_string(),
        Some(None) => "no number".to_owned(),
        None if listener.port.is_absent() => "absent".to_owned(),
        None => "not known".to_owned(),
    };
    let compared = format!("PortNumber = {shown}, expected 1 to 65535 or absent");
    if let Some(problem) = judge.rule(Verdict::Critical, "invalid-port", compared, holds) {
        problem
            .headline(format!(
                "PortNumber of RDP-Tcp is {shown}: no port to listen on"
            ))
            .evidence_expected(
                format!("PortNumber = {shown}"),
                "1 to 65535",
                &listener.port,
            )
            .remedy(remedies::default_port(listener));
    }
    holds != Some(true)
}

/// A number that is not a `REG_DWORD`. True when sound.
pub(super) fn wrong_type(judge: &mut Judge, listener: &Listener) -> bool {
    let right = listener.port_type_is_right();
    let kind = listener
        .port
        .value()
        .and_then(|number| number.wrong_type.as_deref())
        .unwrap_or("REG_DWORD");
    let holds = listener.port.is_settled().then_some(!right);
    let compared = format!(
        "type of PortNumber: {}, expected REG_DWORD",
        if listener.port.is_settled() {
            kind
        } else {
            "not known"
        }
    );
    if let Some(problem) = judge.rule(Verdict::Critical, "wrong-type", compared, holds) {
        problem
            .headline(format!(
                "PortNumber of RDP-Tcp is {kind} where Windows expects a REG_DWORD"
            ))
            .because("Windows may ignore it and listen on 3389, or not listen at all")
            .evidence_expected(format!("PortNumber as {kind}"), "REG_DWORD", &listener.port)
            .remedy(remedies::default_port(listener));
    }
    right
}

/// Two enabled listeners with one port. True when sound.
pub(super) fn same_port(judge: &mut Judge, rdp: &RemoteDesktop) -> bool {
    let enabled: Vec<(&Listener, u16)> = rdp
        .listeners
        .value()
        .into_iter()
        .flatten()
        // A listener without PortNumber that is not RDP-Tcp need not be one of TCP.
        .filter(|one| one.is_enabled() == Some(true) && one.port.value().is_some())
        .filter_map(|one| Some((one, one.port_number()?)))
        .collect();
    let clash = enabled.iter().enumerate().find_map(|(index, (one, port))| {
        let (other, _) = enabled
            .iter()
            .skip(index + 1)
            .find(|(_, other)| other == port)?;
        Some((*one, *other, *port))
    });
    let compared = format!(
        "ports of enabled listeners: {}; expected one each",
        words::list(
            enabled
                .iter()
                .map(|(one, port)| format!("{} {port}", one.name))
        )
    );
    let holds = Some(clash.is_some());
    let problem = judge.rule(Verdict::Critical, "same-port", compared, holds);
    if let (Some(problem), Some((one, other, port))) = (problem, clash) {
        let taken: Vec<u16> = enabled.iter().map(|(_, port)| *port).collect();
        problem
            .headline(format!(
                "the listeners {} and {} have the same port {port}: one of them cannot listen",
                one.name, other.name
            ))
            .evidence(format!("{}: port {port}", one.name), &one.port)
            .evidence(format!("{}: port {port}", other.name), &other.port)
            .remedy(remedies::own_port(one, other, &taken));
    }
    holds != Some(true)
}

/// A port other than 3389.
pub(super) fn unusual_port(judge: &mut Judge, listener: &Listener, port: u16) {
    let compared = format!("port {port}, expected {DEFAULT_PORT}");
    let holds = Some(port != DEFAULT_PORT);
    if let Some(problem) = judge.rule(Verdict::Warning, "unusual-port", compared, holds) {
        problem
            .headline(format!("Remote Desktop is set to port {port} instead of {DEFAULT_PORT}"))
            .because(format!(
                "clients must name the port (HOST:{port}), the firewall's own rules do not cover it (see rdp-firewall), and the security group must admit it"
            ))
            .evidence_expected(format!("PortNumber = {port}"), "3389", &listener.port)
            .remedy(remedies::default_port(listener));
    }
}

/// A port that Windows hands out to outgoing connections.
pub(super) fn dynamic_range(judge: &mut Judge, snapshot: &Snapshot, port: u16) {
    let sockets = &snapshot.sockets;
    let range = sockets.dynamic_range(Transport::Tcp);
    let (first, last) = range.map_or((DEFAULT_DYNAMIC_START, u16::MAX), |range| {
        (range.first, range.last)
    });
    let inside = port >= 1025 && (first..=last).contains(&port);
    let excluded = sockets.exclusion(port).is_some() || sockets.is_reserved(port);
    let compared = format!(
        "port {port}, {}; expected outside the dynamic range {first} to {last}{}, or excluded",
        if excluded { "excluded" } else { "not excluded" },
        if range.is_some() { "" } else { " (assumed)" }
    );
    let holds = Some(inside && !excluded);
    let Some(problem) = judge.rule(Verdict::Warning, "in-dynamic-range", compared, holds) else {
        return;
    };
    problem
        .headline(format!(
            "port {port} lies in the dynamic range {first} to {last}: an outgoing connection may take it before the service starts"
        ))
        .remedy(remedies::exclude(port));
    match range {
        Some(range) => {
            problem.exhibits(format!("dynamic range {first} to {last}"), &range.evidence);
        }
        None => {
            problem
                .because("the range was not collected: the default of Windows is assumed")
                .confidence(Confidence::Medium);
        }
    }
}

/// A listener bound to one network adapter by its number.
pub(super) fn one_adapter(judge: &mut Judge, listener: &Listener) {
    let number = listener.lan_adapter.value().and_then(|number| number.value);
    let holds = listener
        .lan_adapter
        .is_settled()
        .then(|| number.is_some_and(|number| number != 0));
    let compared = match number {
        Some(number) => format!("LanAdapter = {number}"),
        None if listener.lan_adapter.is_absent() => "LanAdapter is absent".to_owned(),
        None => "LanAdapter: not known".to_owned(),
    };
    let told = format!("{compared}, expected 0 or absent");
    if let Some(problem) = judge.rule(Verdict::Warning, "one-adapter", told, holds) {
        problem
            .headline("Remote Desktop is bound to a single network adapter by its number")
            .because("the number goes stale when an adapter is changed: the machine is then not reachable through the new one")
            .evidence_expected(compared, "0: all adapters", &listener.lan_adapter)
            .remedy(remedies::all_adapters(listener));
    }
}

/// A redirect of `netsh interface portproxy` that takes the port.
pub(super) fn redirect(judge: &mut Judge, snapshot: &Snapshot, port: u16) {
    let proxies = &snapshot.sockets.port_proxies;
    let taking = proxies
        .value()
        .into_iter()
        .flatten()
        .find(|proxy| proxy.port() == Some(port));
    let listened = proxies.is_settled().then(|| {
        let ports = proxies.value().into_iter().flatten();
        words::list(ports.map(|proxy| &proxy.from))
    });
    let compared = format!(
        "redirects take: {}; expected none of port {port}",
        words::value(listened)
    );
    let holds = proxies.is_settled().then_some(taking.is_some());
    let problem = judge.rule(Verdict::Warning, "redirected", compared, holds);
    if let (Some(problem), Some(proxy)) = (problem, taking) {
        problem
            .headline(format!(
                "a port proxy takes {} and hands it to {}: it competes with Remote Desktop for port {port}",
                proxy.from, proxy.to
            ))
            .exhibits(
                format!("redirect {} to {}", proxy.from, proxy.to),
                std::slice::from_ref(&proxy.evidence),
            )
            .remedy(remedies::remove_redirect(proxy));
    }
}
