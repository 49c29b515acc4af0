//! The processes that use most memory, commit and processor time, with the services inside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use snapdiag_bundle::records::{ProcessRow, ProcessTables};

use super::document;
use super::evidence::Evidence;
use super::fact::Fact;
use super::sources::Sources;
use super::units::float;

/// How many processes each list holds.
const KEPT: usize = 5;
/// The process that stands for idle time.
const IDLE: u32 = 0;

/// The processes that use most of something, largest first; at most five each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consumers {
    /// By private working set, bytes.
    pub memory: Fact<Vec<Consumer>>,
    /// By committed private memory, bytes.
    pub commit: Fact<Vec<Consumer>>,
    /// By processor time between the first and the last sample, percent of one processor.
    pub processor: Fact<Vec<Consumer>>,
    /// Private working sets of all processes together, bytes.
    pub memory_total: Fact<u64>,
}

/// A process and how much it uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consumer {
    /// Process id.
    pub pid: u32,
    /// File name of the image.
    pub image: String,
    /// Short names of the services inside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// How much, in the unit of the list.
    pub amount: f64,
    /// The row of the table.
    pub evidence: Evidence,
}

impl Consumer {
    /// Image, process id and services: `svchost.exe (pid 800: Dnscache, NlaSvc)`.
    pub fn name(&self) -> String {
        let Self { image, pid, .. } = self;
        match self.services.as_slice() {
            [] => format!("{image} (pid {pid})"),
            services => format!("{image} (pid {pid}: {})", services.join(", ")),
        }
    }

    /// Whether its image is one of these, in any case.
    pub fn is_any(&self, images: &[&str]) -> bool {
        images
            .iter()
            .any(|image| self.image.eq_ignore_ascii_case(image))
    }
}

impl Consumers {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let record: Fact<Json> = sources.record("processes.table");
        let tables: Fact<ProcessTables> = document::typed(&record);
        let place = record.evidence.first();
        let (Some(tables), Some(document), Some(place)) = (tables.value(), record.value(), place)
        else {
            return Self {
                memory: missing(&tables),
                commit: missing(&tables),
                processor: missing(&tables),
                memory_total: missing(&tables),
            };
        };
        let view = View {
            tables,
            document,
            place,
        };
        Self {
            memory: view.top(|row, _| {
                row.private_working_set_bytes
                    .or(row.working_set_bytes)
                    .map(float)
            }),
            commit: view.top(|row, _| row.private_bytes.map(float)),
            processor: view.processor(),
            memory_total: view.memory_total(),
        }
    }
}

fn missing<T>(tables: &Fact<ProcessTables>) -> Fact<T> {
    tables
        .carry()
        .unwrap_or_else(|| Fact::not_collected("no process table"))
}

struct View<'a> {
    tables: &'a ProcessTables,
    document: &'a Json,
    place: &'a Evidence,
}

impl View<'_> {
    /// The rows of the newest sample with the largest amounts.
    fn top(&self, amount: impl Fn(&ProcessRow, usize) -> Option<f64>) -> Fact<Vec<Consumer>> {
        let newest = self.tables.samples.len().checked_sub(1);
        let Some((sample, table)) = newest.and_then(|n| Some((n, self.tables.samples.get(n)?)))
        else {
            return Fact::unreadable("the process table has no sample", []);
        };
        let mut rows: Vec<(f64, usize, &ProcessRow)> = table
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.pid != IDLE)
            .filter_map(|(place, row)| Some((amount(row, place)?, place, row)))
            .collect();
        if rows.is_empty() {
            return Fact::unreadable("the process table does not tell", []);
        }
        rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rows.truncate(KEPT);
        let consumer = |(amount, place, row): (f64, usize, &ProcessRow)| {
            let pointer = format!("/samples/{sample}/rows/{place}");
            let raw = self.document.pointer(&pointer).cloned();
            Consumer {
                pid: row.pid,
                image: row.image.clone(),
                services: row.services.clone(),
                amount,
                evidence: document::at(self.place, pointer, raw.unwrap_or_default())
                    .at(Some(table.taken_at)),
            }
        };
        Fact::known(rows.into_iter().map(consumer).collect(), [])
    }

    fn processor(&self) -> Fact<Vec<Consumer>> {
        let (Some(first), Some(last)) = (self.tables.samples.first(), self.tables.samples.last())
        else {
            return Fact::unreadable("the process table has no sample", []);
        };
        let seconds = last.taken_at.duration_since(first.taken_at).as_secs_f64();
        if seconds <= 0.0 {
            return Fact::unreadable("the process table has no two samples", []);
        }
        // A process id is given again; with the start time it is one process.
        let before: BTreeMap<(u32, Option<Timestamp>), u64> = first
            .rows
            .iter()
            .filter_map(|row| Some(((row.pid, row.created_at), spent(row)?)))
            .collect();
        self.top(|row, _| {
            let before = before.get(&(row.pid, row.created_at))?;
            Some(float(spent(row)?.checked_sub(*before)?) / (seconds * 10.0))
        })
    }

    fn memory_total(&self) -> Fact<u64> {
        let Some(last) = self.tables.samples.last() else {
            return Fact::unreadable("the process table has no sample", []);
        };
        let parts = last.rows.iter().map(|row| row.private_working_set_bytes);
        let sum = parts.flatten().fold(0_u64, u64::saturating_add);
        let count = document::at(
            self.place,
            format!("/samples/{}/taken_at", self.tables.samples.len() - 1),
            json!(last.taken_at),
        );
        Fact::known(sum, [count])
    }
}

/// Processor time since the start, milliseconds.
fn spent(row: &ProcessRow) -> Option<u64> {
    row.kernel_time_ms?.checked_add(row.user_time_ms?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::test_bundle::gather;

    fn row(pid: u32, image: &str, memory: u64, kernel: u64) -> Json {
        json!({"pid": pid, "parent_pid": null, "image": image, "created_at": null,
            "session_id": 0, "handles": 1, "threads": 1, "working_set_bytes": memory,
            "private_working_set_bytes": memory, "private_bytes": memory * 2,
            "kernel_time_ms": kernel, "user_time_ms": 0, "gdi_objects": null,
            "user_objects": null, "services": if image == "svchost.exe" { json!(["Dnscache"]) } else { json!([]) }})
    }

    fn table(rows: [[u64; 3]; 2]) -> String {
        let sample = |taken_at: &str, [a, b, c]: [u64; 3]| {
            json!({"taken_at": taken_at, "rows": [
                row(0, "Idle", 1 << 40, a * 100), row(4, "System", 10, a),
                row(800, "svchost.exe", 500, b), row(900, "java.exe", 900, c)]})
        };
        let [first, last] = rows;
        json!({"samples": [
            sample("2026-03-01T12:00:00Z", first), sample("2026-03-01T12:00:20Z", last)]})
        .to_string()
    }

    #[test]
    fn the_largest_come_first_and_idle_time_is_no_process() {
        let text = table([[0, 0, 0], [200, 20_000, 5_000]]);
        let consumers = gather(&[("processes/processes.json", &text)], Consumers::gather);
        let names = |list: &Fact<Vec<Consumer>>| -> Vec<(String, f64)> {
            list.value()
                .unwrap()
                .iter()
                .map(|c| (c.name(), c.amount))
                .collect()
        };
        assert_eq!(
            names(&consumers.memory)[0],
            ("java.exe (pid 900)".to_owned(), 900.0)
        );
        assert_eq!(
            names(&consumers.commit)[1],
            ("svchost.exe (pid 800: Dnscache)".to_owned(), 1000.0)
        );
        let busy = names(&consumers.processor);
        assert_eq!(
            busy[0],
            ("svchost.exe (pid 800: Dnscache)".to_owned(), 100.0)
        );
        assert_eq!(busy[1], ("java.exe (pid 900)".to_owned(), 25.0));
        assert_eq!(busy.len(), 3);
        let evidence = &consumers.processor.value().unwrap()[0].evidence;
        assert_eq!(
            evidence.locator.to_string(),
            "json:processes/processes.json#/samples/1/rows/2"
        );
        assert_eq!(evidence.raw["image"], "svchost.exe");
    }

    #[test]
    fn without_a_table_nothing_is_known() {
        let consumers = Consumers::gather(&Sources::none());
        assert!(consumers.memory.why_unsettled().is_some());
        assert!(consumers.processor.why_unsettled().is_some());
    }
}
