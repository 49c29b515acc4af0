//! What the live tables say of a service.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use snapdiag_bundle::records;

use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// What the live tables say of a service. Absent where the table was taken and does not list it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Runtime {
    /// `SERVICE_*`: 1 stopped, 2 start pending, 3 stop pending, 4 running, 5 to 7 paused and on
    /// the way there and back.
    pub state: Fact<u32>,
    /// Process id; 0 when stopped and for drivers.
    pub pid: Fact<u32>,
    /// `dwWin32ExitCode` of the last end: 1066 points to `service_exit_code`, 1077 never started
    /// since boot.
    pub win32_exit_code: Fact<u32>,
    /// `dwServiceSpecificExitCode`.
    pub service_exit_code: Fact<u32>,
    /// Milliseconds for which the collector saw a pending state.
    pub pending_for_ms: Fact<u64>,
    /// `dwServiceType`, bits as in the registry's `Type`; what is running now.
    pub running_type: Fact<u32>,
    /// The process that it runs in.
    pub process: Fact<Process>,
}

/// The process of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// File name of the image.
    pub image: String,
    /// Start time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Short names of all services in it.
    pub services: Vec<String>,
}

/// The live tables.
pub(super) struct Live {
    services: Fact<records::Services>,
    processes: Fact<records::ProcessTables>,
}

impl Live {
    pub(super) fn gather(sources: &Sources) -> Self {
        Self {
            services: sources.record("services.table"),
            processes: sources.record("processes.table"),
        }
    }

    /// When the table of services was taken.
    pub(super) fn taken_at(&self) -> Fact<Timestamp> {
        self.services
            .clone()
            .map(|table| table.taken_at)
            .at_pointer("/taken_at", |time| json!(time))
    }

    fn row(&self, name: &str) -> Option<(usize, &records::ServiceRow)> {
        self.services
            .value()?
            .services
            .iter()
            .enumerate()
            .find(|(_, row)| row.name.eq_ignore_ascii_case(name))
    }

    /// The display name in the language of the machine.
    pub(super) fn display_name(&self, name: &str) -> Option<&str> {
        self.row(name)?.1.display_name.as_deref()
    }

    /// What the tables say of a service.
    pub(super) fn runtime(&self, name: &str) -> Runtime {
        let row = self.row(name);
        Runtime {
            state: self.cell(row, "state", |row| Some(row.state)),
            pid: self.cell(row, "pid", |row| Some(row.pid)),
            win32_exit_code: self.cell(row, "win32_exit_code", |row| Some(row.win32_exit_code)),
            service_exit_code: self
                .cell(row, "service_exit_code", |row| Some(row.service_exit_code)),
            pending_for_ms: self.cell(row, "pending_for_ms", |row| row.pending_for_ms),
            running_type: self.cell(row, "service_type", |row| Some(row.service_type)),
            process: self.process(row.map(|(_, row)| row.pid).filter(|pid| *pid != 0)),
        }
    }

    /// One cell of the table of services with its place.
    fn cell<T: Serialize>(
        &self,
        row: Option<(usize, &records::ServiceRow)>,
        column: &str,
        read: impl Fn(&records::ServiceRow) -> Option<T>,
    ) -> Fact<T> {
        if let Some(missing) = self.services.carry() {
            return missing;
        }
        let cell = row.and_then(|(index, row)| Some((index, read(row)?)));
        let Some((index, value)) = cell else {
            return Fact::absent([]);
        };
        Fact::known(value, self.services.evidence.clone())
            .at_pointer(&format!("/services/{index}/{column}"), |value| json!(value))
    }

    /// The process by its id in the newest sample of the process table.
    fn process(&self, pid: Option<u32>) -> Fact<Process> {
        let Some(pid) = pid else {
            return self.services.carry().unwrap_or_else(|| Fact::absent([]));
        };
        let tables = match self.processes.carry() {
            Some(missing) => return missing,
            None => self.processes.value(),
        };
        let found = tables.and_then(|tables| {
            let (sample, table) = tables.samples.iter().enumerate().next_back()?;
            let (index, row) = table
                .rows
                .iter()
                .enumerate()
                .find(|(_, row)| row.pid == pid)?;
            Some((sample, index, row))
        });
        let Some((sample, index, row)) = found else {
            return Fact::absent([]);
        };
        let process = Process {
            pid,
            image: row.image.clone(),
            created_at: row.created_at,
            services: row.services.clone(),
        };
        Fact::known(process, self.processes.evidence.clone()).at_pointer(
            &format!("/samples/{sample}/rows/{index}/services"),
            |process| json!(process.services),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::evidence::Evidence;
    use crate::facts::locator::Locator;

    fn document<T: serde::de::DeserializeOwned>(entry: &str, text: &str) -> Fact<T> {
        let place = Evidence::new(entry, Locator::json(entry, ""), serde_json::Value::Null);
        Fact::known(serde_json::from_str(text).unwrap(), [place])
    }

    fn live() -> Live {
        let row = |name: &str, pid: u32| {
            json!({"name": name, "service_type": 32, "state": 4, "pid": pid,
                   "win32_exit_code": 0, "service_exit_code": 0})
        };
        let rows = [
            row("Dnscache", 900),
            row("TermService", 900),
            row("TermDD", 0),
        ];
        let services = json!({"taken_at": "2026-11-20T12:00:00Z", "services": rows});
        let process = json!({"pid": 900, "image": "svchost.exe",
                             "services": ["Dnscache", "TermService"]});
        let sample = json!({"taken_at": "2026-11-20T12:00:00Z", "rows": [process]});
        let processes = json!({"samples": [sample]});
        Live {
            services: document("services/services.json", &services.to_string()),
            processes: document("processes/processes.json", &processes.to_string()),
        }
    }

    #[test]
    fn a_cell_is_known_by_its_place() {
        let runtime = live().runtime("termservice");
        assert_eq!(runtime.state.value(), Some(&4));
        let evidence = &runtime.state.evidence[0];
        let place = "json:services/services.json#/services/1/state";
        assert_eq!(evidence.locator.to_string(), place);
        assert_eq!(evidence.raw, 4);
        assert!(runtime.pending_for_ms.is_absent());
        assert!(live().runtime("UmRdpService").state.is_absent());
    }

    #[test]
    fn the_process_says_who_shares_it() {
        let runtime = live().runtime("TermService");
        let process = runtime.process.value().unwrap();
        assert_eq!(process.services, ["Dnscache", "TermService"]);
        let place = "json:processes/processes.json#/samples/0/rows/0/services";
        assert_eq!(runtime.process.evidence[0].locator.to_string(), place);
        assert!(
            live().runtime("TermDD").process.is_absent(),
            "a driver has none"
        );
    }

    #[test]
    fn without_tables_nothing_is_known() {
        let none = Live::gather(&Sources::none());
        let runtime = none.runtime("TermService");
        assert!(!runtime.state.is_settled() && !runtime.process.is_settled());
    }
}
