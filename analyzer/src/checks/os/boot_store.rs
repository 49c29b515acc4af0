//! Limits in the boot configuration store, in remedies.

use crate::checks::check::Judge;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::Snapshot;
use crate::facts::boot_options::{BootOptions, Setting};
use crate::facts::capture::CaptureKind;
use crate::facts::fact::Fact;

/// What settles a store that was not seen.
pub(super) const COLLECT_STORE: &str =
    "the boot configuration store (registry.bcd): bcdedit /enum all /v";
/// What settles what the kernel was given.
pub(super) const COLLECT_OPTIONS: &str =
    "the SYSTEM hive (registry.system), which holds SystemStartOptions";

/// The running machine's store: how it is saved and put back.
const BACKUP: [&str; 2] = [
    r"bcdedit /export C:\bcd-backup",
    r"bcdedit /import C:\bcd-backup",
];
/// The same for the file on an attached disk, which `/export` does not take.
const BACKUP_OFFLINE: [&str; 2] = [
    r"Copy-Item -LiteralPath F:\Boot\BCD -Destination C:\bcd-backup",
    r"Copy-Item -LiteralPath C:\bcd-backup -Destination F:\Boot\BCD",
];
const CAUTION: &str = "Changes how Windows starts: take a snapshot of the system disk first. \
    Where BitLocker protects that disk and is not suspended, Windows asks for the recovery key at \
    its next start, which a cloud console may not let you type.";

/// A limit that a remedy removes.
pub(super) struct Limit<'a> {
    /// What `bcdedit` calls it.
    pub(super) name: &'static str,
    /// As the store holds it.
    pub(super) setting: &'a Fact<Setting>,
    /// The value to put back, as `bcdedit /set` takes it.
    pub(super) old: Option<String>,
    /// How to see after the restart that it is gone.
    pub(super) verify: &'static str,
}

/// Removes a limit from the store.
pub(super) fn remove(snapshot: &Snapshot, limit: &Limit<'_>) -> Remedy {
    let name = limit.name;
    let offline = snapshot.capture.kind == CaptureKind::DiskOnly;
    let (loader, store, [save, restore]) = if offline {
        ("{default}", r"/store F:\Boot\BCD ", BACKUP_OFFLINE)
    } else {
        ("{current}", "", BACKUP)
    };
    let object = object(snapshot, limit, loader);
    let mut remedy = Remedy::new(format!("Remove {name} from the boot configuration"))
        .risk(Risk::High, CAUTION)
        .interrupts(Interruption::Restart);
    if offline {
        remedy = remedy.step(Step::text(
            r"Attach the disk to a helper machine. F: stands for the volume that holds the store: \Boot\BCD with BIOS, \EFI\Microsoft\Boot\BCD on the EFI system partition with UEFI.",
        ));
    } else {
        remedy = remedy.step(Step::powershell(
            "Where BitLocker protects the system disk, suspend it for one restart.",
            "manage-bde -protectors -disable C: -RebootCount 1",
        ));
    }
    remedy = remedy
        .step(Step::powershell("Save the boot configuration.", save))
        .step(Step::powershell(
            "Remove the limit; PowerShell needs the quotes around the braces.",
            format!("bcdedit {store}/deletevalue {object} {name}"),
        ))
        .step(Step::text("Restart Windows: the limit holds until then."));
    if let Some(old) = &limit.old {
        remedy = remedy.undo(Step::powershell(
            "Put the old value back, and restart.",
            format!("bcdedit {store}/set {object} {name} {old}"),
        ));
    }
    remedy
        .undo(Step::powershell(
            "Or put the whole boot configuration back, and restart.",
            restore,
        ))
        .verify(Step::powershell(
            format!("{name} is not listed."),
            format!("bcdedit {store}/enum {object} /v"),
        ))
        .verify(Step::powershell("After the restart.", limit.verify))
}

/// The object that holds the limit, under a name that `bcdedit` knows, as a literal.
fn object(snapshot: &Snapshot, limit: &Limit<'_>, loader: &str) -> String {
    let Some(setting) = limit.setting.value() else {
        return powershell_literal(loader);
    };
    let holder = setting.object.to_ascii_lowercase();
    let is_loader = snapshot
        .boot_options
        .loader
        .value()
        .is_some_and(|loader| loader.id.eq_ignore_ascii_case(&holder));
    // The default loader is the one that started, unless somebody chose another in the menu.
    let name = match holder.as_str() {
        _ if is_loader => "{default}",
        "{5189b25c-5558-4bf2-bca4-289b11bd29e2}" => "{badmemory}",
        "{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}" => "{bootloadersettings}",
        "{7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e}" => "{globalsettings}",
        other => other,
    };
    powershell_literal(name)
}

/// Notes about what limits other loaders of the store.
pub(super) fn note_others(judge: &mut Judge, boot: &BootOptions, names: &[&str]) {
    for other in &boot.others {
        let limits: Vec<&str> = other
            .limits
            .iter()
            .map(String::as_str)
            .filter(|limit| names.contains(limit))
            .collect();
        if limits.is_empty() {
            continue;
        }
        let loader = other.loader.description.as_deref();
        judge.note(format!(
            "another entry of the boot menu, {}, has {}; it is not the one that starts by itself",
            loader.unwrap_or(&other.loader.id),
            limits.join(", ")
        ));
    }
}
