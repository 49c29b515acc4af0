//! How to get memory back.

use crate::checks::check::Problem;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step};
use crate::checks::resources::usage;
use crate::facts::Snapshot;
use crate::facts::pressure::PressureKind;

/// Little memory is available.
pub(super) fn low(problem: &mut Problem, snapshot: &Snapshot, by_design: Option<&str>) {
    let consumers = &snapshot.consumers.memory;
    let sql = consumers
        .value()
        .and_then(|list| list.first())
        .is_some_and(|first| first.is_any(&["sqlservr.exe"]));
    if sql || by_design.is_some_and(|name| name.eq_ignore_ascii_case("sqlservr.exe")) {
        problem.remedy(cap_sql_server());
    }
    problem
        .remedy(usage::examine(consumers, "WorkingSet64"))
        .remedy(grow());
}

fn cap_sql_server() -> Remedy {
    Remedy::new("Cap SQL Server's memory")
        .risk(
            Risk::Medium,
            "Too low a cap slows queries. Leave at least 10 % of the memory, and 4 GB, to Windows.",
        )
        .step(Step::powershell(
            "Note the value in force: the undo needs it.",
            "sqlcmd -E -Q \"EXEC sys.sp_configure 'show advanced options', 1; RECONFIGURE; EXEC sys.sp_configure 'max server memory (MB)'\"",
        ))
        .step(Step::powershell(
            "Set the cap, here 8192 MB for example; it works at once.",
            "sqlcmd -E -Q \"EXEC sys.sp_configure 'max server memory (MB)', 8192; RECONFIGURE\"",
        ))
        .undo(Step::powershell(
            "Put the noted value back; 2147483647 (no cap) is the default. A snapshot of Windows does not hold it.",
            "sqlcmd -E -Q \"EXEC sys.sp_configure 'max server memory (MB)', 2147483647; RECONFIGURE\"",
        ))
        .verify(Step::powershell(
            "Available memory grows within minutes.",
            "(Get-CimInstance Win32_OperatingSystem).FreePhysicalMemory / 1KB",
        ))
}

fn grow() -> Remedy {
    Remedy::new("Give the machine more memory")
        .risk(Risk::Low, "Costs money; the machine stops for the change.")
        .interrupts(Interruption::Restart)
        .step(Step::text(
            "If the programs are meant to use that much, choose a larger size of the instance. Do not use \"memory cleaners\": they empty working sets, and everything is read from disk again.",
        ))
        .undo(Step::text("Choose the old size again."))
        .verify(Step::powershell(
            "Windows sees the memory.",
            "(Get-CimInstance Win32_ComputerSystem).TotalPhysicalMemory / 1GB",
        ))
}

/// A driver leaks.
pub(super) fn pool() -> Remedy {
    Remedy::new("Find the driver whose pool grows")
        .risk(Risk::Low, "Only looks; a restart frees the pool for a while.")
        .step(Step::cmd(
            "Sort the pool by bytes and note the tag at the top (poolmon is part of the Windows Driver Kit).",
            "poolmon.exe -p -b",
        ))
        .step(Step::powershell(
            "Find the drivers that hold the tag; Xxxx stands for it.",
            r"Select-String -Path C:\Windows\System32\drivers\*.sys -Pattern 'Xxxx' -CaseSensitive -List | Select-Object Path",
        ))
        .step(Step::text(
            "Update that driver or remove the program that brings it; security products and network filters come first.",
        ))
        .undo(Step::text("Install the driver's former version again."))
        .verify(Step::powershell(
            "The pool stays level for an hour.",
            r"Get-Counter '\Memory\Pool Nonpaged Bytes' -SampleInterval 60 -MaxSamples 60",
        ))
}

pub(super) fn pool_or_process(kind: PressureKind, snapshot: &Snapshot) -> Remedy {
    match kind {
        PressureKind::PoolExhausted => pool(),
        _ => usage::examine(&snapshot.consumers.memory, "PrivateMemorySize64"),
    }
}
