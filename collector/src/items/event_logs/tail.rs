//! The newest records under a cap. `EvtExportLog` has no limit of its own, so the record where the
//! export begins is found before: by the size of an average record, then by what came of it.

use snapdiag_bundle::LiveLog;

use super::Query;
use crate::items::Job;
use crate::items::exported::Exported;
use crate::system::event_logs::Order;
use crate::system::{SysResult, os_error};

/// How often an export that came out too large is made again with fewer records.
const TRIES: usize = 4;
/// Smallest record that is reckoned with, bytes: a header and a template's values.
const SMALLEST_RECORD: u64 = 128;
/// `ERROR_TIMEOUT`.
const TIMEOUT: u32 = 1460;

/// Exports the newest records that fit the query and the cap. Says why, if older ones were left
/// out or the export stayed over the cap.
pub(super) fn export(
    job: &Job,
    log: &LiveLog,
    query: &mut Query,
    export: &Exported,
) -> SysResult<Option<String>> {
    let logs = job.system.event_logs();
    // Whoever is late finds the file of another item in its place.
    let make = |query: &Query| {
        if job.is_over() {
            return Err(os_error(super::EXPORT, TIMEOUT));
        }
        logs.export(&log.channel, &query.text(), export.path(), &|| {
            job.is_over()
        })
    };
    let Some(cap) = log.cap_bytes else {
        make(query)?;
        return Ok(None);
    };
    let whole = query.text();
    let mut wanted = first_guess(log, cap);
    let mut held = None;
    for left in (0..TRIES).rev() {
        if let Some(wanted) = wanted {
            let walk = logs.walk(&log.channel, &whole, Order::NewestFirst, wanted)?;
            let cut = walk.last.filter(|_| walk.records == wanted);
            query.from_record = cut.map(|mark| mark.record_id).or(query.from_record);
            held = Some(walk.records);
        }
        make(query)?;
        let size = export.size()?;
        if size <= cap || left == 0 || held == Some(1) || job.is_over() {
            return Ok(reason(query, size, cap));
        }
        let records = held.or(log.record_count).unwrap_or(size / SMALLEST_RECORD);
        wanted = Some(fitting(records, size, cap));
        export.delete();
    }
    Ok(None)
}

fn reason(query: &Query, size: u64, cap: u64) -> Option<String> {
    if size > cap {
        return Some(format!("{size} bytes, more than the cap of {cap}"));
    }
    let record = query.from_record?;
    Some(format!(
        "records before {record} were left out: the cap is {cap} bytes"
    ))
}

/// How many records of an average size fit; `None` where the whole log does.
fn first_guess(log: &LiveLog, cap: u64) -> Option<u64> {
    let bytes = log.file_bytes.filter(|bytes| *bytes > cap)?;
    let records = log.record_count.filter(|count| *count > 0)?;
    Some(fitting(records, bytes, cap))
}

/// How many records fit when so many take so many bytes: a tenth less than the share, and at least
/// one.
fn fitting(records: u64, bytes: u64, cap: u64) -> u64 {
    let share = u128::from(records) * u128::from(cap) / u128::from(bytes.max(1));
    let share = u64::try_from(share).unwrap_or(records).min(records);
    (share - share / 10).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_records_fit_as_the_cap_is_of_the_bytes() {
        assert_eq!(fitting(1000, 1_000_000, 100_000), 90);
        assert_eq!(fitting(1000, 0, 100_000), 900);
        assert_eq!(fitting(10, u64::MAX, 1), 1);
        assert_eq!(fitting(u64::MAX, 2, 1), u64::MAX / 2 - u64::MAX / 20);
    }
}
