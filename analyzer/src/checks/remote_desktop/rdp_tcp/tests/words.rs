//! What is told beside the verdict, and which layer a remedy changes.

use super::*;

#[test]
fn a_listener_that_was_asked_to_stop_is_told_until_it_starts() {
    for (started, told) in [
        (None, true),
        (Some("2026-03-10T10:59:59Z"), true),
        (Some("2026-03-10T11:00:00Z"), false),
        (Some("2026-03-10T11:30:00Z"), false),
    ] {
        let mut snapshot = healthy();
        trouble(&mut snapshot, Trouble::AskedToStop, "2026-03-10T11:00:00Z");
        if let Some(at) = started {
            logged(&mut snapshot, Kind::ListenerStarted, at);
        }
        let decision = run(&snapshot);
        assert_eq!(decision.notes.len(), usize::from(told), "{started:?}");
    }
}

#[test]
fn a_foreign_protocol_is_named() {
    for (fact, words) in [
        (text("Citrix ICA 3.0"), "(WdName = Citrix ICA 3.0)"),
        (Fact::absent([place()]), "(WdName = absent)"),
    ] {
        let foreign = but(|l| l.protocol = fact);
        let decision = one(&foreign, Verdict::Warning, "foreign-protocol");
        assert!(decision.headline.contains(words), "{}", decision.headline);
        assert!(commands(&decision).contains("Save the listeners that are there."));
    }
    let mut none = healthy();
    none.remote_desktop.listeners = Fact::absent([place()]);
    let missing = one(&none, Verdict::Critical, "missing");
    assert!(commands(&missing).contains("Save what is there."));
}

#[test]
fn the_layer_that_decides_is_the_one_to_change() {
    let by_policy = but(|l| l.security_layer = Layered::new(number(0), number(2)));
    let by_policy = commands(&one(&by_policy, Verdict::Warning, "no-tls"));
    assert!(by_policy.contains("Policies") && !by_policy.contains("WinStations"));
    let locally = commands(&one(
        &but(|l| l.security_layer = local(0)),
        Verdict::Warning,
        "no-tls",
    ));
    assert!(!locally.contains("Policies") && locally.contains("WinStations"));
}

#[test]
fn listeners_that_windows_brings_along_are_shown() {
    let legacy = |decision: &Decision| {
        let shown = decision.evidence.iter();
        let shown = shown.filter(|shown| shown.says.contains("which belongs to Windows"));
        shown.map(|shown| shown.says.clone()).collect::<Vec<_>>()
    };
    let own_key = |name: &str| {
        let mut one = station(name);
        let place = Locator::key("SYSTEM", name);
        one.key.evidence = vec![Evidence::new("registry/SYSTEM", place, json!(null))];
        one
    };
    assert!(legacy(&run(&with(vec![own_key("RDP-Tcp")]))).is_empty());
    let mut off = own_key("ICA-Tcp");
    off.enabled = number(0);
    let listeners = vec![own_key("RDP-Tcp"), own_key("EH-Tcp"), off];
    let told = legacy(&run(&with(listeners)));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("EH-Tcp"));
}
