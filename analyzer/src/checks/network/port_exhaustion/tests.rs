use snapdiag_bundle::records::{AddressFamily, Transport};

use super::*;
use crate::checks::network::testing::*;
use crate::checks::verdict::Verdict::{Critical, Ok, Unknown, Warning};
use crate::facts::Snapshot;
use crate::facts::fact::Fact;
use crate::facts::network_events::Kind;
use crate::facts::sockets::{BoundPorts, Listener, TableSource, TcpRow, UdpRow};
use crate::facts::sources::Sources;

const DAY: i64 = 86_400;

/// A healthy machine with so many ports of `10.0.0.4` in use.
fn using(count: u16, pid: u32) -> Snapshot {
    let mut snapshot = healthy();
    tcp(&mut snapshot, rows(count, pid));
    snapshot
}

fn rows(count: u16, pid: u32) -> Vec<TcpRow> {
    (0..count).map(|n| row(49152 + n, 11, pid)).collect()
}

fn check(snapshot: &Snapshot) -> Decision {
    run(&CHECK, snapshot)
}

#[test]
fn few_ports_in_use_are_ok() {
    let decision = check(&healthy());
    expect(&decision, Ok, "1 of 16384 dynamic ports of TCP over IPv4");
    assert!(decision.remedies.is_empty());
}

#[test]
fn the_share_of_the_range_decides() {
    // 70 % of 16384 is 11468.8, 95 % is 15564.8.
    expect(&check(&using(11_468, 0)), Ok, "11468 of 16384");
    expect(&check(&using(11_469, 0)), Warning, "11469 of 16384");
    expect(&check(&using(15_564, 0)), Warning, "15564 of 16384");
    let decision = check(&using(15_565, 77));
    expect(&decision, Critical, "15565 of 16384");
    let words = text_of(&decision);
    for part in [
        "app.exe (process 77) holds 15565",
        "10.0.0.9:3306",
        "start=49152 num=16384",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("start=10000"));
}

#[test]
fn a_port_counts_once_for_an_address_whatever_the_connections() {
    let mut rows = rows(12_000, 0);
    for row in &mut rows {
        row.local_port = 49152 + row.local_port % 100;
    }
    let mut snapshot = healthy();
    tcp(&mut snapshot, rows);
    expect(&check(&snapshot), Ok, "100 of 16384");
}

#[test]
fn addresses_are_counted_apart_and_share_what_is_bound_to_all() {
    let mut all = rows(9000, 0);
    for (n, row) in all.iter_mut().enumerate() {
        row.local = ip(["10.0.0.4", "10.0.0.5", "0.0.0.0"][n % 3]);
    }
    let mut snapshot = healthy();
    tcp(&mut snapshot, all);
    // 3000 of its own, 3000 bound to all.
    expect(&check(&snapshot), Ok, "6000 of 16384");
}

#[test]
fn ports_outside_the_range_and_excluded_ones_do_not_count() {
    let mut snapshot = using(2000, 0);
    let tcp4 = |first, last| range(Transport::Tcp, AddressFamily::Ipv4, first, last);
    snapshot.sockets.excluded = Fact::known(vec![tcp4(49152, 51151)], []);
    expect(&check(&snapshot), Ok, "0 of 14384");
    let mut snapshot = using(1, 0);
    tcp(
        &mut snapshot,
        (0..12_000).map(|n| row(20_000 + n, 11, 0)).collect(),
    );
    expect(&check(&snapshot), Ok, "0 of 16384");
}

#[test]
fn an_earlier_sample_counts_when_it_is_fuller() {
    let mut snapshot = healthy();
    tcp_samples(&mut snapshot, vec![rows(15_800, 0), rows(5, 0)], 40);
    expect(&check(&snapshot), Critical, "15800 of 16384");
}

#[test]
fn an_assumed_range_gives_at_most_a_warning_and_never_ok() {
    let mut snapshot = using(16_000, 0);
    snapshot.sockets.dynamic = Fact::not_collected("x");
    let decision = check(&snapshot);
    expect(&decision, Warning, "16000 of 16384");
    assert_eq!(decision.confidence, Confidence::Medium);
    let mut snapshot = using(10, 0);
    snapshot.sockets.dynamic = Fact::not_collected("x");
    expect(&check(&snapshot), Unknown, "is assumed");
}

#[test]
fn a_wide_range_has_room_and_a_small_one_is_a_warning() {
    let mut snapshot = healthy();
    let both = [AddressFamily::Ipv4, AddressFamily::Ipv6];
    let ranges = |first, last| {
        let of = |protocol| both.map(|family| range(protocol, family, first, last));
        [of(Transport::Tcp), of(Transport::Udp)].concat()
    };
    snapshot.sockets.dynamic = Fact::known(ranges(10_000, 65_535), []);
    tcp(
        &mut snapshot,
        (0..20_000).map(|n| row(10_000 + n, 5, 0)).collect(),
    );
    expect(&check(&snapshot), Ok, "20000 of 55536");
    snapshot.sockets.dynamic = Fact::known(ranges(1025, 5000), []);
    tcp(
        &mut snapshot,
        (0..3000).map(|n| row(1025 + n, 5, 0)).collect(),
    );
    let decision = check(&snapshot);
    expect(&decision, Warning, "3000 of 3976");
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("3976 ports only"))
    );
    assert!(text_of(&decision).contains("set dynamicport tcp start=1025 num=3976"));
    // Exactly 10,000 ports are enough.
    tcp(&mut snapshot, Vec::new());
    snapshot.sockets.dynamic = Fact::known(ranges(50_001, 60_000), []);
    expect(&check(&snapshot), Ok, "0 of 10000");
    snapshot.sockets.dynamic = Fact::known(ranges(50_002, 60_000), []);
    expect(&check(&snapshot), Warning, "9999 ports only");
}

#[test]
fn exhaustion_events_by_age() {
    for (kind, id) in [(Kind::TcpExhausted, "4231"), (Kind::UdpExhausted, "4266")] {
        for (age, verdict) in [
            (60, Critical),
            (DAY, Critical),
            (DAY + 1, Warning),
            (7 * DAY, Warning),
            (7 * DAY + 1, Ok),
        ] {
            let mut snapshot = healthy();
            event(&mut snapshot, kind, age, None);
            let headline = if verdict == Ok { "" } else { id };
            let decision = check(&snapshot);
            expect(&decision, verdict, headline);
            if verdict != Ok {
                assert_eq!(decision.confidence, Confidence::Medium);
            }
        }
    }
}

#[test]
fn a_bare_disk_has_events_only() {
    let mut snapshot = Snapshot::gather(&Sources::none());
    expect(&check(&snapshot), Unknown, "not known");
    snapshot.capture.time = Some(captured());
    snapshot.network_events.system = log("System");
    expect(&check(&snapshot), Unknown, "not known: the TCP table");
    event(&mut snapshot, Kind::TimeWaitCollision, 3 * DAY, None);
    expect(&check(&snapshot), Warning, "4227");
}

#[test]
fn an_event_of_unknown_age_is_a_warning() {
    let mut snapshot = healthy();
    snapshot.capture.time = None;
    event(&mut snapshot, Kind::TcpExhausted, 60, None);
    expect(&check(&snapshot), Warning, "4231");
}

#[test]
fn collisions_are_critical_only_when_the_table_agrees() {
    for (count, used, verdict) in [
        (11, 11_469, Critical),
        (10, 11_469, Warning),
        (11, 11_468, Warning),
        (11, 10, Warning),
    ] {
        let mut snapshot = using(used, 0);
        event(&mut snapshot, Kind::TimeWaitCollision, 3600, None);
        hour(&mut snapshot, Kind::TimeWaitCollision, count);
        let decision = check(&snapshot);
        assert_eq!(decision.verdict, verdict, "{count} {used}: {decision:#?}");
    }
    let mut snapshot = using(16_000, 0);
    snapshot.sockets.dynamic = Fact::not_collected("x");
    event(&mut snapshot, Kind::TimeWaitCollision, 3600, None);
    hour(&mut snapshot, Kind::TimeWaitCollision, 500);
    expect(&check(&snapshot), Warning, "");
}

#[test]
fn one_process_with_more_than_half() {
    expect(&check(&using(8192, 77)), Ok, "8192 of 16384");
    expect(
        &check(&using(8193, 77)),
        Warning,
        "app.exe (process 77) holds 8193",
    );
    // TIME_WAIT belongs to nobody.
    expect(&check(&using(9000, 0)), Ok, "9000 of 16384");
}

#[test]
fn the_pool_of_a_dns_server_is_by_design() {
    let socket = |n: u16| UdpRow {
        place: u32::from(n),
        local: ip("0.0.0.0"),
        local_port: 49152 + n,
        pid: Some(77),
        line: None,
    };
    let mut snapshot = healthy();
    udp(&mut snapshot, (0..9000).map(socket).collect());
    expect(
        &check(&snapshot),
        Warning,
        "app.exe (process 77) holds 9000",
    );
    let owner = &mut snapshot.sockets.owners.state;
    if let crate::facts::fact::State::Known(owners) = owner {
        owners[0].services = vec!["DNS".to_owned()];
    }
    let decision = check(&snapshot);
    expect(
        &decision,
        Ok,
        "9000 of 16384 dynamic ports of UDP over IPv4",
    );
    assert!(text_of(&decision).contains("by design"));
}

#[test]
fn many_excluded_ranges() {
    let excluded = |count: u16| {
        let one = |n| {
            range(
                Transport::Tcp,
                AddressFamily::Ipv4,
                50_000 + n * 2,
                50_000 + n * 2,
            )
        };
        Fact::known((0..count).map(one).collect(), [])
    };
    let mut snapshot = healthy();
    snapshot.sockets.excluded = excluded(100);
    expect(&check(&snapshot), Ok, "of 16284");
    snapshot.sockets.excluded = excluded(101);
    expect(&check(&snapshot), Warning, "101 ranges are excluded");
}

#[test]
fn a_wider_range_reserves_the_listeners_inside_first() {
    let mut snapshot = using(15_800, 77);
    let listener = |port| Listener {
        address: ip("0.0.0.0"),
        port,
        pid: Some(4),
        evidence: place(),
    };
    let ports = [3389, 40_000, 40_000, 50_000, 32_768];
    snapshot.sockets.listeners = Fact::known(ports.map(listener).to_vec(), []);
    let decision = check(&snapshot);
    let widen = decision
        .remedies
        .iter()
        .find(|remedy| remedy.title.contains("Widen"))
        .unwrap();
    let reserved = |remedy: &crate::checks::remedy::Remedy| {
        let steps = remedy.steps.iter().filter_map(|step| step.command.as_ref());
        steps
            .filter(|command| command.text.contains("add excludedportrange"))
            .count()
    };
    assert_eq!(reserved(widen), 2);
    assert!(
        text_of(&decision).contains("startport=40000")
            && text_of(&decision).contains("startport=32768")
    );
}

#[test]
fn what_was_not_seen_is_never_ok() {
    let spoil: [Spoil; 7] = [
        ("TCP table", |s| s.sockets.tcp = Fact::not_collected("x")),
        ("UDP table", |s| s.sockets.udp = Fact::unreadable("x", [])),
        ("System log", |s| {
            s.network_events.system = Fact::not_collected("x");
        }),
        ("damaged", |s| {
            damage(s, |log| log.damage.push("torn".to_owned()));
        }),
        ("damaged", |s| damage(s, |log| log.failed = 1)),
        ("collected from", |s| {
            damage(s, |log| {
                log.held_from = Some(crate::facts::inventory::Mark {
                    record_id: 9,
                    time: ago(60),
                });
            });
        }),
        ("not whole", |s| {
            if let crate::facts::fact::State::Known(table) = &mut s.sockets.tcp.state {
                table.malformed = 1;
            }
        }),
    ];
    for (headline, spoil) in spoil {
        let mut snapshot = healthy();
        spoil(&mut snapshot);
        expect(&check(&snapshot), Unknown, headline);
    }
}

fn damage(snapshot: &mut Snapshot, change: impl Fn(&mut crate::facts::inventory::Channel)) {
    if let crate::facts::fact::State::Known(log) = &mut snapshot.network_events.system.state {
        change(log);
    }
}

#[test]
fn a_range_of_ipv6_is_demanded_when_it_is_used() {
    let mut snapshot = healthy();
    let v4 = [Transport::Tcp, Transport::Udp];
    let ranges = v4.map(|protocol| range(protocol, AddressFamily::Ipv4, 49152, 65535));
    snapshot.sockets.dynamic = Fact::known(ranges.to_vec(), []);
    expect(&check(&snapshot), Ok, "1 of 16384");
    let mut six = row(50_000, 5, 77);
    six.local = ip("fd00::4");
    tcp(&mut snapshot, vec![six]);
    expect(&check(&snapshot), Unknown, "TCP over IPv6 was not read");
}

#[test]
fn the_text_of_netstat_serves_with_medium_confidence() {
    let mut snapshot = using(15_800, 77);
    if let crate::facts::fact::State::Known(table) = &mut snapshot.sockets.tcp.state {
        table.source = TableSource::NetstatText;
    }
    let decision = check(&snapshot);
    expect(&decision, Critical, "15800");
    assert_eq!(decision.confidence, Confidence::Medium);
}

#[test]
fn other_events_and_the_old_setting_are_notes() {
    let mut snapshot = healthy();
    for kind in [Kind::ConnectLimit, Kind::UdpLimit, Kind::SecureChannel] {
        event(&mut snapshot, kind, 60, None);
    }
    snapshot.sockets.max_user_port = number(65534);
    let decision = check(&snapshot);
    expect(&decision, Ok, "");
    assert_eq!(decision.notes.len(), 4);
}

/// The same port, bound and connected, is taken once.
#[test]
fn bound_ports_are_taken_too() {
    let bound = |snapshot: &mut Snapshot, ports: std::ops::Range<u16>, unclear| {
        let rows = ports.map(|port| TcpRow {
            local: "0.0.0.0".parse().unwrap(),
            ..row(port, 100, u32::from(port))
        });
        let rows = rows.collect();
        snapshot.sockets.bound = Fact::known(BoundPorts { rows, unclear }, []);
    };
    let mut snapshot = using(11_000, 0);
    bound(&mut snapshot, 49152..60_620, 0);
    expect(&check(&snapshot), Ok, "11468 of 16384");
    bound(&mut snapshot, 49152..60_621, 0);
    let decision = check(&snapshot);
    expect(&decision, Warning, "11469 of 16384");
    assert!(text_of(&decision).contains("11469 ports bound and not connected"));
    bound(&mut snapshot, 0..0, 1);
    expect(
        &check(&snapshot),
        Unknown,
        "not every line of netstat -anoq",
    );
    snapshot.sockets.bound = Fact::absent([]);
    expect(&check(&snapshot), Ok, "11000 of 16384");
    for (build, verdict) in [(9_600, Ok), (10_240, Unknown)] {
        snapshot.machine.build = Fact::known(build, []);
        assert_eq!(check(&snapshot).verdict, verdict, "{build}");
    }
}
