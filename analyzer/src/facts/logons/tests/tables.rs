//! Who failed, whose names were tried, and which success follows.

use super::*;
use crate::facts::logons::fold::USERS;

const HOUR: i64 = 3600;

fn named(events: &Events, end: i64) -> UserTable {
    let window = Window::before(at(end), true);
    let failures = rates::failures(events, &logs(), window);
    let users = users::users(events, &failures, window);
    users.value().cloned().unwrap()
}

#[test]
fn names_are_counted_by_the_hours_of_the_window() {
    let mut events = Events::default();
    // The window ends at a full hour: what begins with it is not in it.
    let end = 25 * HOUR - 15 * 60;
    for time in [HOUR, HOUR + 1, 2 * HOUR, 25 * HOUR - 1, 25 * HOUR] {
        failed(&mut events, time, "203.0.113.7", "admin");
    }
    let table = named(&events, end);
    assert_eq!((table.distinct, table.attempts), (1, 4));
    assert_eq!(table.top[0].attempts, 4);
    assert!(table.complete);
}

#[test]
fn names_of_hours_that_were_dropped_make_a_lower_bound() {
    let complete = |oldest: i64| {
        let mut events = Events::default();
        failed(&mut events, 0, "203.0.113.7", "admin");
        let hour = fold::minute_of(at(oldest)).div_euclid(60);
        for n in 0..=USERS {
            events.users.add((hour, format!("user{n}").into()), 1);
        }
        // The window begins at 0.
        named(&events, 24 * HOUR).complete
    };
    assert!(complete(-HOUR));
    assert!(!complete(0));
}

#[test]
fn the_worst_success_of_a_user_from_an_address_stands_for_all() {
    let mut events = Events::default();
    let guess = |events: &mut Events, from: i64, count: i64| {
        for second in from..from + count {
            failed(events, second, "203.0.113.7", "admin");
        }
    };
    guess(&mut events, 0, 20);
    logged_on(&mut events, 60, "203.0.113.7", "admin");
    let found = |events: &Events| {
        let all = success::suspicions(events, &logs());
        assert_eq!(all.len(), 1);
        let found = all[0].value().unwrap();
        (found.attempts, found.time)
    };
    assert_eq!(found(&events), (20, at(60)));
    logged_on(&mut events, 2 * HOUR, "203.0.113.7", "admin");
    assert_eq!(found(&events), (20, at(60)), "no more failures, the first");
    guess(&mut events, 3 * HOUR, 10);
    logged_on(&mut events, 4 * HOUR, "203.0.113.7", "admin");
    assert_eq!(found(&events), (30, at(4 * HOUR)));
    logged_on(&mut events, 26 * HOUR, "203.0.113.7", "admin");
    assert_eq!(found(&events), (30, at(4 * HOUR)), "fewer failures");
}

#[test]
fn a_success_names_its_record_and_the_minute_it_stands_in() {
    let mut events = Events::default();
    for second in 0..20 {
        failed(&mut events, second, "203.0.113.7", "admin");
    }
    logged_on(&mut events, 90, "203.0.113.7", "admin");
    let all = success::suspicions(&events, &logs());
    assert_eq!(
        all[0].value().unwrap().record,
        "evt:Security?record=1000090"
    );
    let evidence = &all[0].evidence[0];
    assert_eq!(
        evidence.locator.to_string(),
        "evt:Security?id=4624&provider=Microsoft-Windows-Security-Auditing\
         &after=2026-03-01T12:01:00Z&before=2026-03-01T12:02:00Z"
    );
    assert_eq!((&evidence.raw, evidence.time), (&json!(1), Some(at(90))));
}

#[test]
fn private_and_public_attempts_leave_what_has_no_address() {
    let mut events = Events::default();
    for (address, count) in [("203.0.113.7", 3), ("10.0.0.5", 4), ("-", 5)] {
        for second in 0..count {
            failed(&mut events, second, address, "admin");
        }
    }
    let (_, table) = day(&events, 60);
    let shares = (table.public, table.private, table.unattributed);
    assert_eq!(shares, (3, 4, 5));
}

#[test]
fn the_ssh_server_names_the_one_user_that_was_tried() {
    let mut events = Events::default();
    for second in 0..3 {
        let payload = "Failed password for admin from 198.51.100.9 port 60096 ssh2";
        let fields = [("process", "sshd"), ("payload", payload)];
        feed(&mut events, (SSH, "OpenSSH", 4), second, &fields);
    }
    let (_, table) = day(&events, 60);
    assert_eq!(table.top[0].tried, Tried::One("admin".to_owned()));
}
