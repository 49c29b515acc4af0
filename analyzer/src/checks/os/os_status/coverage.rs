//! What must have been seen before this check says `ok`.

use jiff::Timestamp;

use super::view::{View, stamp};
use crate::checks::check::Judge;
use crate::checks::words;
use crate::facts::inventory::Channel;
use crate::facts::log_end::{self, LogEnd};

const COLLECT_LOG: &str =
    "the System log (eventlog.system), from the live machine or as winevt/Logs/System.evtx";
const COLLECT_SYSTEM: &str = "the SYSTEM hive (registry.system)";
const COLLECT_SOFTWARE: &str = "the SOFTWARE hive (registry.software)";

pub(super) fn require(judge: &mut Judge, view: &View<'_>) {
    let boot = view.boot;
    judge.require(&boot.log, "the System log", COLLECT_LOG);
    if let Some(log) = boot.log.value() {
        judge.exhibit(reach(log), &boot.log);
        covers(judge, view, log);
        ends(judge, view);
    }
    judge.require(
        &boot.setup.in_progress,
        "the state of setup",
        COLLECT_SYSTEM,
    );
    judge.require(
        &boot.crash_control.enabled,
        "whether crash dumps are on",
        COLLECT_SYSTEM,
    );
    judge.require(
        &boot.control_sets.failed,
        "the control set in use",
        COLLECT_SYSTEM,
    );
    judge.require(
        &boot.setup.image_state,
        "the state of the image",
        COLLECT_SOFTWARE,
    );
    judge.require(
        &boot.pending.servicing,
        "whether servicing waits for a restart",
        COLLECT_SOFTWARE,
    );
    judge.require(
        &boot.pending.update,
        "whether an update waits for a restart",
        COLLECT_SOFTWARE,
    );
    if boot.volumes.value().is_none() {
        judge.would_help("the dirty bits of the volumes (volumes.volumes), on the running machine");
    }
}

/// The log must reach back as far as the rules look: for crashes a start long ago does as well,
/// because a crash ends with a start. A machine younger than that has its whole life covered.
fn covers(judge: &mut Judge, view: &View<'_>, log: &Channel) {
    if let Some(damage) = log.damage.first() {
        judge.lacks(format!("the System log is damaged ({damage})"), COLLECT_LOG);
    }
    if view.now.is_none() {
        judge.lacks(
            "the time of capture is not known",
            "the time of capture (--captured-at)",
        );
        return;
    }
    let held = if log.filtered {
        log.held_from
    } else {
        log.oldest
    };
    let Some(from) = held.map(|mark| mark.time) else {
        judge.lacks("the System log is empty", COLLECT_LOG);
        return;
    };
    let whole_life = view
        .snapshot
        .machine
        .installed
        .value()
        .is_some_and(|installed| begins_by(from, *installed, view.slack_days));
    let slack = if log.filtered { view.slack_days } else { 0.0 };
    let reaches = |time: Timestamp, days: f64, slack: f64| {
        view.age(time).is_some_and(|age| age + slack >= days)
    };
    let since_start = view
        .started
        .filter(|_| view.snapshot.machine.uptime_seconds.value().is_some());
    let crashes = whole_life
        || reaches(from, view.warning_days, slack)
        || since_start.is_some_and(|start| reaches(start, view.warning_days, 0.0));
    let disks = whole_life || reaches(from, view.critical_days, slack);
    if !crashes || !disks {
        judge.lacks(
            format!(
                "the System log begins on {}: earlier crashes or disk errors cannot be excluded",
                stamp(from)
            ),
            COLLECT_LOG,
        );
    }
    if view.started.is_none() {
        judge.lacks(
            "when Windows last started is not known",
            "the uptime (system.machine) or a System log that holds a start",
        );
    }
}

/// The log must reach near the capture, unless the machine was off since.
fn ends(judge: &mut Judge, view: &View<'_>) {
    match LogEnd::of_system(view.snapshot) {
        LogEnd::Early(gap) => judge.lacks(
            format!(
                "the System log ends {} before the capture: what came after is not known",
                log_end::words(gap)
            ),
            COLLECT_LOG,
        ),
        LogEnd::Unknown if view.now.is_some() => {
            judge.lacks("where the System log ends is not known", COLLECT_LOG);
        }
        LogEnd::ShutDown => judge.note(
            "the System log ends with a shutdown before the capture: the machine was off since",
        ),
        LogEnd::Late(gap) => judge.note(format!(
            "the System log ends {} after the capture: a clock or the time of capture is wrong",
            log_end::words(gap)
        )),
        LogEnd::Reached | LogEnd::Unknown => {}
    }
}

fn begins_by(from: Timestamp, installed: Timestamp, slack_days: f64) -> bool {
    from.duration_since(installed).as_secs_f64() <= slack_days * 86_400.0
}

fn reach(log: &Channel) -> String {
    let time = |mark: Option<crate::facts::inventory::Mark>| {
        mark.map_or_else(|| "?".to_owned(), |mark| stamp(mark.time))
    };
    format!(
        "{}, the log reaches from {} to {}",
        words::count(log.records, "record"),
        time(log.oldest),
        time(log.newest)
    )
}
