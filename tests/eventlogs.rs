//! Every event log of the captures, compared with what other readers say of it.
//!
//! Needs the captures (see `snapdiag_tests::captures`); says so and passes without them.

#[path = "eventlogs/oracle.rs"]
mod oracle;

use std::path::Path;

use oracle::{Record, xml_text};
use serde_json::Value as Json;
use snapdiag::formats::evtx::{
    Event, Fields, Fold, Header, LogOutcome, Need, Options, channel_of_file, read_bytes,
};
use snapdiag_tests::{captures, expected};

/// Keeps every record.
#[derive(Default)]
struct All(Vec<Record>);

fn texts(fields: &Fields) -> Vec<(Option<String>, String)> {
    fields.iter().map(|field| (field.name.clone(), xml_text(&field.value.to_string()))).collect()
}

impl Fold for All {
    fn glance(&mut self, _: &Header<'_>) -> Need {
        Need::Fields
    }

    fn event(&mut self, event: &Event<'_>) {
        self.0.push(Record {
            record_id: event.header.record_id,
            time: event.header.time,
            provider: event.header.provider.to_owned(),
            channel: event.header.channel.to_owned(),
            event_id: event.header.event_id.to_string(),
            system: texts(&event.system),
            fields: texts(&event.fields),
        });
    }

    fn fork(&self) -> Self {
        Self::default()
    }

    fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}

fn read_all(bytes: &[u8], stale: bool) -> LogOutcome<All> {
    let options = Options { stale, ..Options::default() };
    read_bytes(bytes, All::default(), options).expect("an event log")
}

fn logs(folder: &Path) -> Vec<(String, Vec<u8>, Json)> {
    let logs = expected(folder).into_iter().filter(|(path, _)| path.ends_with(".evtx"));
    logs.map(|(path, entry)| {
        let bytes = std::fs::read(folder.join(&path)).expect("a readable capture");
        (path, bytes, entry)
    })
    .collect()
}

#[test]
fn records_agree_with_the_evtx_crate() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    for (path, bytes, _) in logs(&folder) {
        for stale in [false, true] {
            let (theirs, failed) = oracle::read(&bytes, stale).expect("a log");
            let ours = read_all(&bytes, stale);
            if (theirs.len() != ours.fold.0.len()) || ours.fallback_chunks > 0 && !stale || !ours.damage.is_empty() {
                println!("{path} stale={stale}: theirs {} failed {failed}; ours {} failed {} stale {} chunks {} fallback {} empty {} dirty {}",
                    theirs.len(), ours.fold.0.len(), ours.failed, ours.stale, ours.chunks, ours.fallback_chunks, ours.empty_chunks, ours.dirty);
                for d in ours.damage.iter().take(4) { println!("   {d:?}"); }
            }
            let mut diffs = 0;
            for (a, b) in theirs.iter().zip(&ours.fold.0) {
                if a != b { diffs += 1; if diffs < 3 { println!("--- {path}\n{a:?}\n{b:?}"); } }
            }
            if diffs > 0 { println!("{path} DIFFS {diffs}"); }
        }
        let _ = channel_of_file(&path);
    }
}
