//! How to mend what this check finds.

use jiff::{SignedDuration, Timestamp};

use super::view::{View, stamp};
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::boot::Incident;
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Number;

const CRASH_CONTROL: &str = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\CrashControl";

/// Whether dumps of crashes are known to be on the disk.
pub(super) fn has_dumps(view: &View<'_>) -> bool {
    let dumps = view.boot.dumps.value();
    dumps.is_some_and(|dumps| dumps.iter().any(|dump| dump.of_crash))
}

/// What ends Windows without a stop code mostly comes from outside: the cloud knows of it.
pub(super) fn host_events(last: &Incident) -> Remedy {
    let until = stamp(last.time);
    let time = match last.last_alive {
        Some(alive) => format!("between {} and {until}", stamp(alive)),
        None => format!("before {until}"),
    };
    Remedy::new("Look into the cloud's event history of the instance")
        .step(Step::text(format!(
            "In the cloud's console open the events of the instance and the log of operations, and look {time} for a forced stop or reset, a failure of the host, a migration or maintenance."
        )))
        .step(Step::text(
            "If there is none, ask the cloud's support for the events of the host at that time; if somebody forced the stop, shut down from inside Windows the next time.",
        ))
        .risk(Risk::Low, "Looking changes nothing.")
        .undo(Step::text("Nothing to undo."))
        .verify(Step::powershell(
            "No new incident since.",
            "Get-WinEvent -FilterHashtable @{LogName='System'; Id=41,6008} -MaxEvents 5",
        ))
}

/// Dumps are destroyed by a reinstallation or a rollback: they are saved first.
pub(super) fn keep_dumps(view: &View<'_>) -> Remedy {
    let known: Vec<String> = view
        .boot
        .dumps
        .value()
        .into_iter()
        .flatten()
        .filter(|dump| dump.of_crash)
        .take(8)
        .map(|dump| powershell_literal(&dump.path))
        .collect();
    let files = if known.is_empty() {
        "\"$env:SystemRoot\\MEMORY.DMP\", \"$env:SystemRoot\\Minidump\\*.dmp\"".to_owned()
    } else {
        known.join(", ")
    };
    Remedy::new("Save the crash dumps before anything is reinstalled or rolled back")
        .step(Step::text("Take a snapshot of the system disk in the cloud's console."))
        .step(Step::powershell(
            "Copy the dumps to another disk or share.",
            format!(
                "$keep = Join-Path (Read-Host 'folder on another disk or share') (Get-Date -Format \"'dumps-'yyyyMMdd-HHmmss\")\n\
                 New-Item -ItemType Directory -Path $keep -ErrorAction Stop\n\
                 Copy-Item -Path {files} -Destination $keep -ErrorAction Continue"
            ),
        ))
        .risk(
            Risk::Low,
            "A dump holds the memory of the machine, passwords included: give it to nobody who must not have them.",
        )
        .undo(Step::powershell(
            "Delete the new folder with the copies, and nothing else.",
            "$keep = Read-Host 'the new folder dumps-... that the copies are in'\n\
             Remove-Item -LiteralPath $keep -Recurse -Confirm",
        ))
        .verify(Step::powershell(
            "Compare sizes with the originals.",
            "Get-ChildItem -Path $keep -Filter *.dmp | Select-Object Name, Length, LastWriteTime",
        ))
}

/// New drivers and updates before the first incident.
pub(super) fn correlate(before: Timestamp, hours: f64) -> Remedy {
    let seconds = (hours * 3600.0).clamp(0.0, 1e9);
    let from = SignedDuration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|span| before.checked_sub(span).ok())
        .unwrap_or(before);
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Remedy::new("Find what changed before the first incident")
        .step(Step::powershell(
            "List new services, drivers and updates of that time.",
            format!(
                "$from = [datetime]'{}'; $to = [datetime]'{}'\n\
                 Get-WinEvent -FilterHashtable @{{LogName='System'; Id=7045,19; StartTime=$from; EndTime=$to}} |\n  \
                 Format-List TimeCreated, ProviderName, Message",
                time(from),
                time(before)
            ),
        ))
        .step(Step::text(
            "Roll a driver of that list back (Device Manager, Driver, Roll Back Driver) or take the update off; after a power loss look for a forced stop, a host failure or a migration in the instance's history in the cloud's console.",
        ))
        .risk(
            Risk::Medium,
            "Listing changes nothing. Take a snapshot before a driver is rolled back, and never roll back the driver of the system disk or of the only network adapter without console access.",
        )
        .interrupts(Interruption::Restart)
        .undo(Step::text("Install the driver or the update again."))
        .verify(Step::powershell(
            "No new incident after the restart.",
            "Get-WinEvent -FilterHashtable @{LogName='System'; Id=41,6008,1001} -MaxEvents 5",
        ))
}

/// Repairs system files from the component store.
pub(super) fn system_files() -> Remedy {
    Remedy::new("Check and repair the system files")
        .step(Step::cmd(
            "Repair the component store (needs Windows Update or a source).",
            "DISM /Online /Cleanup-Image /RestoreHealth",
        ))
        .step(Step::cmd(
            "Check the system files against it.",
            "sfc /scannow",
        ))
        .risk(
            Risk::Medium,
            "Save the dumps and take a snapshot first. Both load the disk for up to an hour.",
        )
        .undo(Step::text(
            "Replaced files come back with the snapshot only.",
        ))
        .verify(Step::cmd("Nothing is left to repair.", "sfc /verifyonly"))
}

/// Switches crash dumps on.
pub(super) fn dumps_on(enabled: &Fact<Number>) -> Remedy {
    let undo = match enabled.value().and_then(|number| number.value) {
        Some(old) => format!(
            "Set-ItemProperty -Path '{CRASH_CONTROL}' -Name CrashDumpEnabled -Value {old} -Type DWord"
        ),
        None => format!("Remove-ItemProperty -Path '{CRASH_CONTROL}' -Name CrashDumpEnabled"),
    };
    Remedy::new("Switch automatic crash dumps on")
        .step(Step::powershell(
            "Set automatic dumps.",
            format!(
                "Set-ItemProperty -Path '{CRASH_CONTROL}' -Name CrashDumpEnabled -Value 7 -Type DWord"
            ),
        ))
        .risk(
            Risk::Low,
            "In force from the next restart. The page file of the system drive must be able to hold the dump, and the drive must have room for it.",
        )
        .undo(Step::powershell("Put the old value back.", undo))
        .verify(Step::powershell(
            "The value is 7.",
            format!("(Get-ItemProperty -Path '{CRASH_CONTROL}').CrashDumpEnabled"),
        ))
}

/// Checks a volume.
pub(super) fn check_volume(letter: char) -> Remedy {
    Remedy::new(format!("Check the file system of {letter}:"))
        .step(Step::text("Take a snapshot of the disk first: a repair may drop damaged files."))
        .step(Step::cmd(
            "Look for damage while the volume stays in use.",
            format!("chkdsk {letter}: /scan"),
        ))
        .step(Step::cmd(
            "Only when damage was found, and only with the snapshot: repair it. The system drive is repaired at the next restart.",
            format!("chkdsk {letter}: /f"),
        ))
        .risk(
            Risk::High,
            "The repair takes the volume offline, on a large disk for hours, and removes what it cannot save.",
        )
        .interrupts(Interruption::Restart)
        .undo(Step::cmd(
            "Take back a repair that is scheduled for the next restart. A finished one comes back with the snapshot only.",
            format!("chkntfs /x {letter}:"),
        ))
        .verify(Step::cmd("The volume is not dirty.", format!("fsutil dirty query {letter}:")))
}

/// Saves what is on a failing disk.
pub(super) fn save_disk() -> Remedy {
    Remedy::new("Save the data of the disk and replace it")
        .step(Step::text("Take a snapshot of every disk in the cloud's console, and copy what matters."))
        .step(Step::powershell(
            "See which volumes are on the disk.",
            "Get-Disk | Format-Table Number, FriendlyName, HealthStatus, OperationalStatus, Size\n\
             Get-Partition | Format-Table DiskNumber, DriveLetter, Size",
        ))
        .step(Step::text("Make a new disk from the snapshot, attach it instead, and report the old one to the cloud's support."))
        .risk(Risk::Medium, "Do not run chkdsk /r on a failing disk before its data is saved.")
        .interrupts(Interruption::Restart)
        .undo(Step::text("Attach the old disk again."))
        .verify(Step::powershell(
            "No new record of a bad block.",
            "Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='disk'; Id=7} -MaxEvents 3",
        ))
}

/// Setup that did not come to its end.
pub(super) fn setup() -> Remedy {
    Remedy::new("Find out where setup stopped")
        .step(Step::text("Look at the screen in the cloud's console: setup may wait for an answer."))
        .step(Step::powershell(
            "Read the errors of setup.",
            "Get-Content \"$env:SystemRoot\\Panther\\setuperr.log\", \"$env:SystemRoot\\Panther\\UnattendGC\\setuperr.log\", \"$env:SystemRoot\\System32\\Sysprep\\Panther\\setuperr.log\" -Tail 40 -ErrorAction SilentlyContinue",
        ))
        .step(Step::text(
            "Let setup finish, or make the instance again from an image that was generalized without errors. Do not set the values under SYSTEM\\Setup by hand: that hides the state and mends nothing.",
        ))
        .risk(Risk::Medium, "Take a snapshot before the instance is made again.")
        .undo(Step::text("Reading changes nothing; a new instance is undone by going back to the old disk."))
        .verify(Step::powershell(
            "The image is complete.",
            "(Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Setup\\State').ImageState",
        ))
}

/// A restart in order.
pub(super) fn restart() -> Remedy {
    Remedy::new("Restart Windows in order")
        .step(Step::cmd(
            "Restart with a minute of notice.",
            "shutdown /r /t 60 /d p:2:17",
        ))
        .risk(
            Risk::Medium,
            "Take a snapshot first: an update may fail at the restart. Use the soft restart, never a forced stop, which this check would report.",
        )
        .interrupts(Interruption::Restart)
        .undo(Step::cmd("Call it off within the minute.", "shutdown /a"))
        .verify(Step::powershell(
            "Windows was started just now.",
            "(Get-CimInstance Win32_OperatingSystem).LastBootUpTime",
        ))
}

/// Starts Windows in normal mode again.
pub(super) fn leave_safe_mode(option: Option<u64>) -> Remedy {
    let old = match option {
        Some(2) => "network",
        Some(3) => "dsrepair",
        _ => "minimal",
    };
    Remedy::new("Start Windows in normal mode again")
        .step(Step::powershell(
            "Take the mark out of the boot configuration; an error says that it is not there.",
            "bcdedit /deletevalue '{current}' safeboot",
        ))
        .step(Step::cmd("Restart.", "shutdown /r /t 60"))
        .risk(
            Risk::Medium,
            "Somebody may have chosen safe mode to repair something: ask first.",
        )
        .interrupts(Interruption::Restart)
        .undo(Step::powershell(
            "Set the mark again.",
            format!("bcdedit /set '{{current}}' safeboot {old}"),
        ))
        .verify(Step::powershell(
            "The key exists in safe mode only.",
            "Test-Path 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SafeBoot\\Option'",
        ))
}
