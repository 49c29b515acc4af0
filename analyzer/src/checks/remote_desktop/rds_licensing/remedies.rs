//! How to come by licences, or to do without.

use super::setup::{PER_DEVICE, PER_USER, Setup};
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};

const SETTING: &str = "Get-CimInstance -Namespace root/CIMV2/TerminalServices -ClassName Win32_TerminalServiceSetting";

fn verify() -> Step {
    Step::powershell(
        "Mode and servers are in force.",
        format!(
            "$ts = {SETTING}; $ts.LicensingType; $ts | Invoke-CimMethod -MethodName GetSpecifiedLicenseServerList"
        ),
    )
}

fn mode(value: u64) -> String {
    format!(
        "{SETTING} | Invoke-CimMethod -MethodName ChangeMode -Arguments @{{ LicensingType = [uint32]{value} }}"
    )
}

fn servers(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| powershell_literal(name)).collect();
    format!(
        "{SETTING} | Invoke-CimMethod -MethodName SetSpecifiedLicenseServerList -Arguments @{{ SpecifiedLSList = [string[]]@({}) }}",
        names.join(", ")
    )
}

/// The way in that needs no licence.
pub(super) fn administrative() -> Remedy {
    Remedy::new("Get in now: the administrators' session needs no licence")
        .risk(
            Risk::Low,
            "For administrators alone; two such sessions at a time.",
        )
        .step(Step::cmd(
            "On the client, connect to the administrators' session.",
            "mstsc /admin",
        ))
        .undo(Step::text("There is nothing to undo."))
        .verify(Step::text("The session opens."))
}

/// Sets mode and licence server.
pub(super) fn license(setup: &Setup<'_>) -> Remedy {
    let remedy = Remedy::new("Set the licensing mode and a licence server")
        .risk(
            Risk::Medium,
            "Needs licences (RDS CALs) of at least this version of Windows Server, of the kind that the mode names, on an activated licence server.",
        )
        .step(Step::text(
            "Where policies rule, set \"Use the specified Remote Desktop license servers\" and \"Set the Remote Desktop licensing mode\" there instead: they override what follows.",
        ))
        .step(Step::powershell(
            "Per device is 2, per user is 4 (in a domain alone).",
            mode(PER_DEVICE),
        ))
        .step(Step::powershell(
            "Name the licence server in the place of LICENCE-SERVER.",
            servers(&["LICENCE-SERVER"]),
        ))
        .verify(verify());
    put_back(remedy, setup)
}

/// With the steps that put mode and servers of the snapshot back.
fn put_back(remedy: Remedy, setup: &Setup<'_>) -> Remedy {
    let remedy = match setup.mode() {
        Some(old @ (PER_DEVICE | PER_USER)) => {
            remedy.undo(Step::powershell("Put the old mode back.", mode(old)))
        }
        _ => remedy.undo(Step::powershell(
            "Leave the mode not configured again.",
            r"Set-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\RCM\Licensing Core' -Name LicensingMode -Value 5 -Type DWord",
        )),
    };
    match setup.servers() {
        Some(old) => remedy.undo(Step::powershell(
            "Put the old list of servers back.",
            servers(&old),
        )),
        None => remedy.undo(Step::text(
            "The snapshot does not tell the old list of servers: note it before the change.",
        )),
    }
}

/// Changes to licences per device.
pub(super) fn per_device(setup: &Setup<'_>) -> Remedy {
    let remedy = Remedy::new("Use licences per device, or join a domain")
        .risk(
            Risk::Medium,
            "Needs licences per device on the licence server; those per user do not count for devices.",
        )
        .step(Step::powershell("Change the mode.", mode(PER_DEVICE)))
        .verify(verify());
    put_back(remedy, setup)
}

/// Finds out why the licence server gives nothing.
pub(super) fn reach(setup: &Setup<'_>) -> Remedy {
    let mut remedy = Remedy::new("Find out why the licence server gives no licences")
        .risk(Risk::Low, "Looks only.")
        .step(Step::cmd("Let Windows diagnose it.", "lsdiag.msc"));
    for name in setup.servers().unwrap_or_default() {
        let name = powershell_literal(name);
        remedy = remedy.step(Step::powershell(
            "See whether it can be reached (RPC endpoint mapper).",
            format!("Test-NetConnection -ComputerName {name} -Port 135"),
        ));
    }
    remedy
        .step(Step::text(
            "On the licence server (licmgr.exe): it is activated, its licences are of the mode that the session host has and of its version of Windows or later, and some are free.",
        ))
        .undo(Step::text("Nothing was changed."))
        .verify(verify())
}

/// Mends the licence server.
pub(super) fn licence_server() -> Remedy {
    Remedy::new("Activate the licence server, or add licences")
        .risk(Risk::Low, "Needs the papers of the licences.")
        .step(Step::cmd(
            "Open its console, and activate it or install licences.",
            "licmgr.exe",
        ))
        .undo(Step::text("There is nothing to undo."))
        .verify(Step::cmd(
            "The console shows it as activated, with free licences.",
            "licmgr.exe",
        ))
}

/// Removes the role, and nothing beside it.
pub(super) fn remove_role() -> Remedy {
    Remedy::new("If two administrators' sessions are enough: remove the session host role")
        .risk(
            Risk::High,
            "Users other than administrators lose their sessions, and programs installed for them may need to be installed again. Take a snapshot first. Remove this role alone: its parent takes licensing, gateway, broker and web access with it.",
        )
        .interrupts(Interruption::Restart)
        .step(Step::powershell(
            "See what would be removed.",
            "Uninstall-WindowsFeature RDS-RD-Server -WhatIf",
        ))
        .step(Step::powershell("Remove it.", "Uninstall-WindowsFeature RDS-RD-Server -Restart"))
        .undo(Step::powershell("Install it again.", "Install-WindowsFeature RDS-RD-Server -Restart"))
        .verify(Step::powershell("It is not installed.", "Get-WindowsFeature RDS-RD-Server"))
}
