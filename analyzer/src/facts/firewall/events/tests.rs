use super::*;
use crate::formats::evtx::{Field, Header};

fn events(channel: &str, provider: &str, id: u32, fields: &[(&str, &str)]) -> Events {
    let event = Event {
        header: Header {
            record_id: 7,
            sequence: 7,
            time: Timestamp::UNIX_EPOCH,
            provider,
            source: None,
            event_id: id,
            channel,
            computer: "HOST-A",
            stale: false,
        },
        system: Fields::default(),
        fields: fields
            .iter()
            .map(|(name, value)| Field {
                name: Some((*name).to_owned()),
                value: Value::Text((*value).to_owned()),
            })
            .collect(),
    };
    assert!(Events::WANTS.iter().any(|want| want.matches(&event.header)));
    let mut events = Events::default();
    events.event(&event);
    events
}

fn log() -> Fact<Channel> {
    let channel = Channel {
        computer: String::new(),
        name: String::new(),
        artifact: "eventlog/x.evtx".to_owned(),
        records: 1,
        failed: 0,
        oldest: None,
        newest: None,
        live_records: None,
        live_size_bytes: None,
        live_max_bytes: None,
        filtered: false,
        held_from: None,
        damage: Vec::new(),
    };
    Fact::known(channel, [])
}

fn rule_change(id: u32, fields: &[(&str, &str)]) -> usize {
    let provider = "Microsoft-Windows-Windows Firewall With Advanced Security";
    let events = events(FIREWALL, provider, id, fields);
    changes(&events, &log(), &[3389]).len()
}

#[test]
fn changes_of_rules_for_the_port_are_kept() {
    let inbound = ("Direction", "1");
    assert_eq!(rule_change(2004, &[inbound, ("LocalPorts", "80,3389")]), 1);
    assert_eq!(rule_change(2005, &[inbound, ("LocalPorts", "80")]), 0);
    assert_eq!(
        rule_change(2004, &[("Direction", "2"), ("LocalPorts", "3389")]),
        0
    );
    assert_eq!(
        rule_change(2006, &[("RuleId", "RemoteDesktop-UserMode-In-TCP")]),
        1
    );
    assert_eq!(rule_change(2006, &[("RuleId", "{0}")]), 0);
    assert_eq!(
        rule_change(2003, &[("SettingType", "1")]),
        1,
        "settings always"
    );
}

#[test]
fn dropped_connections_count_by_direction_protocol_and_port() {
    let dropped = |direction: &str, protocol: &str, port: &str| {
        let fields = [
            ("Direction", direction),
            ("Protocol", protocol),
            ("DestPort", port),
            ("SourceAddress", "203.0.113.7"),
        ];
        let provider = "Microsoft-Windows-Security-Auditing";
        drops(
            &events("Security", provider, 5157, &fields),
            &log(),
            &[3389],
        )
    };
    let kept = dropped("%%14592", "6", "3389");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].text("SourceAddress"), Some("203.0.113.7"));
    assert_eq!(
        kept[0].evidence.locator.to_string(),
        "evt:Security?record=7"
    );
    assert!(dropped("%%14593", "6", "3389").is_empty(), "outbound");
    assert!(dropped("%%14592", "17", "3389").is_empty(), "UDP");
    assert!(dropped("%%14592", "6", "445").is_empty());
    assert!(dropped("%%14592", "6", "70000").is_empty());
}
