//! The engine with items that behave badly.
#![allow(clippy::unwrap_used, reason = "a helper's failure fails the test")]

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::thread;

use jiff::Timestamp;
use snapdiag_bundle::manifest::{FORMAT, FORMAT_VERSION};
use snapdiag_bundle::{Bounds, Bundle, Collector, Compression, Limits, Manifest, Plan, State};

use super::*;
use crate::machine;
use crate::system::{Unanswered, os_error};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// A run into a folder of its own.
struct Trial {
    folder: tempfile::TempDir,
    run: Run,
    told: Vec<ItemRow>,
}

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = Run {
            system: Arc::new(Unanswered),
            settings: Arc::new(Settings {
                since: Timestamp::UNIX_EPOCH,
                log_bytes: None,
                samples: 2,
                scratch: folder.path().join("scratch"),
                exports: Arc::default(),
            }),
            started: Instant::now(),
            deadline: None,
            interrupted: Arc::default(),
            most_bytes: None,
            room: Arc::default(),
        };
        let told = Vec::new();
        Self { folder, run, told }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bundle.zip")
    }

    /// Runs the tasks; whether the run was whole, and the bundle as the reader sees it.
    fn go(&mut self, tasks: Vec<Task>) -> (bool, Bundle) {
        let output = Output::new(File::create_new(self.path()).unwrap());
        self.run.room = output.room();
        let plan = plan(tasks.iter().map(|task| task.item));
        let mut writer = BundleWriter::zip(output, Compression::Deflate, plan).unwrap();
        let told = &mut self.told;
        let whole = run(&self.run, tasks, &mut writer, &mut |row| {
            told.push(row.clone());
        })
        .unwrap();
        let cost = machine::cost(&Unanswered, self.run.started, 0);
        writer.finish(Timestamp::now(), Some(cost)).unwrap();
        (whole, open(&self.path()))
    }
}

fn open(path: &Path) -> Bundle {
    let bundle = Bundle::open(path, &Limits::default()).unwrap();
    assert!(bundle.verify().is_sound());
    bundle
}

fn plan(items: impl Iterator<Item = &'static str>) -> Plan {
    Plan {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        collector: Collector {
            name: "test".to_owned(),
            version: "0".to_owned(),
            commit: None,
            sha256: None,
            arguments: Vec::new(),
        },
        capture: machine::disk("HOST-A".to_owned(), Timestamp::now()),
        profile: None,
        bounds: Bounds::default(),
        items: items.map(str::to_owned).collect(),
    }
}

fn task(
    item: &'static str,
    phase: Phase,
    limit: Duration,
    work: impl FnOnce(&mut Job) -> Outcome + Send + 'static,
) -> Task {
    Task {
        item,
        phase,
        limit,
        work: Box::new(work),
    }
}

/// An item that does what it should.
fn good(item: &'static str, entry: &'static str) -> Task {
    task(item, Phase::Quick, LONG, move |job| {
        job.sink.bytes(entry, b"{}\n").unwrap();
        Outcome::ok("Good")
    })
}

fn row<'a>(manifest: &'a Manifest, item: &str) -> &'a ItemRow {
    manifest.row(item).unwrap()
}

/// A source that gives so many bytes, then never comes back.
struct ThenSilence(usize);

impl Read for ThenSilence {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            loop {
                thread::park();
            }
        }
        let bytes = self.0.min(buffer.len());
        self.0 -= bytes;
        buffer[..bytes].fill(b'x');
        Ok(bytes)
    }
}

#[test]
fn what_items_bring_is_in_the_bundle() {
    let mut trial = Trial::new();
    let (whole, bundle) = trial.go(vec![
        good("system.cpu", "system/cpu.json"),
        task("network.tcp", Phase::Heavy, LONG, |_| {
            Outcome::failed(os_error("Api", 2))
        }),
    ]);
    assert!(whole, "an absent thing is no fault");
    let manifest = bundle.manifest().unwrap();
    assert!(!bundle.is_interrupted());
    let cpu = row(manifest, "system.cpu");
    assert_eq!(
        (cpu.state, cpu.method.as_deref()),
        (State::Ok, Some("Good"))
    );
    assert_eq!(cpu.artifacts[0].size_bytes, 3);
    assert_eq!(row(manifest, "network.tcp").state, State::Absent);
    assert_eq!(trial.told, manifest.items);
}

#[test]
fn a_hanging_item_costs_itself_only() {
    let mut trial = Trial::new();
    let (whole, bundle) = trial.go(vec![
        task("network.tcp", Phase::Quick, SHORT, |job| {
            let sent = job
                .sink
                .stream("network/tcp.json", None, &mut ThenSilence(200_000));
            panic!("came back with {sent:?}");
        }),
        good("system.cpu", "system/cpu.json"),
    ]);
    assert!(!whole);
    let manifest = bundle.manifest().unwrap();
    let hung = row(manifest, "network.tcp");
    assert_eq!(hung.state, State::Timeout);
    assert_eq!(hung.reason.as_deref(), Some("given up after 0.05 s"));
    assert_eq!(
        hung.artifacts[0].size_bytes, 200_000,
        "what it had sent stays"
    );
    assert_eq!(row(manifest, "system.cpu").state, State::Ok);
}

#[test]
fn an_item_that_panics_fails() {
    let mut trial = Trial::new();
    let (whole, bundle) = trial.go(vec![
        task("network.tcp", Phase::Quick, LONG, |_| {
            panic!("as the test wants it")
        }),
        good("system.cpu", "system/cpu.json"),
    ]);
    assert!(!whole);
    let manifest = bundle.manifest().unwrap();
    assert_eq!(row(manifest, "network.tcp").state, State::Failed);
    assert_eq!(row(manifest, "system.cpu").state, State::Ok);
}

#[test]
fn a_refused_item_keeps_its_error() {
    let mut trial = Trial::new();
    let (whole, bundle) = trial.go(vec![task("registry.system", Phase::Heavy, LONG, |_| {
        Outcome::failed(os_error("RegSaveKeyExW", 5)).by("RegSaveKeyExW")
    })]);
    assert!(!whole);
    let denied = row(bundle.manifest().unwrap(), "registry.system");
    assert_eq!(denied.state, State::Denied);
    assert_eq!(denied.error, Some(os_error("RegSaveKeyExW", 5)));
}

#[test]
fn an_item_that_breaks_the_rules_fails() {
    for (why, work) in [
        (
            "no artifact",
            (|_| Outcome::ok("Lie")) as fn(&mut Job) -> Outcome,
        ),
        ("bad name", |job| {
            job.sink.bytes("../escape", b"x").unwrap();
            Outcome::ok("Escape")
        }),
        ("a name twice", |job| {
            job.sink.bytes("system/cpu.json", b"x").unwrap();
            drop(job.sink.bytes("system/cpu.json", b"y"));
            Outcome::ok("Twice")
        }),
    ] {
        let mut trial = Trial::new();
        let (whole, bundle) = trial.go(vec![task("system.cpu", Phase::Quick, LONG, work)]);
        assert!(!whole, "{why}");
        let row = row(bundle.manifest().unwrap(), "system.cpu");
        assert_eq!(row.state, State::Failed, "{why}");
        assert!(row.reason.is_some(), "{why}");
    }
}

#[test]
fn sampling_items_run_together_and_beside_the_quick_ones() {
    let mut trial = Trial::new();
    let here = Arc::new(AtomicUsize::new(0));
    let (quick_ran, quick_has_run) = mpsc::channel();
    let meet = |here: Arc<AtomicUsize>, entry: &'static str| {
        move |job: &mut Job| {
            here.fetch_add(1, Ordering::SeqCst);
            while here.load(Ordering::SeqCst) < 2 {
                assert!(!job.is_over(), "the other never came");
                thread::yield_now();
            }
            job.sink.bytes(entry, b"x").unwrap();
            Outcome::ok("Met")
        }
    };
    let first = meet(Arc::clone(&here), "network/tcp.json");
    let second = meet(here, "counters/counters.json");
    let (_, bundle) = trial.go(vec![
        task("network.tcp", Phase::Window, LONG, move |job| {
            // Ends after the quick item only: so that one did not wait for it.
            quick_has_run.recv_timeout(LONG).unwrap();
            first(job)
        }),
        task("counters.pdh", Phase::Window, LONG, second),
        task("registry.system", Phase::Heavy, LONG, |job| {
            job.sink.bytes("registry/SYSTEM", b"x").unwrap();
            Outcome::ok("Save")
        }),
        task("system.cpu", Phase::Quick, LONG, move |job| {
            quick_ran.send(()).unwrap();
            job.sink.bytes("system/cpu.json", b"x").unwrap();
            Outcome::ok("Quick")
        }),
    ]);
    let order: Vec<_> = trial.told.iter().map(|row| row.item.as_str()).collect();
    let expected = [
        "system.cpu",
        "network.tcp",
        "counters.pdh",
        "registry.system",
    ];
    assert_eq!(order, expected);
    let rows = &bundle.manifest().unwrap().items;
    assert!(rows.iter().all(|row| row.state == State::Ok), "{rows:?}");
}

#[test]
fn a_sampling_item_waits_for_slow_quick_ones() {
    let mut trial = Trial::new();
    let (_, bundle) = trial.go(vec![
        task("network.tcp", Phase::Window, SHORT, |job| {
            // More pieces than the channel holds: it has to wait until it is taken in.
            job.sink
                .bytes("network/tcp.json", &[b'x'; 1_000_000])
                .unwrap();
            assert!(!job.is_over());
            Outcome::ok("Sampled")
        }),
        task("system.cpu", Phase::Quick, LONG, |job| {
            assert!(job.sleep(SHORT * 4));
            job.sink.bytes("system/cpu.json", b"x").unwrap();
            Outcome::ok("Slow")
        }),
    ]);
    let tcp = row(bundle.manifest().unwrap(), "network.tcp");
    assert_eq!(
        (tcp.state, tcp.artifacts[0].size_bytes),
        (State::Ok, 1_000_000)
    );
}

#[test]
fn past_the_deadline_nothing_is_started() {
    let mut trial = Trial::new();
    trial.run.deadline = Some(Instant::now() + SHORT);
    let (whole, bundle) = trial.go(vec![
        task("network.tcp", Phase::Quick, LONG, |_| {
            loop {
                thread::park();
            }
        }),
        good("system.cpu", "system/cpu.json"),
    ]);
    assert!(!whole);
    let manifest = bundle.manifest().unwrap();
    let (hung, late) = (row(manifest, "network.tcp"), row(manifest, "system.cpu"));
    assert_eq!(hung.state, State::Timeout);
    assert_eq!(
        hung.reason.as_deref(),
        Some("given up at the deadline of the run")
    );
    assert_eq!(late.state, State::Skipped);
    assert_eq!(
        late.reason.as_deref(),
        Some("the deadline of the run had passed")
    );
}

#[test]
fn an_item_hands_over_what_it_has_when_its_time_is_up() {
    let mut trial = Trial::new();
    let (_, bundle) = trial.go(vec![task("volumes.volumes", Phase::Quick, SHORT, |job| {
        while job.sleep(LONG) {}
        job.sink.bytes("volumes/volumes.json", b"part").unwrap();
        Outcome::new(State::Truncated).because("out of time")
    })]);
    let part = row(bundle.manifest().unwrap(), "volumes.volumes");
    assert_eq!(
        (part.state, part.artifacts[0].size_bytes),
        (State::Truncated, 4)
    );
}

#[test]
fn an_interrupted_run_ends_its_bundle() {
    let mut trial = Trial::new();
    let interrupted = Arc::clone(&trial.run.interrupted);
    let (whole, bundle) = trial.go(vec![
        good("system.memory", "system/memory.json"),
        task("network.tcp", Phase::Quick, LONG, move |_| {
            interrupted.store(true, Ordering::Relaxed);
            loop {
                thread::park();
            }
        }),
        good("system.cpu", "system/cpu.json"),
    ]);
    assert!(!whole);
    assert!(!bundle.is_interrupted(), "the manifest is there");
    let manifest = bundle.manifest().unwrap();
    assert_eq!(row(manifest, "system.memory").state, State::Ok);
    for (item, reason) in [
        ("network.tcp", "interrupted in the middle of this item"),
        ("system.cpu", "interrupted"),
    ] {
        let row = row(manifest, item);
        assert_eq!(
            (row.state, row.reason.as_deref()),
            (State::Skipped, Some(reason))
        );
    }
}

#[test]
fn a_large_bundle_takes_no_further_heavy_item() {
    let mut trial = Trial::new();
    trial.run.most_bytes = Some(1);
    let (whole, bundle) = trial.go(vec![
        good("system.cpu", "system/cpu.json"),
        task("registry.system", Phase::Heavy, LONG, |_| {
            Outcome::ok("Save")
        }),
    ]);
    assert!(!whole);
    let manifest = bundle.manifest().unwrap();
    assert_eq!(row(manifest, "system.cpu").state, State::Ok);
    assert_eq!(row(manifest, "registry.system").state, State::Skipped);
}

#[test]
fn each_row_is_in_the_journal_before_the_next_item_starts() {
    let mut trial = Trial::new();
    let (path, seen) = (trial.path(), mpsc::channel());
    trial.go(vec![
        good("system.memory", "system/memory.json"),
        task("system.cpu", Phase::Quick, LONG, move |_| {
            let bundle = open(&path);
            assert!(bundle.is_interrupted());
            seen.0.send(bundle.manifest().unwrap().clone()).unwrap();
            Outcome::new(State::Absent)
        }),
    ]);
    let manifest = seen.1.try_recv().unwrap();
    let memory = row(&manifest, "system.memory");
    assert_eq!((memory.state, memory.artifacts.len()), (State::Ok, 1));
    assert_eq!(row(&manifest, "system.cpu").state, State::Skipped);
}
