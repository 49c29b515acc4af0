//! How to get an address and a way out.

use std::net::Ipv4Addr;

use super::links::Link;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::checks::remote_desktop::registry::put_back;
use crate::facts::fact::Fact;
use crate::facts::network::{Device, PersistentRoute};
use crate::facts::sources::registry::Number;

const CONSOLE: &str = "Work from the console (VNC, serial): the network is cut meanwhile, the cloud's agent included.";
const DHCP_KEY: &str = r"HKLM:\SYSTEM\CurrentControlSet\Services\Dhcp";

fn works() -> Step {
    Step::powershell(
        "There is an address, a default route, and the gateway resolves. Ping need not answer.",
        "Get-NetIPConfiguration | Format-List InterfaceAlias, IPv4Address, IPv4DefaultGateway; Get-NetNeighbor -AddressFamily IPv4 | Where-Object State -ne Permanent",
    )
}

/// Enables the card.
pub(super) fn enable() -> Remedy {
    Remedy::new("Enable the network card")
        .risk(Risk::Low, "Only from the console: there is no network to work over.")
        .step(Step::powershell("See the cards.", "Get-NetAdapter -IncludeHidden | Format-Table Name, Status, InterfaceDescription; Get-PnpDevice -Class Net | Format-Table FriendlyName, Status, Problem, InstanceId"))
        .step(Step::powershell("Enable the cards that are disabled.", "Get-NetAdapter | Where-Object Status -eq Disabled | Enable-NetAdapter"))
        .undo(Step::powershell("Disable a card again, if that was meant to be.", "Disable-NetAdapter -Name '<name>'"))
        .verify(works())
}

/// Lets the card get its address by DHCP, as clouds want it.
pub(super) fn renew(link: &Link<'_>) -> Remedy {
    let name = powershell_literal(&link.label);
    let remedy = Remedy::new("Restart the card; then let it get its address by DHCP")
        .risk(
            Risk::High,
            format!("{CONSOLE} Not where the card has several addresses by design: secondary addresses of a cloud need static settings. Check in the cloud's console which address the card has."),
        )
        .interrupts(Interruption::Network)
        .step(Step::cmd("Save the settings.", r"netsh -c interface dump > C:\net-before.txt"))
        .step(Step::powershell("Restart the card and see whether that is enough.", format!("Restart-NetAdapter -Name {name}")))
        .step(Step::powershell(
            "If not, and the cloud gives the address by DHCP: switch to DHCP.",
            format!("Remove-NetRoute -InterfaceAlias {name} -DestinationPrefix 0.0.0.0/0 -Confirm:$false -ErrorAction SilentlyContinue; Set-NetIPInterface -InterfaceAlias {name} -Dhcp Enabled; Set-DnsClientServerAddress -InterfaceAlias {name} -ResetServerAddresses; ipconfig /renew"),
        ))
        .undo(Step::cmd("Put the saved settings back.", r"netsh -f C:\net-before.txt"))
        .verify(works());
    let Some(interface) = link.interface else {
        return remedy;
    };
    let old: Vec<String> = interface
        .static_addresses()
        .map(|one| one.to_string())
        .collect();
    let masks = interface.masks.value().cloned().unwrap_or_default();
    let gateways: Vec<String> = interface
        .static_gateways()
        .map(|one| one.to_string())
        .collect();
    if old.is_empty() {
        return remedy;
    }
    remedy.undo(Step::text(format!(
        "The snapshot's static settings were: address {}, mask {}, gateway {}.",
        old.join(", "),
        masks.join(", "),
        gateways.join(", ")
    )))
}

/// Lets the DHCP client start.
pub(super) fn enable_dhcp_client(start: &Fact<Number>) -> Remedy {
    Remedy::new("Let the DHCP client start")
        .risk(Risk::Low, "Restores the default of Windows.")
        .step(Step::powershell(
            "Set it to start by itself, and start it.",
            "Set-Service Dhcp -StartupType Automatic; Start-Service Dhcp; ipconfig /renew",
        ))
        .undo(put_back(DHCP_KEY, "Start", start))
        .verify(Step::powershell("It runs.", "Get-Service Dhcp"))
        .verify(works())
}

/// Leaves one default route.
pub(super) fn one_default_route() -> Remedy {
    Remedy::new("Leave one default route, or give one the lower metric")
        .risk(Risk::High, format!("Removing the route in use cuts the connection. {CONSOLE}"))
        .interrupts(Interruption::Network)
        .step(Step::powershell("See the routes, and save the settings.", r"Get-NetRoute -DestinationPrefix 0.0.0.0/0 | Format-Table InterfaceAlias, NextHop, RouteMetric, InterfaceMetric; netsh -c interface dump > C:\net-before.txt"))
        .step(Step::powershell("Give the card of the less wanted route a higher metric.", "Set-NetIPInterface -InterfaceAlias '<name>' -AddressFamily IPv4 -AutomaticMetric Disabled -InterfaceMetric 500"))
        .undo(Step::powershell("Let Windows choose the metric again.", "Set-NetIPInterface -InterfaceAlias '<name>' -AddressFamily IPv4 -AutomaticMetric Enabled"))
        .verify(works())
}

/// Deletes leftovers among the persistent routes.
pub(super) fn delete_routes<'r>(routes: impl Iterator<Item = &'r PersistentRoute>) -> Remedy {
    /// How many routes are named in commands.
    const MOST: usize = 8;
    let mut remedy = Remedy::new("Delete the persistent default route that is a leftover")
        .risk(
            Risk::Medium,
            format!("Make sure that the route is not the one in use: route print. {CONSOLE}"),
        )
        .interrupts(Interruption::Network);
    let mut gateways: Vec<(Ipv4Addr, i64)> =
        routes.map(|route| (route.gateway, route.metric)).collect();
    gateways.sort_unstable();
    gateways.dedup();
    for (gateway, metric) in gateways.into_iter().take(MOST) {
        let metric = if metric > 0 {
            format!(" metric {metric}")
        } else {
            String::new()
        };
        remedy = remedy
            .step(Step::cmd(
                format!("Delete the route by {gateway}, if it is not wanted."),
                format!("route delete 0.0.0.0 mask 0.0.0.0 {gateway}"),
            ))
            .undo(Step::cmd(
                format!("Put the route by {gateway} back."),
                format!("route -p add 0.0.0.0 mask 0.0.0.0 {gateway}{metric}"),
            ));
    }
    remedy
        .verify(Step::cmd(
            "The list of persistent routes holds no leftover.",
            "route print -4",
        ))
        .verify(works())
}

/// Finds the machine with the same address.
pub(super) fn find_the_rival(subject: &str) -> Remedy {
    Remedy::new("Find the other machine with the address")
        .risk(Risk::Low, "Only looks. Which of the two keeps the address is for the network's plan, or the cloud's console, to say.")
        .step(Step::text(format!("The record names address and MAC address of the other machine: {subject}.")))
        .step(Step::text("Look the MAC address up in the cloud's console or the switch, and give that machine an address of its own."))
        .undo(Step::text("Nothing to undo: nothing changes here."))
        .verify(Step::powershell("No new record appears.", "Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Tcpip'; Id=4198,4199} -MaxEvents 5"))
        .verify(works())
}

/// Removes a device that is gone.
pub(super) fn remove_device(device: &Device) -> Remedy {
    let id = device
        .instance_id
        .as_deref()
        .map_or_else(|| "'<instance id>'".to_owned(), powershell_literal);
    Remedy::new("Remove the card that is gone")
        .risk(Risk::Medium, "Its settings go with it. Make sure that the card is not merely unplugged for the moment.")
        .step(Step::powershell("Save its settings.", format!("Get-PnpDevice -InstanceId {id} | Format-List *; reg export HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Interfaces C:\\interfaces-before.reg /y")))
        .step(Step::powershell("Remove it (Windows 10 2004, Server 2022 and later; else Device Manager, hidden devices).", format!("pnputil /remove-device {id}")))
        .undo(Step::text(r"Plug the card in again and import C:\interfaces-before.reg."))
        .verify(Step::powershell("It is no longer listed.", "Get-PnpDevice -Class Net | Format-Table FriendlyName, Status, InstanceId"))
}
