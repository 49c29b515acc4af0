//! `cpu-limit`: whether Windows is kept from processors that the machine has.

mod limits;
mod remedies;

use self::limits::Limits;
use super::boot_store::{COLLECT_OPTIONS, COLLECT_STORE, note_others};
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::Snapshot;
use crate::facts::topology::Started;

/// Bit of `FeatureSettingsOverride` that turns hyper-threading's second threads off (KB4072698:
/// 8264 is 72 with hyper-threading disabled).
const NO_SECOND_THREADS: u64 = 0x2000;

/// The check.
pub const CHECK: Check = Check {
    id: "cpu-limit",
    category: Category::Os,
    title: "CPU limit",
    page: include_str!("cpu_limit.md"),
    inputs: &[
        Input::required("registry.bcd"),
        Input::required("registry.system"),
        Input::required("system.cpu"),
        Input::helpful("eventlog.system"),
        Input::helpful("registry.volatile"),
    ],
    thresholds: &[],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    let snapshot = cx.snapshot;
    let limits = Limits::of(snapshot);
    let mut judge = Judge::new();
    limited(&mut judge, &limits, snapshot);
    edition_sockets(&mut judge, &limits, snapshot);
    pending(&mut judge, &limits, snapshot);
    fewer_active(&mut judge, &limits, snapshot);
    shrank(&mut judge, &limits, snapshot);
    demand(&mut judge, snapshot);
    demand_log(&mut judge, &limits, snapshot);
    show(&mut judge, &limits, snapshot);
    let healthy = match limits.active {
        Some(active) => format!("processors are not limited: Windows uses all {active}"),
        None => "processors are not limited".to_owned(),
    };
    let known = if limits.configured_none() {
        "no limit is configured"
    } else {
        ""
    };
    judge.finish(healthy, known)
}

fn told(count: Option<u64>) -> String {
    count.map_or_else(|| "not known".to_owned(), |count| count.to_string())
}

fn limited(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let (boot, topology) = (&snapshot.boot_options, &snapshot.topology);
    let none = limits.none_in_force().then_some(false);
    let binds = match (limits.processors(), limits.present) {
        (Some(limit), Some(present)) => Some(limit < present),
        _ => None,
    };
    let compared = format!(
        "limit in force {} < processors present {}",
        told(limits.processors()),
        told(limits.present)
    );
    let limit = told(limits.processors());
    let one = limits.force.is_some_and(|cap| cap.one);
    let what = if one { "onecpu" } else { "numproc" };
    let rules = [
        (Verdict::Critical, "processor-limit", binds.or(none)),
        (
            Verdict::Warning,
            "harmless-processor-limit",
            limits.force.map(|_| binds != Some(true)).or(none),
        ),
    ];
    for (verdict, rule, holds) in rules {
        let Some(problem) = judge.rule(verdict, rule, compared.clone(), holds) else {
            continue;
        };
        problem
            .headline(match (verdict, limits.present) {
                (Verdict::Critical, present) => format!(
                    "Windows is limited to {limit} of {} processors ({what})",
                    told(present)
                ),
                (_, Some(present)) => format!(
                    "a limit of {limit} processors ({what}) is set; the machine has {present}, so it takes none away yet"
                ),
                _ => format!(
                    "Windows is limited to {limit} processors ({what}); how many the machine has is not known"
                ),
            })
            .evidence_expected("numproc", "absent", &boot.processors)
            .evidence_expected("onecpu", "absent or 0", &boot.one_processor)
            .evidence("options given to the kernel", &boot.given)
            .evidence("processors that Windows uses", &topology.active_processors)
            .evidence("processors of the machine", &topology.present_processors)
            .remedy(remedies::remove_limit(snapshot, one));
        if limits.inferred {
            problem.confidence(Confidence::Medium);
        }
        if verdict == Verdict::Critical && !limits.by_firmware {
            problem
                .because("the number of processors is what Windows could use, which counts those that can still be added")
                .confidence(Confidence::Medium);
        }
    }
}

fn edition_sockets(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let topology = &snapshot.topology;
    let sockets = topology.sockets.value().copied();
    let cap = topology.socket_cap.value().copied().filter(|cap| *cap > 0);
    let compared = format!(
        "sockets {} > edition's limit {}, and not every processor is in use",
        told(sockets.map(u64::from)),
        told(cap.map(u64::from))
    );
    let holds = match (sockets, cap) {
        (Some(sockets), Some(cap)) => Some(sockets > cap && !limits.all_active()),
        _ => topology.socket_cap.is_absent().then_some(false),
    };
    if let Some(problem) = judge.rule(Verdict::Critical, "edition-sockets", compared, holds) {
        problem
            .headline(format!(
                "this edition of Windows uses {} processor sockets; the machine has {}",
                told(cap.map(u64::from)),
                told(sockets.map(u64::from))
            ))
            .because("the hypervisor shows processors as sockets of their own: the edition leaves out the rest, without any limit configured")
            .evidence("edition's limit (ProductPolicy)", &topology.socket_cap)
            .evidence("populated sockets", &topology.sockets)
            .evidence("processors that Windows uses", &topology.active_processors)
            .remedy(remedies::sockets());
    }
}

fn pending(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let boot = &snapshot.boot_options;
    let waiting = limits.waiting;
    let count = told(waiting.map(|cap| cap.processors));
    let compared = format!("configured and not in force: {count}");
    let settled = boot.processors.is_settled() && boot.one_processor.is_settled();
    let holds = settled.then_some(waiting.is_some());
    if let Some(problem) = judge.rule(Verdict::Warning, "pending-limit", compared, holds) {
        let one = waiting.is_some_and(|cap| cap.one);
        problem
            .headline(format!(
                "a limit of {count} processors is configured that takes effect at the next boot ({})",
                if one { "onecpu" } else { "numproc" }
            ))
            .because("Windows runs without it now: it was set after the last start")
            .evidence_expected("numproc", "absent", &boot.processors)
            .evidence_expected("onecpu", "absent or 0", &boot.one_processor)
            .evidence("options given to the kernel", &boot.given)
            .evidence(
                "processors that Windows uses",
                &snapshot.topology.active_processors,
            )
            .remedy(remedies::remove_limit(snapshot, one));
    }
}

fn fewer_active(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let topology = &snapshot.topology;
    let compared = format!(
        "processors in use {} < processors that the firmware counts {}, no limit in force",
        told(limits.active),
        told(limits.present.filter(|_| limits.by_firmware))
    );
    let holds = match (limits.active, limits.present) {
        _ if limits.force.is_some() => Some(false),
        (Some(active), Some(present)) => Some(limits.by_firmware && active < present),
        _ => None,
    };
    if let Some(problem) = judge.rule(Verdict::Warning, "fewer-in-use", compared, holds) {
        problem
            .headline(format!(
                "Windows uses {} of the {} processors that the firmware counts, and no limit explains it",
                told(limits.active),
                told(limits.present)
            ))
            .evidence("processors that Windows uses", &topology.active_processors)
            .evidence("processors of the machine", &topology.present_processors)
            .confidence(Confidence::Medium)
            .remedy(remedies::look(&topology.feature_settings));
        let settings = topology
            .feature_settings
            .value()
            .and_then(|number| number.value);
        if settings.is_some_and(|bits| bits & NO_SECOND_THREADS != 0) {
            problem
                .because("FeatureSettingsOverride turns the second thread of each core off, as a mitigation of processor flaws")
                .evidence("FeatureSettingsOverride", &topology.feature_settings);
        }
    }
}

/// The newest start, and the one before it that brought up most processors.
fn compared_starts(started: &[Started]) -> Option<(&Started, &Started)> {
    let (last, earlier) = started.split_last()?;
    let most = earlier
        .iter()
        .max_by_key(|start| (start.processors, start.record_id))?;
    Some((last, most))
}

fn shrank(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let Some((last, most)) = compared_starts(&snapshot.topology.started) else {
        return;
    };
    let fewer = last.processors < most.processors;
    // All that is there is in use: the instance was made smaller.
    let resized = limits.by_firmware && limits.all_active();
    if fewer && resized {
        judge.note(format!(
            "the machine had {} processors at {} and has {} now, all in use: it was made smaller",
            most.processors, most.time, last.processors
        ));
    }
    let compared = format!(
        "processors of the last start {} < of an earlier one {}, no limit in force",
        last.processors, most.processors
    );
    let holds = Some(fewer && !resized && limits.force.is_none());
    if let Some(problem) = judge.rule(Verdict::Warning, "fewer-than-before", compared, holds) {
        problem
            .headline(format!(
                "the last start brought up {} processors; that of {} brought up {}",
                last.processors, most.time, most.processors
            ))
            .because("the instance was made smaller, or a mitigation of processor flaws turned second threads off")
            .exhibits("the last start", std::slice::from_ref(&last.evidence))
            .exhibits("an earlier start", std::slice::from_ref(&most.evidence))
            .confidence(Confidence::Low)
            .remedy(remedies::look(&snapshot.topology.feature_settings));
    }
}

/// What must have been seen before `ok`.
fn demand(judge: &mut Judge, snapshot: &Snapshot) {
    let (boot, topology) = (&snapshot.boot_options, &snapshot.topology);
    judge.require(&boot.loader, "the boot configuration", COLLECT_STORE);
    if boot.loader.value().is_some() {
        judge.require(&boot.processors, "numproc", COLLECT_STORE);
        judge.require(&boot.one_processor, "onecpu", COLLECT_STORE);
    } else if boot.loader.is_absent() {
        judge.lacks("the boot configuration is not there", COLLECT_STORE);
    }
    judge.require(&boot.given, "what the kernel was given", COLLECT_OPTIONS);
    judge.require(
        &topology.socket_cap,
        "how many sockets the edition uses (ProductPolicy)",
        "the SYSTEM hive (registry.system)",
    );
    let live = "a live capture (system.cpu): processors of the machine and processors in use";
    judge.require(
        &topology.present_processors,
        "how many processors the machine has",
        live,
    );
    judge.require(
        &topology.active_processors,
        "how many processors Windows uses",
        live,
    );
    judge.require(&topology.sockets, "how many sockets are populated", live);
    for (absent, what) in [
        (
            topology.present_processors.is_absent(),
            "how many processors the machine has",
        ),
        (
            topology.active_processors.is_absent(),
            "how many processors Windows uses",
        ),
    ] {
        if absent {
            judge.lacks(format!("{what} is not known"), live);
        }
    }
}

/// Earlier starts stand in the System log; nobody needs them where the firmware's count agrees.
fn demand_log(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    if limits.by_firmware && limits.all_active() {
        return;
    }
    let log = &snapshot.processes.system_log;
    let collect = "the System log (eventlog.system)";
    judge.require(
        log,
        "how many processors earlier starts brought up",
        collect,
    );
    match log.value() {
        Some(channel) if !channel.damage.is_empty() => {
            judge.lacks(
                "the System log is damaged: starts may be missing from it",
                collect,
            );
        }
        None if log.is_absent() => judge.lacks("there is no System log", collect),
        _ => {}
    }
}

/// Evidence and notes that are shown whatever the verdict.
fn show(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let (boot, topology) = (&snapshot.boot_options, &snapshot.topology);
    judge.exhibit("processors that Windows uses", &topology.active_processors);
    judge.exhibit("processors of the machine", &topology.present_processors);
    judge.exhibit("options given to the kernel", &boot.given);
    judge.exhibit("numproc", &boot.processors);
    judge.exhibit("onecpu", &boot.one_processor);
    if let (Some(active), Some(present), false) =
        (limits.active, limits.present, limits.by_firmware)
        && active < present
    {
        judge.note(format!(
            "Windows could use {present} processors and uses {active}; where processors can be added while it runs that is as it should be"
        ));
    }
    for (fact, name) in [
        (&boot.group_size, "groupsize"),
        (&boot.maximum_processors, "maxproc"),
    ] {
        if let Some(setting) = fact.value() {
            judge.note(format!(
                "the boot configuration sets {name} to {}",
                setting.value
            ));
            judge.exhibit(name, fact);
        }
    }
    note_others(judge, boot, &["numproc", "onecpu"]);
}

#[cfg(test)]
mod tests;
