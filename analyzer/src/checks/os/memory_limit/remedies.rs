//! How to give Windows its memory back.

use crate::checks::os::boot_store::{Limit, remove};
use crate::checks::remedy::{Interruption, Remedy, Risk, Step};
use crate::facts::Snapshot;

const USED: &str = "Get-CimInstance Win32_OperatingSystem | Select-Object TotalVisibleMemorySize";

/// Removes the address limit.
pub(super) fn truncate(snapshot: &Snapshot) -> Remedy {
    let boot = &snapshot.boot_options;
    let stored = boot.truncate_memory.value().map(|setting| setting.value);
    let given = boot.given.value().and_then(|given| given.max_memory_mib);
    let old = stored.or_else(|| given?.checked_mul(1 << 20));
    remove(
        snapshot,
        &Limit {
            name: "truncatememory",
            setting: &boot.truncate_memory,
            old: old.map(|bytes| format!("{bytes:#x}")),
            verify: USED,
        },
    )
}

/// Gives back what removememory takes.
pub(super) fn removed(snapshot: &Snapshot) -> Remedy {
    let boot = &snapshot.boot_options;
    let stored = boot.remove_memory.value().map(|setting| setting.value);
    let given = boot.given.value().and_then(|given| given.burned_memory_mib);
    remove(
        snapshot,
        &Limit {
            name: "removememory",
            setting: &boot.remove_memory,
            old: stored.or(given).map(|mib| mib.to_string()),
            verify: USED,
        },
    )
}

/// Empties the list of bad pages.
pub(super) fn bad_pages(snapshot: &Snapshot) -> Remedy {
    let setting = snapshot.boot_options.bad_pages.value();
    let old = setting
        .filter(|setting| u64::try_from(setting.entries.len()) == Ok(setting.value))
        .map(|setting| {
            let pages: Vec<String> = setting.entries.iter().map(|n| format!("{n:#x}")).collect();
            pages.join(" ")
        });
    remove(
        snapshot,
        &Limit {
            name: "badmemorylist",
            setting: &snapshot.boot_options.bad_pages,
            old,
            verify: USED,
        },
    )
}

/// Another edition, or less memory.
pub(super) fn edition() -> Remedy {
    Remedy::new("Use an edition that takes the memory, or a smaller instance")
        .risk(
            Risk::High,
            "An upgrade of the edition cannot be taken back: take a snapshot of the system disk first.",
        )
        .interrupts(Interruption::Restart)
        .step(Step::powershell(
            "See which editions this one can become; the licence for it has to be bought.",
            "dism /online /Get-TargetEditions",
        ))
        .step(Step::text(
            "Upgrade with dism /online /Set-Edition, or choose an instance type with no more memory than the edition uses.",
        ))
        .undo(Step::text("Go back to the snapshot of the system disk."))
        .verify(Step::powershell("After the restart.", USED))
}

/// Looks for what reserves the memory.
pub(super) fn reserved() -> Remedy {
    Remedy::new("Find out what keeps the memory from Windows")
        .step(Step::powershell(
            "See what the firmware tells of and what Windows uses.",
            "Get-CimInstance Win32_PhysicalMemory | Select-Object DeviceLocator,Capacity; Get-CimInstance Win32_OperatingSystem | Select-Object TotalVisibleMemorySize",
        ))
        .step(Step::text(
            "In msconfig, Boot, Advanced options, \"Maximum memory\" must not be ticked.",
        ))
        .step(Step::text(
            "Compare with the size of the instance type; with memory added while Windows ran, restart once. Graphics devices that are passed through occupy memory of their own.",
        ))
        .verify(Step::powershell("Windows uses what is installed.", USED))
}
