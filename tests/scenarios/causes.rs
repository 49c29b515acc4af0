//! Findings are joined to their causes: in bundles built for each rule, and in every form of the
//! report. No finding disappears, and no verdict changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;
use snapdiag::checks::causes::{Cause, Link, Origin};
use snapdiag::checks::table::TABLE;
use snapdiag::checks::thresholds::Thresholds;
use snapdiag::checks::verdict::Verdict;
use snapdiag::facts::Snapshot;
use snapdiag::report::{Look, Report, Selection, json, markdown, text};
use snapdiag_fixtures::machine::Mutation;
use snapdiag_fixtures::scenario::{self, CauseScenario, ExpectedCause, Told};

use crate::case::{MACHINES, Zip, decide};
use crate::expect::holds;

#[test]
fn every_rule_joins_what_it_should_and_nothing_else() {
    let scenarios: Vec<(String, CauseScenario)> = scenario::causes()
        .unwrap()
        .into_iter()
        .flat_map(|file| {
            let rule = file.rule;
            let of_rule = move |one: CauseScenario| (format!("{rule}, {:?}", one.name), one);
            file.scenarios.into_iter().map(of_rule).collect::<Vec<_>>()
        })
        .collect();
    let wrong: Vec<String> = scenarios
        .par_iter()
        .flat_map_iter(|(place, scenario)| {
            let machine = &MACHINES[&scenario.machine];
            let built = machine
                .build(&scenario.mutation)
                .unwrap_or_else(|error| panic!("{place}: {error}"));
            let snapshot = Zip::new(&built).snapshot();
            let report = whole(&snapshot);
            let mut wrong = differences(&scenario.expected, &report);
            wrong.extend(changed(&snapshot, &report));
            wrong.extend(unsaid(&report));
            wrong.into_iter().map(move |why| format!("{place}: {why}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_scenarios_that_join_and_that_do_not() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks/causes");
    let mut rules: BTreeSet<String> = fs::read_dir(rules)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|rule| rule != "tests")
        .collect();
    for file in scenario::causes().unwrap() {
        assert!(rules.remove(&file.rule), "no rule {}", file.rule);
        for joins in [true, false] {
            let mut scenarios = file.scenarios.iter();
            let there = scenarios.any(|one| one.expected.causes.is_empty() != joins);
            assert!(there, "{}: no scenario with causes: {joins}", file.rule);
        }
    }
    assert!(rules.is_empty(), "without scenarios: {rules:?}");
}

/// A disk that is whole leaves open what only a running machine tells: the report names a live
/// capture for each of these checks.
#[test]
fn every_check_that_a_whole_disk_leaves_open_is_told_what_would_settle_it() {
    for (name, machine) in MACHINES.iter() {
        let disk = Mutation {
            disk_only: true,
            ..Mutation::default()
        };
        let report = whole(&Zip::new(&machine.build(&disk).unwrap()).snapshot());
        let open: Vec<&str> = report
            .with_verdict(Verdict::Unknown)
            .map(|finding| finding.id.as_str())
            .collect();
        assert!(open.contains(&"memory-usage"), "{name}: {open:?}");
        let [cause] = report.causes.as_slice() else {
            panic!("{name}: {:#?}", report.causes);
        };
        assert_eq!(cause.consequences, open, "{name}");
        let said = text::render(&report, Look::PLAIN);
        assert!(!said.contains("characters)"), "{name}: cut short: {said}");
    }
}

fn whole(snapshot: &Snapshot) -> Report {
    Report::new(snapshot, &Thresholds::default(), &Selection::default())
}

fn differences(expected: &Told, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    for (check, verdict) in &expected.verdicts {
        let finding = report.checks.iter().find(|finding| finding.id == *check);
        let found = finding.map_or("no finding", |finding| finding.verdict.word());
        if found != verdict {
            wrong.push(format!("{check} is {found}, expected {verdict}"));
        }
    }
    let causes = &report.causes;
    let fits = expected.causes.len() == causes.len()
        && expected.causes.iter().zip(causes).all(|(e, c)| is(e, c));
    if !fits {
        let expected = &expected.causes;
        wrong.push(format!("expected {expected:#?}\nfound {causes:#?}"));
    }
    wrong
}

fn is(expected: &ExpectedCause, cause: &Cause) -> bool {
    let origin = match (&cause.cause, &expected.check, &expected.fact) {
        (Origin::Check(id), Some(check), None) => id == check,
        (Origin::Fact(fact), None, Some(part)) => holds(fact, part),
        _ => false,
    };
    let texts = serde_json::to_string(cause).unwrap();
    origin
        && (cause.link == Link::Precedes) == expected.precedes
        && cause.consequences == expected.consequences
        && expected.contains.iter().all(|part| holds(&texts, part))
}

/// Findings that are not what their checks decided.
fn changed(snapshot: &Snapshot, report: &Report) -> Vec<String> {
    assert_eq!(report.checks.len(), TABLE.len());
    TABLE
        .iter()
        .zip(&report.checks)
        .filter(|(check, finding)| {
            let decision = decide(check, snapshot);
            (check.id, decision.verdict) != (finding.id.as_str(), finding.verdict)
                || decision.headline != finding.headline
                || decision.evidence != finding.evidence
        })
        .map(|(check, finding)| format!("{} became {:?}", check.id, finding.verdict))
        .collect()
}

/// What the forms of the report leave out: a finding, or a cause with its consequences beneath.
fn unsaid(report: &Report) -> Vec<String> {
    let as_text = text::render(report, Look::PLAIN);
    let as_markdown = markdown::render(report);
    let as_json: Value = serde_json::from_str(&json::render(report).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut demand = |what: String, said: bool| {
        if !said {
            wrong.push(format!("{what} is not said"));
        }
    };
    for finding in &report.checks {
        demand(
            format!("{} as text", finding.id),
            as_text.contains(&finding.id),
        );
        let in_markdown = as_markdown.contains(&finding.id);
        demand(format!("{} as Markdown", finding.id), in_markdown);
    }
    for cause in &report.causes {
        let (heading, origin) = match &cause.cause {
            Origin::Check(id) => (format!("{id}  "), id),
            Origin::Fact(fact) => {
                let first: Vec<&str> = fact.split(' ').take(5).collect();
                (format!("CAUSE     {}", first.join(" ")), fact)
            }
        };
        let label = match cause.link {
            Link::Explains => "explains",
            Link::Precedes => "before",
        };
        let list = cause.consequences.join(", ");
        let beneath = as_text.split_once(&heading).map(|(_, beneath)| beneath);
        let said = beneath.is_some_and(|beneath| {
            let own = beneath.split("\n\n").next().unwrap_or_default();
            let words: Vec<&str> = own.split_whitespace().collect();
            words.join(" ").contains(&format!("{label} {list}"))
        });
        demand(format!("{origin} as text"), said);
        let escaped = cause.consequences.iter().all(|id| as_markdown.contains(id));
        demand(format!("{origin} as Markdown"), escaped);
    }
    let found = as_json["causes"].as_array().map_or(0, Vec::len);
    demand("causes as JSON".to_owned(), found == report.causes.len());
    wrong
}
