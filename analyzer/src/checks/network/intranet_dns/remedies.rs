//! How to get names resolved again.

use std::net::{IpAddr, Ipv4Addr};

use super::servers::Server;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::checks::remote_desktop::registry::{put_back, set};
use crate::facts::fact::Fact;
use crate::facts::network::PersistentRoute;
use crate::facts::sources::registry::Number;

const DNSCACHE: &str = r"HKLM:\SYSTEM\CurrentControlSet\Services\Dnscache";

fn resolves() -> Step {
    Step::powershell(
        "Names resolve: one of the intranet, one of the Internet.",
        "Clear-DnsClientCache; Get-DnsClientServerAddress -AddressFamily IPv4; Resolve-DnsName www.microsoft.com.",
    )
}

fn listed(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(|one| format!("'{one}'")).collect();
    texts.join(",")
}

/// Lets DHCP give the servers, or sets those that fit.
pub(super) fn reset(servers: &[Server], joined: bool) -> Remedy {
    let mut remedy = Remedy::new(if joined {
        "List only name servers of the domain"
    } else {
        "Take the name servers that DHCP gives"
    })
    .risk(
        Risk::Medium,
        "Names of the old servers stop resolving. A member of a domain lists only the domain's servers: Windows moves to the second server on one time-out and stays there, and a wrong answer is never asked again elsewhere. So do not put the cloud's server behind the domain's; forward to it.",
    )
    .interrupts(Interruption::Nothing);
    let mut links: Vec<&str> = servers.iter().map(|server| server.link.as_str()).collect();
    links.dedup();
    if links.is_empty() {
        links.push("<connection>");
    }
    for link in links {
        let name = powershell_literal(link);
        let old: Vec<IpAddr> = servers
            .iter()
            .filter(|server| server.link == link)
            .map(|server| server.address)
            .collect();
        remedy = remedy.step(if joined {
            Step::powershell(
                format!("Set the domain's servers for {link}."),
                format!("Set-DnsClientServerAddress -InterfaceAlias {name} -ServerAddresses '<domain controller 1>','<domain controller 2>'"),
            )
        } else {
            Step::powershell(
                format!("Let DHCP give the servers of {link}."),
                format!("Set-DnsClientServerAddress -InterfaceAlias {name} -ResetServerAddresses"),
            )
        });
        remedy = remedy.undo(if old.is_empty() {
            Step::text("The snapshot holds no server: nothing to put back.")
        } else {
            Step::powershell(
                "Put back the servers of the snapshot.",
                format!(
                    "Set-DnsClientServerAddress -InterfaceAlias {name} -ServerAddresses {}",
                    listed(&old)
                ),
            )
        });
    }
    remedy.verify(resolves())
}

/// Lets the domain's servers ask the cloud's.
pub(super) fn forward(zone: &str, servers: &[&str]) -> Remedy {
    let list = servers.join(",");
    Remedy::new("Forward the cloud's names on the domain's servers")
        .risk(
            Risk::Low,
            "Adds a forwarder on the domain controllers; members change nothing.",
        )
        .step(Step::powershell(
            "On a domain controller: forward the zone.",
            format!("Add-DnsServerConditionalForwarderZone -Name {zone} -MasterServers {list}"),
        ))
        .undo(Step::powershell(
            "Remove the forwarder.",
            format!("Remove-DnsServerZone -Name {zone}"),
        ))
        .verify(resolves())
}

/// Lets the DNS client start. `Set-Service` is refused for it.
pub(super) fn enable_client(start: &Fact<Number>) -> Remedy {
    Remedy::new("Let the DNS client start")
        .risk(
            Risk::Medium,
            "Restores the default of Windows; takes effect with a restart.",
        )
        .interrupts(Interruption::Restart)
        .step(Step::powershell(
            "Set it to start by itself.",
            set(DNSCACHE, "Start", 2),
        ))
        .step(Step::cmd(
            "Restart Windows at a time that suits.",
            "shutdown /r /t 600",
        ))
        .undo(put_back(DNSCACHE, "Start", start))
        .verify(Step::powershell("It runs.", "Get-Service Dnscache"))
}

/// Removes a line of the hosts file.
pub(super) fn edit_hosts(name: &str) -> Remedy {
    Remedy::new("Remove the entry from the hosts file")
        .risk(
            Risk::Low,
            "Somebody may have added it on purpose, to get round a fault.",
        )
        .step(Step::powershell(
            "Save the file.",
            r"Copy-Item C:\Windows\System32\drivers\etc\hosts C:\hosts-before.txt",
        ))
        .step(Step::text(format!(
            "Remove the line of {name} with an editor that runs elevated."
        )))
        .undo(Step::powershell(
            "Put the file back.",
            r"Copy-Item C:\hosts-before.txt C:\Windows\System32\drivers\etc\hosts",
        ))
        .verify(resolves())
}

/// Replaces the route to Tencent Cloud's services.
pub(super) fn replace_route(stale: Option<&PersistentRoute>, gateway: Option<Ipv4Addr>) -> Remedy {
    const TO: &str = "169.254.0.0 mask 255.255.128.0";
    let by = gateway.map_or_else(|| "<present gateway>".to_owned(), |one| one.to_string());
    let mut remedy = Remedy::new("Let the route to Tencent Cloud's services lead to the present gateway")
        .risk(
            Risk::Low,
            "Only on Tencent Cloud. It covers 169.254.0.0 to 169.254.127.255 (not 169.254.169.254), and goes stale again when the machine changes its subnet.",
        );
    if let Some(route) = stale {
        remedy = remedy
            .step(Step::cmd(
                "Delete the old route.",
                format!("route delete {TO} {}", route.gateway),
            ))
            .undo(Step::cmd(
                "Put the old route back.",
                format!("route -p add {TO} {}", route.gateway),
            ));
    }
    remedy
        .step(Step::cmd(
            "Add the route.",
            format!("route -p add {TO} {by}"),
        ))
        .undo(Step::cmd(
            "Delete the new route.",
            format!("route delete {TO} {by}"),
        ))
        .verify(Step::cmd(
            "The route is listed once.",
            "route print -4 169.254.*",
        ))
        .verify(resolves())
}

/// Mends the link that hides the services.
pub(super) fn mend_hidden() -> Remedy {
    Remedy::new("Mend the card whose own-made address hides the cloud's services")
        .risk(Risk::Medium, "See gateway first: a card with an address in 169.254.0.0/16 got no lease. Work from the console.")
        .interrupts(Interruption::Network)
        .step(Step::powershell("Find the card.", "Get-NetRoute -DestinationPrefix 169.254.0.0/16 | Format-Table InterfaceAlias, NextHop, RouteMetric"))
        .step(Step::powershell("Restart it, so that it asks for a lease again; disable it if it is not needed.", "Restart-NetAdapter -Name '<name>'"))
        .undo(Step::powershell("Enable it again.", "Enable-NetAdapter -Name '<name>'"))
        .verify(resolves())
}
