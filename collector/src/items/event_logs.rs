//! Event logs: the window that was asked for, exported by Windows and cut where it is too large;
//! else a copy of the file.

mod query;
mod tail;

use std::path::PathBuf;
use std::time::Duration;

use snapdiag_bundle::items::{self, Content};
use snapdiag_bundle::{LiveLog, OsError, State, channel};

use self::query::Query;
use super::expand::whole;
use super::exported::{COPY, Exported, both_failed, copy, ended};
use super::filetime::timestamp;
use super::{Collector, Job, Outcome, Phase};
use crate::system::SysResult;
use crate::system::event_logs::{Config, Order};

const EXPORT: &str = "EvtExportLog";
/// `ERROR_EVT_CHANNEL_NOT_FOUND`.
const NO_SUCH_CHANNEL: u32 = 15007;

macro_rules! logs {
    ($($item:literal for $seconds:literal s,)*) => {
        /// Every event log.
        pub(super) const COLLECTORS: &[Collector] = &[$(Collector {
            item: $item,
            phase: Phase::Heavy,
            limit: Duration::from_secs($seconds),
            collect: |job| collect(job, $item),
        },)*];
    };
}

logs! {
    "eventlog.system" for 40 s,
    "eventlog.application" for 40 s,
    "eventlog.security" for 60 s,
    "eventlog.setup" for 20 s,
    "eventlog.rcm-operational" for 20 s,
    "eventlog.rcm-admin" for 20 s,
    "eventlog.lsm-operational" for 20 s,
    "eventlog.rdpcorets-operational" for 20 s,
    "eventlog.ts-licensing-admin" for 20 s,
    "eventlog.ts-licensing-operational" for 20 s,
    "eventlog.firewall" for 20 s,
    "eventlog.network-profile" for 20 s,
    "eventlog.nla-service" for 20 s,
    "eventlog.dhcp-client-admin" for 20 s,
    "eventlog.group-policy" for 20 s,
    "eventlog.wmi-activity" for 20 s,
    "eventlog.defender" for 20 s,
    "eventlog.openssh" for 20 s,
}

fn collect(job: &mut Job, item: &str) -> Outcome {
    let row = items::by_id(item);
    let Some((entry, channel)) = row.and_then(|row| match (row.entries, row.content) {
        ([entry, ..], Content::EventLog(channel)) => Some((*entry, channel)),
        _ => None,
    }) else {
        return Outcome::new(State::Failed).because("the bundle has no such event log");
    };
    let (mut log, config) = live_log(job, channel);
    let mut outcome = export(job, &mut log, entry).unwrap_or_else(|first| {
        if first.code == NO_SUCH_CHANNEL {
            return Outcome::failed(first).by(EXPORT);
        }
        if job.is_over() {
            return Outcome::stopped().by(EXPORT).after(Some(first));
        }
        (log.query, log.cap_bytes) = (None, None);
        copy_file(job, channel, config.file.as_deref(), entry, first)
    });
    outcome.log = Some(log);
    outcome
}

/// What the live log holds, as far as Windows says.
fn live_log(job: &Job, channel: &str) -> (LiveLog, Config) {
    let logs = job.system.event_logs();
    let config = logs.config(channel).unwrap_or_default();
    let info = logs.info(channel).unwrap_or_default();
    let end = |order| logs.walk(channel, query::ALL, order, 1).ok()?.last;
    let (oldest, newest) = (end(Order::OldestFirst), end(Order::NewestFirst));
    let log = LiveLog {
        channel: channel.to_owned(),
        enabled: config.enabled,
        oldest_record_id: oldest.map(|mark| mark.record_id),
        newest_record_id: newest.map(|mark| mark.record_id),
        oldest_time: oldest.and_then(|mark| timestamp(mark.time)),
        newest_time: newest.and_then(|mark| timestamp(mark.time)),
        record_count: info.records,
        file_bytes: info.file_bytes,
        maximum_bytes: config.maximum_bytes,
        retention: config.retention,
        query: None,
        cap_bytes: None,
    };
    (log, config)
}

/// Exports what fits the window, the wanted ids and the cap.
fn export(job: &mut Job, log: &mut LiveLog, entry: &str) -> SysResult<Outcome> {
    let mut query = Query {
        since: job.settings.since,
        ids: if log.channel == channel::SECURITY {
            channel::SECURITY_IDS
        } else {
            &[]
        },
        from_record: None,
    };
    log.query = Some(query.text());
    log.cap_bytes = job.settings.log_bytes;
    let system = job.system.clone();
    let logs = system.event_logs();
    let newest = logs.walk(&log.channel, &query.text(), Order::NewestFirst, 1)?;
    if newest.records == 0 {
        let why = match log.newest_record_id {
            None => "the log holds no record",
            Some(_) => "the log holds no record that was asked for",
        };
        return Ok(Outcome::new(State::Empty).by(EXPORT).because(why));
    }
    let export = Exported::place(job);
    let cut = tail::export(job, log, &mut query, &export)?;
    log.query = Some(query.text());
    let mut outcome = ended(export.send(job, entry)?, EXPORT);
    if let Some(why) = cut.filter(|_| outcome.state == State::Ok) {
        outcome.state = State::Truncated;
        outcome.reason = Some(why);
    }
    Ok(outcome)
}

fn copy_file(
    job: &mut Job,
    channel: &str,
    configured: Option<&str>,
    entry: &str,
    first: OsError,
) -> Outcome {
    let mut copied = Err(first.clone());
    for file in files_of(job, channel, configured) {
        copied = copy(job, entry, &file);
        if copied.is_ok() {
            break;
        }
    }
    match copied {
        Ok(sent) => ended(sent, COPY).after(Some(first)),
        Err(second) => both_failed(first, EXPORT, &second),
    }
}

/// Where the file of a channel may be: where it is configured to be, and where it usually is.
fn files_of(job: &Job, channel: &str, configured: Option<&str>) -> Vec<PathBuf> {
    let Ok(root) = job.system.files().system_root() else {
        return Vec::new();
    };
    let configured = configured.filter(|path| !path.is_empty());
    let configured = configured.and_then(|path| whole(path, &root));
    let logs = root.join("System32").join("winevt").join("Logs");
    let usual = logs.join(channel::file_name(channel));
    configured.into_iter().chain([usual]).collect()
}

#[cfg(test)]
mod tests;
