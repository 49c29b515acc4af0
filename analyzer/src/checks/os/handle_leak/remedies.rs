//! How to find a leak, and how to get by until it is mended.

use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::processes::Process;

const LIST: &str = "Get-Process | Sort-Object HandleCount -Descending | Select-Object -First 15 Name,Id,HandleCount,StartTime";

/// Processes that Windows does not live without.
const VITAL: [&str; 5] = [
    "lsass.exe",
    "csrss.exe",
    "wininit.exe",
    "services.exe",
    "smss.exe",
];

fn is_vital(process: &Process) -> bool {
    process.pid == 4
        || VITAL
            .iter()
            .any(|name| process.image.eq_ignore_ascii_case(name))
}

/// Finds what kind of handles a process leaks.
pub(super) fn find(process: &Process) -> Remedy {
    let pid = process.pid;
    let mut remedy = Remedy::new(format!("Find out what {} leaks", process.label()))
        .risk(
            Risk::Medium,
            "A dump stops the process for seconds and needs as much free disk space as it has private memory; it holds whatever the process holds, passwords included.",
        )
        .step(Step::powershell(
            "See whether the number still grows; repeat after some minutes.",
            LIST,
        ))
        .step(Step::powershell(
            "Count the handles by type (Sysinternals Handle): File with \\Device\\Afd are sockets (see port-exhaustion), Event, Key and Token come from the program's code.",
            format!("handle64 -s -p {pid}"),
        ));
    remedy = if is_vital(process) {
        remedy.step(Step::text(
            "Take no dump of this process in production: lsass holds credentials and security software takes it for an attack. Look for a filter, an agent or a security product that works inside it, and update that.",
        ))
    } else {
        remedy.step(Step::powershell(
            "For its vendor, take a dump (Sysinternals ProcDump); of a database with -r, which takes it from a clone.",
            format!("procdump -ma {pid}"),
        ))
    };
    remedy
        .step(Step::text(
            "Update the program, and the security software that watches it; scan an image that nobody knows.",
        ))
        .verify(Step::powershell(
            "After the update the number settles within a day.",
            LIST,
        ))
}

/// Restarts the one service of a process. Of a shared svchost nothing is restarted: its other
/// services would fall with it.
pub(super) fn restart(process: &Process) -> Option<Remedy> {
    let [service] = process.services.as_slice() else {
        return None;
    };
    if is_vital(process) {
        return None;
    }
    let name = powershell_literal(service);
    Some(
        Remedy::new(format!("Stop-gap: restart the service {service}"))
            .risk(
                Risk::Medium,
                "Whoever uses the service is interrupted, and the leak begins anew.",
            )
            .step(Step::powershell(
                "See what depends on it; that stops, too.",
                format!("Get-Service -Name {name} -DependentServices"),
            ))
            .step(Step::powershell(
                "Restart it.",
                format!("Restart-Service -Name {name}"),
            ))
            .interrupts(if service.eq_ignore_ascii_case("TermService") {
                Interruption::Sessions
            } else {
                Interruption::Nothing
            })
            .undo(Step::powershell(
                "Nothing is to be undone; a service that stayed stopped is started again.",
                format!("Start-Service -Name {name}"),
            ))
            .verify(Step::powershell(
                "The service runs, and its process holds few handles.",
                format!("Get-Service -Name {name}"),
            )),
    )
}

/// Looks whether what the log tells goes on.
pub(super) fn look() -> Remedy {
    Remedy::new("See whether the process still holds so many")
        .step(Step::powershell(
            "List the processes with most handles; repeat after some minutes.",
            LIST,
        ))
        .verify(Step::powershell("No number grows.", LIST))
}

/// Finds the driver or process that fills a pool.
pub(super) fn pool() -> Remedy {
    Remedy::new("Find out what fills the pool")
        .step(Step::powershell(
            "See the size of the pools.",
            r"Get-Counter '\Memory\Pool Nonpaged Bytes','\Memory\Pool Paged Bytes'",
        ))
        .step(Step::powershell(
            "Sort the pool by tag (poolmon of the Windows Driver Kit); the tag tells the driver.",
            "poolmon -b",
        ))
        .step(Step::powershell(
            "A process with many handles fills the pool, too.",
            LIST,
        ))
        .verify(Step::powershell(
            "The pools do not grow any more.",
            r"Get-Counter '\Memory\Pool Nonpaged Bytes','\Memory\Pool Paged Bytes'",
        ))
}
