//! `processes.table`: the process table at both ends of the counter window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use snapdiag_bundle::records::{ProcessRow, ProcessSample, ProcessTables};

use super::filetime::{milliseconds, timestamp};
use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::processes::{GuiResources, ProcessInfo};
use crate::system::{Processes, Services, System};

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "processes.table",
    phase: Phase::Window,
    limit: Duration::from_secs(60),
    collect,
}];

const METHOD: &str = "NtQuerySystemInformation";
/// What stands for time in which no process runs; Windows gives it no name.
const IDLE: &str = "Idle";
/// Most processes of a table: each takes some hundred bytes of memory.
const MOST: usize = 8192;

fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let mut parts = Parts::default();
    let started = Instant::now();
    let first = sample(&*system, &mut parts);
    if first.is_some() {
        job.sleep(job.settings.window().saturating_sub(started.elapsed()));
    }
    // A run that is interrupted in the window still has time for a look; it says less.
    let interval = started.elapsed();
    let second = sample(&*system, &mut parts);
    if first.is_some() && second.is_some() && interval < job.settings.window() {
        parts.cut("ended early: the two tables are close together");
    }
    let samples: Vec<ProcessSample> = first.into_iter().chain(second).collect();
    let tables = ProcessTables { samples };
    parts.finish(job, "processes/processes.json", &tables, METHOD)
}

fn sample(system: &dyn System, parts: &mut Parts) -> Option<ProcessSample> {
    let taken_at = Timestamp::now();
    let mut list = parts.take(system.processes().list())?;
    if list.len() > MOST {
        list.truncate(MOST);
        parts.cut(format!("only the first {MOST} processes"));
    }
    let mut services = services_by_process(system.services(), parts);
    // A Windows that does not keep this figure gives 0 for every process.
    let tells_private = list.iter().any(|one| one.private_working_set_bytes > 0);
    let rows = list.into_iter().map(|one| {
        let inside = services.remove(&one.pid).unwrap_or_default();
        let gui = gui_resources(system.processes(), one.pid);
        row(one, tells_private, gui, inside)
    });
    Some(ProcessSample {
        taken_at,
        rows: rows.collect(),
    })
}

/// Short names of the services inside each process, sorted.
fn services_by_process(services: &dyn Services, parts: &mut Parts) -> BTreeMap<u32, Vec<String>> {
    let mut by_process: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    match services.list() {
        Ok(list) => {
            for service in list.into_iter().filter(|service| service.pid != 0) {
                by_process
                    .entry(service.pid)
                    .or_default()
                    .push(service.name);
            }
        }
        Err(error) => parts.fault(error),
    }
    for names in by_process.values_mut() {
        names.sort();
    }
    by_process
}

/// Not every process lets itself be asked, which is no fault.
fn gui_resources(processes: &dyn Processes, pid: u32) -> Option<GuiResources> {
    const KERNEL: u32 = 4;
    if pid <= KERNEL {
        return None;
    }
    processes.gui_resources(pid).ok()
}

fn row(
    one: ProcessInfo,
    tells_private: bool,
    gui: Option<GuiResources>,
    services: Vec<String>,
) -> ProcessRow {
    let image = if one.pid == 0 && one.image.is_empty() {
        IDLE.to_owned()
    } else {
        one.image
    };
    ProcessRow {
        pid: one.pid,
        parent_pid: Some(one.parent_pid),
        image,
        created_at: timestamp(one.created),
        session_id: Some(one.session_id),
        handles: Some(one.handles),
        threads: Some(one.threads),
        working_set_bytes: Some(one.working_set_bytes),
        private_working_set_bytes: tells_private.then_some(one.private_working_set_bytes),
        private_bytes: Some(one.private_bytes),
        kernel_time_ms: Some(milliseconds(one.kernel_time)),
        user_time_ms: Some(milliseconds(one.user_time)),
        gdi_objects: gui.map(|gui| gui.gdi),
        user_objects: gui.map(|gui| gui.user),
        services,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use snapdiag_bundle::State;

    use super::*;
    use crate::items::testing::run;
    use crate::system::services::ServiceStatus;
    use crate::system::{SysResult, Unanswered, os_error};

    /// Handles grow by 100 from look to look.
    #[derive(Default)]
    struct Machine {
        looks: AtomicU32,
        no_services: bool,
        fails_at: Option<u32>,
    }

    impl System for Machine {
        fn processes(&self) -> &dyn Processes {
            self
        }
        fn services(&self) -> &dyn Services {
            self
        }
    }

    impl Processes for Machine {
        fn list(&self) -> SysResult<Vec<ProcessInfo>> {
            let look = self.looks.fetch_add(1, Ordering::Relaxed);
            if self.fails_at == Some(look) {
                return Err(os_error("NtQuerySystemInformation", 0xC000_009A));
            }
            let idle = ProcessInfo::default();
            let host = ProcessInfo {
                pid: 900,
                parent_pid: 700,
                image: "svchost.exe".to_owned(),
                created: 133_444_736_000_000_000,
                handles: 1000 + look * 100,
                private_working_set_bytes: 4096,
                kernel_time: 25_000,
                ..ProcessInfo::default()
            };
            Ok(vec![idle, host])
        }
        fn gui_resources(&self, pid: u32) -> SysResult<GuiResources> {
            assert_eq!(pid, 900, "the idle process has none");
            Ok(GuiResources { gdi: 3, user: 4 })
        }
    }

    impl Services for Machine {
        fn list(&self) -> SysResult<Vec<ServiceStatus>> {
            if self.no_services {
                return Err(os_error("OpenSCManagerW", 5));
            }
            let service = |name: &str, pid| ServiceStatus {
                name: name.to_owned(),
                pid,
                ..ServiceStatus::default()
            };
            Ok(vec![
                service("NlaSvc", 900),
                service("Stopped", 0),
                service("Dnscache", 900),
            ])
        }
    }

    #[test]
    fn two_tables_lie_a_window_apart() {
        let ran = run(Machine::default(), collect);
        assert_eq!(ran.outcome, Outcome::ok(METHOD));
        let tables: ProcessTables = ran.record("processes/processes.json");
        let [first, second] = tables.samples.as_slice() else {
            panic!("two samples")
        };
        let apart = second.taken_at.duration_since(first.taken_at);
        assert!(apart.as_millis() >= 1000, "{apart:?}");
        let [idle, host] = second.rows.as_slice() else {
            panic!("two rows")
        };
        assert_eq!((idle.image.as_str(), idle.created_at), ("Idle", None));
        assert_eq!(
            (first.rows[1].handles, host.handles),
            (Some(1000), Some(1100))
        );
        assert_eq!(host.services, ["Dnscache", "NlaSvc"]);
        assert_eq!((host.kernel_time_ms, host.gdi_objects), (Some(2), Some(3)));
        assert_eq!(host.private_working_set_bytes, Some(4096));
    }

    #[test]
    fn services_that_are_refused_cost_only_themselves() {
        let machine = Machine {
            no_services: true,
            ..Machine::default()
        };
        let ran = run(machine, collect);
        assert_eq!(ran.outcome.state, State::Truncated);
        assert_eq!(ran.outcome.error.as_ref().unwrap().call, "OpenSCManagerW");
        let tables: ProcessTables = ran.record("processes/processes.json");
        assert!(tables.samples[1].rows[1].services.is_empty());
    }

    #[test]
    fn one_table_is_better_than_none() {
        for fails_at in [0, 1] {
            let machine = Machine {
                fails_at: Some(fails_at),
                ..Machine::default()
            };
            let ran = run(machine, collect);
            assert_eq!(ran.outcome.state, State::Truncated);
            let tables: ProcessTables = ran.record("processes/processes.json");
            assert_eq!(tables.samples.len(), 1);
        }
        let nothing = run(Unanswered, collect);
        assert_eq!(nothing.outcome.state, State::Failed);
        assert!(nothing.artifacts.is_empty());
    }
}
