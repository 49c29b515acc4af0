//! Bounded tables whose content does not depend on the order in which it was gathered.

use std::collections::BTreeMap;

/// What two accumulated values become when they meet. Must be associative.
pub(super) trait Join: Default {
    fn join(&mut self, other: Self);
}

/// A table that keeps the `CAP` entries with the largest keys; keys start with a time, so these
/// are the newest.
///
/// What is kept is exact, whatever the grouping: an entry that belongs to the `CAP` largest of
/// the whole belongs to the `CAP` largest of every part that holds it, so no part drops it. And a
/// part overflows, or the merge does, exactly when the whole has more than `CAP` keys.
#[derive(Clone, Debug)]
pub(super) struct Newest<K, V, const CAP: usize> {
    entries: BTreeMap<K, V>,
    overflowed: bool,
}

impl<K, V, const CAP: usize> Default for Newest<K, V, CAP> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            overflowed: false,
        }
    }
}

impl<K: Ord, V: Join, const CAP: usize> Newest<K, V, CAP> {
    /// Joins `value` to the entry of `key`.
    pub(super) fn add(&mut self, key: K, value: V) {
        if let Some(known) = self.entries.get_mut(&key) {
            known.join(value);
            return;
        }
        if self.entries.len() >= CAP {
            self.overflowed = true;
            if self
                .entries
                .first_key_value()
                .is_none_or(|(oldest, _)| key < *oldest)
            {
                return;
            }
            self.entries.pop_first();
        }
        self.entries.insert(key, value);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.overflowed |= other.overflowed;
        for (key, value) in other.entries {
            self.add(key, value);
        }
    }

    /// The entries, oldest first.
    pub(super) fn entries(&self) -> &BTreeMap<K, V> {
        &self.entries
    }

    /// The oldest key that is kept, when older ones were dropped: entries of its minute or hour
    /// may be missing, those of later ones are complete.
    pub(super) fn dropped_before(&self) -> Option<&K> {
        self.entries
            .first_key_value()
            .filter(|_| self.overflowed)
            .map(|(key, _)| key)
    }
}

/// One name, or the knowledge that there were several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum One {
    #[default]
    None,
    Only(Box<str>),
    Several,
}

impl One {
    pub(super) fn of(name: Option<&str>) -> Self {
        name.map_or(Self::None, |name| Self::Only(name.into()))
    }
}

impl Join for One {
    fn join(&mut self, other: Self) {
        match (&*self, other) {
            (_, Self::None) | (Self::Several, _) => {}
            (Self::Only(known), Self::Only(name)) if *known == name => {}
            (Self::None, other) => *self = other,
            (Self::Only(_), _) => *self = Self::Several,
        }
    }
}

impl Join for u64 {
    fn join(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Table = Newest<u32, u64, 4>;

    fn fold(keys: &[u32]) -> Table {
        let mut table = Table::default();
        for key in keys {
            table.add(*key, 1);
        }
        table
    }

    #[test]
    fn any_grouping_and_any_order_keeps_the_same() {
        let keys = [7, 3, 9, 3, 1, 9, 12, 7, 2, 9, 5, 12, 1];
        let whole = fold(&keys);
        assert_eq!(
            whole.entries().clone().into_iter().collect::<Vec<_>>(),
            [(5, 1), (7, 2), (9, 3), (12, 2)]
        );
        for cut in 0..=keys.len() {
            for second in cut..=keys.len() {
                let mut merged = fold(&keys[second..]);
                let mut head = fold(&keys[..cut]);
                head.merge(fold(&keys[cut..second]));
                merged.merge(head);
                assert_eq!(merged.entries(), whole.entries(), "cut at {cut}, {second}");
                assert_eq!(merged.dropped_before(), Some(&5));
            }
        }
    }

    #[test]
    fn a_table_that_is_just_full_has_dropped_nothing() {
        assert_eq!(fold(&[1, 2, 3, 4, 1]).dropped_before(), None);
        assert_eq!(fold(&[1, 2, 3, 4, 5]).dropped_before(), Some(&2));
        // An older key than all that are kept is dropped at once, and that shows.
        assert_eq!(fold(&[2, 3, 4, 5, 1]).dropped_before(), Some(&2));
    }

    #[test]
    fn one_name_stays_one_until_another_comes() {
        let join = |a: One, b: One| {
            let mut a = a;
            a.join(b);
            a
        };
        let (x, y) = (One::of(Some("x")), One::of(Some("y")));
        assert_eq!(join(One::None, x.clone()), x);
        assert_eq!(join(x.clone(), One::None), x);
        assert_eq!(join(x.clone(), x.clone()), x);
        assert_eq!(join(x.clone(), y), One::Several);
        assert_eq!(join(One::Several, x), One::Several);
    }
}
