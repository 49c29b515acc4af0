//! Hostile zips: every limit and rule of the reader.
#![allow(clippy::unwrap_used, reason = "a helper's failure fails the test")]

mod support;

use std::ops::ControlFlow;

use proptest::prelude::*;
use snapdiag_bundle::{Archive, Damage, Limits, NameFault, ReadFault};
use support::{Hand, OnDisk, names, noise, on_disk, sample_zip, with_directory, zip_of};

const MIB: u64 = 1024 * 1024;

fn open(bytes: &[u8]) -> (OnDisk, Archive) {
    open_with(bytes, &Limits::default())
}

fn open_with(bytes: &[u8], limits: &Limits) -> (OnDisk, Archive) {
    let file = on_disk(bytes);
    let archive = Archive::open(&file.path, limits).unwrap();
    (file, archive)
}

fn small() -> Limits {
    Limits {
        ratio_free_bytes: MIB,
        ..Limits::default()
    }
}

/// Zeros at about 1000:1.
fn bomb(name: &str, len: usize) -> Hand {
    Hand::deflated(name, &vec![0; len])
}

#[test]
fn the_limits_are_those_of_the_contract() {
    let limits = Limits::default();
    assert_eq!(limits.entries, 20_000);
    assert_eq!(limits.entry_bytes, 16 << 30);
    assert_eq!(limits.total_bytes, 64 << 30);
    assert_eq!((limits.ratio, limits.ratio_free_bytes), (400, 64 * MIB));
    assert_eq!(limits.whole_bytes, 32 * MIB);
}

#[test]
fn a_bomb_is_left_out_by_the_ratio_and_the_rest_is_read() {
    let zip = zip_of(&[
        Hand::stored("before.txt", b"before"),
        bomb("bomb", 8 << 20),
        Hand::stored("after.txt", b"after"),
    ]);
    let (_file, archive) = open_with(&zip, &small());
    assert_eq!(names(&archive), ["after.txt", "before.txt"]);
    let [Damage::Expansion { name, allowed }] = archive.damage() else {
        panic!("{:?}", archive.damage());
    };
    assert_eq!(name, "bomb");
    assert!(*allowed < 8 << 20);
    let (_file, archive) = open(&zip);
    assert_eq!(names(&archive).len(), 3, "below 64 MiB no ratio counts");
}

#[test]
fn the_ratio_is_judged_on_the_total() {
    let zip = zip_of(&[
        bomb("zeros", 8 << 20),
        Hand::stored("noise", &noise(1, 100_000)),
    ]);
    let (_file, archive) = open_with(&zip, &small());
    assert_eq!(names(&archive), ["noise", "zeros"]);
    assert!(archive.damage().is_empty());
}

#[test]
fn many_small_bombs_are_one() {
    let bombs: Vec<Hand> = (0..20).map(|n| bomb(&format!("{n:02}"), 900_000)).collect();
    let (_file, archive) = open_with(&zip_of(&bombs), &small());
    assert!(names(&archive).len() < 10);
    assert_eq!(names(&archive)[0], "00");
    assert_eq!(archive.damage().len() + names(&archive).len(), 20);
}

/// A zip without a directory and without sizes has to be unpacked to be walked at all.
#[test]
fn a_bomb_of_unknown_size_stops_the_walk() {
    let streamed = Hand {
        flags: 8,
        ..bomb("bomb", 8 << 20)
    };
    let entries = [
        Hand::stored("before", b"x"),
        streamed,
        Hand::stored("after", b"x"),
    ];
    let bytes: Vec<u8> = entries.iter().flat_map(Hand::record).collect();
    let (_file, archive) = open_with(&bytes, &small());
    assert_eq!(names(&archive), ["before"]);
    let expansion = |d: &Damage| matches!(d, Damage::Expansion { name, .. } if name == "bomb");
    assert!(archive.damage().iter().any(expansion));
    let (_file, archive) = open(&bytes);
    assert_eq!(names(&archive), ["after", "before", "bomb"]);
}

#[test]
fn a_zstd_bomb_is_left_out() {
    use std::io::{Cursor, Write};
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Zstd);
    for (name, len) in [("bomb", 64 << 20), ("fine", 100)] {
        writer.start_file(name, options).unwrap();
        writer.write_all(&vec![0; len]).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(bytes.len() < 20_000);
    let (_file, archive) = open_with(&bytes, &small());
    assert_eq!(names(&archive), ["fine"]);
}

#[test]
fn a_bomb_that_declares_little_gives_no_more_than_that() {
    let zip = zip_of(&[Hand {
        size: 1000,
        ..bomb("bomb", 8 << 20)
    }]);
    let (_file, archive) = open_with(&zip, &small());
    let error = archive.read(&archive.entries()[0]).unwrap_err();
    assert!(matches!(error.fault, ReadFault::Longer { declared: 1000 }));
    assert_eq!(error.partial, vec![0; 1000]);
}

#[test]
fn a_declared_size_that_is_not_there_costs_nothing_and_condemns_nothing() {
    let zip = zip_of(&[Hand {
        size: u32::MAX - 1,
        ..Hand::deflated("small", &noise(1, 300_000))
    }]);
    let (_file, archive) = open_with(&zip, &small());
    let entry = &archive.entries()[0];
    assert_eq!(entry.size(), u64::from(u32::MAX) - 1);
    let too_large = archive.read(entry).unwrap_err();
    assert!(matches!(too_large.fault, ReadFault::TooLarge { .. }));
    let mut total = 0;
    let error = archive
        .stream(entry, &mut |chunk| {
            total += chunk.len();
            ControlFlow::Continue(())
        })
        .unwrap_err();
    assert!(matches!(
        error.fault,
        ReadFault::Shorter { found: 300_000, .. }
    ));
    assert_eq!(total, 300_000);
}

#[test]
fn an_entry_larger_than_its_limit_is_left_out() {
    let zip = zip_of(&[
        Hand::stored("large", &noise(1, 2000)),
        Hand::stored("small", &noise(1, 1000)),
    ]);
    let limits = Limits {
        entry_bytes: 1000,
        ..Limits::default()
    };
    let (_file, archive) = open_with(&zip, &limits);
    assert_eq!(names(&archive), ["small"]);
}

#[test]
fn the_total_is_limited() {
    let zip = zip_of(&[
        Hand::stored("a", &noise(1, 1000)),
        Hand::stored("b", &noise(1, 1000)),
        Hand::stored("c", &noise(1, 400)),
    ]);
    let limits = Limits {
        total_bytes: 1500,
        ..Limits::default()
    };
    let (_file, archive) = open_with(&zip, &limits);
    assert_eq!(names(&archive), ["a", "c"]);
}

#[test]
fn entries_beyond_the_limit_are_left_out_with_and_without_a_directory() {
    let entries: Vec<Hand> = (0..5).map(|n| Hand::stored(&n.to_string(), b"x")).collect();
    let zip = zip_of(&entries);
    let records: usize = entries.iter().map(|e| e.record().len()).sum();
    let limits = Limits {
        entries: 3,
        ..Limits::default()
    };
    for bytes in [&zip[..], &zip[..records]] {
        let (_file, archive) = open_with(bytes, &limits);
        assert_eq!(names(&archive), ["0", "1", "2"]);
        assert!(archive.damage().contains(&Damage::TooMany { limit: 3 }));
    }
}

#[test]
fn names_that_break_a_rule_are_left_out() {
    let bad = [
        ("../up", NameFault::Parent),
        ("a/../../up", NameFault::Parent),
        ("a\\..\\up", NameFault::Parent),
        ("/etc/passwd", NameFault::Absolute),
        ("\\\\server\\share", NameFault::Absolute),
        ("C:/Windows/x", NameFault::Drive),
        ("c:x", NameFault::Drive),
        ("a\u{1b}[2Jb", NameFault::Control),
        ("a\u{0}b", NameFault::Control),
        ("a\u{85}b", NameFault::Control),
        ("./.", NameFault::Empty),
    ];
    let mut entries: Vec<Hand> = bad
        .iter()
        .map(|(name, _)| Hand::stored(name, b"x"))
        .collect();
    entries.push(Hand::stored("good", b"x"));
    let (_file, archive) = open(&zip_of(&entries));
    assert_eq!(names(&archive), ["good"]);
    let faults: Vec<NameFault> = archive
        .damage()
        .iter()
        .map(|damage| match damage {
            Damage::BadName { fault, name } => {
                assert!(!name.chars().any(char::is_control));
                *fault
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(faults, bad.map(|(_, fault)| fault));
}

#[test]
fn backslashes_separate_and_old_names_are_read() {
    let zip = zip_of(&[
        Hand::stored("C\\Windows\\System32\\config\\SYSTEM", b"x"),
        Hand::stored(".\\folder\\", b""),
        Hand {
            name: b"\x99l.txt".to_vec(),
            ..Hand::stored("", b"x")
        },
    ]);
    let (_file, archive) = open(&zip);
    assert_eq!(
        names(&archive),
        ["C/Windows/System32/config/SYSTEM", "\u{d6}l.txt"]
    );
    assert!(archive.entry("c/windows/system32/CONFIG/system").is_some());
}

#[test]
fn the_first_of_two_names_wins_whatever_their_case_or_slash() {
    let zip = zip_of(&[
        Hand::stored("a/X", b"first"),
        Hand::stored("A\\x", b"second"),
        Hand::stored("a//x", b"third"),
    ]);
    let (_file, archive) = open(&zip);
    assert_eq!(names(&archive), ["a/X"]);
    assert_eq!(archive.read(&archive.entries()[0]).unwrap(), b"first");
    assert_eq!(archive.damage().len(), 2);
    assert!(
        archive
            .damage()
            .iter()
            .all(|d| matches!(d, Damage::Duplicate { .. }))
    );
}

#[test]
fn links_encrypted_entries_and_unknown_methods_are_left_out_by_name() {
    let zip = zip_of(&[
        Hand {
            attributes: 0o120_777 << 16,
            ..Hand::stored("link", b"/etc/passwd")
        },
        Hand {
            flags: 1,
            ..Hand::stored("secret", b"x")
        },
        Hand {
            method: 99,
            ..Hand::stored("aes", b"x")
        },
        Hand {
            method: 14,
            ..Hand::stored("lzma", b"x")
        },
        Hand {
            attributes: 0o100_644 << 16,
            ..Hand::stored("plain", b"x")
        },
    ]);
    let (_file, archive) = open(&zip);
    assert_eq!(names(&archive), ["plain"]);
    let name = |n: &str| n.to_owned();
    assert_eq!(
        archive.damage(),
        [
            Damage::Link { name: name("link") },
            Damage::Encrypted {
                name: name("secret")
            },
            Damage::Encrypted { name: name("aes") },
            Damage::Method {
                name: name("lzma"),
                method: 14
            },
        ]
    );
}

/// Many directory entries for the same data: the overlapping bomb.
#[test]
fn overlapping_entries_are_left_out() {
    let kernel = Hand::deflated("0", &noise(1, 10_000));
    let bytes = kernel.record();
    let directory: Vec<u8> = (0..9)
        .flat_map(|n: u8| {
            Hand {
                name: vec![b'0' + n],
                ..kernel.clone()
            }
            .directory_entry(0)
        })
        .collect();
    let (_file, archive) = open(&with_directory(bytes, &directory, 9));
    assert_eq!(names(&archive), ["0"]);
    let overlapping = |d: &&Damage| matches!(d, Damage::Overlapping { .. });
    assert_eq!(archive.damage().iter().filter(overlapping).count(), 8);
}

#[test]
fn a_header_that_is_not_there_costs_only_its_entry() {
    let good = Hand::stored("good", b"x");
    let lost = Hand::stored("lost", b"x");
    let bytes = good.record();
    let mut directory = good.directory_entry(0);
    directory.extend(lost.directory_entry(7));
    let (_file, archive) = open(&with_directory(bytes, &directory, 2));
    assert_eq!(names(&archive), ["good"]);
    assert!(matches!(
        archive.damage(),
        [Damage::BadHeader { offset: 7, .. }]
    ));
}

#[test]
fn damage_in_an_entry_is_found_and_what_came_before_is_given() {
    let content = noise(1, 100_000);
    let hand = Hand::stored("x", &content);
    let mut zip = zip_of(std::slice::from_ref(&hand));
    zip[50_000] ^= 0xff;
    let (_file, archive) = open(&zip);
    let error = archive.read(&archive.entries()[0]).unwrap_err();
    assert!(matches!(error.fault, ReadFault::Checksum { .. }));
    assert_eq!(error.partial.len(), content.len());
    assert_eq!(error.partial[..40_000], content[..40_000]);
}

#[test]
fn a_sink_may_break_off() {
    let zip = zip_of(&[Hand::stored("x", &noise(1, 1_000_000))]);
    let (_file, archive) = open(&zip);
    let mut calls = 0;
    let bytes = archive.stream(&archive.entries()[0], &mut |_| {
        calls += 1;
        ControlFlow::Break(())
    });
    assert!(bytes.unwrap() <= 64 * 1024);
    assert_eq!(calls, 1);
}

#[test]
fn a_zip_with_64_bit_fields_is_read() {
    use std::io::{Cursor, Write};
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    for n in 0..70_000 {
        writer.start_file(format!("{n}"), options).unwrap();
        writer.write_all(b"x").unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    let limits = Limits {
        entries: 100_000,
        ..Limits::default()
    };
    let (_file, archive) = open_with(&bytes, &limits);
    assert!(archive.damage().is_empty());
    assert_eq!(archive.entries().len(), 70_000);
    assert_eq!(archive.read(archive.entry("69999").unwrap()).unwrap(), b"x");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is changed, opening and reading end without a panic.
    #[test]
    fn a_damaged_zip_never_panics(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut zip = sample_zip(snapdiag_bundle::Compression::Deflate);
        for (index, value) in changes {
            let at = index.index(zip.len());
            zip[at] = value;
        }
        let keep = zip.len() - cut.index(zip.len()) / 4;
        zip.truncate(keep);
        let file = on_disk(&zip);
        if let Ok(archive) = Archive::open(&file.path, &Limits::default()) {
            for entry in archive.entries() {
                let _ = archive.read(entry);
            }
            if let Ok(bundle) = snapdiag_bundle::Bundle::from_archive(archive) {
                let _ = bundle.verify();
            }
        }
    }
}
