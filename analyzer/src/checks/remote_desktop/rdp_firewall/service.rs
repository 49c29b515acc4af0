//! The services behind the firewall.

use super::remedies;
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::Verdict;
use crate::checks::words;
use crate::facts::services::{STOPPED, Service};

const DISABLED: u64 = 4;

/// Judges the firewall's services. `false` when they do not run: what is filtered then is
/// documented nowhere, so nothing may be called open or closed.
pub(super) fn judge(judge: &mut Judge, cx: &Context<'_>) -> bool {
    let mut filtering = true;
    // MpsSvc depends on BFE: without either one nothing enforces the rules.
    for name in ["MpsSvc", "BFE"] {
        let Some(service) = cx.snapshot.services.service(name) else {
            judge.lacks(
                format!("the service {name} was not looked at"),
                "the SYSTEM hive",
            );
            continue;
        };
        judge.require(
            &service.start,
            &format!("the configuration of the service {name}"),
            "the SYSTEM hive",
        );
        filtering &= !stopped(judge, service);
    }
    filtering
}

fn stopped(judge: &mut Judge, service: &Service) -> bool {
    let name = &service.name;
    let state = service.runtime.state.value().copied();
    let disabled = service.start_number() == Some(DISABLED);
    let gone = service.start.is_absent();
    // A live state decides; without it, a service that cannot start is not running.
    let stopped = state.map_or(disabled || gone, |state| state == STOPPED);
    let known = state.is_some() || service.start.is_settled();
    let missing = service.key.is_absent();
    let compared = if missing {
        format!("{name}: no such service")
    } else {
        format!(
            "{name}: Start = {} (4 is disabled), state = {} (4 is running)",
            words::value(service.start_number()),
            words::value(state)
        )
    };
    let holds = known.then_some(stopped);
    let Some(problem) = judge.rule(Verdict::Warning, "service-stopped", compared, holds) else {
        if disabled {
            judge.note(format!(
                "{name} runs but is disabled: it will not start again"
            ));
        }
        return false;
    };
    let what = if missing { "exist" } else { "run" };
    problem.headline(format!(
        "the firewall service {name} does not {what}: what is filtered is undefined"
    ));
    problem.because(
        "Microsoft does not support a stopped firewall service: filters of the base filtering \
         engine may still block, and nothing enforces the rules",
    );
    if missing {
        problem.evidence(format!("{name}: no such service"), &service.key);
        problem.remedy(remedies::restore_service(service));
        return true;
    }
    problem.evidence_expected(
        format!("{name}: start type"),
        "2 (automatic)",
        &service.start,
    );
    problem.evidence_expected(
        format!("{name}: state"),
        "4 (running)",
        &service.runtime.state,
    );
    problem.remedy(remedies::start_service(service));
    true
}
