use super::*;
use crate::formats::evtx::{Field, Header, Value};

fn record(channel: &str, provider: &str, id: u32, record_id: u64, fields: Fields) -> Events {
    let event = Event {
        header: Header {
            record_id,
            sequence: record_id,
            time: Timestamp::UNIX_EPOCH,
            provider,
            source: None,
            event_id: id,
            channel,
            computer: "HOST-A",
            stale: false,
        },
        system: Fields::default(),
        fields,
    };
    let mut events = Events::default();
    assert!(
        Events::WANTS.iter().any(|want| want.matches(&event.header)),
        "{channel} {provider} {id} is not wanted"
    );
    events.event(&event);
    events
}

fn scm(id: u32, record_id: u64, parameters: &[&str], binary: Option<&str>) -> Events {
    let data = parameters.iter().enumerate().map(|(index, text)| Field {
        name: Some(format!("param{}", index + 1)),
        value: Value::Text((*text).to_owned()),
    });
    let binary = binary.map(|text| Field {
        name: Some("Binary".to_owned()),
        value: Value::Bytes(
            text.encode_utf16()
                .chain([0, 0])
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
    });
    record(SYSTEM, SCM, id, record_id, data.chain(binary).collect())
}

fn only<'a>(events: &'a Events, name: &'static str, id: u32) -> &'a Kept {
    events.named[&(name, id)].newest().unwrap()
}

#[test]
fn a_translated_7036_is_read_from_its_binary() {
    let events = scm(
        7036,
        9,
        &["Remotedesktopdienste", "beendet"],
        Some("TermService/1"),
    );
    let kept = only(&events, "TermService", 7036);
    assert_eq!(kept.entered, Some(1));
    let event = kept.event("eventlog/System.evtx");
    assert_eq!(event.evidence.locator.to_string(), "evt:System?record=9");
    assert_eq!(event.evidence.raw["param2"], "beendet");
}

#[test]
fn without_binary_the_english_display_name_and_word_tell_it() {
    let events = scm(7036, 9, &["Remote Desktop Services", "running"], None);
    assert_eq!(only(&events, "TermService", 7036).entered, Some(4));
}

#[test]
fn without_binary_a_translated_name_waits_for_the_registry() {
    let events = scm(7031, 9, &["Remotedesktopdienste", "1"], None);
    assert!(events.named.is_empty());
    assert_eq!(
        events.unnamed.newest().unwrap().service,
        "Remotedesktopdienste"
    );
}

#[test]
fn another_service_is_not_kept_at_all() {
    let events = scm(7036, 9, &["Windows Search", "running"], Some("WSearch/4"));
    assert!(events.named.is_empty());
    assert!(events.unnamed.newest().is_none());
}

#[test]
fn the_parameters_that_name_the_service_differ_by_event() {
    let events = scm(7009, 1, &["30000", "TermService"], None);
    assert!(events.named.contains_key(&("TermService", 7009)));
    let parameters = ["x", "demand start", "disabled", "TermService"];
    let events = scm(7040, 1, &parameters, None);
    assert!(events.named.contains_key(&("TermService", 7040)));
    // The changed service is the last parameter, whatever the display name says.
    let parameters = ["TermService", "demand start", "disabled", "WSearch"];
    assert!(scm(7040, 1, &parameters, None).named.is_empty());
}

#[test]
fn an_error_number_is_taken_from_its_message_form() {
    let events = scm(7000, 1, &["x", "%%1053"], Some("TermService"));
    assert_eq!(only(&events, "TermService", 7000).error, Some(1053));
    let events = scm(7000, 1, &["x", "%%"], Some("TermService"));
    assert_eq!(only(&events, "TermService", 7000).error, None);
}

#[test]
fn an_event_too_large_for_the_service_control_manager_is_not_kept() {
    let long = "x".repeat(MAX_TEXT + 1);
    let events = scm(7000, 1, &[&long], Some("TermService"));
    assert!(events.named.is_empty());
}

#[test]
fn a_crash_counts_when_process_or_module_is_remote_desktops() {
    let error = |process: &str, module: &str| {
        let texts = [process, "10.0", "0", module];
        let fields = texts.iter().map(|text| Field {
            name: None,
            value: Value::Text((*text).to_owned()),
        });
        let events = record(APPLICATION, "Application Error", 1000, 1, fields.collect());
        events.crashes.newest().is_some()
    };
    assert!(error("svchost.exe_TermService", "ntdll.dll"));
    assert!(error("svchost.exe", "termsrv.dll"));
    assert!(!error("svchost.exe_WSearch", "ntdll.dll"));
    assert!(!error("", ""));
}

#[test]
fn the_newest_of_each_kind_stay_whatever_the_grouping() {
    let one = |id| scm(7031, id, &["x"], Some("TermService"));
    let gathered = |ids: &mut dyn Iterator<Item = u64>| {
        let mut events = Events::default();
        ids.for_each(|id| events.merge(one(id)));
        events
    };
    let mut halves = gathered(&mut (1..20));
    halves.merge(gathered(&mut (20..41)));
    let whole = gathered(&mut (1..41));
    assert_eq!(format!("{:?}", halves.named), format!("{:?}", whole.named));
    let kept: Vec<u64> = whole.named[&("TermService", 7031)]
        .iter()
        .map(|kept| kept.record_id)
        .collect();
    assert_eq!(kept, (25..41).collect::<Vec<u64>>());
}
