//! How to shut the door, in the order in which it should be done.

use std::net::IpAddr;

use crate::checks::check::{Context, Problem};
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::logons::{Entry, LockoutPolicy, Logons, Suspicion};

/// Counts refused logons of the last hour; to be run before and after.
const COUNT: &str = "(Get-WinEvent -FilterHashtable @{LogName='Security';Id=4625;StartTime=(Get-Date).AddHours(-1)} -ErrorAction SilentlyContinue | Measure-Object).Count";

/// What ends an attack: the security group first, then the machine's own means.
pub(super) fn shut_out(problem: &mut Problem, cx: &Context<'_>) {
    let Logons {
        entry,
        lockout_policy,
        ..
    } = &cx.snapshot.logons;
    problem
        .remedy(security_group(cx))
        .remedy(firewall_scope(entry));
    if let Some(remedy) = nla(&entry.nla) {
        problem.remedy(remedy);
    }
    if let Some(remedy) = lockout(lockout_policy) {
        problem.remedy(remedy);
    }
}

/// Restrict the sources in the cloud: nothing reaches the machine, nothing in it changes.
pub(super) fn security_group(cx: &Context<'_>) -> Remedy {
    let port = cx
        .snapshot
        .logons
        .entry
        .port
        .value()
        .copied()
        .unwrap_or(3389);
    let (door, step) = if came_by_another_door(&cx.snapshot.logons) {
        (
            "the machine",
            format!(
                "The failed logons came without connections to Remote Desktop (RdpCoreTS 131, 140), so look at the other ports that take passwords first: 445, 135, 5985, 1433, 22, 443. In the cloud console, edit the inbound rules of the instance's security group for each of them, and for TCP and UDP {port}: replace 0.0.0.0/0 and ::/0 by the addresses you administer from, or by a bastion host."
            ),
        )
    } else {
        (
            "Remote Desktop",
            format!(
                "In the cloud console, edit the inbound rule of the instance's security group for TCP and UDP {port}: replace 0.0.0.0/0 and ::/0 by the addresses you administer from, or by a bastion host. Do the same for every other port that takes passwords (445, 1433, 22)."
            ),
        )
    };
    Remedy::new(format!(
        "Let only your own addresses reach {door}, in the security group"
    ))
        .step(Step::text(step))
        .risk(
            Risk::Low,
            "Whoever connects from an address that is not listed is shut out; the cloud's own console still gets in. Note the old rule before you change it.",
        )
        .undo(Step::text("Put the noted rule back; the snapshot cannot see security groups."))
        .verify(Step::powershell(
            "After ten minutes no new failed logons come in: the count of the last hour falls",
            COUNT,
        ))
}

/// Whether the attempts cannot have come through Remote Desktop: its own log covers the time and
/// has less than a tenth as many connections and refusals as there were failed logons.
fn came_by_another_door(logons: &Logons) -> bool {
    const SHARE: u64 = 10;
    let (Some(failures), Some(transport)) =
        (logons.failures.value(), logons.logs.transport.value())
    else {
        return false;
    };
    let is_whole = !transport.rolled && transport.damage.is_none();
    let of_transport = |locator: &Locator| matches!(locator, Locator::Events(query) if query.channel == transport.channel);
    let counts = logons.failures.evidence.iter();
    let seen: u64 = counts
        .filter(|evidence| of_transport(&evidence.locator))
        .filter_map(|evidence| evidence.raw.as_u64())
        .sum();
    is_whole && seen.saturating_mul(SHARE) < failures.logon
}

fn firewall_scope(entry: &Entry) -> Remedy {
    let rules = "'RemoteDesktop-UserMode-In-TCP','RemoteDesktop-UserMode-In-UDP'";
    let old = match entry.scope.value() {
        Some(scope) if scope.remote.is_empty() => Some("Any".to_owned()),
        Some(scope) => {
            let list: Vec<String> = scope.remote.iter().map(|a| powershell_literal(a)).collect();
            Some(list.join(","))
        }
        None => None,
    };
    let read = format!(
        "Get-NetFirewallRule -Name {rules} | ForEach-Object {{ $_.Name; ($_ | Get-NetFirewallAddressFilter).RemoteAddress }}"
    );
    let undo = match old {
        Some(old) => Step::powershell(
            "Put the scope of the snapshot back",
            format!("Set-NetFirewallRule -Name {rules} -RemoteAddress {old}"),
        ),
        None => Step::powershell(
            "The snapshot does not hold the old scope. Put back what the first step showed; if that was Any",
            format!("Set-NetFirewallRule -Name {rules} -RemoteAddress Any"),
        ),
    };
    let mut remedy = Remedy::new("Narrow the Windows Firewall rule of Remote Desktop to your own network")
        .step(Step::powershell("Note the present scope", read.clone()))
        .step(Step::powershell(
            "From the cloud's console (VNC), with the network you administer from in place of the example",
            format!("Set-NetFirewallRule -Name {rules} -RemoteAddress '203.0.113.0/24'"),
        ))
        .risk(
            Risk::High,
            "Locks you out of Remote Desktop when your address is not in the list: work from the console and keep that session open until a new connection has worked. Leave the firewall itself on.",
        )
        .interrupts(Interruption::Sessions)
        .undo(undo)
        .verify(Step::powershell("The scope is the new one, and a new connection from your network works", read));
    if entry.port.value().is_some_and(|port| *port != 3389) {
        remedy = remedy.step(Step::text(
            "Remote Desktop listens on another port than 3389: the rule that opens that port has a name of its own; narrow that one too.",
        ));
    }
    remedy
}

const LISTENER: &str =
    r"'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp'";

/// Network level authentication, where it is off. `None` where it is on or not known.
fn nla(fact: &Fact<bool>) -> Option<Remedy> {
    let undo = match fact.value() {
        Some(false) => format!(
            "Set-ItemProperty -Path {LISTENER} -Name UserAuthentication -Value 0 -Type DWord"
        ),
        None if fact.is_absent() => {
            format!("Remove-ItemProperty -Path {LISTENER} -Name UserAuthentication")
        }
        Some(true) | None => return None,
    };
    Some(
        Remedy::new("Demand network level authentication (NLA)")
            .step(Step::powershell(
                "Takes effect with the next connection",
                format!("Set-ItemProperty -Path {LISTENER} -Name UserAuthentication -Value 1 -Type DWord"),
            ))
            .risk(
                Risk::Medium,
                "Clients without CredSSP can no longer connect, and an account whose password has expired cannot be changed at the logon screen. A group policy overrides this value.",
            )
            .undo(Step::powershell("Put the old state back", undo))
            .verify(Step::powershell(
                "The value is 1",
                format!("(Get-ItemProperty -Path {LISTENER}).UserAuthentication"),
            )),
    )
}

/// The lockout policy of Microsoft's baseline, where there is none. `None` where there is one.
fn lockout(fact: &Fact<LockoutPolicy>) -> Option<Remedy> {
    let undo = match fact.value() {
        Some(policy) if policy.threshold > 0 => return None,
        Some(policy) => {
            let times = policy.duration_minutes.zip(policy.window_minutes);
            let times = times.map_or(String::new(), |(duration, window)| {
                format!(" /lockoutduration:{duration} /lockoutwindow:{window}")
            });
            let command = format!("net accounts /lockoutthreshold:{}{times}", policy.threshold);
            Step::cmd("Put the policy of the snapshot back", command)
        }
        None => Step::text(
            "The snapshot does not hold the old policy: put back the values that the first step showed, with the same command.",
        ),
    };
    Some(
        Remedy::new("Lock accounts after ten wrong passwords for ten minutes")
            .step(Step::cmd("Note the present policy", "net accounts"))
            .step(Step::cmd(
                "Microsoft's baseline: 10 failures, 10 minutes, 10 minutes",
                "net accounts /lockoutthreshold:10 /lockoutduration:10 /lockoutwindow:10",
            ))
            .risk(
                Risk::Medium,
                "While the attack goes on, it keeps the attacked accounts locked, the administrator's included (KB5020282): restrict the security group first and keep a second administrator with another name. In a domain its policy decides.",
            )
            .undo(undo)
            .verify(Step::cmd("Lockout threshold is 10", "net accounts")),
    )
}

/// After a success that should not have been one.
pub(super) fn contain(problem: &mut Problem, cx: &Context<'_>, found: &Suspicion) {
    let user = powershell_literal(&found.user);
    let after = found.time;
    problem.remedy(
        Remedy::new("Find out whether the logon was rightful; if not, treat the machine as compromised")
            .step(Step::text(format!(
                "Ask the owner of {} whether the logon from {} at {after} was theirs.",
                found.user, found.address
            )))
            .step(Step::text(
                "If it was not: take a snapshot of the disks as evidence, cut the instance off in the security group, and restore from a backup older than the first failure. Cleaning up in place is not safe.",
            ))
            .step(Step::powershell(
                "List what an intruder would leave: new services and accounts since then",
                format!(
                    "Get-WinEvent -FilterHashtable @{{LogName='System';Id=7045;StartTime='{after}'}} -ErrorAction SilentlyContinue | Format-List TimeCreated,Message; Get-WinEvent -FilterHashtable @{{LogName='Security';Id=4720,4732;StartTime='{after}'}} -ErrorAction SilentlyContinue | Format-List TimeCreated,Message"
                ),
            ))
            .step(Step::powershell(
                "Change the password, here and wherever else it is used",
                format!("Set-LocalUser -Name {user} -Password (Read-Host -AsSecureString 'New password')"),
            ))
            .risk(
                Risk::Medium,
                "Services and tasks that run as this user stop working until they have the new password.",
            )
            .undo(Step::text("A changed password cannot be taken back; enter the new one where it is needed."))
            .verify(Step::powershell(
                "The password was set just now",
                format!("(Get-LocalUser -Name {user}).PasswordLastSet"),
            )),
    );
    shut_out(problem, cx);
}

/// Ends the lockout of an account.
pub(super) fn unlock(name: &str) -> Remedy {
    let user = powershell_literal(name);
    let account = format!("([ADSI]('WinNT://./' + {user} + ',user'))");
    Remedy::new("Unlock the account, after the attack has been shut out")
        .step(Step::powershell(
            "From the console; the lockout also ends by itself after the policy's duration",
            format!("$u = {account}; $u.IsAccountLocked = $false; $u.SetInfo()"),
        ))
        .risk(
            Risk::Low,
            "It is locked again within minutes when the wrong passwords go on: restrict the security group first.",
        )
        .undo(Step::text("Nothing to undo: no setting is changed."))
        .verify(Step::powershell("False", format!("{account}.IsAccountLocked")))
}

/// Looks into a cleared log.
pub(super) fn who_cleared(log: &str, by: &str) -> Remedy {
    Remedy::new(format!("Find out who cleared the log {log}, and why"))
        .step(Step::text(format!(
            "Ask the owner of {by}. Image preparation (sysprep) and clean-up scripts clear logs, too; look for copies in backups, in a log collector and in the other logs of the same hours."
        )))
        .risk(Risk::Low, "Nothing is changed.")
        .undo(Step::text("Nothing to undo."))
        .verify(Step::cmd(
            "New records arrive, and the log is large enough for a week",
            "wevtutil gli Security",
        ))
}

/// Corrects a client with an old password.
pub(super) fn stale_credential(address: IpAddr, user: &str) -> Remedy {
    Remedy::new(format!("Correct the password of {user} on the client {address}"))
        .step(Step::text(format!(
            "On {address}, look for what runs as {user}: services, scheduled tasks, mapped drives, monitoring, application pools."
        )))
        .step(Step::powershell(
            "There, list services and tasks of that user",
            format!(
                "$u = {}; Get-CimInstance Win32_Service | Where-Object StartName -like \"*$u\" | Select-Object Name,StartName; Get-ScheduledTask | Where-Object {{ $_.Principal.UserId -like \"*$u\" }}; cmdkey /list",
                powershell_literal(user)
            ),
        ))
        .risk(Risk::Low, "Only the stored password of that client changes.")
        .undo(Step::text("Enter the old password again."))
        .verify(Step::powershell("The count of the last hour falls to none", COUNT))
}
