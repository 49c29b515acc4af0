//! Every rendering of handmade snapshots: nothing known, nothing to mend, much to mend, hostile.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use snapdiag::checks::causes::{Cause, Link, Origin};
use snapdiag::checks::check::{Context, Exhibit};
use snapdiag::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use snapdiag::checks::table::find;
use snapdiag::checks::thresholds::Thresholds;
use snapdiag::checks::verdict::{Confidence, Verdict};
use snapdiag::facts::Snapshot;
use snapdiag::facts::evidence::Evidence;
use snapdiag::facts::fact::Fact;
use snapdiag::facts::locator::Locator;
use snapdiag::facts::sources::Sources;
use snapdiag::report::{
    Finding, Look, Outcome, Report, Reports, Selection, Source, Suppressed, explain, json,
    markdown, sanitize, text,
};

/// A host whose name tries to drive the terminal, break out of Markdown and hide.
const HOSTILE: &str = "H\u{1b}[2J\u{1b}]0;x\u{7}|`<img src=x>`|[a](http://e.example)\u{202e}gnp\u{200b}\u{9b}31m\n# x";

fn empty() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some("2026-11-20T10:22:07Z".parse().unwrap());
    snapshot.machine.host = Fact::known("HOST-A".to_owned(), []);
    snapshot.machine.product = Fact::known("Windows Server 2022 Datacenter".to_owned(), []);
    snapshot.machine.build = Fact::known(20348, []);
    snapshot
}

fn report(snapshot: &Snapshot) -> Report {
    Report::new(snapshot, &Thresholds::default(), &Selection::default()).of_source(Source {
        name: "snapdiag-HOST-A-20261120T102207Z.zip".to_owned(),
        sha256: None,
    })
}

/// A report as the model would make it of a sick machine. The findings are written down here, so
/// that the renderings are tested whatever the checks come to say.
fn sick(guest: &str) -> Report {
    let mut report = report(&empty());
    for finding in &mut report.checks {
        *finding = Finding {
            id: finding.id.clone(),
            category: finding.category,
            title: finding.title.clone(),
            verdict: Verdict::Ok,
            headline: "healthy".to_owned(),
            confidence: Confidence::High,
            reasons: Vec::new(),
            notes: Vec::new(),
            evidence: Vec::new(),
            remedies: Vec::new(),
            missing: Vec::new(),
            suppressed: None,
        };
    }
    let deny = Locator::value(
        "SYSTEM",
        "ControlSet001\\Control\\Terminal Server",
        "fDenyTSConnections",
    );
    let exhibit = |says: &str| Exhibit {
        says: says.to_owned(),
        expected: Some("0".to_owned()),
        evidence: Evidence::new("registry/SYSTEM", deny.clone(), 1)
            .at(Some("2026-11-19T08:00:00Z".parse().unwrap())),
    };
    let command = format!("Set-Thing -Value {}\nGet-Thing", powershell_literal(guest));
    set(&mut report, "rdp-allowed", |finding| {
        finding.verdict = Verdict::Critical;
        finding.headline = format!("Remote Desktop is refused by policy {guest}");
        finding.reasons = vec!["the policy layer says so".to_owned(), guest.to_owned()];
        finding.evidence = ["one", "two", guest, "four"].map(exhibit).to_vec();
        finding.remedies = vec![
            Remedy::new("Allow connections")
                .risk(Risk::Medium, "Snapshot the disk first.")
                .interrupts(Interruption::Sessions)
                .step(Step::powershell("Remove the policy.", command.clone()))
                .step(Step::text("Refresh the policies."))
                .undo(Step::powershell("Put it back.", command.clone()))
                .verify(Step::cmd("Look at it.", "reg query HKLM\\X")),
        ];
        finding.missing = vec!["registry.software".to_owned()];
    });
    set(&mut report, "brute-force", |finding| {
        finding.verdict = Verdict::Warning;
        "600 failed logons an hour from 203.0.113.7".clone_into(&mut finding.headline);
        finding.confidence = Confidence::Medium;
        finding.notes = vec!["the log covers only 2 hours".to_owned()];
    });
    set(&mut report, "gateway", |finding| {
        finding.verdict = Verdict::Unknown;
        "the routing table is not known (not collected: skipped)".clone_into(&mut finding.headline);
        finding.missing = vec!["network.routes".to_owned()];
    });
    set(&mut report, "rds-licensing", |finding| {
        finding.verdict = Verdict::NotApplicable;
    });
    let cause = |cause, link, consequence: &str, because: &str| Cause {
        cause,
        link,
        consequences: vec![consequence.to_owned()],
        because: because.to_owned(),
        evidence: vec![exhibit("the time its key was written")],
    };
    let allowed = || Origin::Check("rdp-allowed".to_owned());
    report.causes = vec![
        cause(
            Origin::Fact(format!("the refresh of {guest}")),
            Link::Explains,
            "rdp-allowed",
            "the policy came with it",
        ),
        cause(allowed(), Link::Explains, "brute-force", guest),
        cause(
            allowed(),
            Link::Precedes,
            "brute-force",
            "mend the first one first",
        ),
        cause(
            Origin::Fact("the snapshot was taken from a disk".to_owned()),
            Link::Explains,
            "gateway",
            "a live capture would add: the routing table",
        ),
    ];
    report.summary = summary_of(&report);
    report
}

fn set(report: &mut Report, id: &str, change: impl FnOnce(&mut Finding)) {
    change(
        report
            .checks
            .iter_mut()
            .find(|finding| finding.id == id)
            .unwrap(),
    );
}

fn summary_of(report: &Report) -> snapdiag::report::Summary {
    snapdiag::report::Summary::of(&report.checks)
}

fn hostile() -> Report {
    let mut report = sick(HOSTILE);
    report.machine.host = Some(HOSTILE.to_owned());
    report.notes = vec![HOSTILE.to_owned(), "x".repeat(5000)];
    report
}

#[test]
fn a_snapshot_of_nothing() {
    let report = report(&empty());
    assert_eq!(report.summary.worst, Verdict::Unknown);
    assert!(
        report
            .checks
            .iter()
            .all(|finding| finding.verdict == Verdict::Unknown)
    );
    assert_eq!(report.coverage.len(), report.checks.len());
    let text = text::render(&report, Look::PLAIN);
    assert!(
        text.starts_with("HOST-A; Windows Server 2022 Datacenter build 20348\n"),
        "{text}"
    );
    assert!(text.contains("Nothing could be decided."), "{text}");
    assert!(text.contains("security groups"), "{text}");
    let back: Report = serde_json::from_str(&json::render(&report).unwrap()).unwrap();
    assert_eq!(back, report);
}

#[test]
fn a_sick_machine_as_text() {
    insta::assert_snapshot!(text::render(&sick("EVIL"), Look::PLAIN));
}

#[test]
fn a_sick_machine_on_a_narrow_terminal_with_everything() {
    let look = Look {
        verbose: true,
        ..Look::terminal(60, false)
    };
    let text = text::render(&sick("EVIL"), look);
    let undo = text.find("undo").unwrap();
    assert!(undo < text.find("verify").unwrap() && text.contains("C:\\> reg query"));
    assert!(text.contains("four") && !text.contains("more with --verbose"));
}

#[test]
fn a_sick_machine_as_markdown() {
    insta::assert_snapshot!(markdown::render(&sick("EVIL")));
}

#[test]
fn a_sick_machine_as_json() {
    let report = json::render(&sick("EVIL")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&report).unwrap();
    let finding = value["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["id"] == "rdp-allowed");
    insta::assert_snapshot!(json::render(&finding.unwrap()).unwrap());
    insta::assert_snapshot!("causes", json::render(&value["causes"]).unwrap());
    insta::assert_snapshot!("summary", json::render(&value["summary"]).unwrap());
}

#[test]
fn hostile_strings_as_text() {
    let text = text::render(&hostile(), Look::PLAIN);
    assert!(!text.chars().any(|c| c != '\n' && sanitize::is_hostile(c)));
    assert!(text.contains("characters)"));
    insta::assert_snapshot!(text);
}

#[test]
fn hostile_strings_keep_colours_in_their_bounds() {
    let text = text::render(&hostile(), Look::terminal(80, true));
    // Every escape sequence is one of ours: SGR, and the last one of each line resets.
    for sequence in text.split('\u{1b}').skip(1) {
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        assert_eq!(&sequence[end..=end], "m", "{sequence:?}");
    }
}

#[test]
fn hostile_strings_as_markdown() {
    let text = markdown::render(&hostile());
    assert!(!text.chars().any(|c| c != '\n' && sanitize::is_hostile(c)));
    let headings = text.lines().filter(|line| line.starts_with('#')).count();
    let calm = markdown::render(&sick("calm"));
    assert_eq!(
        headings,
        calm.lines().filter(|line| line.starts_with('#')).count()
    );
    // Outside of fenced commands there is neither HTML nor a link.
    for line in text.lines().filter(|line| !line.starts_with("   ")) {
        assert!(
            !line.contains("<img") && !line.contains("](http:"),
            "{line}"
        );
    }
}

#[test]
fn hostile_strings_as_json() {
    let report = hostile();
    let text = json::render(&report).unwrap();
    assert!(!text.chars().any(|c| c != '\n' && sanitize::is_hostile(c)));
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn an_explanation_tells_causes_and_suppression() {
    let snapshot = empty();
    let mut report = sick("EVIL");
    set(&mut report, "brute-force", |finding| {
        finding.suppressed = Some(Suppressed {
            reason: "a scanner of our own".to_owned(),
            until: None,
        });
    });
    let context = Context {
        snapshot: &snapshot,
        thresholds: &Thresholds::default(),
    };
    let explained = |id: &str| {
        let check = find(id).unwrap();
        explain::render_decision(check, &context, &report, Look::PLAIN)
    };
    let consequence = explained("brute-force");
    assert!(
        consequence.contains("suppressed: a scanner of our own"),
        "{consequence}"
    );
    for part in [
        "Causes\n",
        "follows   rdp-allowed: EVIL",
        "after     rdp-allowed:",
    ] {
        assert!(consequence.contains(part), "{part}: {consequence}");
    }
    let cause = explained("rdp-allowed");
    for part in [
        "explains  brute-force: EVIL",
        "before    brute-force:",
        "follows   the refresh of EVIL: the policy came with it",
        "the time its key was written",
    ] {
        assert!(cause.contains(part), "{part}: {cause}");
    }
    let neither = explained("rdp-tcp");
    assert!(!neither.contains("Causes") && !neither.contains("suppressed"));
}

#[test]
fn several_snapshots_worst_first() {
    let unreadable = Outcome::unreadable(
        Source {
            name: "b.zip".to_owned(),
            sha256: None,
        },
        "cannot open it".to_owned(),
    );
    let empty = Outcome::Report(Box::new(report(&empty())));
    let sick = Outcome::Report(Box::new(sick("EVIL")));
    let reports = Reports::new(vec![empty, unreadable, sick]);
    insta::assert_snapshot!("several_text", reports.text(Look::PLAIN));
    insta::assert_snapshot!("several_markdown", reports.markdown());
    let json = json::render(&reports).unwrap();
    assert_eq!(serde_json::from_str::<Reports>(&json).unwrap(), reports);
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let snapshot = empty();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| json::render(&report(&snapshot)).unwrap())
    };
    assert_eq!(with(1), with(4));
}
