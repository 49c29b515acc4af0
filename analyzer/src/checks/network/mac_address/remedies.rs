//! How to give a card its own address back.

use super::cards::Card;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};

const CUTS: &str = "Restarting the only card cuts Remote Desktop and the cloud's agent: work from the console (VNC, serial). Licensed software may be bound to the set address.";

fn class_key(number: &str) -> String {
    powershell_literal(&format!(
        r"HKLM:\SYSTEM\CurrentControlSet\Control\Class\{{4d36e972-e325-11ce-bfc1-08002be10318}}\{number}"
    ))
}

fn restart(card: &Card<'_>) -> Step {
    Step::powershell(
        "Restart the card: the address changes then.",
        format!(
            "Restart-NetAdapter -Name {}",
            powershell_literal(&card.label)
        ),
    )
}

fn shown(card: &Card<'_>) -> Step {
    Step::powershell(
        "The address in use is the card's own.",
        format!(
            "Get-NetAdapter -Name {} | Format-List Name, MacAddress, PermanentAddress",
            powershell_literal(&card.label)
        ),
    )
}

/// Removes `NetworkAddress` of the class key that belongs to the card.
pub(super) fn remove_override(card: &Card<'_>) -> Remedy {
    let Some(device) = card.device else {
        return reset_property(card);
    };
    let key = class_key(&device.key);
    let remedy = Remedy::new("Remove the MAC address that is set")
        .risk(Risk::Medium, CUTS)
        .interrupts(Interruption::Network)
        .step(Step::powershell(
            format!(
                "Make sure that the key is that of the card: NetCfgInstanceId must be {}.",
                device.guid
            ),
            format!("(Get-ItemProperty -LiteralPath {key}).NetCfgInstanceId"),
        ))
        .step(Step::powershell(
            "Remove the value.",
            format!("Remove-ItemProperty -LiteralPath {key} -Name NetworkAddress"),
        ));
    let remedy = match device.network_address.value() {
        Some(old) => remedy.undo(Step::powershell(
            "Put back what the snapshot holds.",
            format!(
                "New-ItemProperty -LiteralPath {key} -Name NetworkAddress -PropertyType String -Value {} -Force",
                powershell_literal(&old.text)
            ),
        )),
        None => remedy.undo(Step::text("The snapshot does not tell the old value: note it before.")),
    };
    if card.present {
        remedy
            .step(restart(card))
            .undo(restart(card))
            .verify(shown(card))
    } else {
        remedy.verify(Step::powershell(
            "The value is gone.",
            format!("Get-ItemProperty -LiteralPath {key} | Format-List DriverDesc, NetworkAddress"),
        ))
    }
}

/// Resets the driver's own setting.
pub(super) fn reset_property(card: &Card<'_>) -> Remedy {
    let name = powershell_literal(&card.label);
    Remedy::new("Find out what changes the MAC address, and reset it")
        .risk(Risk::Medium, CUTS)
        .interrupts(Interruption::Network)
        .step(Step::powershell(
            "Look at the advanced settings of the card and at what is bound to it: a team, a switch, a filter.",
            format!("Get-NetAdapterAdvancedProperty -Name {name} -AllProperties; Get-NetAdapterBinding -Name {name}"),
        ))
        .step(Step::powershell(
            "Note the setting, then reset it (on the console: Device Manager, Advanced, \"Assign MAC\", not present).",
            format!("Reset-NetAdapterAdvancedProperty -Name {name} -RegistryKeyword NetworkAddress"),
        ))
        .step(restart(card))
        .undo(Step::powershell(
            "Put back the setting that was noted; the snapshot holds none in NetworkAddress.",
            format!("Set-NetAdapterAdvancedProperty -Name {name} -RegistryKeyword NetworkAddress -RegistryValue '<noted value>'"),
        ))
        .verify(shown(card))
}

/// Network Load Balancing does not work where addresses are checked.
pub(super) fn leave_load_balancing(card: &Card<'_>) -> Remedy {
    Remedy::new("Replace Network Load Balancing by the cloud's load balancer")
        .risk(
            Risk::High,
            "Changes how clients reach the cluster: plan it, and set up the cloud's load balancer first.",
        )
        .interrupts(Interruption::Network)
        .step(Step::powershell("Note the cluster's settings.", "Get-NlbCluster | Format-List *; Get-NlbClusterNode | Format-List *"))
        .step(Step::text("Move the clients to the cloud's load balancer, then remove this node from the cluster."))
        .undo(Step::text("Add the node again with the settings that were noted."))
        .verify(shown(card))
}
