//! Hives and logs that were damaged, by accident or here.

use snapdiag::formats::hive::{HiveFile, Log};
use snapdiag::formats::registry::{Listing, RegistryView, WalkLimits};
use snapdiag_tests::captures;

/// A generator of reproducible noise (xorshift64).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap_or_default()
    }
}

/// Small hives with every structure: big data, lists of leaves, odd names, class names.
const SMALL: [&str; 6] = [
    "libguestfs-hivex/images__special",
    "msuhanov-yarp/BigDataHive",
    "ColinFinck-nt-hive/testhive",
    "msuhanov-yarp/System_Delta",
    "log2timeline-plaso/regf__100_sub_keys.hiv",
    "AndrewRathbun-DFIRArtifactMuseum/Registry/Win10/RathbunVM/BCD-Template",
];

fn exhaust(bytes: Vec<u8>) -> u64 {
    let Ok(hive) = HiveFile::open(bytes) else {
        return 0;
    };
    let mut paths = Vec::new();
    hive.walk(WalkLimits::default(), &mut |key, _| {
        if paths.len() < 20 {
            paths.push(key.path.clone());
        }
    });
    for path in paths {
        let _ = (hive.key(&path), hive.value(&path, "x"));
        let _ = (hive.values(&path), hive.subkeys(&path));
    }
    hive.panics_caught()
}

#[test]
fn mutated_hives_neither_panic_nor_hang() {
    let Some(folder) = captures() else {
        println!("no captures: nothing mutated");
        return;
    };
    let mut noise = Noise(0x5EED);
    let mut caught = 0;
    let mut opened = 0;
    for name in SMALL {
        let whole = std::fs::read(folder.join("hives").join(name)).expect("a capture");
        let used = whole
            .iter()
            .rposition(|byte| *byte != 0)
            .unwrap_or_default()
            + 1;
        for _ in 0..350 {
            let mut bytes = whole.clone();
            for _ in 0..=noise.below(12) {
                let at = if noise.below(4) == 0 {
                    noise.below(512)
                } else {
                    noise.below(used)
                } & !3;
                let word = [0, u32::MAX, 0x8000_0000, 0xFFFF_FFF8, 0x20][noise.below(5)];
                match noise.below(3) {
                    0 => bytes[at] ^= 1 << noise.below(8),
                    1 => bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(word)),
                    _ => {
                        let from = noise.below(used - 4);
                        bytes.copy_within(from..from + 4, at);
                    }
                }
            }
            caught += exhaust(bytes);
            opened += 1;
        }
        for _ in 0..40 {
            let length = noise.below(used);
            caught += exhaust(whole.get(..length).unwrap_or_default().to_vec());
            opened += 1;
        }
    }
    println!("{opened} damaged hives, {caught} panics caught");
    assert_eq!(caught, 0);
}

#[test]
fn mutated_logs_neither_panic_nor_hang() {
    let Some(folder) = captures() else {
        println!("no captures: nothing mutated");
        return;
    };
    let read = |name: &str| {
        let name = format!("hives/msuhanov-yarp/NewDirtyHive1__{name}");
        std::fs::read(folder.join(name)).expect("a capture")
    };
    let (hive, log) = (read("NewDirtyHive"), read("NewDirtyHive.LOG2"));
    let mut noise = Noise(7);
    for round in 0..500 {
        let mut log = log.clone();
        let at = noise.below(1024);
        log[at] ^= 1 << noise.below(8);
        log.truncate(log.len() - noise.below(2) * noise.below(log.len()));
        let mut hive = hive.clone();
        hive[noise.below(64)] ^= u8::try_from(round % 3).unwrap_or_default();
        let logs = [Log {
            name: "LOG2",
            bytes: &log,
        }];
        if let Ok(hive) = HiveFile::open_with_logs(hive, &logs) {
            hive.walk(WalkLimits::default(), &mut |_, _| ());
            assert_eq!(hive.panics_caught(), 0);
        }
    }
}

#[test]
fn damage_is_told_beside_what_is_read() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let path = folder.join("hives/log2timeline-plaso/regf__corrupt_sub_key_list.hiv");
    let hive = HiveFile::open(std::fs::read(path).expect("a capture")).expect("a hive");
    let Listing { items, damage } = hive.subkeys("").expect("a root").expect("a root");
    assert_eq!((items.len(), damage.len()), (99, 1));
    assert_eq!(damage[0].offset, 0x5480);
    assert_eq!(damage[0].found, "size 0");
}
