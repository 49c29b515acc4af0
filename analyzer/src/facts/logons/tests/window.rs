//! What is counted in the window, and beside it.

use super::*;
use crate::facts::logons::signs::Signs;

const DAY: i64 = 86_400;

fn signs(events: &Events) -> Signs {
    Signs::gather(events, Window::before(at(DAY), true))
}

/// Where an event stands, its fields, and the sign that it is.
type Case<'a> = (
    (&'a str, &'a str, u32),
    &'a [(&'a str, &'a str)],
    fn(&mut Signs),
);

#[test]
fn each_sign_is_counted_by_its_own_event() {
    let admin = "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin";
    let ntlm = ("Security", AUDITING, 4776);
    let cases: [Case<'_>; 13] = [
        (("System", "TermDD", 50), &[], |s| s.term_dd = 1),
        (("System", "TermDD", 56), &[], |s| s.term_dd = 1),
        (("System", "Schannel", 36874), &[], |s| s.schannel = 1),
        (("System", "Schannel", 36888), &[], |s| s.schannel = 1),
        ((CONNECTIONS, RCM, 261), &[], |s| s.incoming = 1),
        ((TRANSPORT, RDPCORETS, 139), &[], |s| {
            s.refused_by_security_layer = 1;
        }),
        ((admin, RCM, 1006), &[], |s| s.incomplete = 1),
        (("Security", AUDITING, 4740), &[], |s| s.lockouts = 1),
        (ntlm, &[("Status", "0xc000006a")], |s| s.ntlm = 1),
        (ntlm, &[("Status", "0x0")], |_| {}),
        (("Security", EVENTLOG, 1101), &[], |s| s.dropped = 1),
        (("Security", EVENTLOG, 1100), &[], |s| s.log_stopped = 1),
        (("Security", AUDITING, 4608), &[], |s| s.started = 1),
    ];
    for (place, fields, sign) in cases {
        let mut events = Events::default();
        feed(&mut events, place, 0, fields);
        let mut expected = Signs::default();
        sign(&mut expected);
        assert_eq!(signs(&events), expected, "{place:?} {fields:?}");
    }
}

#[test]
fn a_clock_jumps_by_five_minutes_or_more() {
    let clock = ("Security", AUDITING, 4616);
    for (new, jumps) in [
        ("2026-03-01T12:04:59Z", 0),
        ("2026-03-01T12:05:00Z", 1),
        ("2026-03-01T11:55:00Z", 1),
    ] {
        let old = "2026-03-01T12:00:00Z";
        let mut events = Events::default();
        let fields = [("PreviousTime", old), ("NewTime", new)];
        feed(&mut events, clock, 0, &fields);
        assert_eq!(signs(&events).clock_jumps, jumps, "{new} as text");
        let fields = [("PreviousTime", old), ("NewTime", new)].map(|(name, time)| Field {
            name: Some(name.to_owned()),
            value: Value::Time(time.parse().unwrap()),
        });
        let mut events = Events::default();
        feed_values(&mut events, clock, 0, fields.into_iter().collect());
        assert_eq!(signs(&events).clock_jumps, jumps, "{new} as time");
    }
}

#[test]
fn changes_of_the_window_are_told_newest_first() {
    let mut events = Events::default();
    let end = DAY + 15 * 60;
    let service = ("System", "Service Control Manager", 7045);
    for time in [-1, 0, end - 1, end] {
        let name = format!("s{time}");
        let fields = [("ServiceName", name.as_str()), ("ImagePath", "x.exe")];
        feed(&mut events, service, time, &fields);
    }
    let user = [("TargetUserName", "eve")];
    feed(&mut events, ("Security", AUDITING, 4720), 1, &user);
    for (time, group) in [
        (2, "S-1-5-32-544"),
        (3, "S-1-5-32-555"),
        (4, "S-1-5-32-545"),
    ] {
        let fields = [("MemberSid", "S-1-5-21-1"), ("TargetSid", group)];
        feed(&mut events, ("Security", AUDITING, 4732), time, &fields);
    }
    let told = signs(&events).changes;
    let told: Vec<&str> = told.iter().map(|change| change.what.as_str()).collect();
    let last = format!("service s{} was installed (x.exe)", end - 1);
    assert_eq!(
        told,
        [
            last.as_str(),
            "S-1-5-21-1 became a member of Remote Desktop Users",
            "S-1-5-21-1 became a member of Administrators",
            "account eve was created",
            "service s0 was installed (x.exe)",
        ]
    );
}

#[test]
fn the_worst_day_before_the_window_is_told() {
    let mut events = Events::default();
    let earlier = |events: &Events| {
        let (failures, _) = day(events, 3 * DAY);
        failures.value().unwrap().earlier
    };
    logged_on(&mut events, 0, "203.0.113.7", "admin");
    assert_eq!(earlier(&events), None, "a minute without a failure");
    // The window begins at 2 * DAY; the days before it are counted back from there.
    for (time, count) in [(2 * DAY - 60, 2), (DAY, 1), (DAY - 60, 3), (-60, 4)] {
        for second in 0..count {
            failed(&mut events, time + second, "203.0.113.7", "admin");
        }
    }
    assert_eq!(earlier(&events), Some((at(-DAY), 4)));
    // Of two days that are as bad, the later one.
    failed(&mut events, 0, "203.0.113.7", "admin");
    assert_eq!(earlier(&events), Some((at(0), 4)));
    failed(&mut events, 2 * DAY - 1, "203.0.113.7", "admin");
    assert_eq!(earlier(&events), Some((at(DAY), 4)));
}

#[test]
fn what_was_not_there_is_shown_only_where_it_could_be() {
    let mut events = Events::default();
    let kinds = |events: &Events| day(events, 60).0.evidence.len();
    failed(&mut events, 0, "203.0.113.7", "admin");
    assert_eq!(kinds(&events), 2, "4625 and 140, whatever their count");
    let kerberos = [("IpAddress", "203.0.113.7"), ("TargetUserName", "user1")];
    feed(&mut events, ("Security", AUDITING, 4771), 0, &kerberos);
    assert_eq!(kinds(&events), 3);
}
