//! What the checks say of scenarios and of healthy machines.

use snapdiag::checks::check::Decision;
use snapdiag::checks::table::TABLE;
use snapdiag::checks::verdict::Verdict;
use snapdiag::checks::words::with_times;
use snapdiag_fixtures::machine::Mutation;

use crate::case::{CASES, MACHINES, Zip, decide};
use crate::expect::{differences, shown};

#[test]
fn every_scenario_decides_as_expected() {
    let mut wrong = Vec::new();
    for case in CASES.iter() {
        let differences = differences(&case.scenario.expected, &case.decision);
        if !differences.is_empty() {
            let differences = differences.join("\n");
            let shown = shown(&case.decision);
            wrong.push(format!("{}\n{differences}\n{shown}\n", case.place()));
        }
    }
    let all = CASES.len();
    println!("{} of {all} scenarios as expected", all - wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {all} differ:\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// In what people read there is one form of time.
#[test]
fn no_sentence_has_a_time_in_the_form_of_machines() {
    let mut wrong = Vec::new();
    for case in CASES.iter() {
        let Decision {
            headline,
            reasons,
            notes,
            evidence,
            trace,
            ..
        } = &case.decision;
        let says = evidence.iter().map(|exhibit| &exhibit.says);
        let compared = trace.iter().map(|tried| &tried.compared);
        let texts = std::iter::once(headline).chain(reasons).chain(notes);
        for text in texts.chain(says).chain(compared) {
            if with_times(text) != *text {
                wrong.push(format!("{}: {text}", case.place()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A whole bundle of a healthy machine is healthy; its disk alone may leave things open but gives
/// no cause for alarm.
#[test]
fn a_healthy_machine_is_healthy() {
    let mut wrong = Vec::new();
    for (name, machine) in MACHINES.iter() {
        for disk_only in [false, true] {
            let mutation = Mutation {
                disk_only,
                ..Mutation::default()
            };
            let snapshot = Zip::new(&machine.build(&mutation).unwrap()).snapshot();
            for check in TABLE {
                let decision = decide(check, &snapshot);
                let fine = match decision.verdict {
                    Verdict::Ok | Verdict::NotApplicable => true,
                    Verdict::Unknown => disk_only,
                    Verdict::Warning | Verdict::Critical => false,
                };
                if !fine {
                    let kind = if disk_only { "disk" } else { "whole" };
                    wrong.push(format!(
                        "{name} ({kind}), {}\n{}\n",
                        check.id,
                        shown(&decision)
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} findings:\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
