//! Rules about commands that hook into programs, and about what users put in the place of the
//! machine's variables.

use super::expand::Expander;
use super::others::missing_endings;
use super::remedies;
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::Verdict;
use crate::facts::environment::{UserEnvironment, UserVariable};

/// The key of a user's variables.
const USER_KEY: &str = "Environment";
/// The key of a user's command interpreter.
const USER_PROCESSOR: &str = "Software\\Microsoft\\Command Processor";

pub(super) fn warning(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    hooks(judge, cx);
    users(judge, cx, expander);
}

/// Commands that run instead of a program or before it.
fn hooks(judge: &mut Judge, cx: &Context<'_>) {
    let hooks = &cx.snapshot.environment.hooks;
    let set: Vec<_> = hooks
        .iter()
        .filter(|hook| {
            hook.command
                .value()
                .is_some_and(|text| !text.text.trim().is_empty())
        })
        .collect();
    let settled = !hooks.is_empty() && hooks.iter().all(|hook| hook.command.is_settled());
    let rule = judge.rule(
        Verdict::Warning,
        "hook",
        format!("{} of {} places hold a command", set.len(), hooks.len()),
        (settled || !set.is_empty()).then_some(!set.is_empty()),
    );
    if let (Some(problem), Some(first)) = (rule, set.first()) {
        problem
            .headline(format!(
                "{} has a {}: another command runs with it",
                first.program, first.setting
            ))
            .because(
                "a window that keeps popping up, or a program that does not start, comes from this",
            );
        for hook in &set {
            let text = hook.command.value().map_or("", |text| text.text.as_str());
            problem
                .evidence_expected(
                    format!("{} of {}: {text}", hook.setting, hook.program),
                    "absent",
                    &hook.command,
                )
                .remedy(remedies::unhook(hook));
        }
    }
}

/// Users' own values of names that Windows needs, and their command interpreter's `AutoRun`.
fn users(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    let users = &cx.snapshot.environment.users;
    let mut odd: Vec<(&UserEnvironment, &UserVariable, &'static str)> = Vec::new();
    for user in users.value().into_iter().flatten() {
        if user.is(USER_KEY) {
            for (name, right) in [
                ("windir", expander.root.clone()),
                ("SystemRoot", expander.root.clone()),
                ("ComSpec", expander.below_root("system32\\cmd.exe")),
            ] {
                if let Some(variable) = user.variable(name)
                    && expander.normal(&variable.text) != right
                {
                    odd.push((user, variable, "replaces the machine's"));
                }
            }
            if let Some(variable) = user.variable("PATHEXT")
                && !missing_endings(&variable.text).is_empty()
            {
                odd.push((user, variable, "lacks endings and replaces the machine's"));
            }
        }
        if user.is(USER_PROCESSOR)
            && let Some(variable) = user.variable("AutoRun")
            && !variable.text.trim().is_empty()
        {
            odd.push((user, variable, "runs whenever the user starts cmd.exe"));
        }
    }
    let rule = judge.rule(
        Verdict::Warning,
        "user-override",
        format!(
            "{} values of users that replace or hook what Windows needs",
            odd.len()
        ),
        users.is_settled().then_some(!odd.is_empty()),
    );
    if let (Some(problem), Some((user, variable, what))) = (rule, odd.first()) {
        problem.headline(format!("{} of user {} {what}", variable.name, user.user));
        for (user, variable, what) in &odd {
            let says = format!(
                "{} of {} {what}: {}",
                variable.name, user.user, variable.text
            );
            problem
                .exhibits(says, std::slice::from_ref(&variable.evidence))
                .remedy(remedies::user(user, variable));
        }
    }
}
