//! The JSON of records: its shape is the contract, so it is spelled out here.
#![allow(clippy::expect_used, reason = "a helper's failure fails the test")]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use snapdiag_bundle::records::{
    Counters, Neighbours, Probe, ProbeKind, ProbeOutcome, Probes, RegistryExport, TcpTables,
    Volumes,
};
use snapdiag_bundle::{ItemRow, OsError};

/// Reads and writes again; what stood there must come out, an unknown field excepted.
fn both_ways<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(json: &Value) -> T {
    let record: T = serde_json::from_value(json.clone()).expect("the record fits its type");
    let written = serde_json::to_value(&record).expect("a record is JSON");
    assert_eq!(&written, json);
    let mut newer = json.clone();
    newer["field_of_a_later_version"] = json!([1, 2]);
    assert_eq!(
        serde_json::from_value::<T>(newer).expect("unknown fields are ignored"),
        record
    );
    record
}

#[test]
fn tcp_tables() {
    let tables: TcpTables = both_ways(&json!({"samples": [{
        "taken_at": "2026-03-01T12:00:00Z",
        "families": ["ipv4", "ipv6"],
        "rows": [{
            "local_address": "10.0.0.5", "local_port": 3389,
            "remote_address": "0.0.0.0", "remote_port": 0,
            "state": 2, "pid": 1234,
            "local_scope_id": null, "remote_scope_id": null
        }, {
            "local_address": "fe80::1", "local_port": 50000,
            "remote_address": "2001:db8::2", "remote_port": 443,
            "state": 11, "pid": 0,
            "local_scope_id": 12, "remote_scope_id": null
        }]
    }]}));
    assert_eq!(tables.samples[0].rows[1].state, 11);
}

#[test]
fn answers_of_dns_servers_stay_apart() {
    let probe = |outcome: Value| {
        json!({
            "probe": {
                "kind": "dns", "server": "192.0.2.53", "transport": "udp",
                "name": "host.example", "record_type": 1
            },
            "started_at": "2026-03-01T12:00:00.25Z",
            "latency_ms": 2000,
            "outcome": outcome
        })
    };
    let probes: Probes = both_ways(&json!({"probes": [
        probe(json!({"result": "answered", "values": ["198.51.100.7"]})),
        probe(json!({"result": "nxdomain"})),
        probe(json!({"result": "servfail"})),
        probe(json!({"result": "no-data"})),
        probe(json!({"result": "timeout"})),
        probe(json!({"result": "refused", "code": null})),
        probe(json!({"result": "other-answer", "rcode": 9})),
        probe(json!({"result": "failed", "code": 10051, "call": "sendto"})),
    ]}));
    let outcomes: Vec<&ProbeOutcome> = probes.probes.iter().map(|p| &p.outcome).collect();
    for (index, outcome) in outcomes.iter().enumerate() {
        assert!(!outcomes[index + 1..].contains(outcome), "{outcome:?}");
    }
    let connect: Probe = both_ways(&json!({
        "probe": {"kind": "connect", "target": "127.0.0.1", "port": 3389, "purpose": "rdp-loopback"},
        "started_at": "2026-03-01T12:00:00Z",
        "latency_ms": 1,
        "outcome": {"result": "answered", "values": []}
    }));
    assert!(matches!(
        connect.probe,
        ProbeKind::Connect { port: 3389, .. }
    ));
}

#[test]
fn counters_keep_their_gaps() {
    let counters: Counters = both_ways(&json!({
        "interval_ms": 1000,
        "sampled_at": ["2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"],
        "series": [{"path": "\\Memory\\Available MBytes", "values": [null, 512.5]}],
        "failed": [{"path": "\\VM Memory\\*", "code": 3_221_228_473_u32}]
    }));
    assert_eq!(counters.series[0].values, [None, Some(512.5)]);
}

#[test]
fn volumes_and_neighbours() {
    let _: Volumes = both_ways(&json!({
        "taken_at": "2026-03-01T12:00:00Z",
        "volumes": [{
            "guid": "{6F6A7C3E-0000-0000-0000-100000000000}", "letter": "C",
            "mount_points": ["C:\\"], "kind": "fixed", "file_system": "NTFS", "system": true,
            "size_bytes": 53_687_091_200_u64, "free_bytes": 1, "dirty": false,
            "ntfs": {
                "bytes_per_sector": 512, "bytes_per_cluster": 4096,
                "bytes_per_file_record": 1024, "total_clusters": 13_107_199,
                "free_clusters": 0, "reserved_clusters": null, "mft_valid_bytes": 104_857_600,
                "mft_start_lcn": 786_432, "mft_zone_start_lcn": null, "mft_zone_end_lcn": null
            },
            "usn_journal": null,
            "metafiles": [{"record_number": 0, "name": "$MFT", "data_hex": "46494c45"}],
            "shadow_used_bytes": null, "shadow_maximum_bytes": null,
            "errors": [{"code": 1179, "call": "FSCTL_QUERY_USN_JOURNAL"}]
        }]
    }));
    let _: Neighbours = both_ways(&json!({"neighbours": [{
        "address": "10.0.0.1", "interface_index": 3, "mac": "feee0badcafe", "state": 5,
        "router": true
    }]}));
}

#[test]
fn registry_values_keep_their_form() {
    let export: RegistryExport = both_ways(&json!({"keys": [{
        "path": "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SafeBoot\\Option",
        "exists": true, "code": null, "last_write": "2026-03-01T12:00:00Z",
        "values": [
            {"name": "OptionValue", "value_type": 4, "data": 2},
            {"name": "", "value_type": 7, "data": ["a", "b"]},
            {"name": "raw", "value_type": 3, "data": "00ff"}
        ]
    }]}));
    assert_eq!(export.keys[0].values[1].data, json!(["a", "b"]));
}

#[test]
fn a_row_of_an_event_log_carries_its_horizon_and_error() {
    let row: ItemRow = both_ways(&json!({
        "item": "eventlog.security", "state": "truncated", "method": "EvtExportLog",
        "artifacts": [{"name": "eventlog/Security.evtx", "size_bytes": 20, "sha256": null}],
        "started_ms": 10, "elapsed_ms": 2000,
        "error": {"code": 5, "call": "EvtExportLog"}, "reason": "cap reached",
        "log": {
            "channel": "Security", "enabled": true,
            "oldest_record_id": 4711, "newest_record_id": 90000,
            "oldest_time": "2026-02-01T00:00:00Z", "newest_time": "2026-03-01T12:00:00Z",
            "record_count": 85290, "file_bytes": 20_975_616, "maximum_bytes": 20_971_520,
            "retention": false, "query": "*[System[(EventID=4625)]]", "cap_bytes": 20_971_520
        }
    }));
    assert_eq!(row.log.and_then(|log| log.oldest_record_id), Some(4711));
    let error = |code| {
        OsError {
            code,
            call: "X".to_owned(),
        }
        .to_string()
    };
    assert_eq!(error(5), "X failed with 5");
    assert_eq!(error(0xC000_0BB9), "X failed with 0xc0000bb9");
}
