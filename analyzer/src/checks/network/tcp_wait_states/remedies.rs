//! How to let fewer connections wait.

use crate::checks::network::ports::Load;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step};
use crate::checks::remote_desktop::registry::{get, put_back, set};
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Number;

const PARAMETERS: &str = r"HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
const DELAY: &str = "TcpTimedWaitDelay";

fn count(state: &str) -> Step {
    Step::powershell(
        "The number falls.",
        format!("(Get-NetTCPConnection -State {state} | Measure-Object).Count"),
    )
}

/// Fewer, longer connections.
pub(super) fn pool_connections(load: &Load) -> Remedy {
    let whom = load.top_remote().map_or_else(
        || "the remote ends".to_owned(),
        |(remote, _)| std::net::SocketAddr::from(remote).to_string(),
    );
    Remedy::new("Let the program reuse its connections")
        .risk(Risk::Low, "A change in the program's own configuration; test it first.")
        .step(Step::powershell(
            "See where the connections went. The process is gone from the table: look for the program that talks to that end.",
            "Get-NetTCPConnection -State TimeWait | Group-Object RemoteAddress, RemotePort | Sort-Object Count -Descending | Select-Object -First 10 Count, Name",
        ))
        .step(Step::text(format!(
            "Switch on connection pooling or keep-alive in the program that talks to {whom}."
        )))
        .undo(Step::text("Switch it off again in the program's configuration."))
        .verify(count("TimeWait"))
}

/// A shorter wait, where the program cannot be changed.
pub(super) fn shorten(delay: &Fact<Number>) -> Remedy {
    Remedy::new("Shorten TIME_WAIT to 30 seconds")
        .risk(
            Risk::Medium,
            "Hides a program that opens too many connections. A late segment of an old connection can reach a new one, rarely. Does nothing for CLOSE_WAIT. Windows takes 30 to 300 seconds.",
        )
        .interrupts(Interruption::Restart)
        .step(Step::powershell("Set the delay.", set(PARAMETERS, DELAY, 30)))
        .step(Step::cmd("Restart Windows at a time that suits: the value is read then.", "shutdown /r /t 600"))
        .undo(put_back(PARAMETERS, DELAY, delay))
        .verify(Step::powershell("The value is 30.", get(PARAMETERS, DELAY)))
        .verify(count("TimeWait"))
}

/// Fewer, longer connections of clients.
pub(super) fn keep_alive(port: u16) -> Remedy {
    Remedy::new("Let clients keep their connections open")
        .risk(Risk::Low, "A change in the server program's own configuration.")
        .step(Step::powershell(
            "See which program listens there.",
            format!("Get-NetTCPConnection -LocalPort {port} -State Listen | ForEach-Object {{ Get-Process -Id $_.OwningProcess }}"),
        ))
        .step(Step::text("Switch on keep-alive there, or let the client close first. If clients are strangers, restrict the sources in the firewall."))
        .undo(Step::text("Switch it off again in the program's configuration."))
        .verify(count("TimeWait"))
}

/// Frees what a program forgot, until it is mended.
pub(super) fn restart_program(pid: u32, owner: &str) -> Remedy {
    Remedy::new("Restart the program, and have it mended")
        .risk(
            Risk::Medium,
            format!("Interrupts what {owner} does. Restart it by its service or its own means; never end a shared svchost: other services live in it."),
        )
        .step(Step::cmd(
            "See which services live in the process.",
            format!("tasklist /svc /fi \"PID eq {pid}\""),
        ))
        .step(Step::text("Restart that service or program: its sockets are closed then."))
        .step(Step::text("Report it to its maker: it leaves sockets open after the other side has closed."))
        .undo(Step::text("Nothing to undo: no setting changes."))
        .verify(count("CloseWait"))
}
