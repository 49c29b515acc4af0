//! Event logs: each read once, those of one machine taken, the others set aside.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use snapdiag_bundle::{ItemRow, State};

use super::container::{Container, WRONG_HASH};
use crate::facts::events::{EventFacts, EventFold};
use crate::facts::inventory::{Channel, Mark};
use crate::formats::evtx::{self, Event, Fold, Header, LogError, LogOutcome, Need, Options};

/// Logs up to this size are read whole, in bytes; larger ones are streamed.
const WHOLE: u64 = 32 << 20;

/// A log that was read.
pub struct Log {
    /// The artifact's name.
    pub artifact: String,
    /// What reading it gave.
    outcome: LogOutcome<EventFold>,
    /// Damage of the container in the midst of it.
    torn: Option<String>,
}

/// What all logs together gave.
#[derive(Default)]
pub struct Logs {
    /// What the fact families gathered.
    pub events: EventFacts,
    /// How far each channel reaches.
    pub channels: Vec<Channel>,
    /// The artifacts that were not used, with the reason.
    pub aside: Vec<(String, String)>,
    /// The artifacts that could not be read, with the reason.
    pub unreadable: Vec<(String, String)>,
    /// What is worth knowing about the choice.
    pub notes: Vec<String>,
}

/// Whose logs are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The computer's name in the hives, where there are any.
    pub computer: Option<&'a str>,
    /// A bundle is of one machine, whatever it was called in between.
    pub is_bundle: bool,
}

/// Reads the logs `names` in parallel, the largest first, and takes those of one machine: the
/// owner where its name is known, else the one with most records.
pub fn read(
    container: &Container,
    names: &[(String, u64)],
    owner: Owner<'_>,
    rows: &BTreeMap<String, ItemRow>,
) -> Logs {
    let mut by_size: Vec<&(String, u64)> = names.iter().collect();
    by_size.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    let read: Vec<(String, Result<Log, String>)> = by_size
        .par_iter()
        .with_max_len(1)
        .map(|(name, _)| (name.clone(), read_one(container, name)))
        .collect();
    let mut logs = Logs::default();
    let mut readable = Vec::new();
    for (name, outcome) in read {
        match outcome {
            Ok(log) => readable.push(log),
            Err(why) => logs.unreadable.push((name, why)),
        }
    }
    logs.unreadable.sort();
    readable.sort_by(|a, b| a.artifact.cmp(&b.artifact));
    take_one_machine(readable, owner, rows, &mut logs);
    logs
}

fn read_one(container: &Container, name: &str) -> Result<Log, String> {
    let (outcome, torn) = fold(container, name, EventFold::default)?;
    if torn.as_deref() == Some(WRONG_HASH) {
        return Err(WRONG_HASH.to_owned());
    }
    Ok(Log {
        artifact: name.to_owned(),
        outcome,
        torn,
    })
}

/// Reads one log with a fold: whole where it is small, streamed where it is not. The second part
/// of the result is what is wrong with the artifact: torn, or not the one in the manifest.
///
/// A record belongs to the channel that it names. Only where no record names one, the file's
/// name does: the log is read again with it.
///
/// # Errors
/// Why the log cannot be read at all.
pub fn fold<F: Fold>(
    container: &Container,
    name: &str,
    start: impl Fn() -> F,
) -> Result<(LogOutcome<F>, Option<String>), String> {
    let named = || Named {
        fold: start(),
        channel: false,
    };
    let (outcome, torn) = fold_with(container, name, named, Options::default())?;
    if outcome.fold.channel || outcome.records == 0 {
        return Ok((outcome.map(|named| named.fold), torn));
    }
    let channel = evtx::channel_of_file(name);
    let options = Options {
        channel: Some(&channel),
        ..Options::default()
    };
    fold_with(container, name, start, options)
}

fn fold_with<F: Fold>(
    container: &Container,
    name: &str,
    start: impl Fn() -> F,
    options: Options<'_>,
) -> Result<(LogOutcome<F>, Option<String>), String> {
    let (outcome, torn) = if container.size(name) <= WHOLE {
        let (bytes, torn) = match container.read(name, WHOLE) {
            Ok(bytes) => {
                let wrong = container.hash_fault(name, &bytes);
                (bytes, wrong.map(str::to_owned))
            }
            Err(problem) if problem.partial.is_empty() => return Err(problem.why),
            Err(problem) => (problem.partial, Some(problem.why)),
        };
        let outcome = evtx::read_bytes(&bytes, start(), options).map_err(LogError::from);
        (outcome, torn)
    } else {
        container
            .stream(name, |stream| evtx::read_stream(stream, start(), options))
            .map_err(|problem| problem.why)?
    };
    Ok((outcome.map_err(|error| error.to_string())?, torn))
}

/// A fold that also notices whether any record names its channel.
struct Named<F> {
    fold: F,
    channel: bool,
}

impl<F: Fold> Fold for Named<F> {
    fn glance(&mut self, header: &Header<'_>) -> Need {
        self.channel |= !header.channel.is_empty();
        self.fold.glance(header)
    }

    fn event(&mut self, event: &Event<'_>) {
        self.fold.event(event);
    }

    fn fork(&self) -> Self {
        Self {
            fold: self.fold.fork(),
            channel: false,
        }
    }

    fn merge(&mut self, later: Self) {
        self.channel |= later.channel;
        self.fold.merge(later.fold);
    }
}

/// The first label, upper case: `host-a.example.com` and `HOST-A` are one computer.
fn short_name(computer: &str) -> String {
    computer
        .split('.')
        .next()
        .unwrap_or_default()
        .to_uppercase()
}

/// A machine that was renamed writes several names into one log: logs belong together when
/// they share a name.
fn take_one_machine(
    logs: Vec<Log>,
    owner: Owner<'_>,
    rows: &BTreeMap<String, ItemRow>,
    result: &mut Logs,
) {
    let mut machines: Vec<(Vec<String>, Vec<Log>)> = Vec::new();
    for log in logs {
        let mut names: Vec<String> = log.computers().collect();
        let mut members = vec![log];
        // Joining may connect machines that were apart until now.
        let mut apart = Vec::new();
        for (other_names, other_members) in machines {
            let same = names.is_empty() && other_names.is_empty()
                || names.iter().any(|name| other_names.contains(name));
            if same {
                names.extend(other_names);
                members.extend(other_members);
            } else {
                apart.push((other_names, other_members));
            }
        }
        names.sort();
        names.dedup();
        apart.push((names, members));
        machines = apart;
    }
    let records = |members: &[Log]| members.iter().map(|log| log.outcome.records).sum::<u64>();
    // Empty logs name no computer: where there are several, the folder tells.
    let (nameless, mut named): (Vec<_>, Vec<_>) = machines
        .into_iter()
        .partition(|(names, _)| names.is_empty());
    let wanted = owner.computer.map(short_name);
    named.sort_by(|(a_names, a), (b_names, b)| {
        let is_wanted = |names: &[String]| wanted.as_ref().is_some_and(|w| names.contains(w));
        (is_wanted(b_names), records(b), a_names).cmp(&(is_wanted(a_names), records(a), b_names))
    });
    let mut taken: Vec<Log> = Vec::new();
    let several = named.len();
    for (index, (names, members)) in named.into_iter().enumerate() {
        let is_wanted = wanted.as_ref().is_none_or(|wanted| names.contains(wanted));
        if index == 0 && (is_wanted || owner.is_bundle) {
            if several > 1 {
                let why = match &wanted {
                    Some(_) => "the computer of the hives",
                    None => "the one with most records",
                };
                result.notes.push(format!(
                    "event logs of {several} computers are in the snapshot; those of the one \
                     called {} are used, {why}",
                    names.join(", then ")
                ));
            }
            taken.extend(members);
            continue;
        }
        let called = names.join(", then ");
        let why = format!("a log of another computer: {called}");
        if index == 0 {
            result.notes.push(format!(
                "the hives are of {} and the event logs of {called}: the logs are not used",
                wanted.as_deref().unwrap_or_default()
            ));
        }
        result
            .aside
            .extend(members.into_iter().map(|log| (log.artifact, why.clone())));
    }

    let folders: BTreeSet<String> = taken.iter().map(|log| folder(&log.artifact)).collect();
    for log in nameless.into_iter().flat_map(|(_, logs)| logs) {
        if several <= 1 || folders.contains(&folder(&log.artifact)) {
            taken.push(log);
        } else {
            let why = "an empty log, and nothing tells of which computer".to_owned();
            result.aside.push((log.artifact, why));
        }
    }
    merge(taken, rows, result);
}

fn folder(artifact: &str) -> String {
    artifact
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
        .to_lowercase()
}

/// One log a channel: of several the one that reaches furthest, the newest last record.
fn merge(logs: Vec<Log>, rows: &BTreeMap<String, ItemRow>, result: &mut Logs) {
    let mut by_channel: BTreeMap<String, Vec<Log>> = BTreeMap::new();
    for log in logs {
        by_channel
            .entry(log.channel().to_lowercase())
            .or_default()
            .push(log);
    }
    for mut candidates in by_channel.into_values() {
        candidates.sort_by(|a, b| {
            let reach = |log: &Log| {
                let horizon = &log.outcome.horizon;
                (horizon.last.map(|mark| mark.time), log.outcome.records)
            };
            (reach(b), &a.artifact).cmp(&(reach(a), &b.artifact))
        });
        let mut candidates = candidates.into_iter();
        let Some(log) = candidates.next() else {
            continue;
        };
        for other in candidates {
            let why = format!(
                "{} holds newer or more records of the channel",
                log.artifact
            );
            result.aside.push((other.artifact, why));
        }
        let row = rows.get(&log.artifact);
        result.channels.push(log.reach(row));
        result.events.merge(log.outcome.fold.facts);
    }
    result.channels.sort_by(|a, b| a.name.cmp(&b.name));
    result.aside.sort();
}

impl Log {
    fn computers(&self) -> impl Iterator<Item = String> {
        self.outcome
            .fold
            .computers
            .keys()
            .filter(|name| !name.is_empty())
            .map(|name| short_name(name))
    }

    /// The channel of most records; the file's name only when no record names one.
    fn channel(&self) -> String {
        let counted = &self.outcome.fold.channels;
        counted
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .max_by(|a, b| (a.1, b.0).cmp(&(b.1, a.0)))
            .map_or_else(
                || evtx::channel_of_file(&self.artifact),
                |(name, _)| name.clone(),
            )
    }

    fn reach(&self, row: Option<&ItemRow>) -> Channel {
        let horizon = &self.outcome.horizon;
        let own = |mark: Option<evtx::Mark>| {
            mark.map(|mark| Mark {
                record_id: mark.record_id,
                time: mark.time,
            })
        };
        let live = row.and_then(|row| row.log.as_ref());
        let stated = |id: Option<u64>, time: Option<jiff::Timestamp>| {
            Some(Mark {
                record_id: id?,
                time: time?,
            })
        };
        let mut damage: Vec<String> = self
            .outcome
            .damage
            .iter()
            .take(8)
            .map(|damage| format!("offset {:#x}: {}", damage.offset, damage.what))
            .collect();
        damage.extend(self.torn.clone());
        if self.outcome.failed > 0 {
            damage.push(format!(
                "{} records could not be decoded",
                self.outcome.failed
            ));
        }
        Channel {
            name: self.channel(),
            computer: self.outcome.fold.last_computer.clone(),
            artifact: self.artifact.clone(),
            records: self.outcome.records,
            failed: self.outcome.failed,
            oldest: live
                .and_then(|live| stated(live.oldest_record_id, live.oldest_time))
                .or(own(horizon.first)),
            newest: live
                .and_then(|live| stated(live.newest_record_id, live.newest_time))
                .or(own(horizon.last)),
            live_records: live.and_then(|live| live.record_count),
            live_size_bytes: live.and_then(|live| live.file_bytes),
            live_max_bytes: live.and_then(|live| live.maximum_bytes),
            filtered: live.is_some_and(|live| live.query.is_some())
                || row.is_some_and(|row| row.state == State::Truncated),
            held_from: own(horizon.first),
            damage,
        }
    }
}
