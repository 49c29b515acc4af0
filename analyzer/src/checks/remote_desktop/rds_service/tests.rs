mod events;
mod words;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::checks::readable::assert_no_rule_open;
use crate::checks::remedy::Step;
use crate::checks::thresholds::Thresholds;
use crate::facts::Snapshot;
use crate::facts::capture::CaptureKind;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::Channel;
use crate::facts::locator::Locator;
use crate::facts::remote_desktop::Layered;
use crate::facts::services::{
    Process, START_PENDING, STOPPED, ServiceEvent, Services, SvchostGroup,
};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{KeyFact, Number, Text};

const DAY: i64 = 86_400;

fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, [])
}

fn number(value: u64) -> Fact<Number> {
    known(Number {
        value: Some(value),
        wrong_type: None,
    })
}

fn text(value: &str) -> Fact<Text> {
    known(Text {
        text: value.to_owned(),
        kind: "REG_EXPAND_SZ".to_owned(),
    })
}

fn captured() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn channel() -> Fact<Channel> {
    known(Channel {
        computer: String::new(),
        name: "System".to_owned(),
        artifact: "eventlog/System.evtx".to_owned(),
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
    })
}

/// An event so many seconds before the capture; a later one has a larger record id.
fn event(id: u32, age: i64) -> ServiceEvent {
    let record_id = u64::try_from(1_000_000_000 - age).unwrap();
    let time = captured() - SignedDuration::from_secs(age);
    ServiceEvent {
        id,
        record_id,
        time,
        service: "TermService".to_owned(),
        entered: None,
        error: None,
        texts: Vec::new(),
        evidence: Evidence::new(
            "eventlog/System.evtx",
            Locator::record("System", record_id),
            "x",
        ),
    }
}

fn entered(state: u32, age: i64) -> ServiceEvent {
    ServiceEvent {
        entered: Some(state),
        ..event(7036, age)
    }
}

fn service(snapshot: &mut Snapshot) -> &mut Service {
    snapshot.services.service_mut("TermService").unwrap()
}

fn deny(snapshot: &mut Snapshot, value: u64) {
    snapshot.remote_desktop.deny = Layered::new(Fact::absent([]), number(value));
}

/// A live snapshot on which everything is as it should be.
fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(captured());
    snapshot.capture.kind = CaptureKind::Live;
    deny(&mut snapshot, 0);
    snapshot.services.log = channel();
    snapshot.services.application_log = channel();
    snapshot.services.boot = known(event(12, 10 * DAY));
    for service in &mut snapshot.services.services {
        service.key = known(KeyFact {
            name: service.name.clone(),
            last_write: None,
        });
        service.start = number(3);
        service.depends_on = Fact::absent([]);
    }
    let service = service(&mut snapshot);
    service.kind = number(0x20);
    service.image = text(r"%SystemRoot%\System32\svchost.exe -k NetworkService");
    service.dll = text(r"%SystemRoot%\System32\termsrv.dll");
    service.account = text(r"NT Authority\NetworkService");
    service.depends_on = known(vec!["RPCSS".to_owned(), "TermDD".to_owned()]);
    service.group = Some(SvchostGroup {
        name: "NetworkService".to_owned(),
        members: known(vec!["CryptSvc".to_owned(), "TERMService".to_owned()]),
    });
    service.runtime.state = known(RUNNING);
    service.runtime.pid = known(1000);
    snapshot
}

/// The same from a disk: nothing tells what is running but the log.
fn from_disk() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.capture.kind = CaptureKind::DiskOnly;
    service(&mut snapshot).runtime.state = Fact::not_collected("x");
    snapshot
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

/// The decision on a changed snapshot, its verdict and words checked.
fn decided(
    mut snapshot: Snapshot,
    change: impl Fn(&mut Snapshot),
    verdict: Verdict,
    words: &str,
) -> Decision {
    change(&mut snapshot);
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, verdict, "{}", decision.headline);
    assert!(decision.headline.contains(words), "{}", decision.headline);
    if verdict > Verdict::Unknown {
        assert!(
            !decision.remedies.is_empty(),
            "a remedy for: {}",
            decision.headline
        );
        for remedy in &decision.remedies {
            assert!(
                !remedy.undo.is_empty() && !remedy.verify.is_empty(),
                "{}",
                remedy.title
            );
        }
    }
    decision
}

fn commands(decision: &Decision) -> String {
    let remedies = decision.remedies.iter();
    let steps = remedies.flat_map(|remedy| remedy.steps.iter().chain(&remedy.undo));
    let commands = steps.filter_map(|step| Some(step.command.as_ref()?.text.clone()));
    commands.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_running_service_is_ok() {
    let decision = decided(healthy(), |_| {}, Verdict::Ok, "runs; it starts on demand");
    assert_eq!(decision.confidence, Confidence::High);
    assert_no_rule_open(&decision);
    assert!(decision.notes.is_empty(), "{:?}", decision.notes);
    decided(
        healthy(),
        |s| service(s).start = number(2),
        Verdict::Ok,
        "starts with Windows",
    );
}

#[test]
fn nothing_collected_is_unknown() {
    decided(
        Snapshot::gather(&Sources::none()),
        |_| {},
        Verdict::Unknown,
        "",
    );
}

#[test]
fn a_disabled_service_is_critical_even_while_it_runs() {
    let change = |s: &mut Snapshot| service(s).start = number(4);
    let decision = decided(healthy(), change, Verdict::Critical, "still runs");
    assert!(
        commands(&decision).contains("sc.exe config 'TermService' start= disabled"),
        "undo"
    );
    let stopped = |s: &mut Snapshot| {
        service(s).start = number(4);
        service(s).runtime.state = known(STOPPED);
    };
    let decision = decided(healthy(), stopped, Verdict::Critical, "is disabled");
    let first = |decision: &Decision| {
        let mut remedies = decision.remedies.iter();
        remedies.any(|remedy| remedy.caution.contains("enable it first"))
    };
    assert!(first(&decision));
    let enabled = |s: &mut Snapshot| service(s).runtime.state = known(STOPPED);
    assert!(!first(&decided(healthy(), enabled, Verdict::Critical, "")));
}

#[test]
fn a_stopped_service_is_judged_by_whether_it_is_expected() {
    let stopped = |denied: Option<u64>| {
        move |s: &mut Snapshot| {
            service(s).runtime.state = known(STOPPED);
            service(s).runtime.win32_exit_code = Fact::known(1068, [event(1, 0).evidence]);
            match denied {
                Some(denied) => deny(s, denied),
                None => s.remote_desktop.deny = Layered::new(Fact::not_collected("x"), number(1)),
            }
        }
    };
    let decision = decided(
        healthy(),
        stopped(Some(0)),
        Verdict::Critical,
        "does not run",
    );
    assert!(
        decision
            .evidence
            .iter()
            .any(|one| one.says.contains("a dependency failed"))
    );
    decided(
        from_disk(),
        stopped(Some(0)),
        Verdict::Critical,
        "does not run",
    );
    let mut snapshot = healthy();
    stopped(Some(1))(&mut snapshot);
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(
        decision.headline.contains("is not allowed"),
        "{}",
        decision.headline
    );
    decided(healthy(), stopped(None), Verdict::Unknown, "not known");
}

#[test]
fn pending_for_longer_than_a_minute_hangs() {
    let pending = |ms: Option<u64>| {
        move |s: &mut Snapshot| {
            service(s).runtime.state = known(START_PENDING);
            service(s).runtime.pending_for_ms = ms.map_or_else(|| Fact::absent([]), known);
        }
    };
    decided(healthy(), pending(Some(60_001)), Verdict::Critical, "hangs");
    decided(
        healthy(),
        pending(Some(60_000)),
        Verdict::Warning,
        "was starting",
    );
    decided(healthy(), pending(None), Verdict::Warning, "was starting");
}

#[test]
fn a_shared_process_is_never_ended() {
    let hang = |services: &[&str]| {
        let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
        move |s: &mut Snapshot| {
            service(s).runtime.state = known(START_PENDING);
            service(s).runtime.pending_for_ms = known(90_000);
            service(s).runtime.process = known(Process {
                pid: 1000,
                image: "svchost.exe".to_owned(),
                created_at: None,
                services: services.clone(),
            });
        }
    };
    let shared = hang(&["CryptSvc", "Dnscache", "TermService"]);
    let decision = decided(healthy(), shared, Verdict::Critical, "hangs");
    assert!(!commands(&decision).contains("taskkill"));
    let steps = decision.remedies.iter().flat_map(|remedy| &remedy.steps);
    let hosts = |step: &Step| step.text.contains("it also hosts CryptSvc, Dnscache, and");
    assert!(steps.into_iter().any(hosts));
    assert!(commands(&decision).contains("type= own"));
    assert!(commands(&decision).contains("type= share"), "undo");
    let alone = decided(
        healthy(),
        hang(&["TermService"]),
        Verdict::Critical,
        "hangs",
    );
    assert!(commands(&alone).contains("taskkill /f /pid 1000"));
    let unknown = |s: &mut Snapshot| {
        hang(&[])(s);
        service(s).runtime.process = Fact::not_collected("x");
    };
    let decision = decided(healthy(), unknown, Verdict::Critical, "hangs");
    assert!(!commands(&decision).contains("taskkill"));
}

#[test]
fn another_library_is_critical() {
    let dll = |path: &'static str| move |s: &mut Snapshot| service(s).dll = text(path);
    let wrapper = r"C:\Program Files\RDP Wrapper\rdpwrap.dll";
    let decision = decided(healthy(), dll(wrapper), Verdict::Critical, "rdpwrap.dll");
    assert!(commands(&decision).contains(r"-Value 'C:\Program Files\RDP Wrapper\rdpwrap.dll'"));
    decided(
        healthy(),
        dll(r"%SystemRoot%\System32\x\termsrv.dll"),
        Verdict::Critical,
        "instead",
    );
    decided(
        healthy(),
        dll(r"%systemroot%\SYSTEM32\TERMSRV.DLL"),
        Verdict::Ok,
        "",
    );
    decided(
        healthy(),
        dll(r"C:\Windows\System32\termsrv.dll"),
        Verdict::Ok,
        "",
    );
    decided(
        healthy(),
        dll(r"D:\Windows\System32\termsrv.dll"),
        Verdict::Critical,
        "instead",
    );
    let on_d = |s: &mut Snapshot| {
        dll(r"D:\Windows\System32\termsrv.dll")(s);
        s.machine.system_root = known(r"D:\Windows".to_owned());
    };
    decided(healthy(), on_d, Verdict::Ok, "");
    let none = |s: &mut Snapshot| service(s).dll = Fact::absent([]);
    decided(healthy(), none, Verdict::Critical, "none instead");
}

#[test]
fn another_program_is_critical() {
    let image =
        |s: &mut Snapshot| service(s).image = text(r"C:\tools\svchost.exe -k NetworkService");
    decided(
        healthy(),
        image,
        Verdict::Critical,
        "instead of svchost.exe",
    );
}

#[test]
fn a_hostile_path_stays_inside_its_literal() {
    let dll = |s: &mut Snapshot| service(s).dll = text("x'; Remove-Item C:\\ #");
    let decision = decided(healthy(), dll, Verdict::Critical, "");
    assert!(commands(&decision).contains(r"'x''; Remove-Item C:\ #'"));
}

#[test]
fn a_disabled_or_missing_dependency_is_critical() {
    let disabled = |s: &mut Snapshot| s.services.service_mut("TermDD").unwrap().start = number(4);
    let decision = decided(healthy(), disabled, Verdict::Critical, "dependency TermDD");
    assert!(commands(&decision).contains("'TermDD' start= system"));
    assert!(
        commands(&decision).contains("'TermDD' start= disabled"),
        "undo"
    );
    let missing = |s: &mut Snapshot| {
        let service = s.services.service_mut("RpcSs").unwrap();
        service.key = Fact::absent([]);
        service.start = Fact::absent([]);
    };
    decided(healthy(), missing, Verdict::Critical, "dependency RpcSs");
    let indirect = |s: &mut Snapshot| {
        let rpc = s.services.service_mut("RpcSs").unwrap();
        rpc.depends_on = known(vec!["DcomLaunch".to_owned()]);
        s.services.service_mut("DcomLaunch").unwrap().start = number(4);
    };
    let decision = decided(
        healthy(),
        indirect,
        Verdict::Critical,
        "dependency DcomLaunch",
    );
    assert!(commands(&decision).contains("'DcomLaunch' start= auto"));
    let other = |s: &mut Snapshot| {
        let rpc = s.services.service_mut("RpcSs").unwrap();
        rpc.depends_on = known(vec!["KeyIso".to_owned()]);
        s.services.service_mut("KeyIso").unwrap().start = number(4);
    };
    let decision = decided(healthy(), other, Verdict::Critical, "KeyIso");
    assert!(commands(&decision).contains("'KeyIso' start= demand"));
    let circle = |s: &mut Snapshot| {
        let rpc = s.services.service_mut("RpcSs").unwrap();
        rpc.depends_on = known(vec!["TermService".to_owned(), "+NetGroup".to_owned()]);
    };
    decided(healthy(), circle, Verdict::Ok, "");
    let unseen = |s: &mut Snapshot| {
        s.services.service_mut("TermDD").unwrap().start = Fact::unreadable("x", []);
    };
    decided(healthy(), unseen, Verdict::Unknown, "TermDD");
}

#[test]
fn a_group_without_the_service_keeps_it_from_starting() {
    let gone = |s: &mut Snapshot| {
        service(s).group.as_mut().unwrap().members = known(vec!["CryptSvc".to_owned()]);
    };
    decided(from_disk(), gone, Verdict::Critical, "does not list it");
    let decision = decided(healthy(), gone, Verdict::Warning, "does not list it");
    let commands = commands(&decision);
    assert!(
        commands.contains("@('CryptSvc','TermService')"),
        "{commands}"
    );
    assert!(commands.contains("@('CryptSvc')"), "undo: {commands}");
    let unseen = |s: &mut Snapshot| {
        service(s).group.as_mut().unwrap().members = Fact::not_collected("x");
    };
    decided(healthy(), unseen, Verdict::Unknown, "group");
}

#[test]
fn a_missing_service_is_critical() {
    let gone = |s: &mut Snapshot| {
        let service = service(s);
        service.key = Fact::absent([]);
        service.start = Fact::absent([]);
        service.dll = Fact::absent([]);
        service.image = Fact::absent([]);
        service.runtime.state = Fact::absent([]);
    };
    decided(healthy(), gone, Verdict::Critical, "there is no service");
}

#[test]
fn helpers_and_account_are_warnings() {
    for (name, effect) in [
        ("UmRdpService", "not redirected"),
        ("SessionEnv", "certificate"),
    ] {
        let disabled = |s: &mut Snapshot| s.services.service_mut(name).unwrap().start = number(4);
        decided(healthy(), disabled, Verdict::Warning, effect);
    }
    let account = |name: &'static str| move |s: &mut Snapshot| service(s).account = text(name);
    decided(
        healthy(),
        account("LocalSystem"),
        Verdict::Warning,
        "LocalSystem",
    );
    decided(
        healthy(),
        account(r"NT AUTHORITY\Network Service"),
        Verdict::Ok,
        "",
    );
}

#[test]
fn what_cannot_be_read_is_unknown() {
    type Change = fn(&mut Service);
    let changes: [Change; 4] = [
        |service| service.start = Fact::unreadable("damage", []),
        |service| service.dll = Fact::not_collected("x"),
        |service| service.image = Fact::unreadable("damage", []),
        |service| service.depends_on = Fact::unreadable("damage", []),
    ];
    for change in changes {
        decided(healthy(), |s| change(service(s)), Verdict::Unknown, "");
    }
}

#[test]
fn an_edition_that_accepts_no_connections_is_left_alone() {
    let home = |s: &mut Snapshot| s.remote_desktop.edition_may_host = known(false);
    decided(healthy(), home, Verdict::NotApplicable, "edition");
}

#[test]
fn a_snapshot_survives_json() {
    let snapshot = healthy();
    let json = serde_json::to_string(&snapshot.services).unwrap();
    assert_eq!(
        serde_json::from_str::<Services>(&json).unwrap(),
        snapshot.services
    );
}

#[test]
fn a_program_without_its_ending_is_the_same() {
    let short = |s: &mut Snapshot| {
        service(s).image = text(r"%SystemRoot%\System32\svchost -k NetworkService");
    };
    decided(healthy(), short, Verdict::Ok, "");
}

#[test]
fn windows_xp_is_not_judged() {
    let old = |s: &mut Snapshot| {
        s.machine.build = known(2600);
        service(s).image = text(r"%SystemRoot%\System32\svchost -k DComLaunch");
    };
    let decision = decided(from_disk(), old, Verdict::Unknown, "is not supported");
    assert!(decision.remedies.is_empty());
    let no_hive = |s: &mut Snapshot| {
        for name in ["BFE", "MpsSvc"] {
            s.services.service_mut(name).unwrap().key = Fact::absent([]);
        }
    };
    decided(from_disk(), no_hive, Verdict::Unknown, "BFE and MpsSvc");
    let known_build = |s: &mut Snapshot| {
        no_hive(s);
        s.machine.build = known(20348);
    };
    decided(healthy(), known_build, Verdict::Ok, "");
}
