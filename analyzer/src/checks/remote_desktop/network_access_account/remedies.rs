//! How to let local accounts log on as themselves.

use crate::checks::remedy::{Remedy, Risk, Step};
use crate::checks::remote_desktop::registry::{get, put_back, set};
use crate::facts::network_access::NetworkAccess;

const LSA: &str = r"HKLM:\SYSTEM\CurrentControlSet\Control\Lsa";
const VALUE: &str = "forceguest";

/// Sets the classic model.
pub(super) fn classic(access: &NetworkAccess) -> Remedy {
    Remedy::new("Let local accounts log on as themselves")
        .risk(
            Risk::Low,
            "The classic model is Windows' own default and stricter: what anybody could reach as Guest asks for a password afterwards. Every local account that may log on needs a strong one.",
        )
        .step(Step::powershell(
            "Set the classic model; new logons follow it. If they do not, restart Windows.",
            set(LSA, VALUE, 0),
        ))
        .step(Step::text(
            "If the value comes back, a policy sets it: \"Network access: Sharing and security model for local accounts\" (Security Settings, Local Policies, Security Options), in the local security policy (secpol.msc) or in a group policy object. Set it to Classic there.",
        ))
        .undo(put_back(LSA, VALUE, &access.force_guest))
        .verify(Step::powershell("The value is 0.", get(LSA, VALUE)))
        .verify(Step::text(
            "A local account passes network level authentication: mstsc shows no error about permissions.",
        ))
}

/// Writes the value with its right type.
pub(super) fn retype(access: &NetworkAccess) -> Remedy {
    Remedy::new("Write forceguest with its right type")
        .risk(Risk::Low, "0 is Windows' own default.")
        .step(Step::powershell(
            "Remove the value, whose type would stay otherwise.",
            format!("Remove-ItemProperty -LiteralPath '{LSA}' -Name {VALUE}"),
        ))
        .step(Step::powershell(
            "Set the classic model.",
            set(LSA, VALUE, 0),
        ))
        .undo(Step::powershell(
            "Remove the new value.",
            format!("Remove-ItemProperty -LiteralPath '{LSA}' -Name {VALUE}"),
        ))
        .undo(put_back(LSA, VALUE, &access.force_guest))
        .verify(Step::powershell(
            "The value is a REG_DWORD.",
            format!("(Get-Item -LiteralPath '{LSA}').GetValueKind('{VALUE}')"),
        ))
}
