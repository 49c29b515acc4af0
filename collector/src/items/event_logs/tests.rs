use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

use snapdiag_bundle::items::ITEMS;

use super::*;
use crate::items::Settings;
use crate::items::testing::{Ran, given_up, run_with, settings};
use crate::system::event_logs::{EventLogs, Info, Mark, Over, Walk};
use crate::system::files::{Files, SharedFile};
use crate::system::{System, os_error};

/// A machine with one log.
#[derive(Clone, Default)]
struct Machine {
    /// Bytes of each record; the first has the record id 1.
    records: Vec<usize>,
    /// How many of them fit the window.
    fitting: usize,
    config: Config,
    info: Info,
    fails: Option<u32>,
    /// An export ends when it is called off.
    hangs: bool,
    /// The log's file, and where it is.
    file: Option<(&'static str, &'static [u8])>,
    /// The queries of all exports.
    exports: Arc<Mutex<Vec<String>>>,
}

impl System for Machine {
    fn event_logs(&self) -> &dyn EventLogs {
        self
    }

    fn files(&self) -> &dyn Files {
        self
    }
}

impl Machine {
    fn check(&self, call: &str) -> SysResult<()> {
        self.fails.map_or(Ok(()), |code| Err(os_error(call, code)))
    }

    /// The ids that fit a query, oldest first.
    fn matching(&self, query: &str) -> Vec<usize> {
        let first = if query == query::ALL {
            1
        } else {
            self.records.len() - self.fitting + 1
        };
        let from = query.split_once("EventRecordID>=").map_or(1, |(_, rest)| {
            rest.split([' ', ']']).next().unwrap().parse().unwrap()
        });
        (first.max(from)..=self.records.len()).collect()
    }
}

impl EventLogs for Machine {
    fn config(&self, _channel: &str) -> SysResult<Config> {
        self.check("EvtOpenChannelConfig")?;
        Ok(self.config.clone())
    }

    fn info(&self, _channel: &str) -> SysResult<Info> {
        self.check("EvtOpenLog")?;
        Ok(self.info)
    }

    fn walk(&self, _channel: &str, query: &str, order: Order, at_most: u64) -> SysResult<Walk> {
        self.check("EvtQuery")?;
        let mut ids = self.matching(query);
        if order == Order::NewestFirst {
            ids.reverse();
        }
        ids.truncate(usize::try_from(at_most).unwrap());
        Ok(Walk {
            records: ids.len() as u64,
            last: ids.last().map(|id| Mark {
                record_id: *id as u64,
                time: 133_444_736_000_000_000 + *id as u64 * 10_000_000,
            }),
        })
    }

    fn export(&self, _channel: &str, query: &str, file: &Path, over: Over<'_>) -> SysResult<()> {
        assert!(!file.exists(), "Windows exports to a new file only");
        self.exports.lock().unwrap().push(query.to_owned());
        self.check("EvtExportLog")?;
        if self.hangs {
            while !over() {
                std::thread::yield_now();
            }
            return Err(os_error("EvtExportLog", 1223));
        }
        let ids = self.matching(query);
        let bytes: usize = ids.iter().map(|id| self.records[id - 1]).sum();
        fs::write(file, vec![b'x'; bytes]).unwrap();
        Ok(())
    }
}

impl Files for Machine {
    fn system_root(&self) -> SysResult<PathBuf> {
        Ok("C:/Windows".into())
    }

    fn open_shared(&self, path: &Path) -> SysResult<SharedFile> {
        let path = path.to_string_lossy().replace('\\', "/");
        match self.file {
            Some((place, bytes)) if place == path => Ok(SharedFile {
                reader: Box::new(Cursor::new(bytes)),
                size_bytes: bytes.len() as u64,
            }),
            _ => Err(os_error("CreateFileW", 2)),
        }
    }
}

fn log_of(records: Vec<usize>) -> Machine {
    Machine {
        fitting: records.len(),
        info: Info {
            records: Some(records.len() as u64),
            file_bytes: Some(records.iter().sum::<usize>() as u64),
        },
        records,
        ..Machine::default()
    }
}

/// Runs the item of the Setup log; nothing may be left of its export.
fn run(machine: Machine, log_bytes: Option<u64>) -> Ran {
    run_item(machine, log_bytes, |job| collect(job, "eventlog.setup"))
}

fn run_item(machine: Machine, log_bytes: Option<u64>, collect: fn(&mut Job) -> Outcome) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        since: "2026-03-01T11:00:00Z".parse().unwrap(),
        log_bytes,
        scratch: folder.path().to_owned(),
        ..settings()
    };
    let ran = run_with(settings, machine, collect);
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    ran
}

fn log(ran: &Ran) -> &LiveLog {
    ran.outcome.log.as_ref().unwrap()
}

#[test]
fn every_event_log_of_the_table_is_collected() {
    let logs = ITEMS
        .iter()
        .filter(|item| item.content.kind() == "event log");
    let logs: Vec<&str> = logs.map(|item| item.id).collect();
    let collected: Vec<&str> = COLLECTORS.iter().map(|one| one.item).collect();
    assert_eq!(collected, logs);
}

#[test]
fn a_log_is_exported_for_the_window_and_its_live_figures_are_told() {
    let machine = Machine {
        config: Config {
            enabled: Some(true),
            maximum_bytes: Some(1 << 20),
            retention: Some(false),
            file: None,
        },
        fitting: 2,
        ..log_of(vec![10, 20, 30])
    };
    let ran = run(machine, None);
    assert_eq!(ran.outcome.state, State::Ok);
    assert_eq!(ran.outcome.method, Some(EXPORT));
    assert_eq!(ran.artifacts["eventlog/Setup.evtx"].len(), 50);
    let expected = LiveLog {
        channel: "Setup".to_owned(),
        enabled: Some(true),
        oldest_record_id: Some(1),
        newest_record_id: Some(3),
        oldest_time: "2023-11-14T22:13:21Z".parse().ok(),
        newest_time: "2023-11-14T22:13:23Z".parse().ok(),
        record_count: Some(3),
        file_bytes: Some(60),
        maximum_bytes: Some(1 << 20),
        retention: Some(false),
        query: Some("*[System[TimeCreated[@SystemTime>='2026-03-01T11:00:00.000Z']]]".to_owned()),
        cap_bytes: None,
    };
    assert_eq!(log(&ran), &expected);
}

#[test]
fn under_the_cap_nothing_is_left_out() {
    let machine = log_of(vec![10; 10]);
    let exports = machine.exports.clone();
    let ran = run(machine, Some(100));
    assert_eq!(ran.outcome.state, State::Ok);
    assert_eq!(log(&ran).cap_bytes, Some(100));
    assert!(!log(&ran).query.as_ref().unwrap().contains("EventRecordID"));
    assert_eq!(exports.lock().unwrap().len(), 1);
}

#[test]
fn over_the_cap_the_newest_records_stay() {
    let ran = run(log_of(vec![10; 100]), Some(200));
    assert_eq!(ran.outcome.state, State::Truncated);
    // A fifth of the records less a tenth: 18.
    assert_eq!(ran.artifacts["eventlog/Setup.evtx"].len(), 180);
    assert!(
        log(&ran)
            .query
            .as_ref()
            .unwrap()
            .contains("EventRecordID>=83]")
    );
    let reason = ran.outcome.reason.unwrap();
    assert_eq!(
        reason,
        "records before 83 were left out: the cap is 200 bytes"
    );
}

#[test]
fn records_that_are_larger_than_most_are_cut_again() {
    let mut records = vec![1; 900];
    records.extend(vec![100; 100]);
    let machine = log_of(records);
    let exports = machine.exports.clone();
    let ran = run(machine, Some(2000));
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.artifacts["eventlog/Setup.evtx"].len(), 1800);
    assert_eq!(exports.lock().unwrap().len(), 3);
}

#[test]
fn a_log_of_unknown_size_is_cut_by_what_came_of_it() {
    let machine = Machine {
        info: Info::default(),
        ..log_of(vec![100; 100])
    };
    let ran = run(machine, Some(1000));
    assert_eq!(ran.outcome.state, State::Truncated);
    assert!(ran.artifacts["eventlog/Setup.evtx"].len() <= 1000);
}

#[test]
fn one_record_over_the_cap_is_kept_and_told() {
    let machine = log_of(vec![5000]);
    let exports = machine.exports.clone();
    let ran = run(machine, Some(1000));
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.artifacts["eventlog/Setup.evtx"].len(), 5000);
    let reason = ran.outcome.reason.unwrap();
    assert_eq!(reason, "5000 bytes, more than the cap of 1000");
    assert_eq!(exports.lock().unwrap().len(), 1);
}

#[test]
fn security_is_asked_for_the_ids_that_the_checks_read() {
    let ran = run_item(log_of(vec![10]), None, |job| {
        collect(job, "eventlog.security")
    });
    let query = log(&ran).query.clone().unwrap();
    for id in channel::SECURITY_IDS {
        assert!(query.contains(&format!("EventID={id}")), "{query}");
    }
}

#[test]
fn a_log_without_records_is_empty() {
    for (machine, why) in [
        (log_of(Vec::new()), "the log holds no record"),
        (
            Machine {
                fitting: 0,
                ..log_of(vec![10; 5])
            },
            "the log holds no record that was asked for",
        ),
    ] {
        let ran = run(machine, Some(10));
        assert_eq!(ran.outcome.state, State::Empty);
        assert_eq!(ran.outcome.reason.as_deref(), Some(why));
        assert!(log(&ran).query.is_some());
        assert!(ran.artifacts.is_empty());
    }
}

#[test]
fn a_log_that_cannot_be_exported_is_copied_byte_for_byte() {
    const BYTES: &[u8] = b"ElfFile\0 and more";
    for (configured, place) in [
        (None, "C:/Windows/System32/winevt/Logs/Setup.evtx"),
        (
            Some("%SystemRoot%\\Other\\Setup.evtx"),
            "C:/Windows/Other/Setup.evtx",
        ),
        (Some("D:\\logs\\Setup.evtx"), "D:/logs/Setup.evtx"),
        // It is not where it is configured to be.
        (
            Some("D:\\logs\\Setup.evtx"),
            "C:/Windows/System32/winevt/Logs/Setup.evtx",
        ),
        (
            Some("%USERPROFILE%\\Setup.evtx"),
            "C:/Windows/System32/winevt/Logs/Setup.evtx",
        ),
        (
            Some("%SystemRoot%\\temp\\missing.log"),
            "C:/Windows/System32/winevt/Logs/Setup.evtx",
        ),
    ] {
        let machine = Machine {
            file: Some((place, BYTES)),
            ..log_of(vec![10])
        };
        // The export alone fails.
        let machine = OnlyExportFails {
            machine: Machine {
                config: Config {
                    file: configured.map(str::to_owned),
                    ..Config::default()
                },
                ..machine
            },
        };
        let ran = run_with(settings_in("unused"), machine, |job| {
            collect(job, "eventlog.setup")
        });
        let expected = Outcome {
            log: ran.outcome.log.clone(),
            ..Outcome::ok(COPY).after(Some(os_error(EXPORT, 120)))
        };
        assert_eq!(ran.outcome, expected, "{configured:?}");
        assert_eq!(ran.artifacts["eventlog/Setup.evtx"], BYTES);
        assert_eq!((&log(&ran).query, log(&ran).cap_bytes), (&None, None));
        assert_eq!(log(&ran).record_count, Some(1));
    }
}

fn settings_in(folder: &str) -> Settings {
    Settings {
        scratch: folder.into(),
        log_bytes: Some(1),
        ..settings()
    }
}

/// A machine whose service answers all but the export.
struct OnlyExportFails {
    machine: Machine,
}

impl System for OnlyExportFails {
    fn event_logs(&self) -> &dyn EventLogs {
        self
    }

    fn files(&self) -> &dyn Files {
        &self.machine
    }
}

impl EventLogs for OnlyExportFails {
    fn config(&self, channel: &str) -> SysResult<Config> {
        self.machine.config(channel)
    }

    fn info(&self, channel: &str) -> SysResult<Info> {
        self.machine.info(channel)
    }

    fn walk(&self, channel: &str, query: &str, order: Order, at_most: u64) -> SysResult<Walk> {
        self.machine.walk(channel, query, order, at_most)
    }
}

#[test]
fn a_machine_without_the_service_gives_its_files() {
    let machine = Machine {
        fails: Some(120),
        file: Some(("C:/Windows/System32/winevt/Logs/Setup.evtx", b"ElfFile")),
        ..log_of(Vec::new())
    };
    let ran = run(machine, Some(1));
    assert_eq!(ran.outcome.state, State::Ok);
    assert_eq!(ran.outcome.method, Some(COPY));
    assert_eq!(ran.outcome.error, Some(os_error("EvtQuery", 120)));
    assert_eq!(log(&ran).record_count, None);
}

#[test]
fn when_both_methods_fail_the_first_decides() {
    for (code, state) in [
        (5, State::Denied),
        (120, State::Failed),
        (1460, State::Timeout),
    ] {
        let machine = Machine {
            fails: Some(code),
            ..log_of(Vec::new())
        };
        let ran = run(machine, None);
        assert_eq!(ran.outcome.state, state);
        assert_eq!(ran.outcome.error.as_ref().unwrap().code, code);
        let reason = ran.outcome.reason.unwrap();
        assert_eq!(reason, "copying its file: CreateFileW failed with 2");
    }
}

#[test]
fn a_channel_that_is_not_there_is_absent_even_with_a_file_left() {
    let machine = Machine {
        fails: Some(NO_SUCH_CHANNEL),
        file: Some(("C:/Windows/System32/winevt/Logs/Setup.evtx", b"ElfFile")),
        ..log_of(Vec::new())
    };
    let ran = run(machine, None);
    assert_eq!(ran.outcome.state, State::Absent);
    assert!(ran.artifacts.is_empty());
}

#[test]
fn an_item_that_was_given_up_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        scratch: folder.path().to_owned(),
        ..settings()
    };
    let outcome = given_up(settings, log_of(vec![10]), |job| {
        collect(job, "eventlog.setup")
    });
    assert_eq!(outcome.state, State::Timeout);
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn an_item_whose_time_is_up_exports_and_copies_nothing() {
    let machine = Machine {
        file: Some(("C:/Windows/System32/winevt/Logs/Setup.evtx", b"ElfFile")),
        ..log_of(vec![10])
    };
    let exports = machine.exports.clone();
    for cap in [None, Some(5)] {
        let ran = run_item(machine.clone(), cap, |job| {
            job.until = std::time::Instant::now();
            collect(job, "eventlog.setup")
        });
        assert_eq!(ran.outcome.state, State::Timeout);
        assert!(ran.artifacts.is_empty());
    }
    assert!(exports.lock().unwrap().is_empty());
}

#[test]
fn an_export_without_end_is_called_off() {
    let machine = Machine {
        hangs: true,
        file: Some(("C:/Windows/System32/winevt/Logs/Setup.evtx", b"ElfFile")),
        ..log_of(vec![10])
    };
    let ran = run_item(machine, None, |job| {
        job.until = std::time::Instant::now() + Duration::from_millis(200);
        collect(job, "eventlog.setup")
    });
    let called_off = Some(os_error("EvtExportLog", 1223));
    assert_eq!(
        (ran.outcome.state, ran.outcome.error),
        (State::Timeout, called_off)
    );
    assert!(ran.artifacts.is_empty());
}
