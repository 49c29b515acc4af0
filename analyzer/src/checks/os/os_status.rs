//! The state of the operating system: crashes, unexpected restarts, setup, disks, dumps.

mod coverage;
mod incidents;
mod remedies;
mod state;
mod storage;
mod upkeep;
mod view;

use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::Category;
use view::{View, stamp};

/// The check.
pub const CHECK: Check = Check {
    id: "os-status",
    category: Category::Os,
    title: "State of the operating system",
    page: include_str!("os_status.md"),
    inputs: &[
        Input::required("eventlog.system"),
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::helpful("system.machine"),
        Input::helpful("registry.volatile"),
        Input::helpful("volumes.volumes"),
        Input::helpful("system.dump-files"),
        Input::helpful("eventlog.application"),
    ],
    thresholds: &[
        CRITICAL_DAYS,
        WARNING_DAYS,
        REPEATED,
        UPTIME_DAYS,
        SETUP_HOURS,
        CHANGE_HOURS,
        SLACK_HOURS,
    ],
    decide,
};

const CRITICAL_DAYS: Threshold = Threshold {
    key: "os-status.critical-days",
    default: 7.0,
    unit: "days before capture",
    meaning: "a crash, repeated incidents, or a disk or file system error of that age or less is critical",
    source: "our own; Alibaba Cloud's diagnosis calls any crash event critical",
};

const WARNING_DAYS: Threshold = Threshold {
    key: "os-status.warning-days",
    default: 30.0,
    unit: "days before capture",
    meaning: "an incident of that age or less is at least a warning; the log must reach back so far for ok",
    source: "our own",
};

const REPEATED: Threshold = Threshold {
    key: "os-status.repeated-incidents",
    default: 3.0,
    unit: "incidents",
    meaning: "that many or more within critical-days are critical",
    source: "our own",
};

const UPTIME_DAYS: Threshold = Threshold {
    key: "os-status.uptime-days",
    default: 400.0,
    unit: "days",
    meaning: "more is a warning",
    source: "our own: a year of updates and some slack",
};

const SETUP_HOURS: Threshold = Threshold {
    key: "os-status.setup-hours",
    default: 1.0,
    unit: "hours since start",
    meaning: "setup that is not finished after more is critical",
    source: "our own",
};

const CHANGE_HOURS: Threshold = Threshold {
    key: "os-status.change-hours",
    default: 48.0,
    unit: "hours before the first incident",
    meaning: "new drivers and updates of that age or less are shown with an incident",
    source: "our own",
};

const SLACK_HOURS: Threshold = Threshold {
    key: "os-status.log-slack-hours",
    default: 24.0,
    unit: "hours",
    meaning: "the log may begin that much after the installation, or in an export after the time asked for; EventLog 6013 is written daily",
    source: "our own",
};

fn decide(cx: &Context<'_>) -> Decision {
    let view = View::new(cx);
    let mut judge = Judge::new();
    incidents::critical(&mut judge, &view);
    state::critical(&mut judge, &view);
    storage::critical(&mut judge, &view);
    incidents::warning(&mut judge, &view);
    state::warning(&mut judge, &view);
    upkeep::warning(&mut judge, &view);
    storage::warning(&mut judge, &view);
    upkeep::notes(&mut judge, &view);
    storage::notes(&mut judge, &view);
    coverage::require(&mut judge, &view);
    let started = view
        .started
        .map(|started| format!("; running since {}", stamp(started)))
        .unwrap_or_default();
    judge.finish(
        format!(
            "no crash, power loss or disk error in the last {} days{started}",
            view.warning_days
        ),
        "no incident in what was collected",
    )
}

#[cfg(test)]
mod tests;
