use serde_json::{Value, json};

use super::*;
use crate::facts::test_bundle::gather;

fn record(change: impl FnOnce(&mut Value)) -> Volumes {
    let mut volume = json!({"guid": null, "letter": "c", "mount_points": ["C:\\"], "kind": "fixed",
        "file_system": "NTFS", "system": true, "size_bytes": 40_000, "free_bytes": 10_000,
        "dirty": false, "ntfs": {"bytes_per_sector": 512, "bytes_per_cluster": 4096,
            "bytes_per_file_record": 1024, "total_clusters": 10, "free_clusters": 2,
            "reserved_clusters": null, "mft_valid_bytes": 8192, "mft_start_lcn": null,
            "mft_zone_start_lcn": null, "mft_zone_end_lcn": null},
        "usn_journal": {"journal_id": 1, "first_usn": 100, "next_usn": 350, "maximum_bytes": 1000,
            "allocation_delta_bytes": 10},
        "metafiles": [], "shadow_used_bytes": 5, "shadow_maximum_bytes": null, "errors": []});
    change(&mut volume);
    let text = json!({"taken_at": "2026-03-01T12:00:00Z", "volumes": [volume]}).to_string();
    gather(&[("volumes/volumes.json", &text)], Volumes::gather)
}

fn first(volumes: &Volumes) -> &Volume {
    &volumes.list.value().unwrap()[0]
}

#[test]
fn figures_come_with_their_places() {
    let volumes = record(|_| {});
    let volume = first(&volumes);
    assert_eq!(
        (volume.name.as_str(), volume.letter, volume.fixed),
        ("C:", Some('C'), Some(true))
    );
    assert_eq!(volume.ntfs.value().unwrap().size_bytes, 40_960);
    assert_eq!(volume.journal.value().unwrap().used_bytes, 250);
    assert_eq!(
        volume.journal.evidence[0].locator.to_string(),
        "json:volumes/volumes.json#/volumes/0/usn_journal"
    );
    assert_eq!(volume.free_bytes.evidence[0].raw, 10_000);
    assert!(volumes.with_letter('C').is_some());
    assert!(volumes.with_letter('D').is_none());
}

#[test]
fn no_journal_and_no_answer_are_different() {
    let none = record(|volume| {
        volume["usn_journal"] = Value::Null;
        volume["errors"] = json!([{"code": 1179, "call": "FSCTL_QUERY_USN_JOURNAL"}]);
    });
    assert!(first(&none).journal.is_absent());
    let denied = record(|volume| volume["usn_journal"] = Value::Null);
    assert!(first(&denied).journal.why_unsettled().is_some());
}

#[test]
fn a_metafile_is_read_from_its_record_or_says_why_not() {
    let with = |number: u64, hex: &str| {
        let volumes = record(|volume| {
            volume["metafiles"] =
                json!([{"record_number": number, "name": "$LogFile", "data_hex": hex}]);
        });
        let file = &first(&volumes).metafiles[0];
        (
            file.name.clone(),
            file.allocated_bytes.value().copied(),
            file.allocated_bytes.why_unsettled(),
        )
    };
    let healthy = include_str!("log_file.hex").trim();
    assert_eq!(
        with(2, healthy),
        ("$LogFile".to_owned(), Some(67_108_864), None)
    );
    let (_, size, why) = with(3, healthy);
    assert_eq!(size, None);
    assert!(why.unwrap().contains("those of record 2"));
    assert!(with(2, "4").2.unwrap().contains("hexadecimal"));
    assert!(with(2, "42414144").2.unwrap().contains("expected FILE"));
    let mut torn = healthy.to_owned();
    torn.replace_range(1020..1022, "09");
    assert!(with(2, &torn).2.unwrap().contains("torn"));
}
