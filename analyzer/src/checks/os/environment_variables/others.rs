//! Rules about the other variables.

use super::expand::{Expander, plain};
use super::path::drive;
use super::remedies;
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::Verdict;
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Text;

/// Endings without which the programs of Windows are not found by their names.
const ENDINGS: [&str; 4] = [".COM", ".EXE", ".BAT", ".CMD"];
pub(super) fn critical(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    folder_of_windows(judge, cx, expander);
    comspec(judge, cx, expander, Verdict::Critical);
    pathext(judge, cx);
}

/// `windir` and, where somebody set it, `SystemRoot`.
fn folder_of_windows(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    let environment = &cx.snapshot.environment;
    for (name, rule, fact, needed) in [
        ("windir", "windir-broken", &environment.windir, true),
        (
            "SystemRoot",
            "systemroot-differs",
            &environment.system_root,
            false,
        ),
    ] {
        let holds = match (fact.value(), fact.is_absent()) {
            (Some(text), _) if !expands(text) => Some(true),
            (Some(text), _) => {
                let value = expander.normal(&text.text);
                // `%SystemRoot%` in itself stays as it is, and is right.
                let right = value == expander.root || value == "%systemroot%";
                (right || expander.root_known).then_some(!right)
            }
            (None, true) => Some(needed),
            (None, false) => None,
        };
        let says = fact
            .value()
            .map_or("absent", |text| text.text.as_str())
            .to_owned();
        let tried = judge.rule(
            Verdict::Critical,
            rule,
            format!(
                "{name} = {says}, the folder of Windows is {}",
                expander.root
            ),
            holds,
        );
        if let Some(problem) = tried {
            problem
                .headline(format!(
                    "{name} does not lead to the folder of Windows ({says})"
                ))
                .evidence_expected(format!("{name} = {says}"), "%SystemRoot%", fact)
                .evidence("the folder of Windows", &cx.snapshot.machine.system_root)
                .remedy(remedies::variable(name, fact));
        }
    }
}

/// Critical, unless the file that it names exists: somebody chose another interpreter.
fn comspec(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>, verdict: Verdict) {
    let fact = &cx.snapshot.environment.comspec;
    let right = fact.value().map(|text| {
        expands(text) && expander.normal(&text.text) == expander.below_root("system32\\cmd.exe")
    });
    let named = fact.value().map(|text| text.text.clone());
    let literal = named
        .as_ref()
        .is_some_and(|text| drive(&plain(text)).is_some());
    let holds = match right {
        Some(false) if !expander.root_known && literal => None,
        Some(right) => Some(!right),
        None => fact.is_absent().then_some(true),
    };
    let chosen = right.is_some() && exists(cx, "ComSpec") == Some(true);
    let (rule, chosen_here) = match verdict {
        Verdict::Critical => ("comspec-broken", false),
        _ => ("comspec-other", true),
    };
    let tried = judge.rule(
        verdict,
        rule,
        format!("ComSpec = {named:?}, file exists: {chosen}"),
        holds.map(|wrong| wrong && chosen == chosen_here),
    );
    if let Some(problem) = tried {
        problem
            .headline("ComSpec does not name the command interpreter of Windows")
            .because("scripts, and programs that start commands, depend on it")
            .evidence_expected("ComSpec", "%SystemRoot%\\system32\\cmd.exe", fact)
            .remedy(remedies::variable("ComSpec", fact));
    }
}

fn pathext(judge: &mut Judge, cx: &Context<'_>) {
    let fact = &cx.snapshot.environment.pathext;
    let missing = missing_endings(fact.value().map_or("", |text| text.text.as_str()));
    let rule = judge.rule(
        Verdict::Critical,
        "pathext-incomplete",
        format!("endings missing in PATHEXT: {missing:?}"),
        fact.is_settled().then_some(!missing.is_empty()),
    );
    if let Some(problem) = rule {
        problem
            .headline(format!(
                "PATHEXT lacks {}: such programs are not found by name",
                missing.join(", ")
            ))
            .evidence_expected("PATHEXT", remedies::PATHEXT, fact)
            .remedy(remedies::variable("PATHEXT", fact));
    }
}

/// The endings that a `PATHEXT` lacks.
pub(super) fn missing_endings(text: &str) -> Vec<&'static str> {
    let has = |ending: &str| {
        text.split(';')
            .any(|one| one.trim().eq_ignore_ascii_case(ending))
    };
    ENDINGS.into_iter().filter(|ending| !has(ending)).collect()
}

pub(super) fn warning(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    let environment = &cx.snapshot.environment;
    comspec(judge, cx, expander, Verdict::Warning);
    temporary(judge, cx, expander, "TEMP", &environment.temp);
    temporary(judge, cx, expander, "TMP", &environment.tmp);
}

fn temporary(
    judge: &mut Judge,
    cx: &Context<'_>,
    expander: &Expander<'_>,
    name: &'static str,
    fact: &Fact<Text>,
) {
    let text = fact.value().map(|text| text.text.trim().to_owned());
    let letter = text.as_ref().and_then(|text| drive(&expander.normal(text)));
    let no_drive = letter.and_then(|letter| drive_exists(cx, letter)) == Some(false);
    let gone = exists(cx, name) == Some(false);
    let broken = fact.value().is_some_and(|text| !expands(text));
    let empty = text.as_ref().is_none_or(String::is_empty);
    let rule = judge.rule(
        Verdict::Warning,
        "temp-missing",
        format!("{name} = {text:?}; drive missing: {no_drive}; folder missing: {gone}; not expanded: {broken}"),
        fact.is_settled().then_some(empty || no_drive || gone || broken),
    );
    if let Some(problem) = rule {
        let headline = match &text {
            None => format!("{name} is not set"),
            Some(text) if text.is_empty() => format!("{name} is empty"),
            Some(text) if no_drive => {
                format!("{name} leads to a drive that does not exist ({text})")
            }
            Some(text) if gone => format!("{name} leads to a folder that does not exist ({text})"),
            Some(text) => {
                format!("{name} has the type REG_SZ, so its variables are not expanded ({text})")
            }
        };
        problem
            .headline(headline)
            .because("services and installers that write temporary files fail")
            .evidence_expected(name, "%SystemRoot%\\TEMP", fact)
            .remedy(remedies::variable(name, fact));
    }
}

pub(super) fn notes(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    let environment = &cx.snapshot.environment;
    let (Some(path), Some(services)) = (environment.path.value(), environment.service_path.value())
    else {
        return;
    };
    let parts = |text: &str| -> Vec<String> {
        text.split(';')
            .map(|part| expander.normal(part))
            .filter(|part| !part.is_empty())
            .collect()
    };
    let (path, services) = (parts(&path.text), parts(services));
    // A variable that cannot be expanded here may stand for the very same folder.
    let comparable = path.iter().chain(&services).all(|part| !part.contains('%'));
    if comparable && path != services {
        judge.note(
            "running services still have another Path: restart needed before they see this one",
        );
        judge.exhibit("Path of the running services", &environment.service_path);
    }
}

/// Whether the variables in a text are expanded.
fn expands(text: &Text) -> bool {
    match text.kind.as_str() {
        "REG_EXPAND_SZ" => !text.text.trim().is_empty(),
        "REG_SZ" => !text.text.contains('%') && !text.text.trim().is_empty(),
        _ => false,
    }
}

/// Whether the collector saw what a variable names.
fn exists(cx: &Context<'_>, variable: &str) -> Option<bool> {
    let rows = cx.snapshot.environment.elements.value()?;
    let row = rows
        .iter()
        .find(|row| row.variable.eq_ignore_ascii_case(variable))?;
    row.exists
}

/// Whether there is such a drive; the one of Windows is there whatever the lists say.
pub(super) fn drive_exists(cx: &Context<'_>, letter: char) -> Option<bool> {
    let root = cx.snapshot.machine.system_root.value();
    if root.and_then(|root| drive(&plain(root))) == Some(letter) {
        return Some(true);
    }
    cx.snapshot.drives.exists(letter)
}
