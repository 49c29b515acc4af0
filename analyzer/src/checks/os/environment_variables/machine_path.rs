//! Rules about the machine's `Path`.

use super::expand::Expander;
use super::path::{Element, NEEDED, PathList};
use super::{LONG, TOO_LONG, remedies};
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;

/// How many elements are named in a sentence.
const NAMED: usize = 4;

pub(super) fn critical(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    let path = &cx.snapshot.environment.path;
    let text = path.value();
    let kind = text.map_or("", |text| text.kind.as_str());
    let is_text = matches!(kind, "REG_SZ" | "REG_EXPAND_SZ");
    let usable = text.filter(|text| is_text && !text.text.trim().is_empty());
    let rule = judge.rule(
        Verdict::Critical,
        "path-missing",
        format!(
            "Path is there, is a text and is not empty: {}",
            usable.is_some()
        ),
        path.is_settled().then_some(usable.is_none()),
    );
    if let Some(problem) = rule {
        let headline = match text {
            None => "the machine has no Path: no program is found by its name".to_owned(),
            Some(_) if !is_text => format!("Path has the type {kind}, which is no text"),
            Some(_) => "Path is empty: no program is found by its name".to_owned(),
        };
        problem
            .headline(headline)
            .evidence_expected("Path", NEEDED.map(|(_, raw)| raw).join(";"), path)
            .remedy(remedies::path(path));
    }
    let not_expanded = kind == "REG_SZ" && text.is_some_and(|text| text.text.contains('%'));
    let rule = judge.rule(
        Verdict::Critical,
        "path-not-expanded",
        format!("Path is REG_SZ and holds %: {not_expanded}"),
        path.is_settled().then_some(not_expanded),
    );
    if let Some(problem) = rule {
        problem
            .headline("Path has the type REG_SZ, so its variables are not expanded and its folders not found")
            .evidence_expected("Path, REG_SZ", "REG_EXPAND_SZ", path)
            .remedy(remedies::path(path));
    }
    let list = usable.map(|text| PathList::parse(&text.text, expander));
    let system32 = list
        .as_ref()
        .map(|list| list.position(&expander.below_root("system32")).is_some());
    // Without the folder of Windows a literal C:\Windows\system32 may be the right one.
    let undecided = !expander.root_known
        && list.as_ref().is_some_and(|list| {
            let mut elements = list.elements.iter();
            elements.any(|element| element.normal.ends_with("\\system32"))
        });
    let rule = judge.rule(
        Verdict::Critical,
        "system32-missing",
        format!(
            "Path holds {}: {}",
            expander.below_root("system32"),
            words::answer(system32)
        ),
        match system32 {
            Some(false) if undecided => None,
            found => found.map(|found| !found),
        },
    );
    if let Some(problem) = rule {
        problem
            .headline(
                "Path lacks the system32 folder: commands like ipconfig and netstat are not found",
            )
            .evidence_expected("Path", "%SystemRoot%\\system32 first", path)
            .remedy(remedies::path(path));
    }
    let (length, limit) = (list.as_ref().map(|list| list.length), cx.limit(&TOO_LONG));
    let rule = judge.rule(
        Verdict::Critical,
        "path-too-long",
        format!(
            "characters in Path: {}, critical above {limit}",
            words::value(length)
        ),
        length.map(|length| exceeds(length, limit)),
    );
    if let Some(problem) = rule {
        problem
            .headline(format!(
                "Path has {} characters, more than {limit}",
                length.unwrap_or(0)
            ))
            .confidence(Confidence::Medium)
            .evidence_expected("Path", format!("at most {limit} characters"), path)
            .remedy(remedies::shorten(path));
    }
}

pub(super) fn warning(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>) {
    let path = &cx.snapshot.environment.path;
    let text = path.value().filter(|text| !text.text.trim().is_empty());
    let Some(text) = text else { return };
    let list = PathList::parse(&text.text, expander);
    let limit = cx.limit(&LONG);
    let long = exceeds(list.length, limit) && !exceeds(list.length, cx.limit(&TOO_LONG));
    let rule = judge.rule(
        Verdict::Warning,
        "path-long",
        format!("Path has {} characters, warning above {limit}", list.length),
        Some(long),
    );
    if let Some(problem) = rule {
        problem
            .headline(format!(
                "Path has {} characters, more than {limit}",
                list.length
            ))
            .because("the dialog of Windows and setx cut or refuse it when somebody edits it")
            .evidence_expected("Path", format!("at most {limit} characters"), path)
            .remedy(remedies::shorten(path));
    }
    folders_missing(judge, cx, expander, &list);
    order(judge, cx, expander, &list);
    shape(judge, cx, expander, &list);
    not_there(judge, cx, &list);
}

fn folders_missing(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>, list: &PathList) {
    let path = &cx.snapshot.environment.path;
    let missing: Vec<&str> = NEEDED
        .iter()
        .skip(1)
        .filter(|(below, _)| list.position(&expander.below_root(below)).is_none())
        .map(|(_, raw)| *raw)
        .collect();
    // A literal path cannot be compared without the folder of Windows.
    let literal = list
        .elements
        .iter()
        .any(|element| element.drive().is_some());
    let holds = match missing.is_empty() {
        false if !expander.root_known && literal => None,
        empty => Some(!empty),
    };
    let rule = judge.rule(
        Verdict::Warning,
        "folders-missing",
        format!(
            "of the folders that Windows needs, missing in Path: {}",
            words::list(&missing)
        ),
        holds,
    );
    if let Some(problem) = rule {
        problem
            .headline(format!("Path lacks {}", missing.join(", ")))
            .evidence_expected("Path", NEEDED.map(|(_, raw)| raw).join(";"), path)
            .remedy(remedies::path(path));
    }
}

fn order(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>, list: &PathList) {
    let path = &cx.snapshot.environment.path;
    let foreign = list.before_system32(expander);
    let rule = judge.rule(
        Verdict::Warning,
        "foreign-first",
        format!("{} foreign folders before system32", foreign.len()),
        Some(!foreign.is_empty()),
    );
    if let Some(problem) = rule {
        problem
            .headline(format!(
                "folders stand before system32 in Path: {}",
                names(&foreign)
            ))
            .because(
                "a program of the same name in them is started instead of the one of Windows; \
                 where users may write to them, any user can put one there. Some development \
                 tools do this on purpose",
            )
            .evidence_expected("Path", "the folders of Windows first", path)
            .remedy(remedies::path(path));
    }
}

/// Elements that no directory can be.
fn shape(judge: &mut Judge, cx: &Context<'_>, expander: &Expander<'_>, list: &PathList) {
    let path = &cx.snapshot.environment.path;
    let of = |wanted: &dyn Fn(&Element) -> bool| -> Vec<&Element> {
        list.elements
            .iter()
            .filter(|element| wanted(element))
            .collect()
    };
    let unc = of(&Element::is_unc);
    let relative = of(&Element::is_relative);
    let undefined = of(&|element| expander.undefined(&element.raw).is_some());
    let rules = [
        (
            "empty-element",
            list.gap,
            "Path has an empty element, which some programs take for the current folder".to_owned(),
        ),
        (
            "open-quote",
            list.open_quote,
            "Path has a quote without its pair: the folders behind it may not be found".to_owned(),
        ),
        (
            "network-folder",
            !unc.is_empty(),
            format!("Path has folders of other computers: {}", names(&unc)),
        ),
        (
            "relative-folder",
            !relative.is_empty(),
            format!(
                "Path has folders that depend on the current one: {}",
                names(&relative)
            ),
        ),
        (
            "undefined-variable",
            !undefined.is_empty(),
            format!(
                "Path uses variables that are not defined: {}",
                names(&undefined)
            ),
        ),
    ];
    for (name, holds, headline) in rules {
        let rule = judge.rule(
            Verdict::Warning,
            name,
            format!("{name}: {holds}"),
            Some(holds),
        );
        if let Some(problem) = rule {
            problem
                .headline(headline)
                .evidence("Path", path)
                .remedy(remedies::edit(path));
        }
    }
}

/// Elements that are not on the disk, by the collector's look or by their drive.
fn not_there(judge: &mut Judge, cx: &Context<'_>, list: &PathList) {
    let environment = &cx.snapshot.environment;
    let looked = environment.elements.value();
    let rows = looked.into_iter().flatten();
    let gone: Vec<_> = rows
        .filter(|row| row.variable.eq_ignore_ascii_case("Path") && row.exists == Some(false))
        .collect();
    let no_drive: Vec<&Element> = list
        .elements
        .iter()
        .filter(|element| {
            let drive = element.drive();
            drive.and_then(|letter| super::others::drive_exists(cx, letter)) == Some(false)
        })
        .collect();
    let known = looked.is_some() || !no_drive.is_empty();
    let rule = judge.rule(
        Verdict::Warning,
        "folder-not-there",
        format!(
            "{} folders not there, {} on drives that are not there",
            gone.len(),
            no_drive.len()
        ),
        known.then_some(!gone.is_empty() || !no_drive.is_empty()),
    );
    if let Some(problem) = rule {
        let mut missing: Vec<&str> = gone.iter().map(|row| row.raw.as_str()).collect();
        missing.extend(no_drive.iter().map(|element| element.raw.as_str()));
        missing.dedup();
        let shown: Vec<&str> = missing.into_iter().take(NAMED).collect();
        problem
            .headline(format!(
                "Path names folders that do not exist: {}",
                shown.join(", ")
            ))
            .evidence("Path", &environment.path)
            .remedy(remedies::edit(&environment.path));
        for row in gone.iter().take(NAMED) {
            let says = format!("{} does not exist", row.raw);
            problem.exhibits(says, std::slice::from_ref(&row.evidence));
        }
    }
}

fn names(elements: &[&Element]) -> String {
    let shown: Vec<&str> = elements
        .iter()
        .take(NAMED)
        .map(|element| element.raw.as_str())
        .collect();
    match elements.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn exceeds(length: usize, limit: f64) -> bool {
    u32::try_from(length).map_or(f64::MAX, f64::from) > limit
}
