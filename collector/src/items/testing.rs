//! Running one item on a fake machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
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

/// Runs an item to its end, with a counter window of one second.
pub(super) fn run(system: impl System + 'static, collect: fn(&mut Job) -> Outcome) -> Ran {
    let (sender, receiver) = sync_channel(1);
    let mut job = Job {
        system: Arc::new(system),
        sink: Sink::new(sender),
        settings: Arc::new(Settings {
            since: Timestamp::UNIX_EPOCH,
            log_bytes: None,
            samples: 2,
            scratch: PathBuf::new(),
        }),
        stop: Arc::new(AtomicBool::new(false)),
        until: Instant::now() + Duration::from_secs(60),
    };
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
