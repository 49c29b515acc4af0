//! Small hives made here: structures that no capture holds, most of them hostile.

use super::header::{BINS, seal};
use super::{HiveFile, Log, ReplayReport, replay};
use crate::formats::registry::{Quality, RegistryView, ValueKind, WalkLimits};

const NONE: u32 = u32::MAX;

/// One hive bin that is filled cell by cell.
struct Bin {
    bytes: Vec<u8>,
    minor: u32,
}

impl Bin {
    fn new(minor: u32) -> Self {
        let mut bytes = vec![0; 32];
        bytes[..4].copy_from_slice(b"hbin");
        Self { bytes, minor }
    }

    fn cell(&mut self, content: &[u8]) -> u32 {
        let offset = u32::try_from(self.bytes.len()).expect("a small hive");
        let size = (content.len() + 4).next_multiple_of(8);
        let field = -i32::try_from(size).expect("a small cell");
        self.bytes.extend(field.to_le_bytes());
        self.bytes.extend(content);
        self.bytes.resize(offset as usize + size, 0);
        offset
    }

    fn list(&mut self, signature: &str, items: &[u32]) -> u32 {
        let count = u16::try_from(items.len()).expect("a short list");
        let mut cell = signature.as_bytes().to_vec();
        cell.extend(count.to_le_bytes());
        for item in items {
            cell.extend(item.to_le_bytes());
        }
        self.cell(&cell)
    }

    fn key(&mut self, name: &str, subkeys: (u32, u32), values: (u32, u32)) -> u32 {
        let mut cell = vec![0; 76];
        cell[..2].copy_from_slice(b"nk");
        cell[2] = 0x20;
        let numbers = [
            (20, subkeys.0),
            (28, subkeys.1),
            (36, values.0),
            (40, values.1),
        ];
        for (at, number) in numbers.into_iter().chain([(48, NONE)]) {
            cell[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        cell[72] = u8::try_from(name.len()).expect("a short name");
        cell.extend(name.as_bytes());
        self.cell(&cell)
    }

    fn value(&mut self, name: &str, kind: u32, size: u32, data: u32) -> u32 {
        let mut cell = b"vk".to_vec();
        cell.extend(
            u16::try_from(name.len())
                .expect("a short name")
                .to_le_bytes(),
        );
        for number in [size, data, kind, 1] {
            cell.extend(number.to_le_bytes());
        }
        cell.extend(name.as_bytes());
        self.cell(&cell)
    }

    /// A key with one value `v`, as the root.
    fn with_value(mut self, kind: u32, size: u32, data: u32) -> HiveFile {
        let value = self.value("v", kind, size, data);
        let list = self.cell(&value.to_le_bytes());
        let root = self.key("root", (0, NONE), (1, list));
        self.open(root)
    }

    fn open(self, root: u32) -> HiveFile {
        HiveFile::open(self.file(root)).expect("a hive")
    }

    fn file(mut self, root: u32) -> Vec<u8> {
        let size = self.bytes.len().next_multiple_of(4096);
        self.bytes.resize(size, 0);
        let size = u32::try_from(size).expect("a small hive");
        self.bytes[8..12].copy_from_slice(&size.to_le_bytes());
        let mut file = vec![0; BINS];
        file[..4].copy_from_slice(b"regf");
        let fields = [
            (4, 1),
            (8, 1),
            (20, 1),
            (24, self.minor),
            (32, 1),
            (36, root),
            (40, size),
        ];
        for (at, number) in fields {
            file[at..at + 4].copy_from_slice(&u32::to_le_bytes(number));
        }
        seal(&mut file);
        file.extend(self.bytes);
        file
    }
}

fn walk(hive: &HiveFile) -> (u64, u64) {
    let view: &dyn RegistryView = hive;
    let report = view.walk(WalkLimits::default(), &mut |_, _| ());
    assert_eq!(hive.panics_caught(), 0);
    (report.keys, report.damage_count)
}

#[test]
fn large_values_of_either_format() {
    let data: Vec<u8> = (0..40_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let mut one = Bin::new(3);
    let cell = one.cell(&data);
    let one = one.with_value(3, 40_000, cell);
    let mut split = Bin::new(5);
    let segments: Vec<u32> = data
        .chunks(16_344)
        .map(|segment| split.cell(segment))
        .collect();
    let list: Vec<u8> = segments
        .iter()
        .flat_map(|segment| segment.to_le_bytes())
        .collect();
    let list = split.cell(&list);
    let mut big = b"db\x03\0".to_vec();
    big.extend(list.to_le_bytes());
    let big = split.cell(&big);
    let split = split.with_value(3, 40_000, big);
    for hive in [one, split] {
        let value = hive.value("", "V").expect("no damage").expect("the value");
        assert!(value.data == data, "{} bytes", value.data.len());
    }
}

#[test]
fn values_that_nt_hive_does_not_read() {
    let empty = Bin::new(5).with_value(1, 0, NONE);
    let value = empty.value("", "v").expect("no damage").expect("the value");
    assert_eq!((value.kind, value.data.len()), (ValueKind::String, 0));
    let property = Bin::new(5).with_value(0xFFFF_0012, 0x8000_0002, 0x0000_4241);
    let value = property
        .value("", "v")
        .expect("no damage")
        .expect("the value");
    assert_eq!(
        (value.kind, value.data.as_slice()),
        (ValueKind::Other(0xFFFF_0012), &b"AB"[..])
    );
    let nowhere = Bin::new(5).with_value(3, 8, NONE);
    let error = nowhere.value("", "v").expect_err("damage");
    assert_eq!(
        (&*error.structure, error.found.as_str()),
        ("value data", "none (0xffffffff)")
    );
    assert_eq!(walk(&nowhere), (1, 1));
}

#[test]
fn lists_with_items_that_nt_hive_panics_on() {
    for signature in ["li", "ri"] {
        let mut bin = Bin::new(5);
        let zero = u32::try_from(bin.bytes.len()).expect("a small hive");
        bin.bytes.extend([0; 8]);
        let [a, b] = ["a", "b"].map(|name| bin.key(name, (0, NONE), (0, NONE)));
        let items = [a, NONE, zero, 0xFFFF_FFF0, b];
        let list = if signature == "li" {
            bin.list("li", &items)
        } else {
            let leaves = [a, b].map(|key| bin.list("li", &[key]));
            bin.list("ri", &[leaves[0], NONE, leaves[1]])
        };
        let root = bin.key("root", (5, list), (0, NONE));
        let hive = bin.open(root);
        let keys = hive.subkeys("").expect("a root").expect("a root");
        let names: Vec<&str> = keys.items.iter().map(|key| key.name.as_str()).collect();
        let (read, damage): (&[&str], _) = if signature == "li" {
            (&["a", "b"], 3)
        } else {
            (&["a"], 1)
        };
        assert_eq!(
            (names.as_slice(), keys.damage.len()),
            (read, damage),
            "{signature}"
        );
        assert!(hive.key("a").expect("no damage").is_some());
        assert!(
            hive.key("c").is_err(),
            "whether there is a c cannot be known"
        );
        assert_eq!(hive.panics_caught(), 0);
    }
}

#[test]
fn a_key_below_itself_ends_the_walk() {
    let mut bin = Bin::new(5);
    let root = u32::try_from(bin.bytes.len()).expect("a small hive");
    let list = root + 88;
    assert_eq!(bin.key("again", (1, list), (0, NONE)), root);
    assert_eq!(bin.list("li", &[root]), list);
    let hive = bin.open(root);
    assert_eq!(walk(&hive), (2, 1));
    let deep = "again\\".repeat(100);
    assert!(hive.key(&deep).expect("no damage").is_some());
}

#[test]
fn one_list_shared_by_many_keys_does_not_multiply() {
    let mut bin = Bin::new(5);
    let leaf: Vec<u32> = (0..500)
        .map(|_| bin.key("k", (0, NONE), (0, NONE)))
        .collect();
    let leaf = bin.list("li", &leaf);
    let root_list = bin.list("ri", &vec![leaf; 60_000]);
    let root = bin.key("root", (u32::MAX, root_list), (0, NONE));
    let hive = bin.open(root);
    let keys = hive.subkeys("").expect("a root").expect("a root");
    assert!(keys.items.len() < 100_000, "{} keys", keys.items.len());
    assert_eq!(keys.damage.len(), 1);
    assert!(hive.key("none").is_err());
}

#[test]
fn a_cut_hive_is_read_as_far_as_it_goes() {
    let mut bin = Bin::new(5);
    let near = bin.key("near", (0, NONE), (0, NONE));
    let list = bin.list("li", &[near, 12_000]);
    let root = bin.key("root", (2, list), (0, NONE));
    bin.bytes.resize(12_000, 0);
    bin.key("far", (0, NONE), (0, NONE));
    let mut file = bin.file(root);
    file.truncate(9_000);
    let hive = HiveFile::open(file).expect("a hive");
    assert!(matches!(hive.quality(), [Quality::Damage(error)] if &*error.structure == "hive bins"));
    assert_eq!(walk(&hive), (2, 1));
    assert!(hive.key("near").expect("no damage").is_some());
    assert!(hive.key("far").is_err());
}

/// A dirty hive of one key `old`, and an old log whose first page calls it `new`.
fn dirty_and_log(time: u8) -> (Vec<u8>, Vec<u8>) {
    let mut bin = Bin::new(3);
    let root = bin.key("old", (0, NONE), (0, NONE));
    let mut file = bin.file(root);
    file[8] = 0;
    seal(&mut file);
    let mut log = file[..512].to_vec();
    log[8] = 1;
    log[12] = time;
    log[28] = 1;
    seal(&mut log);
    log.extend(b"DIRT\x01");
    log.resize(1024, 0);
    log.extend(&file[BINS..BINS + 512]);
    let name = 1024 + root as usize + 4 + 76;
    log[name..name + 3].copy_from_slice(b"new");
    (file, log)
}

fn replay_one(file: &mut Vec<u8>, log: &[u8]) -> ReplayReport {
    replay(
        file,
        &[Log {
            name: "LOG",
            bytes: log,
        }],
    )
}

#[test]
fn an_old_log_is_applied_where_its_time_fits() {
    let (mut file, log) = dirty_and_log(0);
    let report = replay_one(&mut file, &log);
    assert_eq!((report.entries, report.to), (1, 1));
    let hive = HiveFile::open(file).expect("a hive");
    assert_eq!(hive.key("").expect("a root").expect("a root").name, "new");
    assert!(!hive.header().is_dirty());
    let (mut file, log) = dirty_and_log(1);
    let before = file.clone();
    let report = replay_one(&mut file, &log);
    let reason = report.logs[0].stopped.as_deref();
    assert_eq!(reason, Some("its time of last write is not the hive's"));
    assert!(file == before);
}

#[test]
fn an_old_log_that_is_cut_or_misplaced_changes_nothing() {
    let (file, log) = dirty_and_log(0);
    let mut misplaced = log.clone();
    misplaced[1024 + 4] = 1;
    for log in [&log[..1200], &log[..516], &misplaced] {
        let mut after = file.clone();
        let report = replay_one(&mut after, log);
        assert!(!report.is_replayed() && after == file);
        assert!(report.logs[0].stopped.is_some());
    }
}

#[test]
fn a_damaged_base_block_is_recovered_from_an_old_log() {
    let (mut file, log) = dirty_and_log(0);
    file[..512].fill(0);
    let report = replay_one(&mut file, &log);
    assert!(report.header_recovered);
    let hive = HiveFile::open(file).expect("a hive");
    assert_eq!(hive.key("").expect("a root").expect("a root").name, "new");
}
