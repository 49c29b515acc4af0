//! For the tests of items: runs one on a fake machine and keeps what it sends.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{COLLECTORS, Chunk, Job, Outcome, Settings, Sink};
use crate::system::System;

/// What an item sent.
pub(super) struct Run {
    pub(super) outcome: Outcome,
    /// Entry names and bytes, in order.
    pub(super) artifacts: Vec<(String, Vec<u8>)>,
}

impl Run {
    /// The first artifact as a record.
    pub(super) fn record<T: DeserializeOwned>(&self) -> T {
        let (_, bytes) = self.artifacts.first().expect("an artifact");
        serde_json::from_slice(bytes).expect("a record")
    }

    /// Names of the artifacts.
    pub(super) fn names(&self) -> Vec<&str> {
        self.artifacts.iter().map(|(name, _)| &**name).collect()
    }
}

/// Runs an item with a counter window of `samples` seconds less one.
pub(super) fn run(item: &str, system: impl System + 'static, samples: u32) -> Run {
    let collector = COLLECTORS
        .iter()
        .flat_map(|family| family.iter())
        .find(|collector| collector.item == item)
        .expect("a collector of that item");
    let (channel, chunks) = sync_channel(4);
    let reader = std::thread::spawn(move || {
        let mut artifacts: Vec<(String, Vec<u8>)> = Vec::new();
        for chunk in chunks {
            match chunk {
                Chunk::Start { name, .. } => artifacts.push((name, Vec::new())),
                Chunk::Bytes(bytes) => {
                    artifacts.last_mut().expect("a start").1.extend(bytes);
                }
                Chunk::End(_) => {}
            }
        }
        artifacts
    });
    let mut job = Job {
        system: Arc::new(system),
        sink: Sink::new(channel),
        settings: Arc::new(Settings {
            since: Timestamp::UNIX_EPOCH,
            log_bytes: None,
            samples,
            scratch: PathBuf::new(),
        }),
        stop: Arc::new(AtomicBool::new(false)),
        until: Instant::now() + Duration::from_secs(60),
    };
    let outcome = (collector.collect)(&mut job);
    drop(job);
    Run {
        outcome,
        artifacts: reader.join().expect("the reader"),
    }
}
