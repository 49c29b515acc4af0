//! What is written is read back: zip and folder, all compressions, any names, many threads.
#![allow(clippy::unwrap_used, reason = "a helper's failure fails the test")]

mod support;

use std::io::{self, Cursor, Read};

use proptest::prelude::*;
use snapdiag_bundle::reader::HashState;
use snapdiag_bundle::{
    Archive, Bundle, BundleWriter, Compression, ItemRow, Limits, OpenError, State, WriteError,
};
use support::{
    names, noise, on_disk, open_bundle, plan, sample_artifacts, sample_plan, sample_zip, time,
    write_sample,
};

const ALL: [Compression; 3] = [Compression::Stored, Compression::Deflate, Compression::Zstd];

fn assert_sample(bundle: &Bundle) {
    assert!(bundle.is_bundle() && !bundle.is_interrupted());
    assert!(bundle.archive().damage().is_empty());
    assert!(bundle.notes().is_empty());
    assert_eq!(bundle.plan(), Some(&sample_plan()));
    for (item, artifacts) in sample_artifacts() {
        let row = bundle.row(item).unwrap();
        assert_eq!(row.state, State::Ok);
        assert_eq!(row.artifacts.len(), artifacts.len());
        for (name, content) in artifacts {
            let entry = bundle.entry(name).unwrap();
            assert_eq!(entry.size(), content.len() as u64);
            assert_eq!(bundle.archive().read(entry).unwrap(), content);
        }
    }
    let skipped = bundle.row("network.tcp").unwrap();
    assert_eq!(skipped.state, State::Skipped);
    let verification = bundle.verify();
    assert_eq!(verification.artifacts.len(), 5);
    assert!(verification.is_sound() && verification.unlisted.is_empty());
    assert!(
        verification
            .artifacts
            .iter()
            .all(|a| matches!(a.state, HashState::Right))
    );
}

#[test]
fn a_zip_is_read_back_whatever_its_compression() {
    for compression in ALL {
        let file = on_disk(&sample_zip(compression));
        assert_sample(&open_bundle(&file.path));
    }
}

#[test]
fn a_folder_holds_the_same_as_a_zip() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("bundle");
    let (manifest, path) = write_sample(BundleWriter::folder(&root, sample_plan()).unwrap());
    let folder = open_bundle(&path);
    assert_sample(&folder);

    let file = on_disk(&sample_zip(Compression::Deflate));
    let zip = open_bundle(&file.path);
    assert_eq!(zip.manifest(), Some(&manifest));
    assert_eq!(names(zip.archive()), names(folder.archive()));
    for (a, b) in zip
        .archive()
        .entries()
        .iter()
        .zip(folder.archive().entries())
    {
        assert_eq!(
            zip.archive().read(a).unwrap(),
            folder.archive().read(b).unwrap()
        );
    }
}

#[test]
fn the_order_is_plan_artifacts_row_manifest_without_descriptors() {
    let bytes = sample_zip(Compression::Deflate);
    let mut zip = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let order: Vec<String> = (0..zip.len())
        .map(|i| zip.by_index_raw(i).unwrap().name().unwrap().into_owned())
        .collect();
    assert_eq!(
        order,
        [
            "plan.json",
            "registry/SYSTEM",
            "registry/SYSTEM.LOG1",
            "journal/0000.json",
            "eventlog/System.evtx",
            "journal/0001.json",
            "network/netstat-ano.txt",
            "journal/0002.json",
            "registry/SOFTWARE",
            "journal/0003.json",
            "manifest.json",
        ]
    );
    let mut at = 0;
    while bytes[at..].starts_with(b"PK\x03\x04") {
        let field = |i: usize| u16::from_le_bytes([bytes[at + i], bytes[at + i + 1]]);
        assert_eq!(field(6) & 8, 0, "data descriptor at {at}");
        let packed = u32::from_le_bytes(bytes[at + 18..at + 22].try_into().unwrap());
        at += 30 + usize::from(field(26)) + usize::from(field(28)) + packed as usize;
    }
    assert!(bytes[at..].starts_with(b"PK\x01\x02"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for compression in ALL {
        assert_eq!(sample_zip(compression), sample_zip(compression));
    }
}

#[test]
fn an_artifact_of_unknown_size_gets_64_bit_fields_and_is_read_back() {
    let mut writer = BundleWriter::zip(
        Cursor::new(Vec::new()),
        Compression::Deflate,
        plan(&["registry.bcd"]),
    )
    .unwrap();
    let content = noise(9, 200_000);
    writer
        .artifact("registry/BCD", None, &mut content.as_slice())
        .unwrap();
    writer
        .end_item(ItemRow::new("registry.bcd", State::Ok))
        .unwrap();
    let (_, zip) = writer.finish(time("2026-03-01T12:01:00Z"), None).unwrap();
    let file = on_disk(&zip.into_inner());
    let bundle = open_bundle(&file.path);
    let entry = bundle.entry("registry/BCD").unwrap();
    assert_eq!(bundle.archive().read(entry).unwrap(), content);
}

#[test]
fn a_source_that_fails_leaves_what_came_before() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::from_raw_os_error(33));
            }
            let n = self.0.min(buffer.len());
            buffer[..n].fill(7);
            self.0 -= n;
            Ok(n)
        }
    }
    let mut writer = BundleWriter::zip(
        Cursor::new(Vec::new()),
        Compression::Deflate,
        plan(&["registry.bcd"]),
    )
    .unwrap();
    let copied = writer
        .artifact("registry/BCD", None, &mut Failing(100_000))
        .unwrap();
    assert_eq!(copied.row.size_bytes, 100_000);
    assert_eq!(copied.source_error.unwrap().raw_os_error(), Some(33));
    writer
        .end_item(ItemRow::new("registry.bcd", State::Truncated))
        .unwrap();
    let (manifest, zip) = writer.finish(time("2026-03-01T12:01:00Z"), None).unwrap();
    assert_eq!(
        manifest.row("registry.bcd").unwrap().artifacts[0],
        copied.row
    );
    let file = on_disk(&zip.into_inner());
    assert!(open_bundle(&file.path).verify().is_sound());
}

#[test]
fn the_writer_refuses_bad_names_and_second_rows() {
    let mut writer =
        BundleWriter::zip(Cursor::new(Vec::new()), Compression::Deflate, plan(&[])).unwrap();
    writer.artifact_bytes("registry/SYSTEM", b"a").unwrap();
    for bad in [
        "",
        "/etc",
        "a/../b",
        "C:/x",
        "a\\b",
        "a//b",
        "./a",
        "a\nb",
        "REGISTRY/system",
        "Plan.json",
    ] {
        let error = writer.artifact_bytes(bad, b"x").unwrap_err();
        assert!(matches!(error, WriteError::Name { .. }), "{bad:?}");
    }
    writer.end_item(ItemRow::new("a", State::Ok)).unwrap();
    let again = writer.end_item(ItemRow::new("a", State::Ok)).unwrap_err();
    assert!(matches!(again, WriteError::ItemTwice(_)));
}

#[test]
fn a_wrong_hash_a_missing_and_an_unlisted_file_are_found() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("bundle");
    write_sample(BundleWriter::folder(&root, sample_plan()).unwrap());
    std::fs::write(root.join("registry/SYSTEM"), noise(8, 700)).unwrap();
    std::fs::remove_file(root.join("registry/SOFTWARE")).unwrap();
    std::fs::write(root.join("extra.txt"), b"x").unwrap();
    let verification = open_bundle(&root).verify();
    assert!(!verification.is_sound());
    assert_eq!(verification.unlisted, ["extra.txt"]);
    let state = |name: &str| {
        let found = verification.artifacts.iter().find(|a| a.name == name);
        &found.unwrap().state
    };
    assert!(matches!(
        state("registry/SYSTEM"),
        HashState::Wrong {
            size_bytes: 700,
            ..
        }
    ));
    assert!(matches!(state("registry/SOFTWARE"), HashState::Missing));
    assert!(matches!(state("eventlog/System.evtx"), HashState::Right));
}

#[test]
fn a_bundle_packed_again_inside_one_folder_is_found() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("snapdiag-HOST-A");
    write_sample(BundleWriter::folder(&root, sample_plan()).unwrap());
    let bundle = open_bundle(home.path());
    assert_eq!(bundle.prefix(), "snapdiag-HOST-A/");
    assert!(bundle.verify().is_sound());
    assert!(bundle.entry("registry/system").is_some());
}

#[test]
fn a_newer_major_version_is_refused_and_a_newer_minor_one_is_read() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("bundle");
    write_sample(BundleWriter::folder(&root, sample_plan()).unwrap());
    let rewrite = |version: &str| {
        for name in ["plan.json", "manifest.json"] {
            let path = root.join(name);
            let text = std::fs::read(&path).unwrap();
            let mut json: serde_json::Value = serde_json::from_slice(&text).unwrap();
            json["format_version"] = version.into();
            json["some_new_field"] = serde_json::json!({"a": 1});
            std::fs::write(path, json.to_string()).unwrap();
        }
    };
    rewrite("1.7");
    let bundle = open_bundle(&root);
    assert!(bundle.is_bundle() && bundle.notes().is_empty());
    rewrite("2.0");
    let error = Bundle::open(&root, &Limits::default()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found, .. } if found.major == 2));
    assert!(error.to_string().contains("format 2.0"), "{error}");
}

#[test]
fn a_newer_major_version_of_another_shape_is_refused_too() {
    let home = tempfile::tempdir().unwrap();
    let text = br#"{"format":"snapdiag-bundle","format_version":"3.1","rows":{}}"#;
    std::fs::write(home.path().join("manifest.json"), text).unwrap();
    let error = Bundle::open(home.path(), &Limits::default()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { .. }));
}

#[test]
fn a_broken_manifest_is_rebuilt_from_the_journal() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("bundle");
    let (manifest, _) = write_sample(BundleWriter::folder(&root, sample_plan()).unwrap());
    std::fs::write(root.join("manifest.json"), b"{ half").unwrap();
    let bundle = open_bundle(&root);
    assert!(bundle.is_interrupted());
    assert_eq!(bundle.notes().len(), 1);
    let rebuilt = bundle.manifest().unwrap();
    assert_eq!(rebuilt.items[..4], manifest.items[..4]);
    assert_eq!(rebuilt.row("network.tcp").unwrap().state, State::Skipped);
}

#[test]
fn what_is_no_archive_is_said_so() {
    for bytes in [&b""[..], b"regf....", b"PK", b"hello PK\x03\x04"] {
        let file = on_disk(bytes);
        let error = Archive::open(&file.path, &Limits::default()).unwrap_err();
        assert!(matches!(error, OpenError::NotAnArchive { .. }), "{bytes:?}");
    }
    let error = Archive::open("no/such/path".as_ref(), &Limits::default()).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }));
}

#[test]
fn many_threads_read_the_same_archive() {
    let file = on_disk(&sample_zip(Compression::Deflate));
    let bundle = open_bundle(&file.path);
    let expected: Vec<_> = bundle
        .archive()
        .entries()
        .iter()
        .map(|e| bundle.archive().sha256(e).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    for (entry, expected) in bundle.archive().entries().iter().zip(&expected) {
                        assert_eq!(&bundle.archive().sha256(entry).unwrap(), expected);
                    }
                }
            });
        }
    });
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("real"), b"x").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", home.path().join("file")).unwrap();
    std::os::unix::fs::symlink("/", home.path().join("root")).unwrap();
    let archive = Archive::open(home.path(), &Limits::default()).unwrap();
    assert_eq!(names(&archive), ["real"]);
    assert_eq!(archive.damage().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_clean_name_and_content_is_read_back(
        name in "[a-zA-Z0-9 _%.äß日\u{1F4BE}-]{1,12}(/[a-z]{1,5}){0,3}",
        content in proptest::collection::vec(any::<u8>(), 0..3000),
        compression in prop::sample::select(&ALL[..]),
    ) {
        prop_assume!(name.split('/').all(|part| !matches!(part, "." | "..")));
        let writer = BundleWriter::zip(Cursor::new(Vec::new()), compression, plan(&["x"]));
        let mut writer = writer.unwrap();
        writer.artifact_bytes(&name, &content).unwrap();
        writer.end_item(ItemRow::new("x", State::Ok)).unwrap();
        let (_, zip) = writer.finish(time("2026-03-01T12:01:00Z"), None).unwrap();
        let file = on_disk(&zip.into_inner());
        let bundle = open_bundle(&file.path);
        let entry = bundle.entry(&name).unwrap();
        prop_assert_eq!(entry.name(), name.as_str());
        prop_assert_eq!(bundle.archive().read(entry).unwrap(), content);
        prop_assert!(bundle.verify().is_sound());
    }
}
