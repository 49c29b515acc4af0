//! What a run will do, item by item, before it does anything.

use std::time::Duration;

use snapdiag_bundle::{ITEMS, Item};

use crate::engine::{Task, Work};
use crate::items::{COLLECTORS, Collector, Phase};
use crate::profile::Profile;

/// Every item of the table, in the order in which they are collected.
pub struct RunPlan {
    /// One an item of the bundle's table.
    pub items: Vec<Planned>,
}

/// An item, and whether and how it is collected.
pub struct Planned {
    /// The item.
    pub item: &'static Item,
    /// How, or why not.
    pub way: Result<Way, String>,
}

/// How an item is collected.
pub struct Way {
    /// When.
    pub phase: Phase,
    /// How long it may take.
    pub limit: Duration,
    /// From where and by what, for `--dry-run`.
    pub source: String,
    /// The work itself.
    pub work: Work,
}

/// The most of a run's time that one quick item may take.
const SHARE: u32 = 6;

impl Way {
    fn within(mut self, time: Option<Duration>) -> Self {
        if let (Phase::Quick, Some(time)) = (self.phase, time) {
            self.limit = self.limit.min(time / SHARE);
        }
        self
    }
}

/// What a source of items can do: the running machine, or a mounted disk.
pub trait Source {
    /// How it collects an item, or why it cannot.
    ///
    /// # Errors
    /// The reason, for people.
    fn way(&self, item: &'static Item) -> Result<Way, String>;
}

/// The running machine.
pub struct Live;

impl Source for Live {
    fn way(&self, item: &'static Item) -> Result<Way, String> {
        let collector = collector(item.id).ok_or("this program has no way to collect it")?;
        Ok(Way {
            phase: collector.phase,
            limit: collector.limit,
            source: item.about.to_owned(),
            work: Box::new(collector.collect),
        })
    }
}

fn collector(id: &str) -> Option<&'static Collector> {
    let mut all = COLLECTORS.iter().copied().flatten();
    all.find(|collector| collector.item == id)
}

impl RunPlan {
    /// Plans a run: what the source can do, the profile takes and `only` (ids, or the part of them
    /// before the dot; empty: all) names.
    ///
    /// No quick item may take more than its share of the time for the whole run: where several of
    /// them hang, as on a very sick machine they do, hives and logs still have their turn.
    pub fn new(
        source: &dyn Source,
        profile: Profile,
        only: &[String],
        time: Option<Duration>,
    ) -> Self {
        let mut items: Vec<_> = ITEMS
            .iter()
            .map(|item| Planned {
                item,
                way: wanted(item, profile, only)
                    .and_then(|()| source.way(item))
                    .map(|way| way.within(time)),
            })
            .collect();
        // What is not collected comes first, since its rows are written first.
        items.sort_by_key(|planned| planned.way.as_ref().ok().map(|way| way.phase));
        Self { items }
    }

    /// The ids of what is collected, in that order.
    pub fn ids(&self) -> Vec<String> {
        let taken = self.items.iter().filter(|planned| planned.way.is_ok());
        taken.map(|planned| planned.item.id.to_owned()).collect()
    }

    /// What is to be done, and what is not, with its reason.
    pub fn split(self) -> (Vec<Task>, Vec<(&'static str, String)>) {
        let mut tasks = Vec::new();
        let mut left_out = Vec::new();
        for Planned { item, way } in self.items {
            match way {
                Ok(way) => tasks.push(Task {
                    item: item.id,
                    phase: way.phase,
                    limit: way.limit,
                    work: way.work,
                }),
                Err(reason) => left_out.push((item.id, reason)),
            }
        }
        (tasks, left_out)
    }
}

/// Whether `--only` may name it: an item, or the part of items before the dot.
pub fn is_known(word: &str) -> bool {
    ITEMS.iter().any(|item| names(word, item))
}

fn names(word: &str, item: &Item) -> bool {
    item.id == word || item.id.split('.').next() == Some(word)
}

fn wanted(item: &Item, profile: Profile, only: &[String]) -> Result<(), String> {
    if !only.is_empty() {
        let named = only.iter().any(|word| names(word, item));
        return named
            .then_some(())
            .ok_or("not named with --only".to_owned());
    }
    if profile.takes(item) {
        Ok(())
    } else {
        Err(format!("not in the profile {}", profile.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_collected_in_exactly_one_way() {
        let mut ways: Vec<_> = COLLECTORS
            .iter()
            .copied()
            .flatten()
            .map(|c| c.item)
            .collect();
        let mut items: Vec<_> = ITEMS.iter().map(|item| item.id).collect();
        ways.sort_unstable();
        items.sort_unstable();
        assert_eq!(ways, items);
    }

    #[test]
    fn a_plan_has_every_item_once_and_in_the_order_of_phases() {
        let time = Duration::from_secs(60);
        let plan = RunPlan::new(&Live, Profile::Minimal, &[], Some(time));
        assert_eq!(plan.items.len(), ITEMS.len());
        let phases: Vec<_> = plan
            .items
            .iter()
            .filter_map(|planned| planned.way.as_ref().ok())
            .map(|way| way.phase)
            .collect();
        assert!(phases.is_sorted());
        let quick = |planned: &&Planned| {
            let way = planned.way.as_ref();
            way.is_ok_and(|way| way.phase == Phase::Quick && way.limit > time / SHARE)
        };
        assert!(plan.items.iter().find(quick).is_none());
    }

    #[test]
    fn only_takes_items_and_families() {
        let only = ["registry", "eventlog.system"].map(str::to_owned);
        let plan = RunPlan::new(&Live, Profile::Standard, &only, None);
        for planned in &plan.items {
            let id = planned.item.id;
            let named = id.starts_with("registry.") || id == "eventlog.system";
            assert_eq!(planned.way.is_ok(), named, "{id}");
        }
    }

    #[test]
    fn the_minimal_profile_leaves_logs_out_and_says_so() {
        let plan = RunPlan::new(&Live, Profile::Minimal, &[], None);
        for planned in &plan.items {
            if let Err(reason) = &planned.way {
                assert!(planned.item.id.starts_with("eventlog."));
                assert_eq!(reason, "not in the profile minimal");
            }
        }
        assert!(plan.ids().iter().any(|id| id == "eventlog.security"));
        assert!(plan.ids().iter().all(|id| id != "eventlog.setup"));
    }
}
