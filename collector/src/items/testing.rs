//! Running one item on a fake machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Chunk, Job, Outcome, Settings, Sink};
use crate::system::System;

/// What an item gave.
pub(super) struct Ran {
    /// How it ended.
    pub(super) outcome: Outcome,
    /// Its artifacts by name.
    pub(super) artifacts: BTreeMap<String, Vec<u8>>,
}

impl Ran {
    /// The record in that artifact.
    pub(super) fn record<T: DeserializeOwned>(&self, name: &str) -> T {
        serde_json::from_slice(&self.artifacts[name]).unwrap()
    }
}

/// A counter window of one second, no cap, no folder for exports.
pub(super) fn settings() -> Settings {
    Settings {
        since: Timestamp::UNIX_EPOCH,
        log_bytes: None,
        samples: 2,
        scratch: PathBuf::new(),
        exports: Arc::default(),
    }
}

/// Runs an item to its end.
pub(super) fn run(system: impl System + 'static, collect: fn(&mut Job) -> Outcome) -> Ran {
    run_with(settings(), system, collect)
}

/// The end of an item that the engine has given up.
pub(super) fn given_up(
    settings: Settings,
    system: impl System + 'static,
    collect: fn(&mut Job) -> Outcome,
) -> Outcome {
    let (mut job, receiver) = job(settings, system);
    drop(receiver);
    collect(&mut job)
}

fn job(settings: Settings, system: impl System + 'static) -> (Job, Receiver<Chunk>) {
    let (sender, receiver) = sync_channel(1);
    let job = Job {
        system: Arc::new(system),
        sink: Sink::new(sender),
        settings: Arc::new(settings),
        stop: Arc::new(AtomicBool::new(false)),
        until: Instant::now() + Duration::from_secs(60),
    };
    (job, receiver)
}

/// Runs an item to its end with other settings.
pub(super) fn run_with(
    settings: Settings,
    system: impl System + 'static,
    collect: fn(&mut Job) -> Outcome,
) -> Ran {
    let (mut job, receiver) = job(settings, system);
    let item = std::thread::spawn(move || collect(&mut job));
    let mut artifacts = BTreeMap::new();
    let mut current = String::new();
    for chunk in receiver {
        match chunk {
            Chunk::Start { name, .. } => {
                artifacts.insert(name.clone(), Vec::new());
                current = name;
            }
            Chunk::Bytes(bytes) => artifacts.get_mut(&current).unwrap().extend(bytes),
            Chunk::End(_) => break,
        }
    }
    let outcome = item.join().unwrap();
    Ran { outcome, artifacts }
}
