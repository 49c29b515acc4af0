//! `network-access-account`: whether local accounts become Guest when they come over the network.

mod remedies;

use super::registry::{is_mistyped, number_or, shown};
use crate::checks::check::{Check, Context, Decision, Input, Judge, Problem};
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::Snapshot;
use crate::facts::network_access::{GuestLogon, NetworkAccess};
use crate::facts::records;
use crate::facts::remote_desktop::{Listener, written};

const SYSTEM: &str = "the SYSTEM hive (registry.system)";
const SOFTWARE: &str = "the SOFTWARE hive (registry.software)";

/// The check.
pub const CHECK: Check = Check {
    id: "network-access-account",
    category: Category::RemoteDesktop,
    title: "Network access account",
    page: include_str!("network_access_account.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::helpful("registry.software"),
        Input::helpful("system.accounts"),
        Input::helpful("eventlog.security"),
        Input::helpful("eventlog.rcm-operational"),
        Input::helpful("eventlog.lsm-operational"),
    ],
    thresholds: &[],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    let snapshot = cx.snapshot;
    let mut judge = Judge::new();
    let may_host = &snapshot.remote_desktop.edition_may_host;
    if may_host.value() == Some(&false) {
        judge.exhibit("ProductPolicy: AllowRemoteConnections = 0", may_host);
        return judge
            .not_applicable("this edition of Windows cannot accept Remote Desktop connections");
    }
    let force_guest = &snapshot.network_access.force_guest;
    guest_only(&mut judge, snapshot);
    wrong_type(&mut judge, snapshot);
    judge.require(force_guest, "forceguest", SYSTEM);
    show(&mut judge, snapshot);
    judge.finish("local accounts log on as themselves over the network", "")
}

/// Network level authentication, as far as it is known: the value in force of `RDP-Tcp`.
fn nla(snapshot: &Snapshot) -> Option<bool> {
    let listener = snapshot.remote_desktop.rdp_tcp()?;
    let effective = &listener.network_level_authentication.effective;
    effective.value().map(|value| *value != 0)
}

/// Whether the machine belongs to a domain.
fn is_joined(snapshot: &Snapshot) -> Option<bool> {
    let domain = &snapshot.machine.domain;
    domain.is_settled().then(|| domain.value().is_some())
}

/// The words for a condition that may not be known.
fn words(condition: Option<bool>, yes: &'static str, no: &'static str) -> &'static str {
    match condition {
        Some(true) => yes,
        Some(false) => no,
        None => "not known",
    }
}

fn guest_only(judge: &mut Judge, snapshot: &Snapshot) {
    let force_guest = &snapshot.network_access.force_guest;
    let (nla, joined) = (nla(snapshot), is_joined(snapshot));
    let on = number_or(force_guest, 0).map(|value| value != 0);
    let alone = joined.map(|joined| !joined);
    let compared = |rule: &str| {
        format!(
            "forceguest = {} (not 0){rule}; domain member: {}; network level authentication: {}",
            shown(force_guest),
            words(joined, "yes", "no"),
            words(nla, "on", "off"),
        )
    };
    let locked_out = all([on, alone, nla]);
    let critical = compared(", no domain member, network level authentication on");
    if let Some(problem) = judge.rule(Verdict::Critical, "guest-only", critical, locked_out) {
        problem.headline(
            "local accounts become Guest over the network, so none of them passes network level authentication",
        );
        fill(problem, snapshot);
    }
    let rest = match (on, locked_out) {
        (Some(true), Some(true)) | (Some(false), _) => Some(false),
        (on, _) => on,
    };
    let warning = compared(", otherwise");
    let Some(problem) = judge.rule(Verdict::Warning, "guest-only-elsewhere", warning, rest) else {
        return;
    };
    problem.headline(match (joined, nla) {
        (Some(true), _) => "local accounts become Guest over the network: domain accounts are not affected, the local administrator kept for emergencies is",
        (_, Some(false)) => "local accounts become Guest over the network: Remote Desktop lets them in as long as network level authentication stays off",
        _ => "local accounts become Guest over the network; whether that keeps them out of Remote Desktop is not known",
    });
    fill(problem, snapshot);
    if joined.is_none() {
        judge.would_help(SYSTEM);
    }
    if joined != Some(true) && nla.is_none() {
        judge.would_help(SOFTWARE);
    }
}

/// Whether all of them hold; `None` when that hangs on one that is not known.
fn all<const N: usize>(conditions: [Option<bool>; N]) -> Option<bool> {
    if conditions.contains(&Some(false)) {
        return Some(false);
    }
    conditions.iter().all(Option::is_some).then_some(true)
}

/// What both rules show: the value, the domain, network level authentication, and the remedy.
fn fill(problem: &mut Problem, snapshot: &Snapshot) {
    let access = &snapshot.network_access;
    problem
        .because("what fails is the network stage of network level authentication, file sharing and remote administration; logons at the console and Remote Desktop's own logon are not touched")
        .evidence_expected(
            format!("forceguest = {}", shown(&access.force_guest)),
            "0 or absent",
            &access.force_guest,
        )
        .remedy(remedies::classic(access));
    let domain = &snapshot.machine.domain;
    let member = match domain.value() {
        Some(name) => format!("the machine is a member of the domain {name}"),
        None if domain.is_absent() => "the machine is no member of a domain".to_owned(),
        None => "whether the machine is a member of a domain is not known".to_owned(),
    };
    problem.because(member.clone()).evidence(member, domain);
    if let Some(listener) = snapshot.remote_desktop.rdp_tcp() {
        nla_evidence(problem, listener);
    }
    if let Some(names) = policy_sources(access) {
        problem.because(names);
    }
    let changed = written(&access.force_guest);
    let success = snapshot.remote_desktop.logged.newest_success();
    if let Some(success) = success.filter(|success| changed.is_some_and(|at| at < success.time)) {
        problem
            .because(format!(
                "a user came in through Remote Desktop at {}, after the key was last written: with a domain account, or the value is not in force yet",
                success.time
            ))
            .exhibits("a user came in", std::slice::from_ref(&success.evidence))
            .confidence(Confidence::Medium);
    }
    let turned = records::newest(&access.logons, |_| true);
    if let Some(logon) = turned {
        let what = match logon.kind {
            GuestLogon::Succeeded => "somebody was logged on as Guest",
            GuestLogon::Failed => "a logon as Guest failed",
        };
        problem.exhibits(
            format!("{what} at {}", logon.time),
            std::slice::from_ref(&logon.evidence),
        );
    }
}

fn nla_evidence(problem: &mut Problem, listener: &Listener) {
    let nla = &listener.network_level_authentication;
    problem
        .because(format!(
            "network level authentication: UserAuthentication = {} by policy, {} on {}",
            shown(&nla.policy),
            shown(&nla.local),
            listener.name
        ))
        .evidence(
            "UserAuthentication, which decides network level authentication",
            &nla.effective,
        );
}

fn policy_sources(access: &NetworkAccess) -> Option<String> {
    let objects = access
        .policy_objects
        .value()
        .filter(|list| !list.is_empty())?;
    let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    Some(format!(
        "applied group policy objects with security settings, which may set it again: {}",
        names.join(", ")
    ))
}

fn wrong_type(judge: &mut Judge, snapshot: &Snapshot) {
    let access = &snapshot.network_access;
    let fact = &access.force_guest;
    let holds = fact.is_settled().then(|| is_mistyped(fact));
    let compared = "type of forceguest is not REG_DWORD";
    if let Some(problem) = judge.rule(Verdict::Warning, "wrong-type", compared, holds) {
        problem
            .headline("forceguest is not the REG_DWORD that Windows expects, so what it does is not certain")
            .evidence_expected(format!("forceguest = {}", shown(fact)), "REG_DWORD 0", fact)
            .remedy(remedies::retype(access));
    }
}

/// Evidence and notes whatever the verdict.
fn show(judge: &mut Judge, snapshot: &Snapshot) {
    let access = &snapshot.network_access;
    let force_guest = &access.force_guest;
    let says = if force_guest.is_absent() {
        "forceguest is absent, which stands for 0".to_owned()
    } else {
        format!("forceguest = {}", shown(force_guest))
    };
    judge.exhibit(says, force_guest);
    if let Some(guest) = access.guest.value() {
        let state = if guest.disabled {
            "disabled"
        } else {
            "enabled"
        };
        judge.exhibit(
            format!("the account {} is {state}", guest.name),
            &access.guest,
        );
        if !guest.disabled {
            judge.note(format!(
                "the built-in guest account ({}) is enabled",
                guest.name
            ));
        }
    }
    if number_or(&access.disable_domain_credentials, 0) == Some(1) {
        judge.note("disabledomaincreds = 1: the machine stores no domain credentials");
        judge.exhibit("disabledomaincreds = 1", &access.disable_domain_credentials);
    }
    if number_or(&access.limit_blank_passwords, 1) == Some(1) {
        judge
            .note("accounts without a password cannot log on from outside (LimitBlankPasswordUse)");
    }
    if access.token_filter.value().and_then(|number| number.value) == Some(1) {
        judge.exhibit("LocalAccountTokenFilterPolicy = 1", &access.token_filter);
    }
}

#[cfg(test)]
mod tests;
