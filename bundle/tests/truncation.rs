//! A zip cut off anywhere is read as far as it goes.
#![allow(clippy::unwrap_used, reason = "a helper's failure fails the test")]

mod support;

use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use snapdiag_bundle::{
    Archive, Bundle, BundleWriter, Compression, Damage, ItemRow, Limits, OpenError, ReadFault,
    State,
};
use support::{Hand, names, noise, on_disk, plan, sample_plan, sample_zip};

/// Name, content and the offset behind the local record of each entry.
fn records(bytes: &[u8]) -> Vec<(String, Vec<u8>, usize)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let file = on_disk(bytes);
    let archive = Archive::open(&file.path, &Limits::default()).unwrap();
    assert!(archive.damage().is_empty());
    (0..zip.len())
        .map(|index| {
            let raw = zip.by_index_raw(index).unwrap();
            let name = raw.name().unwrap().into_owned();
            let end = raw.data_start().unwrap() + raw.compressed_size();
            let content = archive.read(archive.entry(&name).unwrap()).unwrap();
            (name, content, usize::try_from(end).unwrap())
        })
        .collect()
}

fn assert_every_cut(bytes: &[u8]) {
    let records = records(bytes);
    let disk = on_disk(bytes);
    let file = std::fs::File::options()
        .write(true)
        .open(&disk.path)
        .unwrap();
    for cut in (0..bytes.len()).rev() {
        file.set_len(cut as u64).unwrap();
        let bundle = match Bundle::open(&disk.path, &Limits::default()) {
            Ok(bundle) => bundle,
            Err(OpenError::NotAnArchive { .. }) if cut < 4 => continue,
            Err(error) => panic!("cut at {cut}: {error}"),
        };
        let archive = bundle.archive();
        assert!(!archive.damage().is_empty(), "cut at {cut} goes unnoticed");
        for (name, content, end) in &records {
            match archive.entry(name) {
                Some(entry) if *end <= cut => {
                    assert_eq!(
                        &archive.read(entry).unwrap(),
                        content,
                        "{name}, cut at {cut}"
                    );
                }
                None if *end <= cut => panic!("{name} is lost, cut at {cut}"),
                Some(entry) => {
                    let error = archive.read(entry).unwrap_err();
                    assert!(entry.is_torn(), "{name}, cut at {cut}");
                    assert!(content.starts_with(&error.partial), "{name}, cut at {cut}");
                    assert_eq!(error.bytes, error.partial.len() as u64);
                }
                None => {}
            }
        }
        assert_rebuilt(&bundle, &records, cut);
    }
}

fn assert_rebuilt(bundle: &Bundle, records: &[(String, Vec<u8>, usize)], cut: usize) {
    let whole = |name: &str| records.iter().any(|(n, _, end)| n == name && *end <= cut);
    assert_eq!(bundle.is_bundle(), whole("plan.json"), "cut at {cut}");
    if !bundle.is_bundle() {
        return;
    }
    assert_eq!(
        bundle.is_interrupted(),
        !whole("manifest.json"),
        "cut at {cut}"
    );
    for (index, item) in sample_plan().items.iter().enumerate() {
        let ended = whole(&format!("journal/{index:04}.json"));
        let expected = if ended { State::Ok } else { State::Skipped };
        assert_eq!(
            bundle.row(item).unwrap().state,
            expected,
            "{item}, cut at {cut}"
        );
    }
    assert!(bundle.verify().is_sound(), "cut at {cut}");
}

#[test]
fn a_deflated_bundle_cut_at_every_byte() {
    assert_every_cut(&sample_zip(Compression::Deflate));
}

#[test]
fn a_stored_bundle_cut_at_every_byte() {
    assert_every_cut(&sample_zip(Compression::Stored));
}

#[test]
fn a_zstd_bundle_cut_at_every_byte() {
    assert_every_cut(&sample_zip(Compression::Zstd));
}

#[test]
fn a_torn_entry_is_unpacked_as_far_as_it_goes() {
    let content = noise(5, 500_000);
    let zip = support::zip_of(&[Hand::deflated("registry/SYSTEM", &content)]);
    let archive = open_bytes_kept(&zip[..zip.len() / 2]);
    let entry = archive.1.entry("registry/SYSTEM").unwrap();
    let error = archive.1.read(entry).unwrap_err();
    assert!(matches!(error.fault, ReadFault::Truncated));
    assert!(error.partial.len() > 200_000, "{}", error.partial.len());
    assert!(content.starts_with(&error.partial));
}

fn open_bytes_kept(bytes: &[u8]) -> (support::OnDisk, Archive) {
    let file = on_disk(bytes);
    let archive = Archive::open(&file.path, &Limits::default()).unwrap();
    (file, archive)
}

/// A file whose bytes can be looked at while a writer holds it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.lock().unwrap().seek(to)
    }
}

struct Source<F>(F);

impl<F: FnMut(&mut [u8]) -> usize> Read for Source<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok((self.0)(buffer))
    }
}

/// The collector is killed in the middle of an entry: its header has no sizes yet.
#[test]
fn a_writer_killed_in_an_entry_leaves_all_that_reached_the_disk() {
    for compression in [Compression::Stored, Compression::Deflate, Compression::Zstd] {
        for size_known in [true, false] {
            let content = noise(6, 2_000_000);
            let shared = Shared::default();
            let plan = plan(&["registry.bcd", "registry.system"]);
            let mut writer = BundleWriter::zip(shared.clone(), compression, plan).unwrap();
            writer.artifact_bytes("registry/BCD", b"small").unwrap();
            writer
                .end_item(ItemRow::new("registry.bcd", State::Ok))
                .unwrap();

            let mut snapshot = Vec::new();
            let mut left = &content[..];
            let mut source = Source(|buffer: &mut [u8]| {
                let n = buffer.len().min(left.len());
                buffer[..n].copy_from_slice(&left[..n]);
                left = &left[n..];
                if left.len() < 600_000 && snapshot.is_empty() {
                    snapshot = shared.0.lock().unwrap().get_ref().clone();
                }
                n
            });
            let expected = size_known.then_some(content.len() as u64);
            writer
                .artifact("registry/SYSTEM", expected, &mut source)
                .unwrap();

            let (_file, archive) = open_bytes_kept(&snapshot);
            let bundle = Bundle::from_archive(archive).unwrap();
            assert!(bundle.is_interrupted());
            assert_eq!(bundle.row("registry.bcd").unwrap().state, State::Ok);
            assert!(bundle.verify().is_sound());
            let row = bundle.row("registry.system").unwrap();
            assert_eq!(row.state, State::Skipped);
            assert!(row.reason.as_ref().unwrap().contains("in the middle"));
            let entry = bundle.entry("registry/SYSTEM").unwrap();
            assert!(entry.is_torn());
            let read = match bundle.archive().read(entry) {
                Ok(bytes) => bytes,
                Err(error) => error.partial,
            };
            assert!(read.len() > 1_000_000, "{compression:?}: {}", read.len());
            assert!(content.starts_with(&read));
        }
    }
}

#[test]
fn entries_with_descriptors_are_found_without_a_directory() {
    let streamed = |hand: Hand| Hand { flags: 8, ..hand };
    let entries = [
        streamed(Hand::deflated("a.txt", &noise(1, 5000))),
        streamed(Hand::deflated("empty.txt", b"")),
        Hand::stored("b.txt", b"stored"),
        streamed(Hand::deflated("c.txt", &noise(2, 70_000))),
    ];
    let bytes: Vec<u8> = entries.iter().flat_map(Hand::record).collect();
    let (_file, archive) = open_bytes_kept(&bytes);
    assert_eq!(archive.damage(), [Damage::NoDirectory]);
    assert_eq!(names(&archive), ["a.txt", "b.txt", "c.txt", "empty.txt"]);
    for entry in archive.entries() {
        assert!(!entry.is_torn());
        archive.read(entry).unwrap();
    }
    let c = archive.entry("c.txt").unwrap();
    assert_eq!(archive.read(c).unwrap(), noise(2, 70_000));
}

/// A zip stored whole inside a torn one must not pass for its directory.
#[test]
fn the_directory_of_a_nested_zip_is_not_believed() {
    let inner = support::zip_of(&[Hand::stored("inner.txt", b"inner")]);
    let mut bytes = Hand::stored("first.txt", b"first").record();
    bytes.extend(Hand::stored("nested.zip", &inner).record());
    let (_file, archive) = open_bytes_kept(&bytes);
    assert_eq!(names(&archive), ["first.txt", "nested.zip"]);
    let nested = archive.entry("nested.zip").unwrap();
    assert_eq!(archive.read(nested).unwrap(), inner);
}

/// A directory that is not where its end record says is damage, and the entries are found by walking.
#[test]
fn a_directory_out_of_its_place_is_noticed() {
    let zip = support::zip_of(&[Hand::stored("a", b"a"), Hand::stored("b", b"b")]);
    let (head, end) = zip.split_at(zip.len() - 22);
    let bytes = [head, b"junk", end].concat();
    let (_file, archive) = open_bytes_kept(&bytes);
    assert!(matches!(archive.damage(), [Damage::BadDirectory { .. }]));
    assert_eq!(names(&archive), ["a", "b"]);
}
