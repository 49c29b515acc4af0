//! What a verbose text report adds: inputs of the checks, reach of the event logs.

use super::canvas::{BOLD, Canvas, DIM, PLAIN};
use super::coverage::Covered;
use super::model::Report;
use super::words;

/// The coverage table, for those who want everything.
pub(super) fn inputs(canvas: &mut Canvas, report: &Report) {
    canvas.blank();
    canvas.paragraph(0, BOLD, "What the checks had to go by");
    for coverage in &report.coverage {
        let mut parts = Vec::new();
        if !coverage.used.is_empty() {
            parts.push(format!("used {}", coverage.used.join(", ")));
        }
        for missing in &coverage.missing {
            parts.push(format!("{} {}", missing.item, missing.why));
        }
        let style = match coverage.state {
            Covered::Ran => PLAIN,
            Covered::Partial | Covered::CouldNot => DIM,
        };
        let label = format!("{:<24} {}", coverage.id, coverage.state.word());
        canvas.hanging(36, style, &label, style, &parts.join("; "));
    }
}

/// How far each event log reaches.
pub(super) fn horizons(canvas: &mut Canvas, report: &Report) {
    if report.channels.is_empty() {
        return;
    }
    canvas.blank();
    canvas.paragraph(0, BOLD, "How far the event logs reach");
    for channel in &report.channels {
        let reach = match (channel.oldest, channel.newest) {
            (Some(oldest), Some(newest)) => format!(
                ", {} to {}",
                words::time(oldest.time),
                words::time(newest.time)
            ),
            _ => String::new(),
        };
        let text = format!("{}: {} records{reach}", channel.name, channel.records);
        canvas.hanging(4, PLAIN, "  -", PLAIN, &text);
        for damage in &channel.damage {
            canvas.paragraph(4, DIM, damage);
        }
    }
}
