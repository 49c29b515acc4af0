//! How to bring the port back.

use std::net::IpAddr;

use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::checks::remote_desktop::registry::{FIREWALL_GROUP, get, put_back, set, station};
use crate::facts::remote_desktop::{DEFAULT_PORT, Listener};
use crate::facts::sockets::PortProxy;

const CUTS: &str = "Cuts every Remote Desktop session: work from the console or an agent. \
    Restart the service, and never end its svchost process: other services live in it.";

/// The restart that makes a change take effect.
fn restart() -> Step {
    Step::powershell(
        "Restart the service; the change takes effect then.",
        "Restart-Service TermService -Force",
    )
}

fn listens(port: u16) -> Step {
    Step::powershell(
        "The process of TermService listens on the port.",
        format!(
            "Get-NetTCPConnection -LocalPort {port} -State Listen | Select-Object LocalAddress, OwningProcess; (Get-CimInstance Win32_Service -Filter \"Name='TermService'\").ProcessId"
        ),
    )
}

/// Sets the port to 3389.
pub(super) fn default_port(listener: &Listener) -> Remedy {
    let key = station(&listener.name);
    let mistyped = !listener.port_type_is_right();
    let moved = listener.port_number().filter(|port| *port != DEFAULT_PORT);
    let title = match moved {
        Some(port) => format!(
            "Set the port back to {DEFAULT_PORT}; or keep {port} and let the firewall admit it (see rdp-firewall)"
        ),
        None => format!("Set the port back to {DEFAULT_PORT}"),
    };
    let remedy = Remedy::new(title)
        .risk(
            Risk::Medium,
            format!("Only if no one needs the other port: clients and security groups may name it. {CUTS}"),
        )
        .interrupts(Interruption::Sessions)
        .step(Step::powershell(
            "Let the firewall's own Remote Desktop rules, which are for 3389, work first.",
            format!("Enable-NetFirewallRule -Group {FIREWALL_GROUP}"),
        ));
    let remedy = if mistyped {
        remedy.step(Step::powershell(
            "Remove the value, whose type would stay otherwise.",
            format!(
                "Remove-ItemProperty -LiteralPath {} -Name PortNumber",
                powershell_literal(&key)
            ),
        ))
    } else {
        remedy
    };
    remedy
        .step(Step::powershell(
            "Set the port.",
            set(&key, "PortNumber", u64::from(DEFAULT_PORT)),
        ))
        .step(restart())
        .undo(put_back(&key, "PortNumber", &listener.port))
        .undo(restart())
        .verify(Step::powershell(
            "The value is 3389.",
            get(&key, "PortNumber"),
        ))
        .verify(listens(DEFAULT_PORT))
}

/// Gives the second of two listeners a port of its own.
pub(super) fn own_port(one: &Listener, other: &Listener, taken: &[u16]) -> Remedy {
    // RDP-Tcp keeps its port; the other moves to the next free one.
    let moved = if other.name.eq_ignore_ascii_case("RDP-Tcp") {
        one
    } else {
        other
    };
    let free = (DEFAULT_PORT + 1..u16::MAX)
        .find(|port| !taken.contains(port))
        .unwrap_or(DEFAULT_PORT);
    let key = station(&moved.name);
    Remedy::new("Give each listener a port of its own")
        .risk(
            Risk::Medium,
            format!("Clients of the moved listener must name the new port. {CUTS}"),
        )
        .interrupts(Interruption::Sessions)
        .step(Step::powershell(
            "Move the second listener to a free port.",
            set(&key, "PortNumber", u64::from(free)),
        ))
        .step(restart())
        .undo(put_back(&key, "PortNumber", &moved.port))
        .undo(restart())
        .verify(listens(free))
}

/// Serves all adapters.
pub(super) fn all_adapters(listener: &Listener) -> Remedy {
    let key = station(&listener.name);
    Remedy::new("Let Remote Desktop listen on all adapters")
        .risk(
            Risk::Medium,
            format!(
                "Opens Remote Desktop on every network of the machine: mind the firewall. {CUTS}"
            ),
        )
        .interrupts(Interruption::Sessions)
        .step(Step::powershell(
            "Bind to all adapters.",
            set(&key, "LanAdapter", 0),
        ))
        .step(restart())
        .undo(put_back(&key, "LanAdapter", &listener.lan_adapter))
        .undo(restart())
        .verify(Step::powershell("The value is 0.", get(&key, "LanAdapter")))
}

/// Restarts the service.
pub(super) fn restart_service(port: u16) -> Remedy {
    Remedy::new("Restart Remote Desktop Services")
        .risk(Risk::Medium, CUTS)
        .interrupts(Interruption::Sessions)
        .step(restart())
        .undo(Step::text("Nothing to undo: no setting changes."))
        .verify(listens(port))
}

/// Finds out why nothing listens and brings the listener up.
pub(super) fn bring_up(listener: &Listener, port: u16) -> Remedy {
    let key = station(&listener.name);
    Remedy::new("Bring the listener up")
        .risk(Risk::Medium, CUTS)
        .interrupts(Interruption::Sessions)
        .step(Step::powershell(
            "The service must run, and its start type must not be Disabled (see rds-service).",
            "Get-Service TermService, UmRdpService, SessionEnv | Format-Table Name, Status, StartType",
        ))
        .step(Step::powershell(
            "The listener must be on: fEnableWinStation is 1 (see rdp-tcp).",
            get(&key, "fEnableWinStation"),
        ))
        .step(restart())
        .step(Step::cmd(
            "If still nothing listens, look for network providers of other makers (VPN, proxy, antivirus) before anything is reset.",
            "netsh winsock show catalog",
        ))
        .step(Step::text(
            "If the listener's key is damaged, export and replace WinStations\\RDP-Tcp alone, from a machine of the same version, and delete SSLCertificateSHA1Hash from the copy: it names a certificate of the other machine.",
        ))
        .undo(Step::text(
            "The restart changes no setting; a replaced key comes back by importing the export.",
        ))
        .verify(listens(port))
}

/// Takes the port back from another process.
pub(super) fn free_port(port: u16, owner: &str) -> Remedy {
    Remedy::new("Free the port")
        .risk(
            Risk::Medium,
            format!("Stops or moves what {owner} does there; it may be meant to be so. {CUTS}"),
        )
        .interrupts(Interruption::Sessions)
        .step(Step::powershell(
            "See who holds the port.",
            format!(
                "Get-NetTCPConnection -LocalPort {port} -State Listen | ForEach-Object {{ Get-Process -Id $_.OwningProcess }}"
            ),
        ))
        .step(Step::cmd(
            "See which services live in the process: a shared svchost must not be ended. IpHlpSvc means a port proxy.",
            "tasklist /svc & netsh interface portproxy show all",
        ))
        .step(Step::text(
            "Stop that program by its own means, or give it another port in its configuration.",
        ))
        .step(restart())
        .undo(Step::text("Start that program again, or give it its old port back."))
        .verify(listens(port))
}

/// Keeps outgoing connections away from the port.
pub(super) fn exclude(port: u16) -> Remedy {
    Remedy::new("Exclude the port from the dynamic range")
        .risk(
            Risk::Low,
            "Takes one port from outgoing connections. Where it is refused because the port is in use, stop TermService first, from the console.",
        )
        .step(Step::cmd(
            "Reserve the port for listeners, over restarts.",
            format!("netsh int ipv4 add excludedportrange protocol=tcp startport={port} numberofports=1 store=persistent"),
        ))
        .undo(Step::cmd(
            "Give the port back.",
            format!("netsh int ipv4 delete excludedportrange protocol=tcp startport={port} numberofports=1 store=persistent"),
        ))
        .verify(Step::cmd(
            "The port is listed.",
            "netsh int ipv4 show excludedportrange protocol=tcp",
        ))
}

/// Removes a redirect.
pub(super) fn remove_redirect(proxy: &PortProxy) -> Remedy {
    let remedy = Remedy::new("Remove the redirect")
        .risk(
            Risk::Medium,
            "Somebody may need it: to reach another machine through this one.",
        )
        .step(Step::cmd(
            "List the redirects.",
            "netsh interface portproxy show all",
        ))
        .verify(Step::cmd(
            "The redirect is gone.",
            "netsh interface portproxy show all",
        ));
    // Only ends of the usual shape stand in a command.
    match (ends(&proxy.from), ends(&proxy.to)) {
        (Some((from, from_port)), Some((to, to_port))) => remedy
            .step(Step::cmd(
                "Remove it.",
                format!("netsh interface portproxy delete v4tov4 listenport={from_port} listenaddress={from}"),
            ))
            .undo(Step::cmd(
                "Put it back.",
                format!("netsh interface portproxy add v4tov4 listenport={from_port} listenaddress={from} connectport={to_port} connectaddress={to}"),
            )),
        _ => remedy
            .step(Step::text(
                "Remove the one that takes the port, with netsh interface portproxy delete v4tov4.",
            ))
            .undo(Step::text("Add it again as it was listed.")),
    }
}

/// Address and port of one end.
fn ends(text: &str) -> Option<(&str, u16)> {
    let (address, port) = text.split_once('/')?;
    let usual = address == "*" || address.parse::<IpAddr>().is_ok();
    Some((address, port.parse().ok().filter(|_| usual)?))
}
