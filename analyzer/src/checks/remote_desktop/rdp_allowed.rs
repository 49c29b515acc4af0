//! `rdp-allowed`: whether Windows accepts Remote Desktop connections at all.

pub(in crate::checks) mod origin;
mod remedies;

use jiff::Timestamp;

use super::registry::shown;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::fact::State;
use crate::facts::remote_desktop::{Layered, RemoteDesktop, written};

/// A policy value written this close to a refresh of the machine's policies came with it.
const REFRESH_WINDOW: Threshold = Threshold {
    key: "rdp-allowed.refresh-window",
    default: 5.0,
    unit: "minutes",
    meaning: "a key written at most this long before or after a policy refresh, or servicing, came with it",
    source: "ours: a refresh takes seconds to minutes",
};

/// The check.
pub const CHECK: Check = Check {
    id: "rdp-allowed",
    category: Category::RemoteDesktop,
    title: "Remote Desktop allowed",
    page: include_str!("rdp_allowed.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::helpful("eventlog.rcm-operational"),
        Input::helpful("eventlog.lsm-operational"),
        Input::helpful("eventlog.rdpcorets-operational"),
        Input::helpful("eventlog.system"),
        Input::helpful("eventlog.setup"),
    ],
    thresholds: &[REFRESH_WINDOW],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    let rdp = &cx.snapshot.remote_desktop;
    let mut judge = Judge::new();
    if rdp.edition_may_host.value() == Some(&false) {
        judge.exhibit(
            "ProductPolicy: AllowRemoteConnections = 0",
            &rdp.edition_may_host,
        );
        return judge
            .not_applicable("this edition of Windows cannot accept Remote Desktop connections");
    }
    denied_by_policy(&mut judge, cx);
    denied_locally(&mut judge, cx);
    policy_hides_local(&mut judge, rdp);
    wrong_types(&mut judge, &rdp.deny);
    demand(&mut judge, rdp);
    show(&mut judge, rdp);
    judge.finish("Remote Desktop connections are allowed", known(&rdp.deny))
}

fn denied_by_policy(judge: &mut Judge, cx: &Context<'_>) {
    let rdp = &cx.snapshot.remote_desktop;
    let deny = &rdp.deny;
    let holds = match deny.policy.state {
        State::Absent => Some(false),
        _ => deny.policy_number().map(|value| value != 0),
    };
    let compared = format!(
        "policy fDenyTSConnections = {} (not 0)",
        shown(&deny.policy)
    );
    let Some(problem) = judge.rule(Verdict::Critical, "denied-by-policy", compared, holds) else {
        return;
    };
    problem
        .headline("Remote Desktop connections are refused by a policy, which comes back with its next refresh")
        .evidence_expected(
            format!("policy fDenyTSConnections = {}", shown(&deny.policy)),
            "absent or 0",
            &deny.policy,
        )
        .remedy(remedies::change_policy(rdp))
        .remedy(remedies::override_policy(deny));
    if deny.local_number() == Some(0) {
        problem.because("the local value is 0 already: changing it locally is futile");
    }
    if let Some(written) = origin::of_policy(cx) {
        problem.because(written.reason());
    }
    if let Some(names) = origin::policy_sources(rdp) {
        problem.because(names);
    }
    if let Some(reason) = origin::refresh_fails(rdp) {
        problem.because(reason);
    }
    if let Some(reason) = last_success(rdp, written(&deny.policy)) {
        problem.because(reason);
    }
}

fn denied_locally(judge: &mut Judge, cx: &Context<'_>) {
    let snapshot = cx.snapshot;
    let rdp = &snapshot.remote_desktop;
    let deny = &rdp.deny;
    let local = deny.local_number().map(|value| value != 0);
    let policy_unseen = deny.policy.why_unsettled().is_some();
    let holds = match (&deny.policy.state, local) {
        (State::Known(_), _) => Some(false),
        (State::Absent, local) => local,
        // Not seen: a policy of 0 would allow, and few machines have one.
        (_, Some(true)) => Some(true),
        _ => None,
    };
    let compared = format!(
        "no policy, and local fDenyTSConnections = {} (not 0)",
        shown(&deny.local)
    );
    let Some(problem) = judge.rule(Verdict::Critical, "denied-locally", compared, holds) else {
        return;
    };
    problem
        .headline("Remote Desktop connections are refused: fDenyTSConnections is set on the machine itself")
        .evidence_expected(
            format!("local fDenyTSConnections = {}", shown(&deny.local)),
            "0",
            &deny.local,
        )
        .remedy(remedies::allow_locally(snapshot));
    if let Some(remedy) = remedies::allow_on_disk(snapshot) {
        problem.remedy(remedy);
    }
    if policy_unseen {
        problem
            .because("the policy layer was not seen; only a policy of 0 would let connections in")
            .confidence(Confidence::Medium);
    }
    if let Some(written) = origin::of_local(cx) {
        problem.because(written.reason());
    }
    if let Some(reason) = last_success(rdp, written(&deny.local)) {
        problem.because(reason);
    }
}

fn policy_hides_local(judge: &mut Judge, rdp: &RemoteDesktop) {
    let deny = &rdp.deny;
    let allows = match deny.policy.state {
        State::Absent => Some(false),
        _ => deny.policy_number().map(|value| value == 0),
    };
    let refuses = deny.local_number().map(|value| value != 0);
    let holds = match (allows, refuses) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let compared = format!(
        "policy fDenyTSConnections = {} (0) and local = {} (not 0)",
        shown(&deny.policy),
        shown(&deny.local)
    );
    let Some(problem) = judge.rule(Verdict::Warning, "policy-hides-local", compared, holds) else {
        return;
    };
    problem
        .headline("Remote Desktop works only as long as a policy allows it: the machine's own setting refuses connections")
        .evidence(
            format!("policy fDenyTSConnections = {}", shown(&deny.policy)),
            &deny.policy,
        )
        .evidence_expected(
            format!("local fDenyTSConnections = {}", shown(&deny.local)),
            "0",
            &deny.local,
        )
        .remedy(remedies::align_local(deny));
    if let Some(reason) = origin::refresh_fails(rdp) {
        problem.because(reason);
    }
}

fn wrong_types(judge: &mut Judge, deny: &Layered) {
    for (layer, rule, fact) in [
        ("policy", "wrong-type-in-policy", &deny.policy),
        ("local", "wrong-type-locally", &deny.local),
    ] {
        let Some(number) = fact.value() else { continue };
        let kind = number.wrong_type.clone().unwrap_or_default();
        let holds = Some(number.wrong_type.is_some() || number.value.is_none());
        let compared = format!("type of the {layer} fDenyTSConnections is not REG_DWORD");
        if let Some(problem) = judge.rule(Verdict::Warning, rule, compared, holds) {
            problem
                .headline(format!(
                    "the {layer} fDenyTSConnections is {} where Windows expects a REG_DWORD, so what it does is not certain",
                    if kind.is_empty() { "without data" } else { &kind }
                ))
                .evidence_expected(format!("{layer} fDenyTSConnections"), "REG_DWORD 0", fact)
                .remedy(remedies::retype(layer, fact));
        }
    }
}

/// What must have been seen before `ok`.
fn demand(judge: &mut Judge, rdp: &RemoteDesktop) {
    let deny = &rdp.deny;
    judge.require(
        &deny.policy,
        "the policy layer of fDenyTSConnections",
        "the SOFTWARE hive (registry.software)",
    );
    judge.require(
        &deny.local,
        "the local fDenyTSConnections",
        "the SYSTEM hive (registry.system)",
    );
    judge.require(
        &rdp.edition_may_host,
        "what the edition of Windows permits (ProductPolicy)",
        "the SYSTEM hive (registry.system)",
    );
    if deny.effective.is_absent() {
        judge.lacks(
            "fDenyTSConnections is absent as a policy and locally; Windows is then taken to refuse connections, which is not confirmed",
            "the output of: Get-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server'",
        );
    }
}

/// Evidence that is shown whatever the verdict.
fn show(judge: &mut Judge, rdp: &RemoteDesktop) {
    let deny = &rdp.deny;
    judge.exhibit(
        format!("policy fDenyTSConnections = {}", shown(&deny.policy)),
        &deny.policy,
    );
    judge.exhibit(
        format!("local fDenyTSConnections = {}", shown(&deny.local)),
        &deny.local,
    );
    if let Some(event) = rdp.logged.newest_success() {
        judge.exhibit_evidence(
            format!("a user came in through Remote Desktop on {}", event.time),
            std::slice::from_ref(&event.evidence),
        );
    }
    if rdp.allow_remote_rpc.value().is_some() {
        judge.exhibit(
            format!("AllowRemoteRPC = {}", shown(&rdp.allow_remote_rpc)),
            &rdp.allow_remote_rpc,
        );
    }
    if let Some(value) = rdp.device_management.value() {
        judge.note(format!(
            "device management (MDM) sets AllowUsersToConnectRemotely: {value}"
        ));
        judge.exhibit("AllowUsersToConnectRemotely", &rdp.device_management);
    }
    if rdp.edition_may_host.is_absent() {
        judge.note("ProductPolicy does not say whether this edition may accept connections");
    }
}

/// What is known where the whole is not.
fn known(deny: &Layered) -> &'static str {
    match (deny.policy_number(), deny.local_number()) {
        (Some(0), _) => "allowed by policy",
        (None, Some(0)) => "allowed locally",
        _ => "",
    }
}

/// How the newest logon relates to the time at which the key changed.
fn last_success(rdp: &RemoteDesktop, changed: Option<Timestamp>) -> Option<String> {
    let success = rdp.logged.newest_success()?;
    let changed = changed?;
    Some(if success.time < changed {
        format!(
            "users came in until {}; the key was written at {changed}: disabled since then",
            success.time
        )
    } else {
        format!(
            "a user came in at {}, after the key was written at {changed}: the value was not in force yet, or came from elsewhere",
            success.time
        )
    })
}

#[cfg(test)]
mod tests;
