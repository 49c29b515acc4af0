//! What verifying gave, for a terminal.

use anstyle::Style;

use super::canvas::{BOLD, Canvas, DIM, Look, PLAIN, style_of};
use crate::checks::verdict::Verdict;
use crate::facts::inventory::ArtifactState;
use crate::inspect::census::Counted;
use crate::inspect::verify::{Hash, Verification, Verified};

/// Renders a verification.
pub fn text(verification: &Verification, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let (verdict, sentence) = if verification.sound {
        (Verdict::Ok, "nothing is wrong with it")
    } else {
        (Verdict::Critical, "something is wrong with it")
    };
    let sentence = format!("{}: {sentence}", verification.source.name);
    canvas.paragraph(0, style_of(verdict), &sentence);
    if let Some(sha256) = &verification.source.sha256 {
        canvas.pieces(&[(DIM, &format!("SHA-256 {sha256}"))]);
    }
    let kind = match (verification.bundle, verification.interrupted) {
        (true, false) => "a bundle of the collector",
        (true, true) => "a bundle that was cut off: its manifest was rebuilt from its journal",
        (false, _) => "no bundle of the collector: there is no manifest to compare with",
    };
    canvas.paragraph(0, PLAIN, kind);
    counts(&mut canvas, verification);
    for note in &verification.notes {
        canvas.hanging(6, DIM, "note", PLAIN, note);
    }
    canvas.blank();
    for artifact in &verification.artifacts {
        file(&mut canvas, artifact);
    }
    items(&mut canvas, verification);
    canvas.finish()
}

fn counts(canvas: &mut Canvas, verification: &Verification) {
    let counts = &verification.counts;
    let parts: Vec<String> = [
        (counts.files, "files"),
        (counts.right, "with the manifest's hash"),
        (counts.without_hash, "without a hash to compare with"),
        (counts.wrong, "with another hash"),
        (counts.missing, "missing"),
        (counts.damaged, "damaged"),
        (counts.unrecognised, "not recognised"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect();
    canvas.paragraph(0, PLAIN, &parts.join(", "));
}

fn file(canvas: &mut Canvas, artifact: &Verified) {
    let style = match artifact.is_wrong() {
        true => style_of(Verdict::Critical),
        false if artifact.state == ArtifactState::Used => PLAIN,
        false => DIM,
    };
    let hash = match artifact.hash {
        Hash::Right => "hash right",
        Hash::Wrong => "HASH WRONG",
        Hash::NotRecorded => "no hash",
        Hash::NotListed => "not listed",
        Hash::Missing => "MISSING",
        Hash::Unreadable => "UNREADABLE",
    };
    let state = match artifact.state {
        ArtifactState::Used => "used",
        ArtifactState::Damaged => "damaged",
        ArtifactState::Unreadable => "unreadable",
        ArtifactState::NotUsed => "not used",
        ArtifactState::Unrecognised => "not recognised",
    };
    let label = format!("{hash:<11} {state:<14} ");
    canvas.hanging(label.len(), style, &label, style, &artifact.path);
    let indent = label.len() + 2;
    for note in &artifact.notes {
        canvas.paragraph(indent, DIM, note);
    }
    if let Some(counted) = &artifact.counted {
        canvas.paragraph(indent, PLAIN, &summary(counted));
        some(
            canvas,
            indent,
            style_of(Verdict::Critical),
            counted.damage(),
        );
    }
}

/// The first few of what may be many.
fn some(canvas: &mut Canvas, indent: usize, style: Style, lines: &[String]) {
    const SHOWN: usize = 10;
    for line in lines.iter().take(SHOWN) {
        canvas.paragraph(indent, style, line);
    }
    let more = lines.len().saturating_sub(SHOWN);
    if more > 0 {
        canvas.paragraph(
            indent,
            style,
            &format!("and {more} more: see --format json"),
        );
    }
}

fn summary(counted: &Counted) -> String {
    match counted {
        Counted::Hive(hive) => {
            // "Clean" is Windows' word for a hive without unfinished writes: it says nothing of
            // damage, and would be read so above it.
            let state = match (hive.dirty, hive.replayed) {
                (false, _) if !hive.damage.is_empty() => "damaged",
                (false, _) => "clean",
                (true, true) => "dirty, replayed",
                (true, false) => "dirty, not replayed",
            };
            format!("{} keys, {} values, {state}", hive.keys, hive.values)
        }
        Counted::Log(log) => {
            let reach = match (log.first, log.last) {
                (Some(first), Some(last)) => format!(", {first} to {last}"),
                _ => String::new(),
            };
            let failed = match log.failed {
                0 => String::new(),
                failed => format!(", {failed} of them could not be decoded"),
            };
            format!("{} records{failed}{reach}", log.records)
        }
        Counted::Other(form) if form.damage.is_empty() => "well formed".to_owned(),
        Counted::Other(_) => "not well formed".to_owned(),
    }
}

fn items(canvas: &mut Canvas, verification: &Verification) {
    if verification.items.is_empty() {
        return;
    }
    canvas.blank();
    canvas.paragraph(0, BOLD, "Items that did not end as ok");
    for item in &verification.items {
        let label = format!("  {:<26} {:<10} ", item.item, item.state.as_str());
        let reason = item.reason.as_deref().unwrap_or_default();
        canvas.hanging(label.len(), PLAIN, &label, DIM, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::census::HiveCount;

    #[test]
    fn nothing_is_called_clean_above_its_damage() {
        let said = |dirty, damage: &[&str]| {
            summary(&Counted::Hive(HiveCount {
                dirty,
                damage: damage.iter().map(|&text| text.to_owned()).collect(),
                ..HiveCount::default()
            }))
        };
        assert!(said(false, &[]).ends_with("clean"));
        assert!(said(false, &["a cell"]).ends_with("damaged"));
        assert!(said(true, &["a cell"]).ends_with("dirty, not replayed"));
    }
}
