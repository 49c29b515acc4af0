//! How much an untrusted hive may make us do.

use super::cells::{Cells, position};
use crate::formats::registry::RegistryError;

/// What an untrusted hive may still make us do: real lists and data cannot exceed the file.
pub(super) struct Budget {
    pub(super) slots: usize,
    pub(super) bytes: usize,
}

impl Budget {
    pub(super) fn of(cells: Cells) -> Self {
        Self {
            slots: cells.data.len() / 4,
            bytes: cells.data.len(),
        }
    }

    /// Takes `amount` from what is `left`, which belongs to the structure at `offset`.
    pub(super) fn take(left: &mut usize, amount: usize, offset: u32) -> Result<(), RegistryError> {
        *left = left.checked_sub(amount).ok_or_else(|| {
            let expected = "no more than the file has room for";
            RegistryError::new(
                position(offset),
                "list",
                expected,
                "the same cells again and again",
            )
        })?;
        Ok(())
    }
}
