//! The way through the `evtx` crate, for chunks that are unusual in any way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use evtx::err::EvtxError;
use evtx::{EvtxChunkData, EvtxRecord, ParserSettings};
use jiff::Timestamp;

use super::RECORD_HEADER_SIZE;

/// Where a chunk's header keeps the offsets of names.
const NAME_TABLE: std::ops::Range<usize> = 128..384;

/// A record as the `evtx` crate renders it.
#[derive(Debug)]
pub(super) struct Rendered {
    /// Offset of the record's header in the chunk.
    pub(super) offset: usize,
    /// Size of the record with its header and the copy of its size.
    pub(super) size: usize,
    /// The id and the time in the record's header.
    pub(super) sequence: u64,
    pub(super) written: Timestamp,
    pub(super) stale: bool,
    /// The event's XML.
    pub(super) xml: String,
}

/// A record that the `evtx` crate could not read.
#[derive(Debug)]
pub(super) struct Failure {
    /// Offset in the chunk, where the crate says it.
    pub(super) offset: Option<usize>,
    pub(super) record_id: Option<u64>,
    pub(super) why: String,
}

/// Renders all records of a chunk, in the order in which it holds them.
pub(super) fn render(chunk: &[u8], stale: bool) -> (Vec<Rendered>, Vec<Failure>) {
    let mut rendered = Vec::new();
    let mut failures = Vec::new();
    let walk = catch_unwind(AssertUnwindSafe(|| {
        render_into(chunk, stale, &mut rendered, &mut failures)
    }));
    let why = match walk {
        Ok(Ok(())) => return (rendered, failures),
        Ok(Err(error)) => describe(&error),
        Err(_) => "the evtx crate panicked".to_owned(),
    };
    failures.push(Failure {
        offset: None,
        record_id: None,
        why,
    });
    (rendered, failures)
}

fn render_into(
    chunk: &[u8],
    stale: bool,
    rendered: &mut Vec<Rendered>,
    failures: &mut Vec<Failure>,
) -> Result<(), EvtxError> {
    let settings = ParserSettings::new().indent(false).recover_records(stale);
    let chunk_error = |source| EvtxError::FailedToParseChunk {
        chunk_id: 0,
        source: Box::new(source),
    };
    let settings = Arc::new(settings);
    let mut data = EvtxChunkData::new(chunk.to_vec(), false).map_err(chunk_error)?;
    if data.parse(Arc::clone(&settings)).is_err() {
        // The table of names is damaged. The crate can do without: records say where names are.
        let mut chunk = chunk.to_vec();
        if let Some(table) = chunk.get_mut(NAME_TABLE) {
            table.fill(0);
        }
        data = EvtxChunkData::new(chunk, false).map_err(chunk_error)?;
    }
    let mut parsed = data.parse(settings).map_err(chunk_error)?;
    for record in parsed.iter() {
        match record.and_then(render_record) {
            Ok(record) => rendered.push(record),
            Err(error) => failures.push(failure(&error)),
        }
    }
    Ok(())
}

fn render_record(record: EvtxRecord<'_>) -> Result<Rendered, EvtxError> {
    let start = usize::try_from(record.binxml_offset).unwrap_or(usize::MAX);
    let size = usize::try_from(record.binxml_size).unwrap_or(usize::MAX);
    let (sequence, written, stale) = (record.event_record_id, record.timestamp, record.recovered);
    let xml = record.into_xml()?.data;
    Ok(Rendered {
        offset: start.saturating_sub(RECORD_HEADER_SIZE),
        size: size.saturating_add(RECORD_HEADER_SIZE + 4),
        sequence,
        written,
        stale,
        xml,
    })
}

fn failure(error: &EvtxError) -> Failure {
    let (offset, record_id) = match error {
        EvtxError::FailedToReadRecordAt { offset, .. } => (usize::try_from(*offset).ok(), None),
        EvtxError::FailedToParseRecord { record_id, .. } => (None, Some(*record_id)),
        _ => (None, None),
    };
    Failure {
        offset,
        record_id,
        why: describe(error),
    }
}

/// An error with all its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
