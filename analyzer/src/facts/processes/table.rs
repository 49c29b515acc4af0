//! The process table: totals, and the processes that hold most.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::{ProcessRow, ProcessSample, ProcessTables};

use crate::facts::document;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// How many processes are kept for each figure.
const KEPT: usize = 10;

/// The process table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// When it was taken; the last time, where it was taken more than once.
    pub taken_at: Timestamp,
    /// Milliseconds since it was first taken; 0 where it was taken once.
    pub interval_ms: u64,
    /// How many processes there are, idle time not counted.
    pub processes: u64,
    /// Handles of all processes together.
    pub handles: u64,
    /// How many processes did not tell their handles.
    pub untold: u64,
    /// What the numbers of processes tell; `None` where a process did not tell its threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Ids>,
    /// The ten processes that hold most of each: handles, handles grown, memory not shared,
    /// committed memory, processor time between the two looks; by process id.
    pub top: Vec<Process>,
}

/// The numbers of processes. Windows gives processes and threads multiples of four from one
/// table, and gives a number anew when nothing holds it any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ids {
    /// The highest process id.
    pub highest: u32,
    /// Processes and threads that live.
    pub living: u64,
    /// The process with the highest id.
    pub evidence: Evidence,
}

impl Ids {
    /// How many numbers below the highest one no living process or thread has.
    pub fn unused(&self) -> u64 {
        u64::from(self.highest / 4).saturating_sub(self.living)
    }
}

/// A process at the last look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// File name of the image.
    pub image: String,
    /// Start time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Short names of the services inside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Open handles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handles: Option<u64>,
    /// Open handles at the first look; `None` where it was not there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handles_before: Option<u64>,
    /// Threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Working set, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_set_bytes: Option<u64>,
    /// Part of the working set that is not shared, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_working_set_bytes: Option<u64>,
    /// Committed private memory, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_bytes: Option<u64>,
    /// Processor time between the two looks, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// GDI objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gdi_objects: Option<u32>,
    /// USER objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_objects: Option<u32>,
    /// Its row at the last look, then that at the first one.
    pub evidence: Vec<Evidence>,
}

impl Process {
    /// What a report calls it: image, process id and the services inside.
    pub fn label(&self) -> String {
        let mut label = format!("{} (pid {}", self.image, self.pid);
        if !self.services.is_empty() {
            label.push_str(": ");
            label.push_str(&self.services.join(", "));
        }
        label.push(')');
        label
    }

    /// Handles that came since the first look.
    pub fn handles_grown(&self) -> Option<u64> {
        Some(self.handles?.saturating_sub(self.handles_before?))
    }
}

impl Table {
    /// The processes with the most handles, the largest first.
    pub fn by_handles(&self) -> Vec<&Process> {
        self.by(|process| process.handles)
    }

    /// The processes that use most physical memory, the largest first: by the part that is not
    /// shared, where Windows tells it.
    pub fn by_memory(&self) -> Vec<&Process> {
        self.by(memory)
    }

    /// The processes that committed most, the largest first.
    pub fn by_commit(&self) -> Vec<&Process> {
        self.by(|process| process.private_bytes)
    }

    /// The processes that used most processor time between the looks, the largest first.
    pub fn by_cpu(&self) -> Vec<&Process> {
        self.by(|process| process.cpu_ms)
    }

    /// At most ten; one that does not tell the figure, or tells nought, is left out.
    fn by(&self, figure: impl Fn(&Process) -> Option<u64>) -> Vec<&Process> {
        let told = |process: &&Process| figure(process).is_some_and(|figure| figure > 0);
        let mut list: Vec<&Process> = self.top.iter().filter(told).collect();
        list.sort_by_key(|process| (Reverse(figure(process)), process.pid));
        list.truncate(KEPT);
        list
    }
}

fn memory(process: &Process) -> Option<u64> {
    process
        .private_working_set_bytes
        .or(process.working_set_bytes)
}

pub(super) fn gather(sources: &Sources) -> Fact<Table> {
    let record: Fact<Value> = sources.record("processes.table");
    read(&record)
}

fn read(record: &Fact<Value>) -> Fact<Table> {
    let tables: Fact<ProcessTables> = document::typed(record);
    let samples = match tables.carry() {
        Some(missing) => return missing,
        None => tables.value().map(|tables| tables.samples.as_slice()),
    };
    let Some((last, earlier)) = samples.and_then(<[ProcessSample]>::split_last) else {
        return Fact::unreadable("the table holds no sample", record.evidence.clone());
    };
    if !last.rows.iter().any(|row| row.pid != 0) {
        return Fact::unreadable("the table holds no process", record.evidence.clone());
    }
    let reader = Reader {
        record,
        last: (earlier.len(), last),
        first: earlier.first().map(|first| (0, first)),
    };
    // The table as one raw value helps nobody: its rows have evidence of their own.
    Fact::known(reader.table(), [])
}

/// The two looks, each with its place among the samples.
struct Reader<'a> {
    record: &'a Fact<Value>,
    last: (usize, &'a ProcessSample),
    first: Option<(usize, &'a ProcessSample)>,
}

impl Reader<'_> {
    fn table(&self) -> Table {
        let last = self.last.1;
        let interval = self.first.map_or(0, |(_, first)| {
            let passed = last.taken_at.duration_since(first.taken_at).as_millis();
            u64::try_from(passed).unwrap_or(0)
        });
        let before = self.before();
        let rows: Vec<(usize, &ProcessRow)> = last
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.pid != 0)
            .collect();
        let all: Vec<Process> = rows.iter().map(|(_, row)| process(row, &before)).collect();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Table {
            taken_at: last.taken_at,
            interval_ms: interval,
            processes: count(all.len()),
            handles: all
                .iter()
                .filter_map(|process| process.handles)
                .fold(0, u64::saturating_add),
            ids: self.ids(&rows),
            untold: count(all.iter().filter(|p| p.handles.is_none()).count()),
            top: self.top(all, &rows, &before),
        }
    }

    fn ids(&self, rows: &[(usize, &ProcessRow)]) -> Option<Ids> {
        let (index, highest) = rows.iter().max_by_key(|(_, row)| row.pid)?;
        let threads = rows.iter().map(|(_, row)| row.threads.map(u64::from));
        let threads = threads.sum::<Option<u64>>()?;
        let pointer = format!("/samples/{}/rows/{index}/pid", self.last.0);
        let whole = self.record.evidence.first()?;
        Some(Ids {
            highest: highest.pid,
            living: threads.saturating_add(u64::try_from(rows.len()).ok()?),
            evidence: document::at(whole, pointer, highest.pid),
        })
    }

    /// The rows at the first look, by process id and start time: an id may be given anew.
    fn before(&self) -> Before<'_> {
        let rows = self.first.into_iter().flat_map(|(sample, first)| {
            let rows = first.rows.iter().enumerate();
            rows.map(move |(index, row)| ((row.pid, row.created_at), (sample, index, row)))
        });
        rows.collect()
    }

    fn top(
        &self,
        mut all: Vec<Process>,
        rows: &[(usize, &ProcessRow)],
        before: &Before<'_>,
    ) -> Vec<Process> {
        let figures: [fn(&Process) -> Option<u64>; 6] = [
            |process| process.handles,
            Process::handles_grown,
            memory,
            |process| process.private_bytes,
            |process| process.cpu_ms,
            |process| {
                let objects = [process.gdi_objects, process.user_objects];
                objects.into_iter().flatten().max().map(u64::from)
            },
        ];
        let mut kept = BTreeSet::new();
        for figure in figures {
            let mut order: Vec<usize> = (0..all.len()).collect();
            order.sort_by_key(|index| all.get(*index).map(|p| (Reverse(figure(p)), p.pid)));
            kept.extend(order.into_iter().take(KEPT));
        }
        for (position, process) in all.iter_mut().enumerate() {
            let Some((index, row)) = rows.get(position).filter(|_| kept.contains(&position)) else {
                continue;
            };
            let places = [
                Some((self.last.0, *index)),
                before
                    .get(&(row.pid, row.created_at))
                    .map(|(sample, index, _)| (*sample, *index)),
            ];
            process.evidence = places
                .into_iter()
                .flatten()
                .filter_map(|(sample, index)| self.row(sample, index))
                .collect();
        }
        let mut position = 0;
        all.retain(|_| {
            position += 1;
            kept.contains(&(position - 1))
        });
        all.sort_by_key(|process| process.pid);
        all
    }

    /// A row as it stands in the document.
    fn row(&self, sample: usize, index: usize) -> Option<Evidence> {
        let pointer = format!("/samples/{sample}/rows/{index}");
        let raw = self.record.value()?.pointer(&pointer)?.clone();
        Some(document::at(self.record.evidence.first()?, pointer, raw))
    }
}

/// Rows with their sample and index.
type Before<'a> = BTreeMap<(u32, Option<Timestamp>), (usize, usize, &'a ProcessRow)>;

/// The process without its evidence, which only those kept need.
fn process(row: &ProcessRow, before: &Before<'_>) -> Process {
    let earlier = before
        .get(&(row.pid, row.created_at))
        .map(|(_, _, row)| *row);
    Process {
        pid: row.pid,
        image: row.image.clone(),
        created_at: row.created_at,
        services: row.services.clone(),
        handles: row.handles.map(u64::from),
        handles_before: earlier.and_then(|row| row.handles).map(u64::from),
        threads: row.threads,
        working_set_bytes: row.working_set_bytes,
        private_working_set_bytes: row.private_working_set_bytes,
        private_bytes: row.private_bytes,
        cpu_ms: earlier.and_then(|earlier| Some(cpu(row)?.saturating_sub(cpu(earlier)?))),
        gdi_objects: row.gdi_objects,
        user_objects: row.user_objects,
        evidence: Vec::new(),
    }
}

/// Processor time since the start of the process.
fn cpu(row: &ProcessRow) -> Option<u64> {
    row.kernel_time_ms?.checked_add(row.user_time_ms?)
}

#[cfg(test)]
mod tests;
