//! A check's page for a terminal: the few things of Markdown that our own pages use.

use unicode_width::UnicodeWidthStr;

use super::canvas::{BOLD, Canvas, DIM, PLAIN, wrap};

/// Lays out a page.
pub fn lay_out(canvas: &mut Canvas, page: &str) {
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            for code in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                canvas.verbatim(4, "", code);
            }
        } else if line.trim_start().starts_with('|') {
            let mut table = vec![cells(line)];
            while let Some(row) = lines.next_if(|line| line.trim_start().starts_with('|')) {
                table.push(cells(row));
            }
            lay_out_table(canvas, &table);
        } else if let Some(heading) = line.strip_prefix('#') {
            canvas.blank();
            canvas.paragraph(0, BOLD, &plain(heading.trim_start_matches('#').trim()));
        } else if line.trim().is_empty() {
            canvas.blank();
        } else {
            let (indent, bullet, text) = item(line);
            let mut text = text.to_owned();
            while let Some(more) = lines.next_if(|next| continues(next)) {
                text.push(' ');
                text.push_str(more.trim());
            }
            canvas.own(indent, PLAIN, bullet, PLAIN, &plain(&text));
        }
    }
}

/// Whether a line goes on with the paragraph above it.
fn continues(line: &str) -> bool {
    let text = line.trim_start();
    !(text.is_empty()
        || text.starts_with(['#', '|'])
        || text.starts_with("```")
        || !item(line).1.is_empty())
}

/// The indent of a line, its bullet or number, and its text.
fn item(line: &str) -> (usize, &str, &str) {
    let text = line.trim_start();
    let depth = line.len() - text.len();
    let bullet = match text.split_once(' ') {
        Some(("-" | "*", _)) => 2,
        Some((number, _)) if number.len() <= 3 && number.ends_with('.') => {
            match number.trim_end_matches('.').parse::<u8>() {
                Ok(_) => number.len() + 1,
                Err(_) => 0,
            }
        }
        _ => 0,
    };
    let (marker, _) = line.split_at(depth + bullet);
    (
        depth + bullet,
        marker,
        text.get(bullet..).unwrap_or_default(),
    )
}

/// Text without the marks of emphasis and code.
fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "").replace("\\|", "|")
}

/// The cells of a table's row.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').replace("\\|", "\u{1f}");
    let row = row.strip_suffix('|').unwrap_or(&row);
    row.split('|')
        .map(|cell| plain(cell.trim()).replace('\u{1f}', "|"))
        .collect()
}

/// Columns as wide as they need; where that is too wide, the widest give way.
fn lay_out_table(canvas: &mut Canvas, table: &[Vec<String>]) {
    let rows: Vec<&Vec<String>> = table.iter().filter(|row| !is_rule(row)).collect();
    let columns = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0).max(1)
        })
        .collect();
    let room = canvas.width().saturating_sub(2 * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > 8 => *widest -= 1,
            _ => break,
        }
    }
    for (number, row) in rows.iter().enumerate() {
        lay_out_row(canvas, row, &widths, if number == 0 { DIM } else { PLAIN });
    }
}

fn lay_out_row(canvas: &mut Canvas, row: &[String], widths: &[usize], style: anstyle::Style) {
    let wrapped: Vec<Vec<String>> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrap(cell, *width))
        .collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        let mut text = String::new();
        for (cell, width) in wrapped.iter().zip(widths) {
            let part = cell.get(line).map(String::as_str).unwrap_or_default();
            text.push_str(part);
            let padding = width.saturating_sub(part.width()) + 2;
            text.extend(std::iter::repeat_n(' ', padding));
        }
        canvas.pieces(&[(style, text.trim_end())]);
    }
}

fn is_rule(row: &[String]) -> bool {
    row.iter()
        .all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Look;

    fn laid_out(page: &str) -> String {
        let mut canvas = Canvas::new(Look::terminal(40, false));
        lay_out(&mut canvas, page);
        canvas.finish()
    }

    #[test]
    fn headings_lists_and_paragraphs() {
        let page = "# Title\n\n## What it checks\nOne `value`\nand **another**.\n\n- first item that is long enough to wrap\n  and goes on\n- second\n1. number\n";
        assert_eq!(
            laid_out(page),
            "Title\n\nWhat it checks\nOne value and another.\n\n- first item that is long enough to wrap\n  and goes on\n- second\n1. number\n"
        );
    }

    #[test]
    fn tables_fit_and_code_is_left_alone() {
        let page = "| rule | verdict |\n| --- | --- |\n| `a \\| b` is larger than what anybody would ever expect | critical |\n\n```\n  code  stays\n```\n";
        assert_eq!(
            laid_out(page),
            "rule                            verdict\na | b is larger than what       critical\nanybody would ever expect\n\n      code  stays\n"
        );
    }
}
