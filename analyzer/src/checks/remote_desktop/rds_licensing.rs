//! `rds-licensing`: whether a session host has the licences that its sessions need.

mod remedies;
mod setup;

use jiff::SignedDuration;

use super::registry::shown;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::checks::words;
use crate::facts::licensing::{LicenceEvent, Licensing};
use crate::facts::records::{self, Record};

use self::setup::{Role, Setup};

const SYSTEM: &str = "the SYSTEM hive (registry.system)";
const SOFTWARE: &str = "the SOFTWARE hive (registry.software)";

/// How long the end of the grace period counts.
const GRACE: Threshold = Threshold {
    key: "rds-licensing.grace-window",
    default: 30.0,
    unit: "days",
    meaning: "an event 1069 or 1128, or trouble of the licence server, at most this long before the capture counts",
    source: "ours; the events are Microsoft's",
};

/// How long a refused licence counts.
const REFUSED: Threshold = Threshold {
    key: "rds-licensing.failure-window",
    default: 24.0,
    unit: "hours",
    meaning: "an event 1128, 1129, 1130, 1004, 1011 or 1028 at most this long before the capture counts",
    source: "ours; the events are Microsoft's",
};

/// When the end of the grace period is near.
const URGENT: Threshold = Threshold {
    key: "rds-licensing.urgent",
    default: 14.0,
    unit: "days",
    meaning: "fewer days of grace than this are called urgent",
    source: "ours",
};

/// The check.
pub const CHECK: Check = Check {
    id: "rds-licensing",
    category: Category::RemoteDesktop,
    title: "Remote Desktop licensing",
    page: include_str!("rds_licensing.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::required("eventlog.system"),
        Input::required("eventlog.rcm-admin"),
        Input::required("eventlog.rcm-operational"),
        Input::helpful("system.rds-licensing"),
        Input::helpful("eventlog.ts-licensing-admin"),
        Input::helpful("eventlog.ts-licensing-operational"),
        Input::helpful("eventlog.lsm-operational"),
    ],
    thresholds: &[GRACE, REFUSED, URGENT],
    decide,
};

const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

fn decide(cx: &Context<'_>) -> Decision {
    if let Some(decision) = cx.unsupported() {
        return decision;
    }
    let mut judge = Judge::new();
    let facts = &cx.snapshot.licensing;
    setup::show(&mut judge, cx.snapshot);
    match setup::role(cx.snapshot) {
        Role::NotApplicable(why) => return judge.not_applicable(why),
        Role::Open(why) => {
            judge.lacks(why, "the output of: Get-WindowsFeature RDS-RD-Server");
            if facts.component.why_unsettled().is_some() {
                judge.would_help(SOFTWARE);
            }
            return judge.finish("", "");
        }
        Role::Installed => {}
    }
    let setup = Setup::of(cx.snapshot);
    grace_over(&mut judge, cx, &setup);
    no_licences(&mut judge, cx, &setup);
    not_configured(&mut judge, cx, &setup);
    per_user(&mut judge, cx, &setup);
    refused(&mut judge, cx);
    licence_server(&mut judge, cx);
    demand(&mut judge, cx);
    judge.finish(
        format!("the session host has a licensing mode ({}) and a licence server, and no licence failed", setup.mode_words()),
        format!("the session host role is installed, licensing mode: {}", setup.mode_words()),
    )
}

/// The time of the capture is not known, so nothing has an age.
struct NoTime;

/// The newest record of these kinds within the window, if there is one.
fn recent<'a>(
    cx: &Context<'a>,
    window: &Threshold,
    unit: f64,
    kinds: &[LicenceEvent],
) -> Result<Option<&'a Record<LicenceEvent>>, NoTime> {
    let records = &cx.snapshot.licensing.records;
    let Some(newest) = records::newest(records, |one| kinds.contains(&one.kind)) else {
        return Ok(None);
    };
    let captured = cx.snapshot.capture.time.ok_or(NoTime)?;
    let age = captured.duration_since(newest.time);
    let window = SignedDuration::try_from_secs_f64(cx.limit(window) * unit);
    let is_recent = window.is_ok_and(|window| age <= window);
    Ok(is_recent.then_some(newest))
}

/// The grace period is over, and no licence server is set up.
fn grace_over(judge: &mut Judge, cx: &Context<'_>, setup: &Setup<'_>) {
    let facts = &cx.snapshot.licensing;
    let live = facts.grace_days.value().map(|days| *days == 0);
    let logged = recent(cx, &GRACE, DAY, &[LicenceEvent::GraceOver]).ok();
    let over = match (live, logged) {
        (Some(true), _) | (_, Some(Some(_))) => Some(true),
        (_, Some(None)) => Some(false),
        (_, None) => None,
    };
    let holds = match (over, setup.configured()) {
        (Some(false), _) | (_, Some(true)) => Some(false),
        (Some(true), Some(false)) => Some(true),
        _ => None,
    };
    let compared = format!(
        "GetGracePeriodDays = 0 or event 1069, 1128: {}; mode and licence server set: {}",
        words::answer(over),
        words::answer(setup.configured())
    );
    if let Some(problem) = judge.rule(Verdict::Critical, "grace-over", compared, holds) {
        problem
            .headline("the grace period is over and no licence server is set up: new sessions of users are refused")
            .because(setup.words())
            .evidence("LicensingMode", &facts.mode.effective)
            .remedy(remedies::administrative())
            .remedy(remedies::license(setup))
            .remedy(remedies::remove_role());
        if live == Some(true) {
            problem.evidence("GetGracePeriodDays = 0", &facts.grace_days);
        }
        if let Some(Some(event)) = logged {
            problem.exhibits(
                format!("event {} at {}", event.event_id, event.time),
                std::slice::from_ref(&event.evidence),
            );
            if live != Some(true) {
                problem.confidence(Confidence::Medium);
            }
        }
    }
}

/// A licence server is set up and gives no licences.
fn no_licences(judge: &mut Judge, cx: &Context<'_>, setup: &Setup<'_>) {
    let logged = recent(
        cx,
        &REFUSED,
        HOUR,
        &[LicenceEvent::GraceOver, LicenceEvent::NoServer],
    )
    .ok();
    let holds = match (logged.map(|one| one.is_some()), setup.has_server()) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let compared = "a licence server is named, and event 1069, 1128, 1129 or 1130";
    if let Some(problem) = judge.rule(Verdict::Critical, "no-licences", compared, holds) {
        problem
            .headline("the licence server that is set up gives no licences")
            .because(setup.words())
            .confidence(Confidence::Medium)
            .remedy(remedies::administrative())
            .remedy(remedies::reach(setup));
        if let Some(Some(event)) = logged {
            problem.exhibits(
                format!("event {} at {}", event.event_id, event.time),
                std::slice::from_ref(&event.evidence),
            );
        }
    }
}

/// Mode or licence server are missing, and the grace period is not known to be over.
fn not_configured(judge: &mut Judge, cx: &Context<'_>, setup: &Setup<'_>) {
    let facts = &cx.snapshot.licensing;
    let holds = setup.configured().map(|configured| !configured);
    let compared = format!(
        "mode {} (neither 2 nor 4), or no licence server",
        setup.mode_words()
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "not-configured", compared, holds) {
        let urgent = |days: u32| {
            if f64::from(days) < cx.limit(&URGENT) {
                " (urgent)"
            } else {
                ""
            }
        };
        let left = match facts.grace_days.value() {
            Some(0) => String::new(),
            Some(days) => format!(", with {days} days of grace left{}", urgent(*days)),
            None => "; how long the grace period lasts is not known".to_owned(),
        };
        problem
            .headline(format!("licensing of the session host is not set up{left}"))
            .because(setup.words())
            .evidence(
                format!("LicensingMode = {}", shown(&facts.mode.policy)),
                &facts.mode.policy,
            )
            .evidence(
                format!("LicensingMode = {}", shown(&facts.mode.local)),
                &facts.mode.local,
            )
            .evidence("licence servers by policy", &facts.servers_by_policy)
            .evidence("licence servers set locally", &facts.servers)
            .remedy(remedies::administrative())
            .remedy(remedies::license(setup))
            .remedy(remedies::remove_role());
        if facts.grace_days.value().is_some() {
            problem.evidence("GetGracePeriodDays", &facts.grace_days);
        }
    }
}

/// Licences per user outside of a domain.
fn per_user(judge: &mut Judge, cx: &Context<'_>, setup: &Setup<'_>) {
    let domain = &cx.snapshot.machine.domain;
    let workgroup = domain.is_settled().then(|| domain.is_absent());
    let holds = match (setup.mode().map(|mode| mode == setup::PER_USER), workgroup) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let compared = "mode 4 (per user) on a machine that is no domain member";
    if let Some(problem) = judge.rule(Verdict::Warning, "per-user-in-workgroup", compared, holds) {
        problem
            .headline("licences per user are not permitted outside of a domain")
            .because("in a workgroup Microsoft permits licences per device alone")
            .evidence("LicensingMode = 4", &cx.snapshot.licensing.mode.effective)
            .evidence("the machine is no member of a domain", domain)
            .remedy(remedies::per_device(setup));
    }
}

/// Clients that got no licence.
fn refused(judge: &mut Judge, cx: &Context<'_>) {
    let logged = recent(cx, &REFUSED, HOUR, &[LicenceEvent::ClientRefused]).ok();
    let compared = "event 1004, 1011 or 1028";
    let holds = logged.map(|one| one.is_some());
    if let Some(problem) = judge.rule(Verdict::Warning, "client-refused", compared, holds)
        && let Some(Some(event)) = logged
    {
        problem
            .headline(format!("a client got no licence at {} (event {})", event.time, event.event_id))
            .because("the client's own stored licence may be damaged, or the mode does not match the licences that the server has")
            .confidence(Confidence::Medium)
            .exhibits("a client got no licence", std::slice::from_ref(&event.evidence))
            .remedy(remedies::reach(&Setup::of(cx.snapshot)));
    }
}

/// Trouble of the licence server on this machine.
fn licence_server(judge: &mut Judge, cx: &Context<'_>) {
    let kinds = [
        LicenceEvent::ServerNotActivated,
        LicenceEvent::ServerDepleted,
    ];
    let logged = recent(cx, &GRACE, DAY, &kinds).ok();
    let compared = "event 18, 21, 22 or 44 of the licence server on this machine";
    let holds = logged.map(|one| one.is_some());
    if let Some(problem) = judge.rule(Verdict::Warning, "licence-server", compared, holds)
        && let Some(Some(event)) = logged
    {
        let what = match event.kind {
            LicenceEvent::ServerNotActivated => "is not activated",
            _ => "has no licences left",
        };
        problem
            .headline(format!(
                "the licence server on this machine {what} (event {} at {})",
                event.event_id, event.time
            ))
            .confidence(Confidence::Medium)
            .exhibits(
                "the licence server says so",
                std::slice::from_ref(&event.evidence),
            )
            .remedy(remedies::licence_server());
    }
}

/// What must have been seen before `ok`.
fn demand(judge: &mut Judge, cx: &Context<'_>) {
    let facts: &Licensing = &cx.snapshot.licensing;
    judge.require(&facts.mode.local, "LicensingMode", SYSTEM);
    judge.require(&facts.mode.policy, "the policy for LicensingMode", SOFTWARE);
    judge.require(&facts.servers, "the licence servers set locally", SYSTEM);
    judge.require(
        &facts.servers_by_policy,
        "the licence servers by policy",
        SOFTWARE,
    );
    judge.require(
        &cx.snapshot.machine.domain,
        "whether the machine is a domain member",
        SYSTEM,
    );
    for (log, name, item) in [
        (&facts.system, "System", "eventlog.system"),
        (
            &facts.admin,
            "RemoteConnectionManager/Admin",
            "eventlog.rcm-admin",
        ),
        (
            &facts.operational,
            "RemoteConnectionManager/Operational",
            "eventlog.rcm-operational",
        ),
    ] {
        judge.require(log, &format!("what {name} says of licences"), item);
        if log.value().is_some_and(|log| !log.damage.is_empty()) {
            judge.lacks(
                format!("{name} is damaged: events about licences may be missing"),
                item,
            );
        }
    }
    if cx.snapshot.capture.time.is_none() {
        judge.lacks("when the snapshot was taken is not known", "--captured-at");
    }
}

#[cfg(test)]
mod tests;
