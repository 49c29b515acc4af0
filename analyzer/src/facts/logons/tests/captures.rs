//! Real captures against the counts of other readers.

use super::*;
use crate::facts::events::EventFold;
use crate::formats::evtx::{Options, read_bytes};

/// Folds a capture. `None` where the captures are absent.
fn capture(path: &str) -> Option<Events> {
    let Some(folder) = snapdiag_tests::captures() else {
        println!("no captures: {path} was not compared");
        return None;
    };
    let bytes = std::fs::read(folder.join("eventlogs").join(path)).unwrap();
    let outcome = read_bytes(&bytes, EventFold::default(), Options::default()).unwrap();
    Some(outcome.fold.facts.logons)
}

// The numbers of the following tests were counted with the evtx package for Python (pyevtx-rs),
// with python-evtx and with evtxexport (libevtx), by scripts that share nothing with this crate.

#[test]
fn capture_of_smb_password_guessing() {
    let path = "sans-blue-team-DeepBlueCLI/evtx__smb-password-guessing-security.evtx";
    let Some(events) = capture(path) else { return };
    let window = Window::before("2016-09-19T16:54:30Z".parse().unwrap(), true);
    let failures = rates::failures(&events, &logs(), window);
    let known = failures.value().unwrap();
    assert_eq!((known.total, known.logon, known.excluded), (3561, 3561, 0));
    assert_eq!(known.unattributed, 0);
    let expected = Reasons {
        no_such_user: 1,
        bad_password: 3558,
        locked_out: 0,
        barred: 2,
    };
    assert_eq!(known.reasons, expected);
    assert_eq!(failures.evidence[0].raw, json!(3561));
    let minutes: Vec<u64> = events
        .minutes
        .entries()
        .values()
        .map(tally::Minute::failures)
        .collect();
    assert_eq!(minutes, [1198, 1299, 1064]);
    let table = sources::table(&events, &failures, window);
    let source = &table.value().unwrap().top[0];
    assert_eq!(
        (source.address.to_string().as_str(), source.attempts),
        ("192.168.198.149", 3561)
    );
    assert_eq!((source.private, &source.tried), (true, &Tried::Several));
    let users = users::users(&events, &failures, window);
    let users = users.value().unwrap();
    assert_eq!((users.distinct, users.attempts), (2, 3561));
    assert_eq!(
        (users.top[0].user.as_str(), users.top[0].attempts),
        ("administrator", 3560)
    );
}

#[test]
fn capture_of_remote_desktop_guessing_from_the_internet() {
    let path = "omerbenamram-evtx/2-vss_0-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx";
    let Some(events) = capture(path) else { return };
    assert_eq!(sum(&events, Tally::Rdp140), 126);
    assert_eq!(sum(&events, Tally::Rdp131), 126);
    let sources = sources_of(&events);
    assert_eq!(sources.len(), 62);
    let of = |address: &str| {
        sources
            .iter()
            .find(|(known, _)| known == address)
            .map(|(_, n)| *n)
    };
    assert_eq!(of("212.92.115.217"), Some(17));
    assert_eq!(of("120.193.221.10"), Some(8));
    assert_eq!(of("98.109.178.208"), Some(6));
}

#[test]
fn capture_of_a_remote_desktop_session() {
    let log = |name: &str| capture(&format!("Velocidex-velociraptor/RDPAuth_{name}.evtx"));
    let (Some(mut events), Some(connections), Some(sessions), Some(system)) = (
        log("Security"),
        log("RemoteConnectionManager"),
        log("LocalSessionManager"),
        log("System"),
    ) else {
        return;
    };
    events.merge(connections);
    events.merge(sessions);
    events.merge(system);
    let count = |tally| sum(&events, tally);
    assert_eq!(count(Tally::Logon4624), 67);
    assert_eq!(count(Tally::Logon4625), 0);
    assert_eq!(count(Tally::NtlmRefused), 0);
    assert_eq!(
        (
            count(Tally::Rcm261),
            count(Tally::Rcm1149),
            count(Tally::Lsm)
        ),
        (1, 1, 2)
    );
    // 4624 type 3 and 10, 1149 and 25 from there, all of one user; DC$ and WEF$ are machines.
    let who: Vec<String> = events
        .successes
        .entries()
        .keys()
        .map(|(_, address, user)| format!("{user} {address}"))
        .collect();
    assert!(
        who.iter().all(|who| who == "vagrant 192.168.38.1"),
        "{who:?}"
    );
    let logs_cleared: Vec<u32> = events
        .clears
        .entries()
        .values()
        .map(|noted| noted.id)
        .collect();
    assert_eq!(logs_cleared.len(), 2);
    assert!(logs_cleared.contains(&1102) && logs_cleared.contains(&104));
    assert!(suspicions(&events).is_empty());
}

#[test]
fn captures_of_single_events() {
    let Some(events) = capture("omerbenamram-evtx/Security_with_size_t.evtx") else {
        return;
    };
    let count = |tally| sum(&events, tally);
    assert_eq!(
        (count(Tally::Logon4625), count(Tally::Logon4624)),
        (15, 126)
    );
    assert_eq!(
        (
            count(Tally::Dropped),
            count(Tally::LogStopped),
            count(Tally::Started)
        ),
        (4, 3, 8)
    );
    assert_eq!(sources_of(&events), [("10.20.0.118".to_owned(), 4)]);

    let mdecrevoisier = |name: &str| {
        capture(&format!(
            "mdecrevoisier-EVTX-to-MITRE-Attack/TA0006-Credential_Access__T1110.xxx-Brut_force__{name}.evtx"
        ))
    };
    let Some(sql) = mdecrevoisier("ID18456-SQL_Server_failed_login_because_only_Windows_auth")
    else {
        return;
    };
    assert_eq!(sources_of(&sql), [("10.23.23.9".to_owned(), 6)]);
    let Some(ssh) = mdecrevoisier("ID4-OpenSSH_brutforce_with_non_existing_users_(sshd_logs)")
    else {
        return;
    };
    assert_eq!(sources_of(&ssh), [("10.23.23.9".to_owned(), 5)]);
    let Some(audited) = mdecrevoisier("ID4625-OpenSSH_brutforce_with_non_existing_users") else {
        return;
    };
    assert_eq!(
        (
            sum(&audited, Tally::Unattributed),
            sum(&audited, Tally::SshServer)
        ),
        (5, 5)
    );
    assert_eq!(sum(&audited, Tally::NtlmRefused), 5);
    let Some(kerberos) = mdecrevoisier("ID4771-Kerberos_brutforce_with_valid_user") else {
        return;
    };
    assert_eq!(sources_of(&kerberos), [("10.23.123.11".to_owned(), 54)]);
    let Some(enumeration) = mdecrevoisier("ID4768-4771-Kerberos_user_enumeration_(Kerbrute)")
    else {
        return;
    };
    assert_eq!(enumeration.users.entries().len(), 22);
    let bluekeep =
        "sbousseaden-EVTX-ATTACK-SAMPLES/Other__rdpcorets_148_mst120_bluekeep_rpdscan_full.evtx";
    let Some(scan) = capture(bluekeep) else {
        return;
    };
    assert_eq!(sum(&scan, Tally::Rdp131), 16);
    let tcp: u64 = scan
        .pairs
        .entries()
        .values()
        .map(|pair| pair.connected)
        .sum();
    assert_eq!(tcp, 12);
    assert!(sources_of(&scan).is_empty());
    let spray = "sans-blue-team-DeepBlueCLI/evtx__password-spray.evtx";
    let Some(spray) = capture(spray) else { return };
    // 294 explicit logons (4648) of the sprayer's own machine: no failed logon in it.
    assert_eq!((spray.logon_failures, spray.clears.entries().len()), (0, 1));
}
