//! How to let Remote Desktop in without letting everything in.

use crate::checks::check::Context;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::firewall::{Firewall, ProfileFacts, REMOTE_DESKTOP_GROUP, Rule, RuleLayer};
use crate::facts::remote_desktop::DEFAULT_PORT;
use crate::facts::services::Service;
use crate::formats::firewall_rule::{FirewallRule, Ports, Profile};

/// The first build with the cmdlets of module `NetSecurity` (Windows 8, Server 2012).
const FIRST_CMDLETS: u32 = 9200;

/// Whether the machine has the firewall's cmdlets; most have.
fn has_cmdlets(cx: &Context<'_>) -> bool {
    let build = cx.snapshot.machine.build.value();
    build.is_none_or(|build| *build >= FIRST_CMDLETS)
}

fn backup() -> Step {
    Step::cmd(
        "Keep a copy of the whole firewall policy.",
        r"netsh advfirewall export C:\firewall-before.wfw",
    )
}

fn look() -> Step {
    Step::text(
        "Connect to the port from outside; the security group of the cloud must allow it, too.",
    )
}

/// The built-in rules of the machine for Remote Desktop.
pub(super) fn built_in(firewall: &Firewall) -> Vec<&Rule> {
    let set = firewall.local_rules.value();
    set.into_iter()
        .flat_map(|set| &set.kept)
        .filter(|rule| rule.rule.group.as_deref() == Some(REMOTE_DESKTOP_GROUP))
        .collect()
}

/// What a rule is for, in words.
pub(super) fn reach(rule: &FirewallRule) -> String {
    let profiles: Vec<&str> = rule.profiles.iter().map(|profile| profile.name()).collect();
    let ports: Vec<String> = rule.local_ports.iter().map(port_text).collect();
    let some = |list: Vec<String>, all: &str| {
        if list.is_empty() {
            all.to_owned()
        } else {
            list.join(",")
        }
    };
    let profiles = profiles.into_iter().map(ToOwned::to_owned).collect();
    format!(
        "port {}, profile {}, from {}",
        some(ports, "any"),
        some(profiles, "any"),
        super::shortened(&some(rule.remote_addresses.clone(), "anywhere")),
    )
}

fn port_text(ports: &Ports) -> String {
    match ports {
        Ports::Range { low, high } if low == high => low.to_string(),
        Ports::Range { low, high } => format!("{low}-{high}"),
        Ports::Keyword(word) => word.clone(),
    }
}

/// The value of `-Profile` that a rule has.
fn profile_list(rule: &FirewallRule) -> String {
    if rule.profiles.is_empty() {
        return "Any".to_owned();
    }
    let names: Vec<&str> = rule.profiles.iter().map(|profile| profile.name()).collect();
    names.join(",")
}

/// Lets Remote Desktop in: by the built-in rules on the default port, else by a rule of its own.
pub(super) fn open(cx: &Context<'_>, port: u16, local_rules_count: bool) -> Remedy {
    if !local_rules_count {
        return by_policy(
            &format!("Allow TCP {port} in group policy"),
            &format!(
                "Group policy ignores the machine's own rules (AllowLocalPolicyMerge = 0). In the \
             policy object that sets it, add an inbound rule that allows TCP {port} for the \
             service TermService, or let local rules count again."
            ),
        );
    }
    let rules = built_in(&cx.snapshot.firewall);
    if port == DEFAULT_PORT && !rules.is_empty() {
        enable_built_in(cx, &rules)
    } else {
        add_rule(port)
    }
}

fn enable_built_in(cx: &Context<'_>, rules: &[&Rule]) -> Remedy {
    let remedy = Remedy::new("Enable the built-in rules for Remote Desktop").step(backup());
    let remedy = if has_cmdlets(cx) {
        let undo: Vec<String> = rules
            .iter()
            .map(|rule| {
                format!(
                    "Set-NetFirewallRule -Name {} -Enabled {} -Profile {}",
                    powershell_literal(&rule.id),
                    if rule.rule.active { "True" } else { "False" },
                    profile_list(&rule.rule)
                )
            })
            .collect();
        remedy
            .step(Step::powershell(
                "Enable the group by its number, which is the same in every language.",
                format!(
                    "Get-NetFirewallRule -Group '{REMOTE_DESKTOP_GROUP}' | Set-NetFirewallRule -Enabled True -Profile Any"
                ),
            ))
            .undo(Step::powershell("Give the rules back what they had.", undo.join("\n")))
            .verify(Step::powershell(
                "See that the rules are enabled.",
                format!("Get-NetFirewallRule -Group '{REMOTE_DESKTOP_GROUP}' | Format-Table Name, Enabled, Profile, Action"),
            ))
    } else {
        remedy
            .step(Step::cmd(
                "Enable the group by its number, which is the same in every language.",
                format!(
                    "netsh advfirewall firewall set rule group=\"{REMOTE_DESKTOP_GROUP}\" new enable=yes profile=any"
                ),
            ))
            .undo(restore())
    };
    let offline = rules.first().map(|rule| {
        Step::text(format!(
            "On a disk that does not start: load the hive and write Active=TRUE into the rule at {}.",
            rule.evidence.locator
        ))
    });
    let remedy = offline.into_iter().fold(remedy, Remedy::step);
    remedy
        .verify(look())
        .risk(
            Risk::Low,
            "Opens the port in every profile: restrict the source addresses in the cloud's security group.",
        )
}

fn restore() -> Step {
    Step::cmd(
        "Put the whole policy back.",
        r"netsh advfirewall import C:\firewall-before.wfw",
    )
}

fn add_rule(port: u16) -> Remedy {
    let name = format!("Remote Desktop on TCP {port}");
    Remedy::new(format!(
        "Add a rule for port {port}; or set the port back to 3389 (see rdp-port)"
    ))
        .step(backup())
        .step(Step::cmd(
            "Allow the port for the service alone; the built-in rules stay on 3389.",
            format!(
                "netsh advfirewall firewall add rule name=\"{name}\" dir=in action=allow protocol=TCP localport={port} program=\"%SystemRoot%\\system32\\svchost.exe\" service=termservice profile=any"
            ),
        ))
        .undo(Step::cmd(
            "Remove the rule.",
            format!("netsh advfirewall firewall delete rule name=\"{name}\""),
        ))
        .verify(Step::cmd(
            "See the rule.",
            format!("netsh advfirewall firewall show rule name=\"{name}\""),
        ))
        .verify(look())
        .risk(
            Risk::Low,
            "Opens the port in every profile: restrict the source addresses in the cloud's security group.",
        )
}

/// Takes a blocking rule out of force.
pub(super) fn disable(cx: &Context<'_>, rule: &Rule) -> Remedy {
    match rule.layer {
        RuleLayer::Policy | RuleLayer::LegacyPolicy | RuleLayer::Mdm => by_policy(
            &format!(
                "Take the blocking rule {} out of the policy",
                super::shortened(&rule.id)
            ),
            &format!(
                "The rule comes from a policy ({}). Change it where it is made; a local change \
                 does not last.",
                rule.evidence.locator
            ),
        ),
        RuleLayer::Local => {
            let id = powershell_literal(&rule.id);
            let title = format!("Disable the blocking rule {}", super::shortened(&rule.id));
            let remedy = Remedy::new(title).step(backup());
            let remedy = if has_cmdlets(cx) {
                remedy
                    .step(Step::powershell(
                        "Disable the rule by its id.",
                        format!("Set-NetFirewallRule -Name {id} -Enabled False"),
                    ))
                    .undo(Step::powershell(
                        "Enable it again.",
                        format!("Set-NetFirewallRule -Name {id} -Enabled True"),
                    ))
                    .verify(Step::powershell(
                        "See that it is disabled.",
                        format!(
                            "Get-NetFirewallRule -Name {id} | Format-Table Name, Enabled, Action"
                        ),
                    ))
            } else {
                remedy
                    .step(Step::text(format!(
                        "In wf.msc, disable the inbound rule that blocks the port (its id is {}).",
                        super::shortened(&rule.id)
                    )))
                    .undo(restore())
            };
            remedy.verify(look()).risk(
                Risk::Medium,
                "Somebody made this rule, perhaps against an attack: ask before you disable it.",
            )
        }
    }
}

/// Lets a rule take connections from elsewhere.
pub(super) fn widen(cx: &Context<'_>, rule: &Rule) -> Remedy {
    let title = format!("Widen the addresses of rule {}", super::shortened(&rule.id));
    if rule.layer != RuleLayer::Local || !has_cmdlets(cx) {
        return by_policy(
            &title,
            &format!(
                "If clients outside the private networks must get in, add their addresses where \
                 the rule is made ({}).",
                rule.evidence.locator
            ),
        );
    }
    let id = powershell_literal(&rule.id);
    let old: Vec<String> = rule
        .rule
        .remote_addresses
        .iter()
        .map(|address| powershell_literal(address))
        .collect();
    let old = old.join(",");
    Remedy::new(title)
        .step(Step::text(
            "Only if clients outside the private networks must get in; a VPN or a bastion host is safer.",
        ))
        .step(Step::powershell(
            "Let the rule take connections from anywhere; name the clients' networks instead of Any if you can.",
            format!("Set-NetFirewallRule -Name {id} -RemoteAddress Any"),
        ))
        .undo(Step::powershell(
            "Give it its old addresses back.",
            format!("Set-NetFirewallRule -Name {id} -RemoteAddress {old}"),
        ))
        .verify(Step::powershell(
            "See the addresses.",
            format!("Get-NetFirewallRule -Name {id} | Get-NetFirewallAddressFilter"),
        ))
        .risk(Risk::Medium, "Remote Desktop open to the internet is attacked within minutes.")
}

/// Lets rules count again where everything is blocked.
pub(super) fn lower_shields(cx: &Context<'_>, profile: &ProfileFacts) -> Remedy {
    let name = profile.profile.name();
    let title = format!("Let the rules of the {name} profile count again");
    if profile.policy.no_exceptions.value().is_some() {
        return by_policy(
            &title,
            "Group policy sets DoNotAllowExceptions = 1. Change it in the policy object.",
        );
    }
    let remedy = Remedy::new(title);
    let remedy = if has_cmdlets(cx) {
        remedy
            .step(Step::powershell(
                "Take back \"block all connections\".",
                format!("Set-NetFirewallProfile -Name {name} -AllowInboundRules True"),
            ))
            .undo(Step::powershell(
                "Block everything again.",
                format!("Set-NetFirewallProfile -Name {name} -AllowInboundRules False"),
            ))
            .verify(Step::powershell(
                "See the setting.",
                format!(
                    "Get-NetFirewallProfile -Name {name} | Format-List Enabled, AllowInboundRules"
                ),
            ))
    } else {
        let profile = netsh(profile.profile);
        remedy
            .step(Step::cmd(
                "Take back \"block all connections\".",
                format!("netsh advfirewall set {profile} firewallpolicy blockinbound,allowoutbound"),
            ))
            .undo(Step::cmd(
                "Block everything again.",
                format!(
                    "netsh advfirewall set {profile} firewallpolicy blockinboundalways,allowoutbound"
                ),
            ))
            .verify(Step::cmd("See the setting.", format!("netsh advfirewall show {profile}")))
    };
    remedy.verify(look()).risk(
        Risk::Medium,
        "Everything that other rules allow is let in again, too.",
    )
}

/// Switches the firewall on, Remote Desktop's rule first.
pub(super) fn switch_on(cx: &Context<'_>, profile: &ProfileFacts) -> Remedy {
    let name = profile.profile.name();
    let title = format!("Switch the firewall on in the {name} profile");
    if profile.policy.enable.value().is_some() {
        return by_policy(
            &title,
            "Group policy sets EnableFirewall = 0. Change it in the policy object, after a rule \
             for Remote Desktop is in force.",
        );
    }
    let remedy = Remedy::new(title).step(backup()).step(Step::text(
        "First see that a rule allows Remote Desktop's port, or you lock yourself out.",
    ));
    let remedy = if has_cmdlets(cx) {
        remedy
            .step(Step::powershell(
                "Switch it on.",
                format!("Set-NetFirewallProfile -Name {name} -Enabled True"),
            ))
            .undo(Step::powershell(
                "Switch it off again.",
                format!("Set-NetFirewallProfile -Name {name} -Enabled False"),
            ))
            .verify(Step::powershell(
                "See the setting.",
                format!("Get-NetFirewallProfile -Name {name} | Format-List Enabled"),
            ))
    } else {
        let profile = netsh(profile.profile);
        remedy
            .step(Step::cmd(
                "Switch it on.",
                format!("netsh advfirewall set {profile} state on"),
            ))
            .undo(Step::cmd(
                "Switch it off again.",
                format!("netsh advfirewall set {profile} state off"),
            ))
            .verify(Step::cmd(
                "See the setting.",
                format!("netsh advfirewall show {profile}"),
            ))
    };
    remedy.risk(
        Risk::High,
        "Without a rule that allows Remote Desktop this locks you out; other services on the machine may need rules, too. Work from the console.",
    )
}

/// Brings back a service of the firewall whose key is gone.
pub(super) fn restore_service(service: &Service) -> Remedy {
    let name = &service.name;
    Remedy::new(format!("Restore the service {name}"))
        .step(Step::text(
            "Look for malware first: some removes the services of the firewall.",
        ))
        .step(Step::text(format!(
            r"Snapshot the disk, export HKLM\SYSTEM\CurrentControlSet\Services\{name} from a machine of the same version, and import it here.",
        )))
        .step(Step::text(
            "See that a rule allows Remote Desktop's port, then restart Windows: rules are in force from then on.",
        ))
        .undo(Step::text("There was no such service: go back to the snapshot of the disk."))
        .verify(Step::cmd("See its state.", format!("sc.exe query {name}")))
        .interrupts(Interruption::Restart)
        .risk(
            Risk::High,
            "A key of another version does harm; without a rule for Remote Desktop you lock yourself out. Work from the console.",
        )
}

/// Starts a service of the firewall.
pub(super) fn start_service(service: &Service) -> Remedy {
    let name = &service.name;
    let key = format!(r"HKLM\SYSTEM\CurrentControlSet\Services\{name}");
    let write = |start: u64| format!(r#"reg add "{key}" /v Start /t REG_DWORD /d {start} /f"#);
    let remedy = Remedy::new(format!("Start the service {name}"))
        .step(Step::text(
            "First see that a rule allows Remote Desktop's port: once the service runs, rules are in force.",
        ))
        .step(Step::cmd("Let it start with Windows.", write(2)));
    let remedy = if name.eq_ignore_ascii_case("MpsSvc") {
        remedy.step(Step::cmd(
            "Start it, after the base filtering engine.",
            "net start BFE & net start MpsSvc",
        ))
    } else {
        remedy.step(Step::cmd(
            format!("Start {name}."),
            format!("net start {name}"),
        ))
    };
    let undo = match service.start_number() {
        Some(old) => Step::cmd("Give it its old start type back, and restart.", write(old)),
        None if service.start.is_absent() => Step::cmd(
            "There was no start type: remove the value, and restart.",
            format!(r#"reg delete "{key}" /v Start /f"#),
        ),
        None => Step::text(format!(
            "The snapshot does not tell the old start type: note it before the change (sc.exe qc {name}), and set it again.",
        )),
    };
    remedy
        .undo(undo)
        .verify(Step::cmd("See its state.", format!("sc.exe query {name}")))
        .interrupts(Interruption::Sessions)
        .risk(
            Risk::High,
            "All rules come into force at once; without one for Remote Desktop you lock yourself out. Work from the console.",
        )
}

/// What only the one who makes the policy can change.
fn by_policy(title: &str, step: &str) -> Remedy {
    Remedy::new(title)
        .step(Step::text(step))
        .step(Step::cmd(
            "Fetch the changed policy.",
            "gpupdate /target:computer",
        ))
        .undo(Step::text("Set the policy back to what it was."))
        .verify(Step::cmd(
            "See which policies apply.",
            "gpresult /scope computer /r",
        ))
        .risk(Risk::Medium, "The policy may rule other machines, too.")
}

/// What `netsh advfirewall` calls a profile.
fn netsh(profile: Profile) -> &'static str {
    match profile {
        Profile::Domain => "domainprofile",
        Profile::Private => "privateprofile",
        Profile::Public => "publicprofile",
    }
}
