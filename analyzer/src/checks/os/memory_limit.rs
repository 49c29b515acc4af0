//! `memory-limit`: whether Windows is kept from memory that the machine has.

mod limits;
mod remedies;
mod rules;

use self::limits::Limits;
use super::boot_store::{COLLECT_OPTIONS, COLLECT_STORE, note_others};
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::figures::size;
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::Category;
use crate::facts::Snapshot;

const RESERVED: Threshold = Threshold {
    key: "memory-limit.reserved",
    default: 512.0,
    unit: "MiB",
    meaning: "more that Windows cannot use, and more than the share, is a warning",
    source: "Tencent Cloud's Windows troubleshooting guide",
};
const RESERVED_SHARE: Threshold = Threshold {
    key: "memory-limit.reserved-share",
    default: 3.0,
    unit: "% of installed memory",
    meaning: "more that Windows cannot use, and more than the amount, is a warning",
    source: "ours: hosts with hundreds of GB reserve more than 512 MiB for good reasons",
};
const REMOVED_SHARE: Threshold = Threshold {
    key: "memory-limit.removed-share",
    default: 25.0,
    unit: "% of installed memory",
    meaning: "removememory of this much or more is critical, of less a warning",
    source: "ours",
};
const LOGGED_SHARE: Threshold = Threshold {
    key: "memory-limit.logged-share",
    default: 90.0,
    unit: "% of the largest memory in the log",
    meaning: "with installed memory not known, an address limit below this is critical",
    source: "ours",
};

/// The check.
pub const CHECK: Check = Check {
    id: "memory-limit",
    category: Category::Os,
    title: "Memory limit",
    page: include_str!("memory_limit.md"),
    inputs: &[
        Input::required("registry.bcd"),
        Input::required("registry.system"),
        Input::required("system.memory"),
        Input::helpful("eventlog.system"),
        Input::helpful("system.machine"),
        Input::helpful("registry.volatile"),
        Input::helpful("system.activation"),
    ],
    thresholds: &[RESERVED, RESERVED_SHARE, REMOVED_SHARE, LOGGED_SHARE],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    let snapshot = cx.snapshot;
    let limits = Limits::of(snapshot);
    let mut judge = Judge::new();
    rules::address_limit(&mut judge, cx, &limits);
    rules::removed(&mut judge, cx, &limits);
    rules::edition_cap(&mut judge, &limits, snapshot);
    rules::pending(&mut judge, &limits, snapshot);
    rules::reserved(&mut judge, cx, &limits);
    rules::bad_pages(&mut judge, snapshot);
    demand(&mut judge, snapshot);
    show(&mut judge, &limits, snapshot);
    let healthy = match (limits.visible, limits.installed) {
        (Some(visible), Some(installed)) => format!(
            "memory is not limited: Windows uses {} of {}",
            size(visible),
            size(installed)
        ),
        _ => "memory is not limited".to_owned(),
    };
    let known = if limits.configured_none() {
        "no limit is configured"
    } else {
        ""
    };
    judge.finish(healthy, known)
}

/// What must have been seen before `ok`.
fn demand(judge: &mut Judge, snapshot: &Snapshot) {
    let (boot, topology) = (&snapshot.boot_options, &snapshot.topology);
    judge.require(&boot.loader, "the boot configuration", COLLECT_STORE);
    if boot.loader.value().is_some() {
        judge.require(&boot.truncate_memory, "truncatememory", COLLECT_STORE);
        judge.require(&boot.remove_memory, "removememory", COLLECT_STORE);
        judge.require(&boot.bad_pages, "badmemorylist", COLLECT_STORE);
    } else if boot.loader.is_absent() {
        judge.lacks("the boot configuration is not there", COLLECT_STORE);
    }
    judge.require(&boot.given, "what the kernel was given", COLLECT_OPTIONS);
    judge.require(
        &topology.memory_cap_bytes,
        "what the edition uses (ProductPolicy)",
        "the SYSTEM hive (registry.system)",
    );
    let live = "a live capture (system.memory): memory that the firmware tells of and memory that Windows uses";
    for (fact, what) in [
        (&topology.installed_bytes, "installed memory"),
        (&topology.visible_bytes, "the memory that Windows uses"),
    ] {
        judge.require(fact, what, live);
        if fact.is_absent() {
            judge.lacks(format!("{what} is not known"), live);
        }
    }
}

/// Evidence and notes that are shown whatever the verdict.
fn show(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let (boot, topology) = (&snapshot.boot_options, &snapshot.topology);
    judge.exhibit("installed memory", &topology.installed_bytes);
    judge.exhibit("memory that Windows uses", &topology.visible_bytes);
    judge.exhibit("options given to the kernel", &boot.given);
    judge.exhibit("truncatememory", &boot.truncate_memory);
    judge.exhibit("removememory", &boot.remove_memory);
    if let (Some(visible), Some(installed)) = (limits.visible, limits.installed)
        && visible > installed
    {
        judge.note("Windows uses more than the firmware tells of: memory was added while it ran");
    }
    note_others(
        judge,
        boot,
        &["truncatememory", "removememory", "badmemorylist"],
    );
    if let Some(note) = snapshot.activation.note() {
        judge.note(format!(
            "{note}; activation takes no memory away, the edition may"
        ));
        judge.exhibit("activation", &snapshot.activation.windows);
    }
}

#[cfg(test)]
mod tests;
