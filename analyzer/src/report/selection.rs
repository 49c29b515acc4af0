//! Which checks run.

use crate::checks::check::Check;
use crate::checks::table::TABLE;

/// Which checks run: all, or those that were selected, less those that were ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    select: Vec<String>,
    ignore: Vec<String>,
}

/// Why a selection was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Neither a check nor a category.
    #[error("'{id}' is neither a check nor a category{}", suggest(*nearest))]
    Unknown {
        /// What was given.
        id: String,
        /// The check or category whose name comes nearest.
        nearest: Option<&'static str>,
    },
    /// Everything that was selected is ignored.
    #[error("no check is left to run")]
    Empty,
}

/// How a message about an unknown name ends.
pub(super) fn suggest(nearest: Option<&'static str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean '{name}'?"),
        None => "; `snapdiag checks` lists them".to_owned(),
    }
}

impl Selection {
    /// The checks that `select` names (none: all of them) without those that `ignore` names. A
    /// name is a check's id or a category.
    ///
    /// # Errors
    /// A name that is neither, or nothing left to run.
    pub fn new(select: &[String], ignore: &[String]) -> Result<Self, SelectionError> {
        for id in select.iter().chain(ignore) {
            if !TABLE.iter().any(|check| is_named(check, id)) {
                return Err(SelectionError::Unknown {
                    id: id.clone(),
                    nearest: nearest(id),
                });
            }
        }
        let selection = Self {
            select: select.to_vec(),
            ignore: ignore.to_vec(),
        };
        if selection.checks().next().is_none() {
            return Err(SelectionError::Empty);
        }
        Ok(selection)
    }

    /// One check only.
    pub fn only(check: &Check) -> Self {
        Self {
            select: vec![check.id.to_owned()],
            ignore: Vec::new(),
        }
    }

    /// The checks to run, in the order of the table.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> + '_ {
        TABLE.iter().filter(|check| {
            (self.select.is_empty() || self.select.iter().any(|id| is_named(check, id)))
                && !self.ignore.iter().any(|id| is_named(check, id))
        })
    }
}

fn is_named(check: &Check, id: &str) -> bool {
    check.id == id || check.category.word() == id
}

/// The check or category that differs from `id` by the fewest edits, at most a third of it.
pub fn nearest(id: &str) -> Option<&'static str> {
    let names = TABLE
        .iter()
        .flat_map(|check| [check.id, check.category.word()]);
    names
        .map(|name| (edits(id, name), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .map(|(_, name)| name)
}

/// The Levenshtein distance of two names, of which the first is cut to a sane length.
pub fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().take(100).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let above = *cell;
            let replaced = diagonal + usize::from(x != y);
            left = replaced.min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(select: &[&str], ignore: &[&str]) -> Result<Vec<&'static str>, SelectionError> {
        let owned = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        Ok(Selection::new(&owned(select), &owned(ignore))?
            .checks()
            .map(|check| check.id)
            .collect())
    }

    #[test]
    fn ids_and_categories_select_in_table_order() {
        assert_eq!(ids(&[], &[]).unwrap().len(), TABLE.len());
        assert_eq!(
            ids(&["gateway", "os-status"], &[]).unwrap(),
            ["os-status", "gateway"]
        );
        assert_eq!(
            ids(&["network"], &["gateway", "mac-address"]).unwrap(),
            ["port-exhaustion", "tcp-wait-states", "intranet-dns"]
        );
        assert_eq!(ids(&["gateway"], &["network"]), Err(SelectionError::Empty));
    }

    #[test]
    fn a_typing_error_is_refused_with_the_nearest_name() {
        let error = |id: &str| ids(&[id], &[]).unwrap_err().to_string();
        assert!(error("rdp-prot").contains("did you mean 'rdp-port'?"));
        assert!(error("completely-else").contains("snapdiag checks"));
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("same", "same"), 0);
    }
}
