//! How to get space back from NTFS, from the harmless to the drastic.

use crate::checks::remedy::{Interruption, Remedy, Risk, Step};
use crate::facts::Snapshot;
use crate::facts::machine::ProductType;
use crate::facts::volumes::Volume;

/// The drive in commands: only the shape of a letter goes into one.
fn drive(volume: &Volume) -> String {
    match volume.letter.filter(char::is_ascii_alphabetic) {
        Some(letter) => format!("{letter}:"),
        None => "X:".to_owned(),
    }
}

/// Shadow copies are looked at first.
pub(super) fn look_first(volume: &Volume) -> Remedy {
    let drive = drive(volume);
    Remedy::new("Make sure that it is not shadow copies")
        .risk(Risk::Low, "The first two commands only look. Lowering the cap deletes the oldest shadow copies for good.")
        .step(Step::cmd("See what shadow copies take.", "vssadmin list shadowstorage"))
        .step(Step::cmd("See what NTFS takes.", format!("fsutil volume allocationreport {drive}")))
        .step(Step::cmd(
            "If it is shadow copies and old restore points may go, lower their cap, here to 10 GB.",
            format!("vssadmin resize shadowstorage /for={drive} /on={drive} /maxsize=10GB"),
        ))
        .undo(Step::text(
            "Set the cap that the first command showed; deleted shadow copies do not come back.",
        ))
        .verify(Step::cmd("There is room.", format!("fsutil volume diskfree {drive}")))
}

/// The table never shrinks; its free records are used again.
pub(super) fn fewer_files(volume: &Volume) -> Remedy {
    let drive = drive(volume);
    let last = if volume.system == Some(true) {
        "This is the system volume: to make its table small again, build the machine anew from an image. Do not format it."
    } else {
        "To make the table small again, copy everything to a new volume, verify the copy, then swap the letters. Format the old volume only after that."
    };
    let mut remedy = Remedy::new("Stop what makes so many small files, and archive the old ones")
        .risk(
            Risk::High,
            "Deleting and copying: take a snapshot of the disk first. The table does not shrink; free records are used again, so it stops growing.",
        )
        .step(Step::powershell(
            "Find the folders with most files (sessions, temporary files, caches).",
            format!(
                "Get-ChildItem '{drive}\\' -Directory -Force | ForEach-Object {{ [pscustomobject]@{{Path=$_.FullName; Files=(Get-ChildItem $_.FullName -Recurse -File -Force -ErrorAction SilentlyContinue | Measure-Object).Count}} }} | Sort-Object Files -Descending"
            ),
        ))
        .step(Step::text("Let the program clean up after itself, and archive or delete old files."))
        .step(Step::text(last));
    if volume.system != Some(true) {
        remedy = remedy.step(Step::cmd(
            "Copy with rights and times; Y: stands for the new volume.",
            format!("robocopy {drive}\\ Y:\\ /MIR /COPYALL /SECFIX /DCOPY:DAT /XJ"),
        ));
    }
    remedy
        .undo(Step::text("Restore the snapshot of the disk; with a copy, keep the old volume until the new one is proven."))
        .verify(Step::cmd("See the table's size.", format!("fsutil fsinfo ntfsinfo {drive}")))
}

/// A smaller change journal. `None` where the volume has no letter that could stand in a command.
pub(super) fn journal(snapshot: &Snapshot, volume: &Volume) -> Option<Remedy> {
    volume.letter.filter(char::is_ascii_alphabetic)?;
    let drive = drive(volume);
    let old = volume.journal.value()?;
    let controller = snapshot.machine.product_type.value() == Some(&ProductType::DomainController);
    let caution = if controller {
        "This is a domain controller: replication (DFSR) of SYSVOL depends on the journal. Do it only with a plan for that. Backup and search read everything anew."
    } else {
        "Replication (DFSR), backup and search depend on the journal and read everything anew: not on a volume that DFSR replicates."
    };
    Some(
        Remedy::new("Make the change journal smaller")
            .risk(Risk::High, caution)
            .interrupts(Interruption::Nothing)
            .step(Step::cmd(
                "Note its figures.",
                format!("fsutil usn queryjournal {drive}"),
            ))
            .step(Step::powershell(
                "See whether replication uses it: there must be no such service.",
                "Get-Service DFSR -ErrorAction SilentlyContinue",
            ))
            .step(Step::cmd(
                "Delete it.",
                format!("fsutil usn deletejournal /d {drive}"),
            ))
            .step(Step::cmd(
                "Make it again with 32 MB, as Windows does.",
                format!("fsutil usn createjournal m=33554432 a=8388608 {drive}"),
            ))
            .undo(Step::cmd(
                "Give it its old size; what it held is gone.",
                format!(
                    "fsutil usn createjournal m={} a={} {drive}",
                    old.maximum_bytes, old.step_bytes
                ),
            ))
            .verify(Step::cmd(
                "The maximum is the new one.",
                format!("fsutil usn queryjournal {drive}"),
            )),
    )
}
