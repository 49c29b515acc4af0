//! The report for a ticket: Markdown that no guest string can break out of.

use std::fmt::{self, Write as _};

use super::model::{Finding, Report};
use super::{causes, sanitize, words};
use crate::checks::check::Exhibit;
use crate::checks::remedy::{Command, Remedy, Shell, Step};
use crate::checks::verdict::Verdict;

/// Renders a report.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, report);
    text
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "# {}\n", escape(&words::machine(report)))?;
    writeln!(out, "{}\n", escape(&words::origin(report)))?;
    let summary = &report.summary;
    writeln!(
        out,
        "**{}: {}**\n\n{}\n",
        summary.worst.word(),
        escape(&summary.headline),
        escape(&summary.counts.words())
    )?;
    for remark in words::remarks(report) {
        writeln!(out, "- {}", escape(&remark))?;
    }
    facts(out, report, true)?;
    for finding in report.problems() {
        problem(out, report, finding)?;
    }
    facts(out, report, false)?;
    unknowns(out, report)?;
    suppressed(out, report)?;
    for (verdict, title) in [
        (Verdict::Ok, "Healthy"),
        (Verdict::NotApplicable, "Not applicable here"),
    ] {
        list(out, report, verdict, title)?;
    }
    writeln!(out, "\n## What a snapshot cannot see\n")?;
    for limit in &report.limits {
        writeln!(out, "- {}", escape(limit))?;
    }
    Ok(())
}

fn problem(out: &mut String, report: &Report, finding: &Finding) -> fmt::Result {
    writeln!(
        out,
        "\n## {}: `{}` ({})\n\n**{}** ({} confidence)\n",
        finding.verdict.word(),
        finding.id,
        escape(&finding.title),
        escape(&finding.headline),
        finding.confidence.word(),
    )?;
    for reason in &finding.reasons {
        writeln!(out, "- {}", escape(reason))?;
    }
    for note in &finding.notes {
        writeln!(out, "- Note: {}", escape(note))?;
    }
    for line in causes::lines(report, finding) {
        write_cause(out, &line)?;
    }
    let mut evidence: Vec<&Exhibit> = finding.evidence.iter().collect();
    for exhibit in report
        .causes_in(&finding.id)
        .flat_map(|cause| &cause.evidence)
    {
        if !evidence
            .iter()
            .any(|known| known.evidence == exhibit.evidence)
        {
            evidence.push(exhibit);
        }
    }
    write_evidence(out, &evidence)?;
    for remedy in &finding.remedies {
        write_remedy(out, remedy)?;
    }
    Ok(())
}

/// The causes that are no findings of their own: those of problems, or the others.
fn facts(out: &mut String, report: &Report, of_problems: bool) -> fmt::Result {
    for (fact, cause) in report.facts(of_problems) {
        writeln!(out, "\n## cause: {}\n", escape(fact))?;
        write_cause(out, &causes::line(cause))?;
        let evidence: Vec<&Exhibit> = cause.evidence.iter().collect();
        write_evidence(out, &evidence)?;
    }
    Ok(())
}

/// "Explains `rdp-port`: why".
fn write_cause(out: &mut String, line: &causes::Line) -> fmt::Result {
    let checks: Vec<String> = line.checks.iter().map(|id| format!("`{id}`")).collect();
    let parts = [checks.join(", "), escape(&line.text)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    writeln!(out, "- {} {}", line.label, parts.join(": "))
}

fn write_evidence(out: &mut String, evidence: &[&Exhibit]) -> fmt::Result {
    if !evidence.is_empty() {
        writeln!(out, "\n| evidence | expected | where | when |")?;
        writeln!(out, "| --- | --- | --- | --- |")?;
    }
    for exhibit in evidence {
        let doubt = exhibit.evidence.doubt.as_deref().unwrap_or_default();
        let mut says = exhibit.says.clone();
        if let Some(raw) = words::raw_beside(exhibit) {
            write!(says, " = {raw}")?;
        }
        if !doubt.is_empty() {
            write!(says, " (doubtful: {doubt})")?;
        }
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            escape(&says),
            escape(exhibit.expected.as_deref().unwrap_or_default()),
            code(&exhibit.evidence.locator.to_string()),
            exhibit.evidence.time.map(words::time).unwrap_or_default(),
        )?;
    }
    Ok(())
}

fn write_remedy(out: &mut String, remedy: &Remedy) -> fmt::Result {
    writeln!(
        out,
        "\n### Fix: {} ({})\n",
        escape(&remedy.title),
        words::safety(remedy)
    )?;
    if !remedy.caution.is_empty() {
        writeln!(out, "{}\n", escape(&remedy.caution))?;
    }
    write_steps(out, &remedy.steps)?;
    for (title, steps) in [("Undo", &remedy.undo), ("Verify", &remedy.verify)] {
        if !steps.is_empty() {
            writeln!(out, "\n{title}:\n")?;
            write_steps(out, steps)?;
        }
    }
    Ok(())
}

fn write_steps(out: &mut String, steps: &[Step]) -> fmt::Result {
    for (number, step) in (1..).zip(steps) {
        writeln!(out, "{number}. {}", escape(&step.text))?;
        if let Some(command) = &step.command {
            write_command(out, command, &" ".repeat(format!("{number}. ").len()))?;
        }
    }
    Ok(())
}

/// A fence that is longer than any run of backticks inside.
fn write_command(out: &mut String, command: &Command, indent: &str) -> fmt::Result {
    let lines: Vec<String> = sanitize::lines(&command.text).collect();
    let longest = lines.iter().map(|line| backticks(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let language = match command.shell {
        Shell::Powershell => "powershell",
        Shell::Cmd => "bat",
    };
    writeln!(out, "\n{indent}{fence}{language}")?;
    for line in lines {
        writeln!(out, "{indent}{line}")?;
    }
    writeln!(out, "{indent}{fence}")
}

fn unknowns(out: &mut String, report: &Report) -> fmt::Result {
    if report.summary.counts.unknown == 0 {
        return Ok(());
    }
    writeln!(out, "\n## Not decided\n")?;
    writeln!(
        out,
        "| check | why | to settle it, collect |\n| --- | --- | --- |"
    )?;
    for finding in report.with_verdict(Verdict::Unknown) {
        writeln!(
            out,
            "| `{}` | {} | {} |",
            finding.id,
            escape(&finding.headline),
            escape(&finding.missing.join("; ")),
        )?;
    }
    Ok(())
}

fn suppressed(out: &mut String, report: &Report) -> fmt::Result {
    if report.summary.counts.suppressed == 0 {
        return Ok(());
    }
    writeln!(out, "\n## Suppressed\n")?;
    for (finding, suppressed) in report.suppressed() {
        writeln!(
            out,
            "- {}: `{}`: {}; {}",
            finding.verdict.word(),
            finding.id,
            escape(&finding.headline),
            escape(&words::suppressed(suppressed)),
        )?;
    }
    Ok(())
}

fn list(out: &mut String, report: &Report, verdict: Verdict, title: &str) -> fmt::Result {
    if report.with_verdict(verdict).next().is_none() {
        return Ok(());
    }
    writeln!(out, "\n## {title}\n")?;
    for finding in report.with_verdict(verdict) {
        writeln!(out, "- `{}`: {}", finding.id, escape(&finding.headline))?;
        for note in &finding.notes {
            writeln!(out, "  - {}", escape(note))?;
        }
    }
    Ok(())
}

/// A guest string as text in a line of Markdown or a cell of a table: no markup, no HTML, no
/// link. Always used behind something else in its line, so that what only acts at the start of a
/// line (headings, lists, quotes) cannot.
pub(super) fn escape(text: &str) -> String {
    let text = sanitize::line(text);
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.trim().chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                escaped.extend(['\\', c]);
            }
            c => escaped.push(c),
        }
    }
    // Bare addresses become links in most dialects; an escaped sign ends that.
    escaped
        .replace("://", "\\://")
        .replace("www.", "www\\.")
        .replace("WWW.", "WWW\\.")
        .replace('@', "\\@")
}

/// A guest string as code in a line or a cell.
fn code(text: &str) -> String {
    let text = sanitize::line(text).replace('|', "\\|");
    let fence = "`".repeat(backticks(&text) + 1);
    if text.contains('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// The longest run of backticks.
fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_strings_stay_text() {
        assert_eq!(
            escape("a|b `c` <img src=x>"),
            "a\\|b \\`c\\` &lt;img src=x&gt;"
        );
        assert_eq!(escape("x\n# heading\n- item"), "x \\# heading - item");
        assert_eq!(escape("[text](javascript:1)"), "\\[text\\](javascript:1)");
        assert_eq!(escape("https://evil.example"), "https\\://evil.example");
        assert_eq!(escape("&lt;script&gt;"), "&amp;lt;script&amp;gt;");
    }

    #[test]
    fn code_spans_cannot_be_closed_from_inside() {
        assert_eq!(code("reg:A"), "`reg:A`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a``` | b"), "```` a``` \\| b ````");
    }

    #[test]
    fn a_command_cannot_close_its_fence() {
        let command = Command {
            shell: Shell::Cmd,
            text: "echo ```\n````".to_owned(),
        };
        let mut out = String::new();
        write_command(&mut out, &command, "   ").unwrap();
        assert_eq!(out, "\n   `````bat\n   echo ```\n   ````\n   `````\n");
    }
}
