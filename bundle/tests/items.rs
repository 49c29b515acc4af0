//! The item table, the words of the manifest and the schemas.

use std::collections::BTreeSet;

use snapdiag_bundle::items::{by_entry, by_id, used_by};
use snapdiag_bundle::{Content, FormatVersion, ITEMS, Record, State, channel, item_table_markdown};

/// The check ids of the contract.
const CHECKS: [&str; 24] = [
    "os-status",
    "memory-limit",
    "cpu-limit",
    "handle-leak",
    "brute-force",
    "environment-variables",
    "memory-usage",
    "virtual-memory-usage",
    "cpu-usage",
    "single-cpu-usage",
    "ntfs-metafiles",
    "rds-service",
    "rdp-port",
    "rdp-tcp",
    "rdp-allowed",
    "rdp-certificate",
    "rds-licensing",
    "network-access-account",
    "rdp-firewall",
    "port-exhaustion",
    "tcp-wait-states",
    "gateway",
    "mac-address",
    "intranet-dns",
];

const FOLDERS: [&str; 8] = [
    "registry",
    "eventlog",
    "network",
    "processes",
    "services",
    "counters",
    "system",
    "volumes",
];

#[test]
fn ids_and_entries_are_unique_and_in_the_folders_of_the_format() {
    let mut ids = BTreeSet::new();
    let mut entries = BTreeSet::new();
    for item in ITEMS {
        assert!(ids.insert(item.id), "{}", item.id);
        let (folder, _) = item.id.split_once('.').unwrap();
        assert!(FOLDERS.contains(&folder), "{}", item.id);
        assert!(!item.entries.is_empty());
        for entry in item.entries {
            assert!(entries.insert(entry.to_lowercase()), "{entry}");
            assert!(entry.starts_with(&format!("{folder}/")), "{entry}");
        }
    }
}

#[test]
fn every_check_has_an_item_and_every_item_a_check() {
    for check in CHECKS {
        assert!(used_by(check).next().is_some(), "{check}");
    }
    for item in ITEMS {
        assert!(!item.checks.is_empty(), "{}", item.id);
        let unique: BTreeSet<_> = item.checks.iter().collect();
        assert_eq!(unique.len(), item.checks.len(), "{}", item.id);
        for check in item.checks {
            assert!(CHECKS.contains(check), "{}: {check}", item.id);
        }
    }
}

#[test]
fn every_record_and_folder_is_used_and_logs_are_named_by_their_channel() {
    let mut records = BTreeSet::new();
    for item in ITEMS {
        match item.content {
            Content::EventLog(name) => {
                assert_eq!(item.entries, [channel::entry_name(name)]);
                let back = channel::from_file_name(item.entries[0]);
                assert_eq!(back.as_deref(), Some(name));
            }
            Content::Json(record) => {
                records.insert(record);
                assert_eq!(item.entries.len(), 1);
            }
            Content::Hive | Content::Text => {}
        }
    }
    assert_eq!(records.into_iter().collect::<Vec<_>>(), Record::ALL);
    for folder in FOLDERS {
        let used = ITEMS.iter().any(|i| i.id.starts_with(folder));
        assert!(used, "{folder}");
    }
}

#[test]
fn items_are_found_by_id_and_entry() {
    assert_eq!(
        by_id("registry.system").unwrap().entries[0],
        "registry/SYSTEM"
    );
    assert_eq!(
        by_entry("REGISTRY/system.log1").unwrap().id,
        "registry.system"
    );
    assert!(by_id("registry.sam").is_none() && by_entry("registry/SAM").is_none());
}

#[test]
fn file_names_of_channels_are_those_of_windows() {
    assert_eq!(
        channel::entry_name(channel::RCM_OPERATIONAL),
        "eventlog/Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational.evtx"
    );
    let name = "C:\\Windows\\System32\\winevt\\Logs\\OpenSSH%4Operational.EVTX";
    assert_eq!(
        channel::from_file_name(name).as_deref(),
        Some("OpenSSH/Operational")
    );
    for no_log in ["System.evt", ".evtx", "", "evtx", "ß.txt"] {
        assert_eq!(channel::from_file_name(no_log), None);
    }
}

#[test]
fn the_table_has_a_row_an_item() {
    let table = item_table_markdown();
    assert_eq!(table.lines().count(), ITEMS.len() + 2);
    for line in table.lines() {
        let columns = line.replace("\\|", "").matches('|').count();
        assert_eq!(columns, 7, "{line}");
    }
}

#[test]
fn states_are_the_words_of_the_contract() {
    let words: Vec<String> = State::ALL
        .iter()
        .map(|state| {
            let json = serde_json::to_string(state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
            state.to_string()
        })
        .collect();
    assert_eq!(
        words.join(" "),
        "ok truncated empty absent denied locked timeout failed skipped"
    );
    assert!(serde_json::from_str::<State>("\"busy\"").is_err());
}

#[test]
fn versions_are_text() {
    let version: FormatVersion = serde_json::from_str("\"1.12\"").unwrap();
    assert_eq!((version.major, version.minor), (1, 12));
    assert_eq!("2".parse(), Ok(FormatVersion { major: 2, minor: 0 }));
    for bad in ["", "one", "1.x", "-1.0", "1.0.0", "99999999999.0"] {
        assert!(bad.parse::<FormatVersion>().is_err(), "{bad}");
    }
}

#[test]
fn a_record_that_lacks_what_it_needs_does_not_pass_for_an_empty_one() {
    for &record in Record::ALL {
        let needs_nothing = matches!(
            record,
            Record::Memory
                | Record::Cpu
                | Record::RdsLicensing
                | Record::Accounts
                | Record::MachineKeys
        );
        assert_eq!(
            record.check(b"{}").is_ok(),
            needs_nothing,
            "{}",
            record.name()
        );
        assert!(
            record.check(b"[]").is_err() || needs_nothing,
            "{}",
            record.name()
        );
    }
}

#[cfg(feature = "schema")]
mod schema {
    use serde_json::{Value, json};
    use snapdiag_bundle::schema;

    #[test]
    fn schemas_are_the_same_each_time_and_names_are_unique() {
        let all = schema::all();
        assert_eq!(all, schema::all());
        let mut names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
        for (name, schema) in &all {
            assert_eq!(
                schema["$schema"],
                "https://json-schema.org/draft/2020-12/schema"
            );
            assert!(schema["properties"].is_object(), "{name}");
        }
    }

    #[test]
    fn times_are_date_times_and_states_a_closed_list() {
        let manifest = schema::manifest();
        let started = &manifest["$defs"]["Capture"]["properties"]["started_at"];
        assert_eq!(
            (&started["type"], &started["format"]),
            (&json!("string"), &json!("date-time"))
        );
        let words: Vec<&Value> = manifest["$defs"]["State"]["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| &word["const"])
            .collect();
        assert_eq!(words.len(), 9);
        assert_eq!(words[0], "ok");
    }
}
