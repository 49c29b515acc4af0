//! The time in which the certificate is valid, and whether Windows can renew it.

use jiff::SignedDuration;

use super::{CHOSEN, CLOCK, DAY, FAILURE, HOUR, MADE, STALE, View, limit, remedies};
use crate::checks::check::{Context, Judge, Problem};
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::certificates::CertificateEvent;
use crate::facts::services::Service;

/// `SERVICE_DISABLED`.
const DISABLED: u64 = 4;

/// A failure that is recent.
pub(super) fn broken(judge: &mut Judge, cx: &Context<'_>, view: &View<'_>) {
    let failure = view.failure();
    let window = limit(cx, &FAILURE, HOUR);
    let holds = match failure {
        Some(failure) => view.age(failure.time).map(|age| age <= window),
        None => view.facts.system.is_settled().then_some(false),
    };
    let compared = match failure {
        Some(failure) => format!(
            "event {} at {}, no later 1056",
            failure.event_id, failure.time
        ),
        None => "no event 1057, 1058 or 36870 without a later 1056".to_owned(),
    };
    if let Some(problem) = judge.rule(Verdict::Critical, "broken", compared, holds) {
        problem.headline(match failure.map(|failure| failure.kind) {
            Some(CertificateEvent::CreateFailed) => {
                "Windows cannot make a certificate for Remote Desktop (event 1057)"
            }
            Some(CertificateEvent::ReplaceFailed) => {
                "Windows cannot replace the expired certificate of Remote Desktop (event 1058)"
            }
            _ => "the private key of the server's certificate cannot be used (Schannel 36870)",
        });
        with_failure(problem, view);
        problem
            .confidence(Confidence::Medium)
            .remedy(remedies::key_file(view.snapshot))
            .remedy(remedies::renew(view.snapshot, view.used));
    }
}

fn with_failure(problem: &mut Problem, view: &View<'_>) {
    if let Some(failure) = view.failure() {
        let why = failure.subject.as_deref().unwrap_or("no reason given");
        problem.exhibits(
            format!("event {} at {}: {why}", failure.event_id, failure.time),
            std::slice::from_ref(&failure.evidence),
        );
    }
}

/// A certificate past its end.
pub(super) fn expired(judge: &mut Judge, cx: &Context<'_>, view: &View<'_>) {
    let end = view.used.map(|used| used.not_after);
    let past = match end {
        Some(end) => view.age(end).map(|age| age > SignedDuration::ZERO),
        None => view.facts.used.is_settled().then_some(false),
    };
    let logged = &view.snapshot.remote_desktop.logged;
    let success = logged
        .newest_success()
        .filter(|event| end.is_some_and(|end| event.time > end));
    let chosen = view.reference.is_some_and(|reference| reference.chosen);
    let window = limit(cx, &STALE, DAY);
    let fails = view
        .failure()
        .and_then(|failure| view.age(failure.time))
        .is_some_and(|age| age <= window);
    let doubted = clock_doubt(cx, view);
    let severe = (chosen || fails) && success.is_none() && doubted.is_none();
    let (verdict, rule) = if severe {
        (Verdict::Critical, "expired-and-broken")
    } else {
        (Verdict::Warning, "expired")
    };
    let compared = format!(
        "end = {} before the capture; chosen: {chosen}, renewal fails: {fails}, a logon since: {}, clock doubtful: {}",
        end.map_or_else(|| "not known".to_owned(), |end| end.to_string()),
        success.is_some(),
        doubted.is_some()
    );
    let Some(problem) = judge.rule(verdict, rule, compared, past) else {
        return;
    };
    let end = end.unwrap_or_default();
    problem
        .headline(match (severe, chosen) {
            (true, true) => format!("the chosen certificate of Remote Desktop expired at {end}, and nobody renews it"),
            (true, false) => format!("the certificate of Remote Desktop expired at {end}, and Windows cannot replace it"),
            _ => format!("the certificate of Remote Desktop expired at {end}: clients warn, strict ones refuse"),
        })
        .evidence(format!("valid until {end}"), &view.facts.used);
    with_failure(problem, view);
    if let Some(success) = success {
        problem
            .because(format!("a user came in at {}, after its end", success.time))
            .exhibits("a user came in", std::slice::from_ref(&success.evidence));
    }
    if let Some(doubt) = doubted {
        problem
            .because(doubt)
            .confidence(Confidence::Low)
            .evidence("the newest record of System", &view.facts.system);
    }
    problem.remedy(if chosen {
        remedies::replace(view.used)
    } else {
        remedies::renew(view.snapshot, view.used)
    });
}

/// The certificate had not expired when System was last written, and the capture claims to be long
/// after that.
fn clock_doubt(cx: &Context<'_>, view: &View<'_>) -> Option<String> {
    let newest = view.facts.system.value()?.newest?.time;
    let end = view.used?.not_after;
    let gap = view.age(newest)?;
    (newest <= end && gap > limit(cx, &CLOCK, DAY)).then(|| {
        format!("the newest record of System is of {newest}, before that end, and the capture says it was taken much later: check the clock of the machine first")
    })
}

/// A certificate close to its end that nobody renews.
pub(super) fn ends_soon(judge: &mut Judge, cx: &Context<'_>, view: &View<'_>) {
    let left = view
        .used
        .and_then(|used| view.age(used.not_after))
        .map(|age| -age);
    let valid = left.map(|left| left >= SignedDuration::ZERO);
    let within = |days: SignedDuration| left.map(|left| valid == Some(true) && left < days);
    let chosen = view.reference.map(|reference| reference.chosen);
    let none = view.facts.used.is_absent();
    let both = |one: Option<bool>, other: Option<bool>| match (one, other) {
        _ if none => Some(false),
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let end = view
        .used
        .map_or_else(|| "not known".to_owned(), |used| used.not_after.to_string());
    let compared = format!(
        "chosen, and less than {} days left until {end}",
        cx.limit(&CHOSEN)
    );
    let holds = both(chosen, within(limit(cx, &CHOSEN, DAY)));
    if let Some(problem) = judge.rule(Verdict::Warning, "chosen-ends-soon", compared, holds) {
        problem
            .headline(format!("the chosen certificate of Remote Desktop ends at {end}, and nobody renews it automatically"))
            .evidence(format!("valid until {end}"), &view.facts.used)
            .remedy(remedies::replace(view.used));
    }
    let service = view.snapshot.services.service("SessionEnv");
    let off = service
        .and_then(Service::start_number)
        .map(|start| start == DISABLED);
    let failed = view
        .failure()
        .is_some_and(|failure| failure.kind == CertificateEvent::ReplaceFailed);
    let stuck = if failed { Some(true) } else { off };
    let made = both(chosen.map(|chosen| !chosen), within(limit(cx, &MADE, DAY)));
    let compared = format!(
        "self-signed, less than {} days left until {end}, SessionEnv disabled: {}, 1058: {}",
        cx.limit(&MADE),
        words::answer(off),
        words::answer(Some(failed))
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "not-renewed", compared, both(made, stuck))
    {
        problem
            .headline(format!(
                "the certificate of Remote Desktop ends at {end}, and Windows cannot renew it"
            ))
            .evidence(format!("valid until {end}"), &view.facts.used)
            .remedy(remedies::renew(view.snapshot, view.used));
        with_failure(problem, view);
        if let Some(service) = service.filter(|_| off == Some(true)) {
            problem
                .because("the service SessionEnv, which renews it, is disabled")
                .evidence("SessionEnv is disabled", &service.start)
                .remedy(remedies::enable_renewal(service));
        }
    } else if made == Some(true) {
        judge.note(format!(
            "the self-signed certificate ends at {end}; Windows renews it by itself"
        ));
    }
}

/// A certificate that is not valid yet.
pub(super) fn not_yet(judge: &mut Judge, view: &View<'_>) {
    let start = view.used.map(|used| used.not_before);
    let holds = match start {
        Some(start) => view.age(start).map(|age| age < SignedDuration::ZERO),
        None => view.facts.used.is_settled().then_some(false),
    };
    let start = start.map_or_else(|| "not known".to_owned(), |start| start.to_string());
    let compared = format!("start = {start} after the capture");
    if let Some(problem) = judge.rule(Verdict::Warning, "not-yet-valid", compared, holds) {
        problem
            .headline(format!("the certificate of Remote Desktop is not valid before {start}: the clock is, or was, wrong"))
            .evidence(format!("valid from {start}"), &view.facts.used)
            .remedy(remedies::clock());
    }
}
