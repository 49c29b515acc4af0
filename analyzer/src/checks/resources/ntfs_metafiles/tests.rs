use super::*;
use crate::checks::resources::fixture::*;
use crate::facts::Snapshot;
use crate::facts::volumes::{Journal, Metafile, Ntfs};

const GB: u64 = 1 << 30;

fn metafile(number: u64, name: &str, size: u64) -> Metafile {
    Metafile {
        number,
        name: name.to_owned(),
        allocated_bytes: Fact::known(size, [evidence("\\x")]),
    }
}

fn volume(letter: char, size: u64, free: u64, mft: u64) -> Volume {
    Volume {
        name: format!("{letter}:"),
        letter: Some(letter),
        fixed: Some(true),
        file_system: Some("NTFS".to_owned()),
        system: Some(letter == 'C'),
        size_bytes: Fact::known(size, []),
        free_bytes: Fact::known(free, []),
        ntfs: Fact::known(
            Ntfs {
                mft_bytes: mft,
                record_bytes: 1024,
                size_bytes: size,
                free_bytes: free,
            },
            [evidence("\\ntfs")],
        ),
        journal: Fact::absent([]),
        metafiles: vec![
            metafile(0, "$MFT", 1),
            metafile(2, "$LogFile", 0),
            metafile(9, "$Secure", 0),
        ],
        shadow_bytes: Fact::not_collected("x"),
    }
}

fn journal(maximum: u64, used: u64) -> Fact<Journal> {
    let journal = Journal {
        maximum_bytes: maximum,
        step_bytes: 8 << 20,
        used_bytes: used,
    };
    Fact::known(journal, [evidence("\\usn")])
}

fn machine(volumes: Vec<Volume>) -> Snapshot {
    let mut snapshot = nothing();
    snapshot.volumes.list = Fact::known(volumes, []);
    snapshot
}

fn verdict(volume: Volume) -> Verdict {
    run(&CHECK, &machine(vec![volume])).verdict
}

#[test]
fn limits_are_those_of_the_page() {
    for (size, free, mft, expected) in [
        // Critical: more than 20 % and less than 10 % free.
        (40 * GB, GB, 9 * GB, Verdict::Critical),
        (40 * GB, 4 * GB, 9 * GB, Verdict::Warning),
        (40 * GB, 4 * GB - 1, 8 * GB, Verdict::Warning),
        (40 * GB, 4 * GB - 1, 8 * GB + 1, Verdict::Critical),
        // Warning: more than 10 % and more than 4 GiB.
        (40 * GB, 20 * GB, 4 * GB, Verdict::Ok),
        (40 * GB, 20 * GB, 4 * GB + 1, Verdict::Warning),
        (100 * GB, 20 * GB, 9 * GB, Verdict::Ok),
        // Warning: a table of 10 GiB.
        (2000 * GB, 1200 * GB, 10 * GB, Verdict::Warning),
        (2000 * GB, 1200 * GB, 10 * GB - 1, Verdict::Ok),
        (40 * GB, 300 << 20, 12 * GB, Verdict::Critical),
        (40 * GB, 30 * GB, 600 << 20, Verdict::Ok),
    ] {
        assert_eq!(
            verdict(volume('D', size, free, mft)),
            expected,
            "{mft} of {size}, {free} free"
        );
    }
}

#[test]
fn every_part_counts_once() {
    let mut whole = volume('D', 40 * GB, GB, 2 * GB);
    whole.metafiles[1] = metafile(2, "$LogFile", 3 * GB);
    whole.metafiles[2] = metafile(9, "$Secure", 2 * GB);
    whole.journal = journal(GB, GB + 1);
    assert_eq!(verdict(whole.clone()), Verdict::Critical);
    whole.journal = journal(GB, GB);
    assert_eq!(verdict(whole.clone()), Verdict::Warning, "exactly 20 %");
    // The table and the journal by their records would count twice.
    whole.metafiles[0] = metafile(0, "$MFT", 2 * GB);
    whole.metafiles.push(metafile(38, "$UsnJrnl", GB));
    assert_eq!(verdict(whole), Verdict::Warning);
}

#[test]
fn a_large_journal() {
    for (maximum, used, expected) in [
        (8 * GB, 0, Verdict::Ok),
        (8 * GB + 1, 0, Verdict::Warning),
        (GB, 8 * GB + 1, Verdict::Warning),
    ] {
        let mut volume = volume('D', 2000 * GB, 1000 * GB, GB);
        volume.journal = journal(maximum, used);
        let decision = run(&CHECK, &machine(vec![volume]));
        assert_eq!(decision.verdict, expected, "{maximum} {used}");
        if expected == Verdict::Warning {
            let undo = format!("fsutil usn createjournal m={maximum} a=8388608 D:");
            assert!(words(&decision).contains(&undo));
            assert!(words(&decision).contains("DFSR"));
        }
    }
}

#[test]
fn the_worst_volume_decides_and_the_system_volume_is_never_formatted() {
    let volumes = vec![
        volume('C', 40 * GB, GB, 12 * GB),
        volume('D', 40 * GB, 20 * GB, GB),
    ];
    let decision = run(&CHECK, &machine(volumes));
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(decision.headline.contains("C:"));
    assert!(words(&decision).contains("vssadmin list shadowstorage"));
    assert!(words(&decision).contains("Do not format it"));
    assert!(!words(&decision).contains("robocopy"));
}

#[test]
fn other_file_systems() {
    let other = |name: &str| {
        let mut volume = volume('D', 40 * GB, GB, 12 * GB);
        volume.file_system = Some(name.to_owned());
        volume
    };
    assert_eq!(verdict(other("ReFS")), Verdict::NotApplicable);
    assert_eq!(verdict(other("FAT32")), Verdict::NotApplicable);
    let both = vec![volume('C', 40 * GB, 20 * GB, GB), other("ReFS")];
    assert_eq!(run(&CHECK, &machine(both)).verdict, Verdict::Ok);
    let mut unnamed = other("");
    unnamed.file_system = None;
    assert_eq!(verdict(unnamed), Verdict::Unknown);
    let mut stick = volume('E', 40 * GB, GB, 12 * GB);
    stick.fixed = Some(false);
    let both = vec![volume('C', 40 * GB, 20 * GB, GB), stick];
    assert_eq!(run(&CHECK, &machine(both)).verdict, Verdict::Ok);
}

#[test]
fn shadow_copies_are_pointed_to() {
    let mut volume = volume('C', 100 * GB, GB, GB);
    volume.shadow_bytes = Fact::known(30 * GB, [evidence("\\shadow")]);
    let decision = run(&CHECK, &machine(vec![volume]));
    assert_eq!(decision.verdict, Verdict::Ok);
    assert!(words(&decision).contains("shadow copies take 30.0 GiB"));
}

#[test]
fn what_was_not_seen_is_not_ok() {
    assert_eq!(run(&CHECK, &nothing()).verdict, Verdict::Unknown);
    assert_eq!(run(&CHECK, &machine(Vec::new())).verdict, Verdict::Unknown);
    let healthy = || volume('C', 40 * GB, 20 * GB, GB);
    let mut without = healthy();
    without.ntfs = Fact::unreadable("x", []);
    assert_eq!(verdict(without), Verdict::Unknown);
    let mut without = healthy();
    without.journal = Fact::unreadable("x", []);
    assert_eq!(verdict(without), Verdict::Unknown);
    for number in [2, 9] {
        let mut without = healthy();
        without.metafiles.retain(|file| file.number != number);
        assert_eq!(verdict(without), Verdict::Unknown, "{number}");
    }
    let mut torn = healthy();
    torn.metafiles[1].allocated_bytes = Fact::unreadable("torn", []);
    assert_eq!(verdict(torn), Verdict::Unknown);
}
