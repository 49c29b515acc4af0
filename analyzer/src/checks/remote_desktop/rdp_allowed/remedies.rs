//! How to let connections in.

use crate::checks::remedy::{Interruption, Remedy, Risk, Step};
use crate::checks::remote_desktop::registry::{
    FIREWALL_GROUP, POLICIES, SERVER, get, put_back, set,
};
use crate::facts::Snapshot;
use crate::facts::capture::CaptureKind;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::remote_desktop::{DEFAULT_PORT, Layered, Listener, RemoteDesktop};
use crate::facts::sources::registry::Number;

const DENY: &str = "fDenyTSConnections";
const EXPOSES: &str = "Opens the machine to Remote Desktop logons: keep network level \
    authentication on, and let the security group admit only the addresses that need it.";

/// Sets the local value; takes effect without a restart.
pub(super) fn allow_locally(snapshot: &Snapshot) -> Remedy {
    let port = snapshot
        .remote_desktop
        .rdp_tcp()
        .and_then(Listener::port_number)
        .unwrap_or(DEFAULT_PORT);
    Remedy::new("Allow Remote Desktop connections on the machine")
        .risk(Risk::Medium, EXPOSES)
        .step(Step::powershell(
            "Allow connections; no restart is needed.",
            set(SERVER, DENY, 0),
        ))
        .step(Step::powershell(
            "Unlike the switch in Settings, the value does not open the firewall: turn on its Remote Desktop rules (see rdp-firewall).",
            format!("Enable-NetFirewallRule -Group {FIREWALL_GROUP}"),
        ))
        .undo(put_back(SERVER, DENY, &snapshot.remote_desktop.deny.local))
        .undo(Step::powershell(
            "Turn the firewall's Remote Desktop rules off again, if they were off before.",
            format!("Disable-NetFirewallRule -Group {FIREWALL_GROUP}"),
        ))
        .verify(Step::powershell(
            "The value is 0.",
            get(SERVER, DENY),
        ))
        .verify(Step::powershell(
            "Something listens on the port within a few seconds.",
            format!("Get-NetTCPConnection -LocalPort {port} -State Listen"),
        ))
}

/// The same on a disk attached to another machine, in the control set that Windows starts from.
pub(super) fn allow_on_disk(snapshot: &Snapshot) -> Option<Remedy> {
    if snapshot.capture.kind != CaptureKind::DiskOnly {
        return None;
    }
    let deny = &snapshot.remote_desktop.deny;
    let old = deny.local_number()?;
    let Some(Locator::Registry(place)) = deny.local.evidence.first().map(|e| &e.locator) else {
        return None;
    };
    let key = place.key.as_str();
    // The path comes from the snapshot and stands in a command: only the shape that Windows gives.
    let set = key.split('\\').next()?;
    let plain = set.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain {
        return None;
    }
    let path = format!(r"HKLM\OFFLINE\{set}\Control\Terminal Server");
    let write = |value: u64| format!(r#"reg add "{path}" /v {DENY} /t REG_DWORD /d {value} /f"#);
    let load = || {
        Step::cmd(
            "Attach the disk to a helper machine and load its hive; D: stands for its drive letter.",
            r"reg load HKLM\OFFLINE D:\Windows\System32\config\SYSTEM",
        )
    };
    let unload = || Step::cmd("Unload the hive.", r"reg unload HKLM\OFFLINE");
    Some(
        Remedy::new("Allow Remote Desktop connections on the detached disk")
            .risk(
                Risk::High,
                format!("Edits a hive offline: take a snapshot of the disk first. {EXPOSES}"),
            )
            .interrupts(Interruption::Restart)
            .step(load())
            .step(Step::cmd("Allow connections.", write(0)))
            .step(unload())
            .undo(load())
            .undo(Step::cmd("Put the old value back.", write(old)))
            .undo(unload())
            .verify(Step::cmd(
                "Before unloading, the value is 0.",
                format!(r#"reg query "{path}" /v {DENY}"#),
            )),
    )
}

/// Changes the policy where it is made.
pub(super) fn change_policy(rdp: &RemoteDesktop) -> Remedy {
    let managed = if rdp.device_management.value().is_some() {
        "Device management (MDM) sets AllowUsersToConnectRemotely: change it there."
    } else {
        "In that policy set \"Allow users to connect remotely by using Remote Desktop Services\" (Computer Configuration, Administrative Templates, Windows Components, Remote Desktop Services, Remote Desktop Session Host, Connections) to Not Configured or Enabled."
    };
    Remedy::new("Change the policy that refuses connections")
        .risk(
            Risk::Medium,
            format!("Concerns every machine of that policy. {EXPOSES}"),
        )
        .step(Step::cmd(
            "Find the policy: the report names the winning object.",
            r"gpresult /scope computer /h %TEMP%\gp.html",
        ))
        .step(Step::text(managed))
        .step(Step::cmd(
            "Fetch the changed policy.",
            "gpupdate /target:computer /force",
        ))
        .undo(Step::text(
            "Set the policy back as the report of gpresult shows it, and run gpupdate again.",
        ))
        .verify(Step::powershell(
            "The policy value is gone or 0.",
            get(POLICIES, DENY),
        ))
}

/// Overrides the policy until its next refresh.
pub(super) fn override_policy(deny: &Layered) -> Remedy {
    Remedy::new("Get in now: override the policy until its next refresh")
        .risk(
            Risk::Medium,
            format!("The next refresh (by default every 90 to 120 minutes) sets the value again. {EXPOSES}"),
        )
        .step(Step::powershell(
            "Allow connections for the time being.",
            set(POLICIES, DENY, 0),
        ))
        .undo(put_back(POLICIES, DENY, &deny.policy))
        .verify(Step::powershell("The value is 0.", get(POLICIES, DENY)))
}

/// Makes the local value agree with a policy that allows.
pub(super) fn align_local(deny: &Layered) -> Remedy {
    Remedy::new("Let the machine's own setting agree with the policy")
        .risk(Risk::Low, "Changes nothing while the policy applies.")
        .step(Step::powershell(
            "Allow connections locally, too.",
            set(SERVER, DENY, 0),
        ))
        .undo(put_back(SERVER, DENY, &deny.local))
        .verify(Step::powershell("The value is 0.", get(SERVER, DENY)))
}

/// Writes the value with its right type.
pub(super) fn retype(layer: &str, fact: &Fact<Number>) -> Remedy {
    let key = if layer == "policy" { POLICIES } else { SERVER };
    Remedy::new(format!(
        "Write the {layer} fDenyTSConnections with its right type"
    ))
    .risk(Risk::Medium, EXPOSES)
    .step(Step::powershell(
        "Remove the value, whose type would stay otherwise.",
        format!("Remove-ItemProperty -LiteralPath '{key}' -Name {DENY}"),
    ))
    .step(Step::powershell("Allow connections.", set(key, DENY, 0)))
    .undo(Step::powershell(
        "Remove the new value.",
        format!("Remove-ItemProperty -LiteralPath '{key}' -Name {DENY}"),
    ))
    .undo(put_back(key, DENY, fact))
    .verify(Step::powershell(
        "The value is a REG_DWORD of 0.",
        format!("(Get-Item -LiteralPath '{key}').GetValueKind('{DENY}')"),
    ))
}
