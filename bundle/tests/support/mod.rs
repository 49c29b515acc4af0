//! What the tests of this crate share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a helper's failure fails the test")]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use snapdiag_bundle::manifest::{FORMAT, FORMAT_VERSION};
use snapdiag_bundle::writer::Target;
use snapdiag_bundle::{
    Archive, Bounds, Bundle, BundleWriter, Capture, CaptureMode, Collector, Compression, ItemRow,
    Limits, Manifest, Plan, State,
};
use tempfile::TempDir;

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn plan(items: &[&str]) -> Plan {
    Plan {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        collector: Collector {
            name: "collector".to_owned(),
            version: "0.1.0".to_owned(),
            commit: None,
            sha256: None,
            arguments: vec!["--profile".to_owned(), "standard".to_owned()],
        },
        capture: Capture {
            mode: CaptureMode::Live,
            host: "HOST-A".to_owned(),
            started_at: time("2026-03-01T12:00:00Z"),
            ended_at: None,
            boot_time: None,
            uptime_ms: Some(3_600_000),
            os: None,
            oem_code_page: Some(437),
            ansi_code_page: Some(1252),
            ui_language: Some("en-US".to_owned()),
            elevated: Some(true),
            privileges: vec!["SeBackupPrivilege".to_owned()],
            time_zone_bias_minutes: Some(-60),
            time_zone_key: None,
        },
        profile: Some("standard".to_owned()),
        bounds: Bounds::default(),
        items: items.iter().map(|&id| id.to_owned()).collect(),
    }
}

/// Bytes that do not compress to nothing and differ by seed.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Half of the values, so that deflate has something to do.
            (state & 0x5F) as u8
        })
        .collect()
}

/// An item's artifacts: entry name and content.
pub(crate) type Artifacts = Vec<(&'static str, Vec<u8>)>;

/// The artifacts of the sample bundle by item.
pub(crate) fn sample_artifacts() -> Vec<(&'static str, Artifacts)> {
    vec![
        (
            "registry.system",
            vec![
                ("registry/SYSTEM", noise(1, 700)),
                ("registry/SYSTEM.LOG1", noise(2, 90)),
            ],
        ),
        (
            "eventlog.system",
            vec![("eventlog/System.evtx", vec![0; 3000])],
        ),
        (
            "network.netstat-text",
            vec![("network/netstat-ano.txt", Vec::new())],
        ),
        (
            "registry.software",
            vec![("registry/SOFTWARE", noise(3, 400))],
        ),
    ]
}

pub(crate) fn write_sample<T: Target>(writer: BundleWriter<T>) -> (Manifest, T::Output) {
    let mut writer = writer;
    for (item, artifacts) in sample_artifacts() {
        for (name, content) in artifacts {
            let copied = writer
                .artifact(name, Some(content.len() as u64), &mut content.as_slice())
                .unwrap();
            assert!(copied.source_error.is_none());
        }
        writer.end_item(ItemRow::new(item, State::Ok)).unwrap();
    }
    writer.finish(time("2026-03-01T12:01:00Z"), None).unwrap()
}

pub(crate) fn sample_plan() -> Plan {
    let mut items: Vec<&str> = sample_artifacts().iter().map(|(id, _)| *id).collect();
    items.push("network.tcp");
    plan(&items)
}

pub(crate) fn sample_zip(compression: Compression) -> Vec<u8> {
    let writer = BundleWriter::zip(Cursor::new(Vec::new()), compression, sample_plan()).unwrap();
    write_sample(writer).1.into_inner()
}

/// A file in a folder of its own that goes away with the test.
pub(crate) struct OnDisk {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn on_disk(bytes: &[u8]) -> OnDisk {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    fs::write(&path, bytes).unwrap();
    OnDisk { folder, path }
}

pub(crate) fn open_bytes(bytes: &[u8]) -> Archive {
    open_with(bytes, &Limits::default())
}

pub(crate) fn open_with(bytes: &[u8], limits: &Limits) -> Archive {
    Archive::open(&on_disk(bytes).path, limits).unwrap()
}

pub(crate) fn open_bundle(path: &Path) -> Bundle {
    Bundle::open(path, &Limits::default()).unwrap()
}

pub(crate) fn names(archive: &Archive) -> Vec<&str> {
    archive
        .entries()
        .iter()
        .map(snapdiag_bundle::Entry::name)
        .collect()
}

/// One entry of a zip built by hand.
#[derive(Clone)]
pub(crate) struct Hand {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) attributes: u32,
    pub(crate) packed: Vec<u8>,
    pub(crate) size: u32,
    pub(crate) crc: u32,
}

impl Hand {
    /// A stored entry.
    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            flags: 0,
            method: 0,
            attributes: 0,
            packed: content.to_vec(),
            size: u32::try_from(content.len()).unwrap(),
            crc: crc32fast::hash(content),
        }
    }

    /// A deflated entry.
    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        use std::io::Write as _;
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        Self {
            method: 8,
            packed: encoder.finish().unwrap(),
            ..Self::stored(name, content)
        }
    }

    pub(crate) fn local_header(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04\x14\x00".to_vec();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        let streamed = self.flags & 8 != 0;
        let packed = u32::try_from(self.packed.len()).unwrap();
        for value in [self.crc, packed, self.size] {
            bytes.extend(if streamed { 0 } else { value }.to_le_bytes());
        }
        bytes.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        bytes.extend(0_u16.to_le_bytes());
        bytes.extend(&self.name);
        bytes
    }

    /// Header, data and, where the flag says so, descriptor.
    pub(crate) fn record(&self) -> Vec<u8> {
        let mut bytes = self.local_header();
        bytes.extend(&self.packed);
        if self.flags & 8 != 0 {
            bytes.extend(b"PK\x07\x08");
            let packed = u32::try_from(self.packed.len()).unwrap();
            for value in [self.crc, packed, self.size] {
                bytes.extend(value.to_le_bytes());
            }
        }
        bytes
    }

    pub(crate) fn directory_entry(&self, header_at: u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02\x14\x03\x14\x00".to_vec();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        let packed = u32::try_from(self.packed.len()).unwrap();
        for value in [self.crc, packed, self.size] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(self.attributes.to_le_bytes());
        bytes.extend(header_at.to_le_bytes());
        bytes.extend(&self.name);
        bytes
    }
}

/// A zip of entries built by hand.
pub(crate) fn zip_of(entries: &[Hand]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        directory.extend(entry.directory_entry(u32::try_from(bytes.len()).unwrap()));
        bytes.extend(entry.record());
    }
    with_directory(bytes, &directory, entries.len())
}

pub(crate) fn with_directory(mut bytes: Vec<u8>, directory: &[u8], count: usize) -> Vec<u8> {
    let at = u32::try_from(bytes.len()).unwrap();
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
    let count = u16::try_from(count).unwrap();
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    bytes
}
