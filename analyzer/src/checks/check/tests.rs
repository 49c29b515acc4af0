use serde_json::json;

use super::*;
use crate::facts::locator::Locator;

fn fact(raw: u32) -> Fact<u32> {
    let place = Locator::value("SYSTEM", "k", "v");
    Fact::known(raw, [Evidence::new("registry/SYSTEM", place, json!(raw))])
}

#[test]
fn what_was_not_seen_wins_over_every_rule_that_is_no_alarm() {
    for verdict in [Verdict::NotApplicable, Verdict::Ok, Verdict::Unknown] {
        let mut judge = Judge::new();
        if let Some(problem) = judge.rule(verdict, "rule", "compared", Some(true)) {
            problem.headline("the rule's own words");
        }
        judge.lacks("the hive is not there", "the hive");
        let decision = judge.finish("healthy", "known");
        assert_eq!(decision.verdict, Verdict::Unknown);
        assert_eq!(decision.headline, "known; the hive is not there");
        assert_eq!(decision.confidence, Confidence::Low);
        assert_eq!(decision.missing, ["the hive"]);
    }
    for verdict in [Verdict::Warning, Verdict::Critical] {
        let mut judge = Judge::new();
        if let Some(problem) = judge.rule(verdict, "rule", "compared", Some(true)) {
            problem.headline("the rule's own words");
        }
        judge.lacks("the hive is not there", "the hive");
        let decision = judge.finish("healthy", "known");
        assert_eq!(decision.verdict, verdict);
        assert_eq!(decision.headline, "the rule's own words");
        assert_eq!(decision.reasons, ["the hive is not there"]);
    }
}

#[test]
fn a_rule_that_does_not_hold_or_is_open_decides_nothing() {
    for holds in [Some(false), None] {
        let mut judge = Judge::new();
        let problem = judge.rule(Verdict::Critical, "rule", "compared", holds);
        assert!(problem.is_none());
        let decision = judge.finish("healthy", "known");
        assert_eq!(decision.verdict, Verdict::Ok);
        assert_eq!(decision.trace[0].holds, holds);
    }
}

#[test]
fn evidence_is_shown_whatever_the_verdict_and_once() {
    let mut judge = Judge::new();
    if let Some(problem) = judge.rule(Verdict::Warning, "rule", "compared", Some(true)) {
        problem.evidence("why", &fact(1));
    }
    judge.exhibit("the same place", &fact(1));
    judge.exhibit("another value", &fact(2));
    let decision = judge.finish("healthy", "known");
    let says: Vec<&str> = decision.evidence.iter().map(|e| e.says.as_str()).collect();
    assert_eq!(says, ["why", "another value"]);
}

#[test]
fn nothing_is_said_twice_and_no_line_is_empty() {
    let mut judge = Judge::new();
    for note in ["a", "", "b", "a"] {
        judge.note(note);
        judge.lacks(note, "");
    }
    let decision = judge.finish("healthy", "");
    assert_eq!(decision.notes, ["a", "b"]);
    assert_eq!(decision.headline, "a");
    assert_eq!(decision.reasons, ["b"]);
    assert!(decision.missing.is_empty());
}
