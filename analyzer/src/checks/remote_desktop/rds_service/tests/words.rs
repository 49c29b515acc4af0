//! What is told beside the verdict, and what an undo puts back.

use super::*;
use crate::facts::remote_desktop::Listener;
use crate::facts::sockets::Listener as Socket;

#[test]
fn the_start_type_is_compared() {
    let decision = decided(healthy(), |_| {}, Verdict::Ok, "");
    let tried = decision.trace.iter().find(|tried| tried.rule == "disabled");
    assert_eq!(tried.unwrap().compared, "Start = 3 (4 is disabled)");
    let mut unread = healthy();
    service(&mut unread).start = Fact::unreadable("damage", []);
    let decision = run(&unread);
    let tried = decision.trace.iter().find(|tried| tried.rule == "disabled");
    assert_eq!(tried.unwrap().compared, "Start = not known (4 is disabled)");
}

#[test]
fn an_undo_gives_the_old_start_type_back() {
    let undo = |start: Fact<Number>| {
        let change = |s: &mut Snapshot| {
            let service = service(s);
            service.start = start.clone();
            let texts = ["x", "a", "b"].map(str::to_owned).to_vec();
            service.events = vec![ServiceEvent {
                texts,
                ..event(7040, DAY)
            }];
        };
        let mut snapshot = healthy();
        change(&mut snapshot);
        commands(&run(&snapshot))
    };
    for (start, word) in [(0, "boot"), (1, "system"), (2, "auto"), (3, "demand")] {
        let undo = undo(number(start));
        assert!(undo.contains(&format!("start= {word}")), "{undo}");
    }
    assert!(undo(Fact::absent([])).contains("Remove-ItemProperty"));
    assert!(!undo(Fact::unreadable("x", [])).contains("Remove-ItemProperty"));
}

/// A service that runs in process 1000, and who listens on the port.
fn listening(sockets: Option<Vec<u32>>) -> Decision {
    let mut snapshot = healthy();
    let place = event(1, 0).evidence;
    service(&mut snapshot).runtime.state = Fact::known(RUNNING, [place.clone()]);
    let station = Listener {
        port: number(3389),
        ..Listener::unknown("RDP-Tcp")
    };
    snapshot.remote_desktop.listeners = known(vec![station]);
    if let Some(pids) = sockets {
        let sockets = pids.into_iter().map(|pid| Socket {
            address: "0.0.0.0".parse().unwrap(),
            port: 3389,
            pid: Some(pid),
            evidence: event(2, 1).evidence,
        });
        snapshot.sockets.listeners = known(sockets.collect());
    }
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, Verdict::Ok);
    decision
}

#[test]
fn who_listens_on_the_port_is_told() {
    let shown = |decision: &Decision, words: &str| {
        let mut shown = decision.evidence.iter();
        shown.any(|shown| shown.says == words)
    };
    let own = "process 1000, which hosts TermService, listens on port 3389";
    let decision = listening(Some(vec![1000]));
    assert!(shown(&decision, "TermService runs") && shown(&decision, own));
    assert!(decision.notes.is_empty());
    let decision = listening(Some(vec![4242]));
    assert!(!shown(&decision, own));
    assert!(decision.notes[0].starts_with("another process listens on port 3389"));
    assert!(listening(Some(Vec::new())).notes[0].starts_with("nothing listens"));
    let decision = listening(None);
    assert_eq!(decision.missing, ["the TCP table (network/tcp.json)"]);
}
