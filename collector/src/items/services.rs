//! `services.table`: the table of the service control manager.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use snapdiag_bundle::records::{ServiceRow, Services};

use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::services::ServiceStatus;

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "services.table",
    // A second look at the window's end says how long a pending state lasted.
    phase: Phase::Window,
    limit: Duration::from_secs(60),
    collect,
}];

const METHOD: &str = "EnumServicesStatusExW";
/// `dwServiceFlags`, bit 0: `SERVICE_RUNS_IN_SYSTEM_PROCESS`.
const IN_SYSTEM_PROCESS: u32 = 1;
/// `ERROR_ACCESS_DENIED`.
const ACCESS_DENIED: u32 = 5;
/// `ERROR_SERVICE_DOES_NOT_EXIST`.
const DOES_NOT_EXIST: u32 = 1060;
/// `dwCurrentState`: start, stop, continue and pause pending.
const PENDING: [u32; 4] = [2, 3, 5, 6];

fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let services = system.services();
    let mut parts = Parts::default();
    let taken_at = Timestamp::now();
    let Some(list) = parts.take(services.list()) else {
        return parts.failed(METHOD);
    };
    let looked = Instant::now();
    let mut rows: Vec<ServiceRow> = Vec::with_capacity(list.len());
    for status in list {
        let config = if job.is_over() {
            None
        } else {
            match services.config(&status.name) {
                // Some services let nobody look, others go between two calls: no fault.
                Err(error) if [ACCESS_DENIED, DOES_NOT_EXIST].contains(&error.code) => None,
                config => parts.take(config),
            }
        };
        rows.push(ServiceRow {
            start_type: config.map(|config| config.start_type),
            delayed_start: config.and_then(|config| config.delayed_start),
            ..row(status)
        });
    }
    if job.is_over() {
        parts.cut("ended before every configuration was read");
    }
    // Only a service that is on its way somewhere is worth waiting for.
    if rows.iter().any(is_pending) {
        let rest = job.settings.window().saturating_sub(looked.elapsed());
        job.sleep(rest);
        match parts.take(services.list()) {
            Some(again) => time_pending(&mut rows, &again, looked.elapsed()),
            None => parts.cut("how long pending states lasted is not known"),
        }
    }
    let record = Services {
        taken_at,
        services: rows,
    };
    parts.finish(job, "services/services.json", &record, METHOD)
}

/// A row without configuration.
fn row(status: ServiceStatus) -> ServiceRow {
    ServiceRow {
        name: status.name,
        display_name: status.display_name,
        service_type: status.service_type,
        state: status.state,
        pid: status.pid,
        win32_exit_code: status.win32_exit_code,
        service_exit_code: status.service_exit_code,
        check_point: Some(status.check_point),
        wait_hint_ms: Some(status.wait_hint_ms),
        pending_for_ms: None,
        start_type: None,
        delayed_start: None,
        in_system_process: Some(status.flags & IN_SYSTEM_PROCESS != 0),
    }
}

fn is_pending(row: &ServiceRow) -> bool {
    PENDING.contains(&row.state)
}

/// Notes the time for rows that were pending and are in the same state still; the others left it
/// before, and are shown as they are now.
fn time_pending(rows: &mut [ServiceRow], again: &[ServiceStatus], passed: Duration) {
    let now: BTreeMap<&str, &ServiceStatus> =
        again.iter().map(|one| (one.name.as_str(), one)).collect();
    for row in rows.iter_mut().filter(|row| is_pending(row)) {
        let Some(status) = now.get(row.name.as_str()) else {
            continue;
        };
        if status.state == row.state {
            row.pending_for_ms = u64::try_from(passed.as_millis()).ok();
            continue;
        }
        *row = ServiceRow {
            start_type: row.start_type,
            delayed_start: row.delayed_start,
            ..self::row((*status).clone())
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use snapdiag_bundle::State;

    use super::*;
    use crate::items::testing::run;
    use crate::system::services::ServiceConfig;
    use crate::system::{self, SysResult, System, Unanswered, os_error};

    /// The states that each look at TermService, Dnscache and BFE gives.
    struct Machine {
        looks: Mutex<Vec<[u32; 3]>>,
        /// The error that the configuration of BFE gives.
        refused: u32,
    }

    impl System for Machine {
        fn services(&self) -> &dyn system::Services {
            self
        }
    }

    impl system::Services for Machine {
        fn list(&self) -> SysResult<Vec<ServiceStatus>> {
            let mut looks = self.looks.lock().unwrap();
            let states = if looks.is_empty() {
                return Err(os_error("EnumServicesStatusExW", 1722));
            } else {
                looks.remove(0)
            };
            let names = ["TermService", "Dnscache", "BFE"];
            let list = names
                .into_iter()
                .zip(states)
                .map(|(name, state)| ServiceStatus {
                    name: name.to_owned(),
                    service_type: 0x20,
                    state,
                    pid: 900,
                    flags: 1,
                    ..ServiceStatus::default()
                });
            Ok(list.collect())
        }
        fn config(&self, name: &str) -> SysResult<ServiceConfig> {
            match name {
                "BFE" => Err(os_error("OpenServiceW", self.refused)),
                _ => Ok(ServiceConfig {
                    start_type: 2,
                    delayed_start: Some(false),
                }),
            }
        }
    }

    fn ran(looks: &[[u32; 3]], refused: u32) -> (Outcome, Option<Services>, Duration) {
        let start = Instant::now();
        let looks = Mutex::new(looks.to_vec());
        let ran = run(Machine { looks, refused }, collect);
        let record = (!ran.artifacts.is_empty()).then(|| ran.record("services/services.json"));
        (ran.outcome, record, start.elapsed())
    }

    #[test]
    fn rows_carry_state_and_configuration() {
        let (outcome, record, passed) = ran(&[[4, 1, 4]], ACCESS_DENIED);
        assert_eq!(outcome, Outcome::ok(METHOD), "a service may be closed");
        let rows = record.unwrap().services;
        assert_eq!((rows[0].state, rows[0].start_type), (4, Some(2)));
        assert_eq!(rows[0].in_system_process, Some(true));
        assert_eq!((rows[2].state, rows[2].start_type), (4, None));
        assert!(rows.iter().all(|row| row.pending_for_ms.is_none()));
        assert!(passed < Duration::from_millis(900), "nothing to wait for");
    }

    #[test]
    fn a_pending_state_is_looked_at_twice() {
        let (_, record, passed) = ran(&[[2, 2, 4], [2, 4, 4]], ACCESS_DENIED);
        let rows = record.unwrap().services;
        assert!(passed >= Duration::from_secs(1));
        assert!(rows[0].pending_for_ms.unwrap() >= 1000);
        assert_eq!((rows[1].state, rows[1].pending_for_ms), (4, None));
        assert_eq!(rows[1].start_type, Some(2));
        // Without a second look the state stays, and nobody says how long.
        let (outcome, record, _) = ran(&[[2, 4, 4]], 1450);
        assert_eq!(outcome.state, State::Truncated);
        let reason = outcome.reason.unwrap();
        assert!(reason.contains("OpenServiceW failed with 1450"), "{reason}");
        assert!(reason.contains("pending states"), "{reason}");
        assert_eq!(record.unwrap().services[0].pending_for_ms, None);
    }

    #[test]
    fn without_a_list_there_is_no_record() {
        let (outcome, record, _) = ran(&[], 5);
        assert_eq!(outcome.error.unwrap().code, 1722);
        assert!(record.is_none());
        assert_eq!(run(Unanswered, collect).outcome.state, State::Failed);
    }
}
