//! `rdp-certificate`: whether the certificate that Remote Desktop shows is there and valid.

mod quality;
mod remedies;
mod validity;

use jiff::{SignedDuration, Timestamp};

use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Verdict};
use crate::facts::Snapshot;
use crate::facts::certificates::{Certificate, CertificateEvent, Certificates, Reference};
use crate::facts::records::{self, Record};

const SYSTEM: &str = "the SYSTEM hive (registry.system)";
const SOFTWARE: &str = "the SOFTWARE hive (registry.software)";
const LOG: &str = "the System log (eventlog.system)";

/// How long a failure counts by itself.
const FAILURE: Threshold = Threshold {
    key: "rdp-certificate.failure-window",
    default: 24.0,
    unit: "hours",
    meaning: "an event 1057, 1058 or 36870 at most this long before the capture, without a later 1056, is critical",
    source: "ours; Microsoft's guide to Remote Desktop by event ID names the events",
};

/// How long a failure explains an expired certificate.
const STALE: Threshold = Threshold {
    key: "rdp-certificate.expired-failure-window",
    default: 7.0,
    unit: "days",
    meaning: "an expired self-signed certificate with such an event at most this long before the capture is critical",
    source: "ours: the recency of events in all checks",
};

/// When a certificate that nobody renews is close to its end.
const CHOSEN: Threshold = Threshold {
    key: "rdp-certificate.expiry",
    default: 30.0,
    unit: "days",
    meaning: "a chosen certificate with less than this left is a warning",
    source: "ours: nobody renews it automatically",
};

/// When a self-signed certificate that is not renewed is close to its end.
const MADE: Threshold = Threshold {
    key: "rdp-certificate.self-signed-expiry",
    default: 7.0,
    unit: "days",
    meaning: "a self-signed certificate with less than this left, whose renewal failed or cannot run, is a warning",
    source: "ours",
};

/// How far the clock of the capture may be from the logs.
pub(in crate::checks) const CLOCK: Threshold = Threshold {
    key: "rdp-certificate.clock-gap",
    default: 1.0,
    unit: "days",
    meaning: "a capture more than this after the newest record of System makes the clock doubtful",
    source: "ours: as close as two sources of the capture time must be",
};

/// The smallest key.
const KEY: Threshold = Threshold {
    key: "rdp-certificate.key-bits",
    default: 2048.0,
    unit: "bits",
    meaning: "an RSA key with fewer is a warning",
    source: "NIST SP 800-131A",
};

/// The check.
pub const CHECK: Check = Check {
    id: "rdp-certificate",
    category: Category::RemoteDesktop,
    title: "Remote Desktop certificate",
    page: include_str!("rdp_certificate.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::required("eventlog.system"),
        Input::helpful("eventlog.rcm-operational"),
        Input::helpful("services.table"),
        Input::helpful("system.machine-keys"),
    ],
    thresholds: &[FAILURE, STALE, CHOSEN, MADE, CLOCK, KEY],
    decide,
};

/// What the rules look at.
struct View<'a> {
    snapshot: &'a Snapshot,
    facts: &'a Certificates,
    reference: Option<&'a Reference>,
    used: Option<&'a Certificate>,
    now: Option<Timestamp>,
}

impl<'a> View<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let facts = &snapshot.certificates;
        Self {
            snapshot,
            facts,
            reference: facts.reference.value(),
            used: facts.used.value(),
            now: snapshot.capture.time,
        }
    }

    /// How long before the capture; `None` where the capture time is not known.
    fn age(&self, time: Timestamp) -> Option<SignedDuration> {
        Some(self.now?.duration_since(time))
    }

    /// The newest failure of the certificate or its key that no new certificate ended. A refused
    /// key counts only for a server, and only as long as nobody came in afterwards: Schannel
    /// serves others, too.
    fn failure(&self) -> Option<&'a Record<CertificateEvent>> {
        let created = self.newest(CertificateEvent::Created).map(|one| one.time);
        let success = self.snapshot.remote_desktop.logged.newest_success();
        let success = success.map(|event| event.time);
        records::newest(&self.facts.records, |one| {
            let own = match one.kind {
                CertificateEvent::CreateFailed | CertificateEvent::ReplaceFailed => true,
                CertificateEvent::KeyRefused => {
                    let client = one
                        .subject
                        .as_deref()
                        .is_some_and(|kind| kind.eq_ignore_ascii_case("client"));
                    !client && success.is_none_or(|success| success < one.time)
                }
                _ => false,
            };
            own && created.is_none_or(|created| created < one.time)
        })
    }

    fn newest(&self, kind: CertificateEvent) -> Option<&'a Record<CertificateEvent>> {
        records::newest(&self.facts.records, |one| one.kind == kind)
    }
}

/// A limit in `unit` seconds as a duration.
fn limit(cx: &Context<'_>, threshold: &Threshold, unit: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(cx.limit(threshold) * unit).unwrap_or(SignedDuration::MAX)
}

const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

fn decide(cx: &Context<'_>) -> Decision {
    if let Some(decision) = cx.unsupported() {
        return decision;
    }
    let snapshot = cx.snapshot;
    let mut judge = Judge::new();
    let may_host = &snapshot.remote_desktop.edition_may_host;
    if may_host.value() == Some(&false) {
        judge.exhibit("ProductPolicy: AllowRemoteConnections = 0", may_host);
        return judge
            .not_applicable("this edition of Windows cannot accept Remote Desktop connections");
    }
    let view = View::of(snapshot);
    missing(&mut judge, &view);
    validity::broken(&mut judge, cx, &view);
    validity::expired(&mut judge, cx, &view);
    validity::ends_soon(&mut judge, cx, &view);
    validity::not_yet(&mut judge, &view);
    none(&mut judge, &view);
    quality::weak(&mut judge, cx, &view);
    quality::no_key(&mut judge, &view);
    demand(&mut judge, cx, &view);
    show(&mut judge, &view);
    judge.finish(healthy(&view), known(&view))
}

fn healthy(view: &View<'_>) -> String {
    match view.used {
        Some(used) => format!("the certificate of Remote Desktop is valid until {}", used.not_after),
        None => "there is no certificate yet, and connections are refused: Windows makes one with the first connection".to_owned(),
    }
}

/// What is known where the whole is not.
fn known(view: &View<'_>) -> String {
    if let Some(used) = view.used {
        return format!("the certificate in use ends at {}", used.not_after);
    }
    match view.newest(CertificateEvent::Created) {
        Some(created) => format!(
            "a self-signed certificate was made at {} (event 1056)",
            created.time
        ),
        None => String::new(),
    }
}

/// A reference to a certificate that no store holds.
fn missing(judge: &mut Judge, view: &View<'_>) {
    let holds = match view.reference {
        Some(_) => view.facts.used.is_settled().then(|| view.used.is_none()),
        None => view.facts.reference.is_settled().then_some(false),
    };
    let thumbprint = view.reference.map_or("none", |one| one.thumbprint.as_str());
    let compared = format!("certificate {thumbprint} is in no store");
    if let Some(problem) = judge.rule(Verdict::Critical, "missing", compared, holds) {
        let chosen = view.reference.is_some_and(|one| one.chosen);
        problem
            .headline(if chosen {
                "the certificate that RDP-Tcp is told to use is in no store"
            } else {
                "the self-signed certificate of Remote Desktop is in no store"
            })
            .because("without it TLS fails, which clients show as an internal error")
            .evidence(
                format!("RDP-Tcp refers to {thumbprint}"),
                &view.facts.reference,
            )
            .evidence("it is not here", &view.facts.used)
            .remedy(if chosen {
                remedies::forget(&view.facts.reference)
            } else {
                remedies::renew(view.snapshot, None)
            });
    }
}

/// No certificate at all.
fn none(judge: &mut Judge, view: &View<'_>) {
    let denied = view.snapshot.remote_desktop.is_denied();
    let absent = view
        .facts
        .reference
        .is_settled()
        .then(|| view.reference.is_none());
    let holds = match (absent, denied) {
        (Some(false), _) | (_, Some(true)) => Some(false),
        (Some(true), Some(false)) => Some(true),
        _ => None,
    };
    let compared = "no certificate is named, and connections are allowed";
    if let Some(problem) = judge.rule(Verdict::Warning, "none", compared, holds) {
        problem
            .headline("Remote Desktop has no certificate yet")
            .because("Windows makes one with the first connection; if that failed, events 1057 or 1058 say so")
            .evidence("no certificate is named", &view.facts.reference)
            .remedy(remedies::renew(view.snapshot, None));
    }
}

/// What must have been seen before `ok`.
fn demand(judge: &mut Judge, cx: &Context<'_>, view: &View<'_>) {
    let facts = view.facts;
    judge.require(&facts.reference, "which certificate RDP-Tcp uses", SYSTEM);
    if view.reference.is_some() {
        judge.require(&facts.used, "the certificate in use", SOFTWARE);
    } else if view.snapshot.remote_desktop.is_denied().is_none() {
        judge.lacks("whether connections are allowed is not known", SOFTWARE);
    }
    judge.require(&facts.system, "what System says of the certificate", LOG);
    let Some(now) = view.now else {
        judge.lacks("when the snapshot was taken is not known", "--captured-at");
        return;
    };
    let Some(log) = facts.system.value() else {
        return;
    };
    if !log.damage.is_empty() {
        judge.lacks(
            "System is damaged: events about the certificate may be missing",
            LOG,
        );
    }
    let from = now.checked_sub(limit(cx, &FAILURE, HOUR)).ok();
    let held = log.held_from.map(|mark| mark.time);
    if held.zip(from).is_some_and(|(held, from)| held > from) {
        judge.lacks(
            "the collected part of System does not reach back far enough",
            LOG,
        );
    }
}

/// Evidence and notes whatever the verdict.
fn show(judge: &mut Judge, view: &View<'_>) {
    let facts = view.facts;
    if let Some(reference) = view.reference {
        let by = if reference.chosen {
            "chosen"
        } else {
            "self-signed"
        };
        judge.exhibit(
            format!("RDP-Tcp uses {} ({by})", reference.thumbprint),
            &facts.reference,
        );
    } else {
        judge.exhibit("RDP-Tcp names no certificate", &facts.reference);
    }
    if let Some(used) = view.used {
        judge.exhibit(
            format!(
                "{}, valid from {} to {}, in {}",
                used.subject, used.not_before, used.not_after, used.store
            ),
            &facts.used,
        );
        quality::notes(judge, view, used);
    }
    if let Some(template) = facts.template.value() {
        judge.note(format!(
            "a policy asks for certificates of the template {}",
            template.text
        ));
        judge.exhibit("CertTemplateName", &facts.template);
    }
    if let Some(count) = facts.stored.value().filter(|count| **count > 1) {
        judge.note(format!(
            "the store Remote Desktop holds {count} certificates; only the one in use matters"
        ));
    }
    for (kind, says) in [
        (
            CertificateEvent::Created,
            "a self-signed certificate was made",
        ),
        (
            CertificateEvent::Unusable,
            "the configured certificate could not be used",
        ),
        (
            CertificateEvent::AboutToExpire,
            "the certificate is about to expire",
        ),
        (
            CertificateEvent::Template,
            "a certificate by template could not be had",
        ),
        (CertificateEvent::TlsFailed, "Schannel could not set up TLS"),
        (
            CertificateEvent::NoServerCertificate,
            "Schannel found no certificate for a server",
        ),
    ] {
        if let Some(event) = view.newest(kind) {
            judge.exhibit_evidence(
                format!("{says} at {} (event {})", event.time, event.event_id),
                std::slice::from_ref(&event.evidence),
            );
        }
    }
    quality::key_access(judge, view);
}

#[cfg(test)]
mod tests;
