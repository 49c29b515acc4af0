//! Opening: hives and logs of an intake, and with them the time of capture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use snapdiag_bundle::{ItemRow, items};

use super::counter_log::{self, CounterLog};
use super::hives::{self, Candidate, HiveKind};
use super::intake::{self, Intake, Recognised};
use super::located::{items_of, stand_in};
use super::logs::{self, Logs, Owner};
use super::registry::{Hive, Missing, Opened};
use super::unreadable::Unreadable;
use super::{OpenError, Options, Sources, time};
use crate::facts::inventory::{Artifact, ArtifactState, Channel, Inventory, Kind};
use crate::formats::hive::reg_text::RegText;

impl Sources {
    /// Opens a bundle (zip or folder), a folder or zip of Windows artifacts in any layout, or a
    /// single hive, event log, registry text or netstat output.
    ///
    /// # Errors
    /// When the path cannot be read, or nothing in it is recognised.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let intake = intake::open(path)?;
        Ok(Opening::new(intake).finish(options))
    }
}

/// A snapshot on the way from intake to sources.
struct Opening {
    intake: Intake,
    artifacts: BTreeMap<String, Artifact>,
    items: BTreeMap<&'static str, Result<String, Missing>>,
    notes: Vec<String>,
}

impl Opening {
    fn new(mut intake: Intake) -> Self {
        let notes = std::mem::take(&mut intake.notes);
        let artifacts = intake
            .files
            .iter()
            .map(|file| (file.name.clone(), first_state(file)))
            .collect();
        let mut items = items_of(&intake);
        stand_in(&intake, &mut items);
        let mut opening = Self {
            intake,
            artifacts,
            items,
            notes,
        };
        opening.set_aside_second_texts();
        opening
    }

    /// Of several outputs of one program the first by name is taken: which one is newer, nothing
    /// in them tells. The collector's own record comes before any.
    fn set_aside_second_texts(&mut self) {
        let second: Vec<(String, String)> = self
            .intake
            .files
            .iter()
            .filter(|file| matches!(file.kind, Kind::Text | Kind::CounterLog))
            .filter(|file| file.aside.is_none())
            .filter_map(|file| match self.items.get(file.item?) {
                Some(Ok(taken)) if *taken != file.name => Some((file.name.clone(), taken.clone())),
                _ => None,
            })
            .collect();
        for (name, taken) in second {
            let why = format!("not used: {taken} is the same kind of output, and comes first");
            self.settle(&name, ArtifactState::NotUsed, vec![why]);
        }
    }

    fn finish(mut self, options: &Options) -> Sources {
        let mut hives = self.hives();
        let system = self.hive("SYSTEM", HiveKind::System, &mut hives);
        let software = self.hive("SOFTWARE", HiveKind::Software, &mut hives);
        let bcd = self.hive("BCD", HiveKind::Bcd, &mut hives);
        let computer = system
            .control_set()
            .text("Control\\ComputerName\\ComputerName", "ComputerName");
        let counter_log = self.counter_log();
        let logs = self.logs(computer.value().map(|name| name.text.as_str()));
        let manifest = self.intake.container.0.manifest();
        let capture = time::capture(manifest, &system, &software, &logs.channels, options);
        let (items, missing) = self.whereabouts(&logs.channels);
        let inventory = Inventory {
            artifacts: self.artifacts.into_values().collect(),
            channels: logs.channels,
            items,
            missing,
            notes: self.notes,
        };
        Sources {
            container: Some(self.intake.container),
            items: self.items,
            capture,
            inventory,
            system,
            software,
            bcd,
            events: logs.events,
            counter_log,
            unreadable: Unreadable::default(),
            cloud: options.cloud,
        }
    }

    /// Opens every hive that is not set aside. In a bundle only the hives of the item table.
    fn hives(&mut self) -> BTreeMap<HiveKind, Vec<Candidate>> {
        let mut hives: BTreeMap<HiveKind, Vec<Candidate>> = BTreeMap::new();
        let names: Vec<String> = self
            .intake
            .files
            .iter()
            .filter(|file| file.kind == Kind::Hive && file.aside.is_none())
            .map(|file| file.name.clone())
            .collect();
        for name in names {
            match hives::open(&self.intake.container, &name) {
                Ok(candidate) => {
                    self.settle(&name, candidate.state, candidate.notes.clone());
                    self.note(&name, candidate.kind.describe().to_owned());
                    hives.entry(candidate.kind).or_default().push(candidate);
                }
                Err(why) => self.settle(&name, ArtifactState::Unreadable, vec![why]),
            }
        }
        for (kind, candidates) in &hives {
            if kind.item().is_none() {
                for candidate in candidates {
                    self.settle(&candidate.artifact, ArtifactState::NotUsed, Vec::new());
                }
            }
        }
        hives
    }

    /// The hive to ask: a hive file, else registry text that holds it.
    fn hive(
        &mut self,
        name: &'static str,
        kind: HiveKind,
        hives: &mut BTreeMap<HiveKind, Vec<Candidate>>,
    ) -> Hive {
        let item = kind.item().unwrap_or_default();
        if let Some((chosen, others)) = hives::choose(hives.remove(&kind).unwrap_or_default()) {
            for other in others {
                let why = format!("not used: {} was written later", chosen.artifact);
                self.settle(&other, ArtifactState::NotUsed, vec![why]);
            }
            if let Some(artifact) = self.artifacts.get_mut(&chosen.artifact) {
                artifact.item = Some(item.to_owned());
            }
            self.items.insert(item, Ok(chosen.artifact.clone()));
            return Hive::new(name, Ok(chosen.into_opened()));
        }
        if let Some(opened) = self.registry_text(name) {
            self.items.insert(item, Ok(opened.artifact.clone()));
            return Hive::new(name, Ok(opened));
        }
        let missing = match self.items.get(item) {
            Some(Err(missing)) => missing.clone(),
            Some(Ok(artifact)) => Missing::Unreadable(self.why(artifact)),
            None => hives::not_found(name),
        };
        Hive::new(name, Err(missing))
    }

    fn registry_text(&mut self, hive: &str) -> Option<Opened> {
        let texts: Vec<String> = self
            .intake
            .files
            .iter()
            .filter(|file| file.kind == Kind::RegText && file.aside.is_none())
            .map(|file| file.name.clone())
            .collect();
        texts.into_iter().find_map(|name| {
            let bytes = match self.intake.container.read_checked(&name, super::LARGEST) {
                Ok(bytes) => bytes,
                Err(problem) => {
                    self.settle(&name, ArtifactState::Unreadable, vec![problem.why]);
                    return None;
                }
            };
            let text = match RegText::parse(&bytes, encoding_rs::WINDOWS_1252) {
                Ok(text) => text,
                Err(error) => {
                    self.settle(&name, ArtifactState::Unreadable, vec![error.to_string()]);
                    return None;
                }
            };
            let unreadable = text.unreadable_lines();
            let view = text.hive(hive)?;
            let doubt = (unreadable > 0)
                .then(|| format!("{unreadable} lines of {name} could not be understood"));
            let state = match doubt {
                Some(_) => ArtifactState::Damaged,
                None => ArtifactState::Used,
            };
            self.settle(&name, state, doubt.clone().into_iter().collect());
            Some(Opened {
                artifact: name,
                view: Box::new(view),
                doubt,
            })
        })
    }

    /// The counter log that stands in for the collector's record, where one does.
    fn counter_log(&mut self) -> Option<CounterLog> {
        let Some(Ok(name)) = self.items.get(counter_log::ITEM) else {
            return None;
        };
        let name = name.clone();
        self.artifacts
            .get(&name)
            .filter(|artifact| artifact.kind == Kind::CounterLog)?;
        match CounterLog::read(&self.intake.container, &name) {
            Ok(log) => {
                let damage = log.damage();
                if !damage.is_empty() {
                    self.settle(&name, ArtifactState::Damaged, damage);
                }
                Some(log)
            }
            Err(why) => {
                let missing = Missing::Unreadable(format!("{name}: {why}"));
                self.items.insert(counter_log::ITEM, Err(missing));
                self.settle(&name, ArtifactState::Unreadable, vec![why]);
                None
            }
        }
    }

    fn logs(&mut self, computer: Option<&str>) -> Logs {
        let rows = self.rows_of_logs();
        let names: Vec<(String, u64)> = self
            .intake
            .files
            .iter()
            .filter(|file| file.kind == Kind::EventLog && file.aside.is_none())
            .filter(|file| !self.is_refused(file))
            .map(|file| (file.name.clone(), file.size))
            .collect();
        let owner = Owner {
            computer,
            is_bundle: self.intake.container.0.is_bundle(),
        };
        let mut logs = logs::read(&self.intake.container, &names, owner, &rows);
        self.notes.append(&mut logs.notes);
        let used: BTreeSet<&str> = logs
            .channels
            .iter()
            .map(|channel| channel.artifact.as_str())
            .collect();
        for name in used {
            self.settle(name, ArtifactState::Used, Vec::new());
        }
        for channel in &logs.channels {
            if !channel.damage.is_empty() {
                let damage = channel.damage.clone();
                self.settle(&channel.artifact, ArtifactState::Damaged, damage);
            }
        }
        for (name, why) in std::mem::take(&mut logs.aside) {
            self.settle(
                &name,
                ArtifactState::NotUsed,
                vec![format!("not used: {why}")],
            );
        }
        for (name, why) in std::mem::take(&mut logs.unreadable) {
            if let Some(item) = items::by_entry(&name) {
                let missing = Missing::Unreadable(why.clone());
                self.items.insert(item.id, Err(missing));
            }
            self.settle(&name, ArtifactState::Unreadable, vec![why]);
        }
        logs
    }

    /// A file of an item whose row says that nothing was collected is not evidence.
    fn is_refused(&self, file: &Recognised) -> bool {
        file.item
            .is_some_and(|item| matches!(self.items.get(item), Some(Err(_))))
    }

    fn rows_of_logs(&self) -> BTreeMap<String, ItemRow> {
        let bundle = &self.intake.container.0;
        bundle
            .manifest()
            .into_iter()
            .flat_map(|manifest| &manifest.items)
            .filter_map(|row| {
                let entry = bundle.entry(&row.artifacts.first()?.name)?;
                Some((entry.name().to_owned(), row.clone()))
            })
            .collect()
    }

    /// Where each item is, and why others are missing, for the coverage table.
    fn whereabouts(
        &self,
        channels: &[Channel],
    ) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let mut found = BTreeMap::new();
        let mut missing = BTreeMap::new();
        for (item, source) in &self.items {
            match source {
                Ok(artifact) => found.insert((*item).to_owned(), artifact.clone()),
                Err(why) => missing.insert((*item).to_owned(), why.to_string()),
            };
        }
        for item in items::ITEMS {
            let items::Content::EventLog(name) = item.content else {
                continue;
            };
            let channel = channels
                .iter()
                .find(|channel| channel.name.eq_ignore_ascii_case(name));
            if let Some(channel) = channel {
                found.insert(item.id.to_owned(), channel.artifact.clone());
                missing.remove(item.id);
            }
        }
        (found, missing)
    }

    fn settle(&mut self, name: &str, state: ArtifactState, notes: Vec<String>) {
        if let Some(artifact) = self.artifacts.get_mut(name) {
            artifact.state = state;
            artifact.notes.extend(notes);
        }
    }

    fn note(&mut self, name: &str, note: String) {
        if let Some(artifact) = self.artifacts.get_mut(name) {
            artifact.notes.insert(0, note);
        }
    }

    fn why(&self, name: &str) -> String {
        self.artifacts
            .get(name)
            .and_then(|artifact| artifact.notes.last().cloned())
            .unwrap_or_else(|| format!("{name} could not be read"))
    }
}

/// What becomes of a file before anything of it was read.
fn first_state(file: &Recognised) -> Artifact {
    let state = match (file.kind, &file.aside) {
        (Kind::Unrecognised, _) => ArtifactState::Unrecognised,
        (_, Some(_)) => ArtifactState::NotUsed,
        _ => ArtifactState::Used,
    };
    Artifact {
        path: file.name.clone(),
        kind: file.kind,
        item: file.item.map(str::to_owned),
        state,
        notes: file.aside.clone().into_iter().collect(),
        size_bytes: file.size,
    }
}
