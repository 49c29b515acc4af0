//! The machine's environment variables: `Path` above all.

mod expand;
mod hooks;
mod machine_path;
mod others;
mod path;
mod remedies;

use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::Category;
use expand::Expander;

/// The check.
pub const CHECK: Check = Check {
    id: "environment-variables",
    category: Category::Os,
    title: "System environment variables",
    page: include_str!("environment_variables.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::helpful("system.paths"),
        Input::helpful("registry.users"),
        Input::helpful("volumes.volumes"),
    ],
    thresholds: &[LONG, TOO_LONG],
    decide,
};

const LONG: Threshold = Threshold {
    key: "environment-variables.path-long",
    default: 2047.0,
    unit: "characters",
    meaning: "a longer Path is a warning: dialogs of Windows cannot edit it (setx cuts it at 1024)",
    source: "documentation of cmd.exe and of setx",
};

const TOO_LONG: Threshold = Threshold {
    key: "environment-variables.path-too-long",
    default: 4095.0,
    unit: "characters",
    meaning: "a longer Path is critical: programs with fixed buffers lose it",
    source: "our own, not confirmed; the hard limit of an environment is 32767 characters",
};

const COLLECT_SYSTEM: &str = "the SYSTEM hive (registry.system)";
const COLLECT_SOFTWARE: &str = "the SOFTWARE hive (registry.software)";

fn decide(cx: &Context<'_>) -> Decision {
    if let Some(decision) = cx.unsupported() {
        return decision;
    }
    let environment = &cx.snapshot.environment;
    let expander = Expander::new(cx.snapshot);
    let mut judge = Judge::new();
    machine_path::critical(&mut judge, cx, &expander);
    others::critical(&mut judge, cx, &expander);
    machine_path::warning(&mut judge, cx, &expander);
    others::warning(&mut judge, cx, &expander);
    hooks::warning(&mut judge, cx, &expander);
    others::notes(&mut judge, cx, &expander);
    for (name, fact) in [
        ("Path", &environment.path),
        ("PATHEXT", &environment.pathext),
        ("ComSpec", &environment.comspec),
        ("windir", &environment.windir),
        ("TEMP", &environment.temp),
        ("TMP", &environment.tmp),
    ] {
        judge.require(fact, name, COLLECT_SYSTEM);
        judge.exhibit(name, fact);
    }
    judge.require(
        &cx.snapshot.machine.system_root,
        "the folder of Windows",
        COLLECT_SOFTWARE,
    );
    if cx.snapshot.machine.system_root.is_absent() {
        judge.lacks(
            "SOFTWARE does not name the folder of Windows",
            COLLECT_SOFTWARE,
        );
    }
    // They stand in one hive: the first that is not known speaks for all.
    let hook = environment
        .hooks
        .iter()
        .find(|hook| !hook.command.is_settled());
    if let Some(hook) = hook {
        let what = format!("{} of {}", hook.setting, hook.program);
        judge.require(&hook.command, &what, COLLECT_SOFTWARE);
    }
    if environment.elements.value().is_none() {
        judge.would_help("which folders of Path exist (system.paths), on the running machine");
    }
    let known = match environment.path.value() {
        Some(_) => "Path was read and nothing is wrong with it",
        None => "",
    };
    judge.finish(
        "Path, PATHEXT, ComSpec, windir and TEMP are as Windows needs them",
        known,
    )
}

#[cfg(test)]
mod tests;
