//! How to get the service going without taking down its neighbours.
//!
//! `TermService` usually shares a `svchost.exe` with the DNS client, cryptography and the
//! workstation service: ending that process ends them all, so no step here does.

use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::services::{Service, SvchostGroup};

const PARAMETERS: &str = r"HKLM:\SYSTEM\CurrentControlSet\Services\TermService\Parameters";
const SVCHOST: &str = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost";
/// What Windows starts these services with; other services start on demand.
const AUTOMATIC: [&str; 8] = [
    "RpcSs",
    "RpcEptMapper",
    "DcomLaunch",
    "LanmanWorkstation",
    "SamSs",
    "CryptSvc",
    "Dnscache",
    "nsi",
];

fn check_state() -> Step {
    Step::cmd("See that it runs.", "sc.exe queryex TermService")
}

fn check_from_outside() -> Step {
    Step::text("Connect from outside.")
}

/// What `sc.exe config` calls a start type.
fn start_word(start: u64) -> Option<&'static str> {
    match start {
        0 => Some("boot"),
        1 => Some("system"),
        2 => Some("auto"),
        3 => Some("demand"),
        4 => Some("disabled"),
        _ => None,
    }
}

/// The step that gives a service its old start type back.
fn old_start(service: &Service) -> Step {
    let name = powershell_literal(&service.name);
    match service.start_number().and_then(start_word) {
        Some(old) => Step::powershell(
            "Give it its old start type back.",
            format!("sc.exe config {name} start= {old}"),
        ),
        None if service.start.is_absent() => Step::powershell(
            "There was no start type: remove the value.",
            format!(
                "Remove-ItemProperty -LiteralPath {} -Name Start",
                powershell_literal(&format!(
                    r"HKLM:\SYSTEM\CurrentControlSet\Services\{}",
                    service.name
                ))
            ),
        ),
        None => Step::text(format!(
            "The snapshot does not tell the old start type: note it before the change (sc.exe qc {}), and set it again.",
            service.name
        )),
    }
}

pub(super) fn enable(service: &Service) -> Remedy {
    let name = &service.name;
    let literal = powershell_literal(name);
    let place = service
        .start
        .evidence
        .first()
        .map(|evidence| evidence.locator.to_string());
    Remedy::new(format!("Let {name} start on demand, as Windows sets it up"))
        .step(Step::powershell(
            "Set the start type.",
            format!("sc.exe config {literal} start= demand"),
        ))
        .step(Step::powershell(
            "Start it.",
            format!("Start-Service {literal} -Verbose"),
        ))
        .step(Step::text(format!(
            "On a disk that does not start: load the hive and set the value to 3 at {}.",
            place.unwrap_or_default()
        )))
        .undo(old_start(service))
        .verify(Step::powershell(
            "See that it runs.",
            format!("Get-Service {literal}"),
        ))
        .risk(
            Risk::Low,
            "Somebody disabled it, perhaps on purpose: a policy may disable it again.",
        )
}

pub(super) fn start(service: &Service) -> Remedy {
    let remedy = Remedy::new("Start the service")
        .step(Step::powershell(
            "Start it and what it depends on.",
            "Get-Service TermService | Start-Service -Verbose",
        ))
        .step(Step::powershell(
            "If that fails, see why.",
            "Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Service Control Manager'} -MaxEvents 20 | Format-List TimeCreated, Id, Message",
        ))
        .undo(Step::powershell("Stop it again.", "Stop-Service TermService -Force"))
        .verify(check_state())
        .verify(check_from_outside());
    if service.start_number() == Some(4) {
        return remedy.risk(
            Risk::Low,
            "A disabled service does not start: enable it first.",
        );
    }
    remedy.risk(
        Risk::Low,
        "None; nobody is connected while it does not run.",
    )
}

/// Gets a hung service going.
pub(super) fn unhang(service: &Service) -> Remedy {
    let process = service.runtime.process.value();
    let pid = service.runtime.pid.value().copied().filter(|pid| *pid != 0);
    let alone = process.is_some_and(|process| {
        matches!(process.services.as_slice(), [only] if only.eq_ignore_ascii_case("TermService"))
    });
    let remedy = Remedy::new("Get the hung service going");
    let remedy = match pid {
        Some(pid) => remedy.step(Step::cmd(
            "See who shares the process.",
            format!("tasklist /svc /fi \"PID eq {pid}\""),
        )),
        None => remedy.step(Step::cmd("Find the process.", "sc.exe queryex TermService")),
    };
    let remedy = match pid.filter(|_| alone) {
        Some(pid) => remedy
            .step(Step::cmd(
                "The process hosts this service alone: end it.",
                format!("taskkill /f /pid {pid}"),
            ))
            .step(Step::powershell(
                "Start the service.",
                "Start-Service TermService -Verbose",
            ))
            .undo(Step::text(
                "Nothing is to be undone: the process starts anew.",
            ))
            .interrupts(Interruption::Sessions),
        None => isolate(remedy, service),
    };
    remedy
        .verify(check_state())
        .verify(check_from_outside())
        .risk(
            Risk::Medium,
            "Sessions are cut: work from the console or the cloud's agent.",
        )
}

/// Gives the service a process of its own, without ending the one it shares.
fn isolate(remedy: Remedy, service: &Service) -> Remedy {
    let process = service.runtime.process.value();
    let others = process.map_or_else(
        || "other services".to_owned(),
        |process| {
            let names = process.services.iter().map(String::as_str);
            let others = names.filter(|name| !name.eq_ignore_ascii_case("TermService"));
            others.collect::<Vec<_>>().join(", ")
        },
    );
    remedy
        .step(Step::text(format!(
            "Do not end the process: it also hosts {others}, and ending it ends them all.",
        )))
        .step(Step::cmd(
            "Give the service a process of its own from its next start on.",
            "sc.exe config TermService type= own",
        ))
        .step(Step::cmd(
            "Restart Windows.",
            "shutdown /r /t 60 /c \"Remote Desktop hangs\"",
        ))
        .undo(Step::cmd(
            "Let it share a process again.",
            format!("sc.exe config TermService type= {}", old_type(service)),
        ))
        .interrupts(Interruption::Restart)
}

/// The old `Type` as `sc.exe` calls it.
fn old_type(service: &Service) -> &'static str {
    const OWN_PROCESS: u64 = 0x10;
    let kind = service.kind.value().and_then(|kind| kind.value);
    if kind == Some(OWN_PROCESS) {
        "own"
    } else {
        "share"
    }
}

pub(super) fn restore_library(service: &Service) -> Remedy {
    let path = powershell_literal(PARAMETERS);
    let set = |value: &str| {
        format!(
            "Set-ItemProperty -Path {path} -Name ServiceDll -Type ExpandString -Value {}",
            powershell_literal(value)
        )
    };
    let remedy = Remedy::new("Put Microsoft's library back")
        .step(Step::text(
            "Find out first whose library it is: RDP Wrapper is unlicensed, anything else may be malware. Keep a copy.",
        ))
        .step(Step::cmd(
            "See that Microsoft's own file is whole.",
            r"sfc /scanfile=C:\Windows\System32\termsrv.dll",
        ))
        .step(Step::powershell("Point the service to it.", set(r"%SystemRoot%\System32\termsrv.dll")))
        .step(Step::text("Restart Windows, so that the other library is no longer loaded."));
    let remedy = match service.dll.value() {
        Some(old) => remedy.undo(Step::powershell(
            "Put the old library back.",
            set(&old.text),
        )),
        None => remedy.undo(Step::powershell(
            "Remove the value.",
            format!("Remove-ItemProperty -Path {path} -Name ServiceDll"),
        )),
    };
    remedy
        .verify(Step::powershell(
            "See the value.",
            format!("(Get-ItemProperty -Path {path}).ServiceDll"),
        ))
        .verify(check_from_outside())
        .interrupts(Interruption::Restart)
        .risk(
            Risk::Medium,
            "Snapshot the disk first; with malware, save evidence before you change anything.",
        )
}

pub(super) fn enable_dependency(service: &Service) -> Remedy {
    let name = powershell_literal(&service.name);
    if service.key.is_absent() {
        return restore_service();
    }
    let word = match service.name.as_str() {
        known
            if AUTOMATIC
                .iter()
                .any(|name| name.eq_ignore_ascii_case(known)) =>
        {
            "auto"
        }
        known if known.eq_ignore_ascii_case("TermDD") => "system",
        _ => "demand",
    };
    Remedy::new(format!("Enable {}", service.name))
        .step(Step::powershell(
            "Set the start type that Windows gives it.",
            format!("sc.exe config {name} start= {word}"),
        ))
        .step(Step::text(
            "Windows protects some of these services: where access is denied, set the value offline, from the disk.",
        ))
        .step(Step::text("Restart Windows: many services hang on this one."))
        .undo(old_start(service))
        .verify(Step::powershell("See its state.", format!("sc.exe query {name}")))
        .verify(check_state())
        .interrupts(Interruption::Restart)
        .risk(Risk::Medium, "Windows may behave differently after a restart with the service in place.")
}

pub(super) fn join_group(group: &SvchostGroup) -> Remedy {
    let path = powershell_literal(SVCHOST);
    let name = powershell_literal(&group.name);
    let old: Vec<String> = group
        .members
        .value()
        .into_iter()
        .flatten()
        .map(|member| powershell_literal(member))
        .collect();
    let set = |members: &str| {
        format!("Set-ItemProperty -Path {path} -Name {name} -Type MultiString -Value @({members})")
    };
    let joined = old.iter().cloned().chain(["'TermService'".to_owned()]);
    let joined = joined.collect::<Vec<_>>().join(",");
    let undo = if group.members.value().is_some() {
        Step::powershell("Put the old list back.", set(&old.join(",")))
    } else {
        Step::powershell(
            "Remove the list.",
            format!("Remove-ItemProperty -Path {path} -Name {name}"),
        )
    };
    Remedy::new("List the service in its group again")
        .step(Step::text(
            "Compare the list with a machine of the same version; others may be missing, too.",
        ))
        .step(Step::powershell(
            "Add the service to the list.",
            set(&joined),
        ))
        .step(Step::powershell(
            "Start it.",
            "Start-Service TermService -Verbose",
        ))
        .undo(undo)
        .verify(check_state())
        .risk(
            Risk::Medium,
            "Services that the list lacks do not start at the next boot.",
        )
}

pub(super) fn restore_account(service: &Service) -> Remedy {
    let old = service
        .account
        .value()
        .map(|account| powershell_literal(&account.text));
    let undo = match old {
        Some(old) => Step::powershell(
            "Give it its old account back.",
            format!("sc.exe config TermService obj= {old}"),
        ),
        None => Step::text(
            "The snapshot tells no old account: note it before the change (sc.exe qc TermService), and set it again.",
        ),
    };
    Remedy::new("Let the service run as NetworkService")
        .step(Step::cmd(
            "Set the account.",
            r#"sc.exe config TermService obj= "NT AUTHORITY\NetworkService" password= """#,
        ))
        .step(Step::powershell(
            "Restart the service.",
            "Restart-Service TermService -Force",
        ))
        .undo(undo)
        .verify(Step::cmd("See the account.", "sc.exe qc TermService"))
        .interrupts(Interruption::Sessions)
        .risk(
            Risk::Medium,
            "Cuts every Remote Desktop session: work from the console or the cloud's agent.",
        )
}

pub(super) fn restore_service() -> Remedy {
    Remedy::new("Restore the service's configuration")
        .step(Step::cmd("Repair the system's files and components.", "DISM /Online /Cleanup-Image /RestoreHealth & sfc /scannow"))
        .step(Step::text(
            "Export the service's key from a machine of the same version, and import it here after a snapshot of the disk.",
        ))
        .undo(Step::text("Go back to the snapshot of the disk."))
        .verify(Step::cmd("See the configuration.", "sc.exe qc TermService"))
        .interrupts(Interruption::Restart)
        .risk(Risk::High, "Snapshot the disk first; a key of another version does harm.")
}

pub(super) fn investigate_crashes() -> Remedy {
    Remedy::new("Find what makes the service crash")
        .step(Step::powershell(
            "See the module that crashes.",
            "Get-WinEvent -FilterHashtable @{LogName='Application'; ProviderName='Application Error'; Id=1000} -MaxEvents 20 | Where-Object Message -match 'TermService|termsrv' | Format-List TimeCreated, Message",
        ))
        .step(Step::cmd("Repair the system's files.", "sfc /scannow"))
        .step(Step::text("Install pending updates; remove or update the product that the module belongs to (printing, security, remote access)."))
        .undo(Step::text("Nothing is changed by looking; sfc only restores Microsoft's own files."))
        .verify(Step::text("No new event 7031 or 7034 for some days."))
        .risk(Risk::Low, "sfc takes some minutes of disk activity.")
}

pub(super) fn review_start(service: &Service) -> Remedy {
    Remedy::new("See who changed the start type, and whether it is right")
        .step(Step::cmd("See the configuration.", "sc.exe qc TermService"))
        .step(Step::text(
            "On demand (3) is what Windows sets up; automatic (2) is fine, too.",
        ))
        .undo(old_start(service))
        .verify(check_state())
        .risk(Risk::Low, "Looking changes nothing.")
}
