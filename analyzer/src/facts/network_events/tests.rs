use super::*;
use crate::formats::evtx::{Field, Header, Value as Data};

fn event(
    channel: &str,
    provider: &str,
    id: u32,
    record: u64,
    second: i64,
    data: &[Data],
) -> Events {
    let event = Event {
        header: Header {
            record_id: record,
            sequence: record,
            time: Timestamp::from_second(second).unwrap(),
            provider,
            source: None,
            event_id: id,
            channel,
            computer: "HOST-A",
            stale: false,
        },
        system: Fields::default(),
        fields: data
            .iter()
            .map(|value| Field {
                name: matches!(value, Data::Bytes(_)).then(|| "Address".to_owned()),
                value: value.clone(),
            })
            .collect(),
    };
    let mut events = Events::default();
    assert!(Events::WANTS.iter().any(|want| want.matches(&event.header)));
    events.event(&event);
    events
}

fn collision(record: u64, second: i64) -> Events {
    event(SYSTEM, TCPIP, 4227, record, second, &[])
}

fn hours(events: &Events) -> Vec<(i64, u64)> {
    let hours = &events.hours[&Kind::TimeWaitCollision];
    hours.iter().map(|(hour, count)| (*hour, *count)).collect()
}

#[test]
fn hours_are_the_same_whatever_the_grouping() {
    let seconds = [0, 3599, 3600, 3601, 900 * 3600];
    for split in 0..=seconds.len() {
        let (left, right) = seconds.split_at(split);
        let fold = |part: &[i64]| {
            let mut events = Events::default();
            for second in part {
                events.merge(collision(u64::try_from(*second).unwrap() + 1, *second));
            }
            events
        };
        let mut events = fold(left);
        events.merge(fold(right));
        assert_eq!(
            hours(&events),
            [(0, 2), (1, 2), (900, 1)],
            "split at {split}"
        );
        assert_eq!(events.newest[&Kind::TimeWaitCollision].iter().count(), 5);
    }
}

#[test]
fn a_month_of_hours_is_kept() {
    let mut events = Events::default();
    for hour in 0..i64::try_from(HOURS).unwrap() + 2 {
        events.merge(collision(u64::try_from(hour).unwrap() + 1, hour * HOUR));
    }
    let hours = hours(&events);
    assert_eq!((hours.len(), hours[0].0), (HOURS, 2));
}

#[test]
fn the_server_that_did_not_answer_is_read_from_its_socket_address() {
    let v4 = [2, 0, 0, 53, 192, 0, 2, 53, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut v6 = [0_u8; 28];
    v6[0] = 23;
    v6[8] = 0xfd;
    v6[23] = 9;
    for (bytes, server) in [
        (v4.to_vec(), Some("192.0.2.53")),
        (v6.to_vec(), Some("fd00::9")),
        (vec![2, 0, 0, 53, 192], None),
        (vec![9, 0, 0, 53, 192, 0, 2, 53], None),
    ] {
        let events = event(SYSTEM, DNS_CLIENT, 1014, 1, 0, &[Data::Bytes(bytes)]);
        let kept = events.newest[&Kind::DnsTimeout].newest().unwrap();
        assert_eq!(kept.subject.as_deref(), server);
    }
}

#[test]
fn a_conflict_names_address_and_rival() {
    let data = ["", "10.0.0.5", "52-54-00-AA-BB-CC"].map(|text| Data::Text(text.to_owned()));
    let events = event(SYSTEM, TCPIP, 4199, 1, 0, &data);
    let kept = events.newest[&Kind::DuplicateAddress].newest().unwrap();
    assert_eq!(kept.subject.as_deref(), Some("10.0.0.5 52-54-00-AA-BB-CC"));
}

#[test]
fn leases_of_both_logs_stay_apart() {
    let old = event(SYSTEM, DHCP, 1003, 1, 0, &[]);
    let new = event(DHCP_CLIENT_ADMIN, DHCP, 1003, 1, 0, &[]);
    assert!(old.newest.contains_key(&Kind::LeaseFailedOld));
    assert!(new.newest.contains_key(&Kind::LeaseFailed));
}

#[test]
fn the_same_id_of_another_provider_is_not_wanted() {
    let header = Header {
        record_id: 1,
        sequence: 1,
        time: Timestamp::UNIX_EPOCH,
        provider: "Microsoft-Windows-WER-SystemErrorReporting",
        source: None,
        event_id: 1001,
        channel: SYSTEM,
        computer: "HOST-A",
        stale: false,
    };
    assert!(!Events::WANTS.iter().any(|want| want.matches(&header)));
}

#[test]
fn the_busiest_hour_ends_after_the_moment_asked_for() {
    let hour = |hour: i64, count| tally(Kind::DnsTimeout, hour, count, "a").unwrap();
    let events = NetworkEvents {
        newest: Vec::new(),
        hours: vec![hour(1, 9), hour(2, 4), hour(3, 4)],
        system: Fact::absent([]),
        dhcp: Fact::absent([]),
    };
    let at = |second| Timestamp::from_second(second).unwrap();
    let busiest = |since| {
        events
            .busiest_hour(Kind::DnsTimeout, at(since))
            .map(|hour| hour.begin)
    };
    assert_eq!(busiest(2 * HOUR - 1), Some(at(HOUR)));
    assert_eq!(busiest(2 * HOUR), Some(at(3 * HOUR)));
    assert_eq!(events.count_since(Kind::DnsTimeout, at(2 * HOUR)), 8);
    assert_eq!(busiest(4 * HOUR), None);
    let query = events.hours[0].evidence.locator.to_string();
    assert_eq!(
        query,
        "evt:System?id=1014&provider=Microsoft-Windows-DNS-Client&after=1970-01-01T01:00:00Z&before=1970-01-01T02:00:00Z"
    );
}
