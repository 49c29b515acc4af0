use super::*;
use crate::checks::thresholds::Thresholds;
use crate::facts::Snapshot;
use crate::facts::sources::Sources;
use crate::report::{Report, Selection};

const GATEWAY: &str = "[[suppress]]\ncheck = \"gateway\"\nreason = \"a lab\"\n";

/// A report in which everything is unknown, but for `rdp-port` (critical) and `gateway`.
fn report(gateway: Verdict, captured_at: Option<&str>) -> Report {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = captured_at.map(|time| time.parse().unwrap());
    let mut report = Report::new(&snapshot, &Thresholds::default(), &Selection::default());
    for finding in &mut report.checks {
        match finding.id.as_str() {
            "gateway" => finding.verdict = gateway,
            "rdp-port" => finding.verdict = Verdict::Critical,
            _ => {}
        }
    }
    report
}

fn suppressing(report: Report, file: &str) -> Report {
    report.suppressing(&Suppressions::from_toml(file).unwrap())
}

fn effect(captured_at: Option<&str>, until: &str) -> Effect {
    let file = format!("{GATEWAY}until = {until}\n");
    let report = suppressing(report(Verdict::Critical, captured_at), &file);
    let entry = &report.suppressions[0];
    let marked = report.checks.iter().any(|f| f.suppressed.is_some());
    assert_eq!(marked, entry.effect == Effect::Suppresses);
    entry.effect
}

#[test]
fn an_entry_without_an_end_needs_no_capture_time() {
    let report = suppressing(report(Verdict::Critical, None), GATEWAY);
    let gateway = report.checks.iter().find(|f| f.id == "gateway").unwrap();
    assert_eq!(gateway.verdict, Verdict::Critical);
    assert_eq!(gateway.suppressed.as_ref().unwrap().reason, "a lab");
    assert_eq!(report.suppressions[0].effect, Effect::Suppresses);
}

#[test]
fn the_last_day_is_included_and_is_that_of_the_capture() {
    let until = "\"2027-01-31\"";
    let on = |time| effect(Some(time), until);
    assert_eq!(on("2027-01-31T23:59:59Z"), Effect::Suppresses);
    assert_eq!(on("2027-02-01T00:00:00Z"), Effect::Expired);
    assert_eq!(on("2001-01-01T00:00:00Z"), Effect::Suppresses);
    assert_eq!(effect(None, until), Effect::NoCaptureTime);
    // TOML's own dates.
    let expired = effect(Some("2027-02-01T00:00:00Z"), "2027-01-31");
    assert_eq!(expired, Effect::Expired);
}

#[test]
fn what_is_healthy_is_not_suppressed() {
    for (verdict, effect) in [
        (Verdict::Critical, Effect::Suppresses),
        (Verdict::Warning, Effect::Suppresses),
        (Verdict::Unknown, Effect::Suppresses),
        (Verdict::Ok, Effect::NothingToSuppress),
        (Verdict::NotApplicable, Effect::NothingToSuppress),
    ] {
        let report = suppressing(report(verdict, None), GATEWAY);
        assert_eq!(report.suppressions[0].effect, effect, "{verdict:?}");
        let apart = usize::from(effect == Effect::Suppresses);
        assert_eq!(report.summary.counts.suppressed, apart, "{verdict:?}");
    }
}

#[test]
fn a_suppressed_finding_counts_apart() {
    let whole = report(Verdict::Ok, None);
    let all = whole.checks.len();
    let file = "[[suppress]]\ncheck = \"rdp-port\"\nreason = \"by design\"\n";
    let report = suppressing(whole, file);
    let summary = &report.summary;
    assert_eq!(summary.worst, Verdict::Unknown);
    assert_eq!((summary.counts.critical, summary.counts.suppressed), (0, 1));
    let words = summary.counts.words();
    assert!(
        words.starts_with(&format!("{all} checks: ")) && words.ends_with("1 suppressed"),
        "{words}"
    );
    assert!(
        summary.headline.ends_with(", besides 1 that is suppressed"),
        "{}",
        summary.headline
    );
    assert_eq!(report.problems().count(), 0);
    assert!(report.decides_anything());
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let error = |text: &str| Suppressions::from_toml(text).unwrap_err().to_string();
    let entry = |rest: &str| error(&format!("[[suppress]]\n{rest}"));
    assert!(error("[[suppress").starts_with("not a suppression file"));
    assert!(error("[[supress]]\ncheck = \"gateway\"").contains("supress"));
    assert!(entry("check = \"gateway\"").contains("reason"));
    assert!(entry("reason = \"x\"").contains("check"));
    let unknown = entry("check = \"gatway\"\nreason = \"x\"");
    assert_eq!(unknown, "'gatway' is no check; did you mean 'gateway'?");
    // A category is no check.
    assert!(entry("check = \"network\"\nreason = \"x\"").contains("no check"));
    let no_reason = entry("check = \"gateway\"\nreason = \" \"");
    assert!(no_reason.contains("gives no reason"));
    assert!(error(&format!("{GATEWAY}{GATEWAY}")).contains("twice"));
    assert!(error(&format!("{GATEWAY}untill = \"2027-01-31\"")).contains("untill"));
    for until in [
        "\"soon\"",
        "\"2027-02-30\"",
        "\"31.01.2027\"",
        "\"2027-01-31T00:00:00\"",
        "2027-01-31T00:00:00Z",
        "20270131",
    ] {
        let refused = error(&format!("{GATEWAY}until = {until}"));
        assert!(refused.contains("no date"), "{until}: {refused}");
    }
    assert_eq!(Suppressions::from_toml(""), Ok(Suppressions::default()));
}
