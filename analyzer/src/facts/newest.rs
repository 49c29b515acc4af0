//! A bounded list of the newest records.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Keeps the `N` records with the highest record ids.
///
/// What it holds does not depend on the order or grouping in which records arrive. Record ids,
/// not times, tell the order: a clock may be set back.
#[derive(Clone, Debug)]
pub struct Newest<T, const N: usize>(BTreeMap<(u64, Timestamp), T>);

impl<T, const N: usize> Default for Newest<T, N> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T, const N: usize> Newest<T, N> {
    /// Takes in a record, made only when it is among the newest.
    pub fn offer(&mut self, record_id: u64, time: Timestamp, make: impl FnOnce() -> T) {
        let key = (record_id, time);
        let full = self.0.len() >= N;
        if full
            && self
                .0
                .first_key_value()
                .is_none_or(|(oldest, _)| key < *oldest)
        {
            return;
        }
        self.0.entry(key).or_insert_with(make);
        if self.0.len() > N {
            self.0.pop_first();
        }
    }

    /// Takes in another list.
    pub fn merge(&mut self, other: Self) {
        for ((record_id, time), item) in other.0 {
            self.offer(record_id, time, || item);
        }
    }

    /// The records, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.values()
    }

    /// The newest record.
    pub fn newest(&self) -> Option<&T> {
        self.0.values().next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &[u64]) -> Newest<u64, 3> {
        let mut list = Newest::default();
        for id in ids {
            list.offer(*id, Timestamp::UNIX_EPOCH, || *id);
        }
        list
    }

    #[test]
    fn the_newest_stay_whatever_the_order_and_grouping() {
        let ids = |list: &Newest<u64, 3>| list.iter().copied().collect::<Vec<_>>();
        assert_eq!(ids(&of(&[1, 2, 3, 4, 5])), [3, 4, 5]);
        assert_eq!(ids(&of(&[5, 1, 4, 2, 3])), [3, 4, 5]);
        for split in 0..=5 {
            let (left, right) = [1, 2, 3, 4, 5].split_at(split);
            let mut list = of(left);
            list.merge(of(right));
            assert_eq!(ids(&list), [3, 4, 5], "split at {split}");
        }
    }
}
