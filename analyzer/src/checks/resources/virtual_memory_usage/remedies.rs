//! How to raise the commit limit.

use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::Snapshot;
use crate::facts::page_files::PageFiles;
use crate::facts::units::float;

const KEY: &str = r"'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management'";

/// Lets Windows manage the page file, as it does on a fresh machine.
pub(super) fn automatic(files: &PageFiles) -> Remedy {
    Remedy::new("Let Windows manage the page file")
        .risk(
            Risk::Low,
            "Needs room on the system drive. A fixed maximum that is too low is the common cause of exhaustion; keep one only where a vendor asks for it.",
        )
        .interrupts(Interruption::Restart)
        .step(Step::powershell(
            "Switch to automatic management; it takes effect at the next start.",
            "Get-CimInstance Win32_ComputerSystem | Set-CimInstance -Property @{AutomaticManagedPagefile=$true}",
        ))
        .step(Step::text("Restart Windows at a time that suits its users."))
        .undo(put_back(files))
        .verify(Step::powershell(
            "The page file is there, and the limit has grown.",
            "Get-CimInstance Win32_PageFileUsage | Select-Object Name, AllocatedBaseSize, CurrentUsage",
        ))
}

/// A fixed size, for machines where a vendor asks for it.
pub(super) fn fixed(snapshot: &Snapshot) -> Option<Remedy> {
    let visible = snapshot.counters.visible_bytes.value()?;
    let memory_mb = visible / 1_048_576;
    let maximum = memory_mb.saturating_mul(3).clamp(4096, 65_536);
    let room = snapshot
        .volumes
        .with_letter('C')
        .and_then(crate::facts::volumes::Volume::free)
        .map(|free| float(free) / 1_048_576.0)?;
    // Twice the size must be free, or the advice would fill the system drive.
    if room < float(maximum) * 2.0 {
        return None;
    }
    Some(
        Remedy::new("Or give the page file a size of its own")
            .risk(
                Risk::Medium,
                "Only where automatic management is not wanted: a fixed maximum does not follow the need.",
            )
            .interrupts(Interruption::Restart)
            .step(Step::powershell(
                "Switch automatic management off and set the sizes, in MB.",
                format!(
                    "Get-CimInstance Win32_ComputerSystem | Set-CimInstance -Property @{{AutomaticManagedPagefile=$false}}; {}",
                    set(&[format!(r"C:\pagefile.sys 4096 {maximum}")])
                ),
            ))
            .step(Step::text("Restart Windows."))
            .undo(put_back(&snapshot.page_files))
            .verify(Step::powershell(
                "The size is in force.",
                "Get-CimInstance Win32_PageFileUsage | Select-Object Name, AllocatedBaseSize",
            )),
    )
}

fn set(lines: &[String]) -> String {
    let list: Vec<String> = lines.iter().map(|line| powershell_literal(line)).collect();
    format!(
        "Set-ItemProperty -LiteralPath {KEY} -Name PagingFiles -Type MultiString -Value @({})",
        list.join(", ")
    )
}

/// What the snapshot holds.
fn put_back(files: &PageFiles) -> Step {
    match files.configured.value() {
        Some(lines) => Step::powershell(
            "Put the old setting back and restart.",
            format!(
                "Get-CimInstance Win32_ComputerSystem | Set-CimInstance -Property @{{AutomaticManagedPagefile=$false}}; {}",
                set(lines)
            ),
        ),
        None => {
            Step::text("The snapshot does not hold the old PagingFiles: note it before the change.")
        }
    }
}

/// Frees space on the volume of the page file.
pub(super) fn make_room(volume: &str) -> Remedy {
    // The name stands in a command only where it has the shape of a drive.
    let drive = volume
        .strip_suffix(':')
        .filter(|letter| letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_alphabetic()))
        .unwrap_or("C");
    Remedy::new(format!("Make room on {volume}"))
        .risk(Risk::Low, "Look before deleting anything.")
        .step(Step::powershell(
            "See which folders are large.",
            format!(
                "Get-ChildItem '{drive}:\\' -Directory -Force | ForEach-Object {{ [pscustomobject]@{{Path=$_.FullName; MB=[int]((Get-ChildItem $_.FullName -Recurse -File -Force -ErrorAction SilentlyContinue | Measure-Object Length -Sum).Sum/1MB)}} }} | Sort-Object MB -Descending"
            ),
        ))
        .step(Step::text("Archive or delete what is not needed, or enlarge the disk."))
        .undo(Step::text("Deleted files come back only from a backup: make one first."))
        .verify(Step::powershell(
            "There is room.",
            format!("Get-Volume -DriveLetter {drive}"),
        ))
}
