use std::path::{Path, PathBuf};

use super::*;

/// File, size of a record, records, attributes, bytes of content, bytes reserved outside records:
/// by dissect.ntfs 3.
const BY_DISSECT: [(&str, usize, usize, usize, u64, u64); 7] = [
    ("4k-large.mftmirr", 4096, 4, 15, 3_166_852, 3_170_304),
    ("boot.mftmirr", 1024, 4, 15, 4_661_904, 4_665_344),
    ("deleted.mft", 1024, 41, 157, 1_084_029_768, 1_084_092_416),
    ("frs-81151.bin", 1024, 1, 5, 322, 0),
    ("frs.bin", 1024, 1, 4, 370, 0),
    ("frs_ea.bin", 1024, 1, 6, 430, 0),
    ("slack.mft", 1024, 55, 194, 1_084_057_277, 1_084_116_992),
];

fn captures() -> Option<PathBuf> {
    let root = std::env::var_os("SNAPDIAG_CAPTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures"),
        PathBuf::from,
    );
    let folder = root.join("mft/msuhanov-dfir_ntfs");
    let required = std::env::var_os("SNAPDIAG_REQUIRE_CAPTURES").is_some_and(|value| value == "1");
    assert!(
        folder.is_dir() || !required,
        "{} is missing",
        folder.display()
    );
    folder.is_dir().then_some(folder)
}

fn records(bytes: &[u8], size: usize) -> Vec<FileRecord> {
    bytes
        .chunks(size)
        .filter(|chunk| chunk.starts_with(b"FILE"))
        .map(|chunk| FileRecord::parse(chunk).unwrap())
        .collect()
}

#[test]
fn records_of_real_volumes_have_the_sizes_that_another_reader_sees() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    for (name, size, count, attributes, content, allocated) in BY_DISSECT {
        let records = records(&std::fs::read(folder.join(name)).unwrap(), size);
        let all: Vec<&Attribute> = records.iter().flat_map(|r| &r.attributes).collect();
        let damaged: Vec<&String> = records.iter().flat_map(|r| &r.damage).collect();
        assert!(damaged.is_empty(), "{name}: {damaged:?}");
        assert_eq!(records.len(), count, "{name}");
        assert_eq!(all.len(), attributes, "{name}");
        assert_eq!(all.iter().map(|a| a.size).sum::<u64>(), content, "{name}");
        let outside = all.iter().filter_map(|a| a.outside).map(|o| o.allocated);
        assert_eq!(outside.sum::<u64>(), allocated, "{name}");
    }
}

#[test]
fn metafiles_of_a_real_volume() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let records = records(&std::fs::read(folder.join("deleted.mft")).unwrap(), 1024);
    for (number, name, allocated) in [
        (0, "$MFT", 262_144 + 8192),
        (2, "$LogFile", 5_013_504),
        (9, "$Secure", 266_240 + 4096 + 4096),
        (25, "$ObjId", 4096),
        (28, "$Repair", 2_097_152 + 262_144),
        (32, "$Tops", 1_048_576),
    ] {
        let record = records.iter().find(|r| r.number == Some(number)).unwrap();
        assert_eq!(record.names, [name]);
        assert_eq!(record.allocated_bytes(), allocated, "{name}");
        assert!(record.in_use);
    }
    // $BadClus:$Bad is as large as the volume and takes nothing.
    let bad = records.iter().find(|r| r.number == Some(8)).unwrap();
    assert_eq!(bad.allocated_bytes(), 0);
    let stream = bad.attributes.iter().find(|a| a.name == "$Bad").unwrap();
    assert_eq!((stream.kind, stream.size), (DATA, 1_070_592_000));
}

/// A record of 1024 bytes with one name and one stream outside.
fn built() -> Vec<u8> {
    let mut record = vec![0_u8; 1024];
    let mut put = |at: usize, bytes: &[u8]| record[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"FILE");
    put(4, &48_u16.to_le_bytes());
    put(6, &3_u16.to_le_bytes());
    put(20, &56_u16.to_le_bytes());
    put(22, &1_u16.to_le_bytes());
    put(24, &(56_u32 + 72 + 8).to_le_bytes());
    put(44, &2_u32.to_le_bytes());
    put(48, &[7, 0, 0xAA, 0xBB, 0xCC, 0xDD]);
    put(56, &DATA.to_le_bytes());
    put(60, &72_u32.to_le_bytes());
    put(64, &[1]);
    put(56 + 40, &67_108_864_u64.to_le_bytes());
    put(56 + 48, &67_000_000_u64.to_le_bytes());
    put(128, &0xFFFF_FFFF_u32.to_le_bytes());
    put(510, &[7, 0]);
    put(1022, &[7, 0]);
    record
}

#[test]
fn fixups_are_taken_as_on_disk_and_as_put_back() {
    let on_disk = built();
    let record = FileRecord::parse(&on_disk).unwrap();
    assert!(record.damage.is_empty(), "{:?}", record.damage);
    assert_eq!(
        (record.number, record.allocated_bytes()),
        (Some(2), 67_108_864)
    );
    let mut put_back = on_disk.clone();
    put_back[510..512].copy_from_slice(&[0xAA, 0xBB]);
    put_back[1022..1024].copy_from_slice(&[0xCC, 0xDD]);
    assert_eq!(FileRecord::parse(&put_back).unwrap(), record);
    let mut torn = on_disk;
    torn[1022] = 6;
    assert!(FileRecord::parse(&torn).unwrap().damage[0].contains("offset 1022: torn"));
}

#[test]
fn what_is_no_record_is_refused() {
    assert!(matches!(
        FileRecord::parse(b""),
        Err(FileRecordError::Signature(_))
    ));
    assert!(matches!(
        FileRecord::parse(b"BAAD"),
        Err(FileRecordError::Signature(_))
    ));
    assert_eq!(FileRecord::parse(b"FILE"), Err(FileRecordError::Short(4)));
    let mut long = built();
    long[24..28].copy_from_slice(&2000_u32.to_le_bytes());
    assert!(
        FileRecord::parse(&long)
            .unwrap_err()
            .to_string()
            .contains("used size is 2000")
    );
}

#[test]
fn no_byte_of_a_record_makes_it_panic_or_hang() {
    let whole = built();
    for at in 0..200 {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = FileRecord::parse(&bytes);
        }
    }
    for length in 0..whole.len() {
        let _ = FileRecord::parse(&whole[..length]);
    }
}
