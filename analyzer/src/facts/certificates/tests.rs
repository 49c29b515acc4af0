use std::fs;

use snapdiag_fixtures::certificate::Certificates as Built;

use super::*;
use crate::facts::sources::Options;

const HEAD: &str = "Windows Registry Editor Version 5.00\n\n";
const STATION: &str =
    r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations]";
const SOFTWARE: &str = r"[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft]";

fn gather(registry: &str) -> Certificates {
    let base = "2026-03-01T12:00:00Z".parse().unwrap();
    let text = format!("{HEAD}{SOFTWARE}\n\n{registry}");
    let filled = Built::parse(&text, base).unwrap().fill(&text);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("machine.reg"), filled).unwrap();
    Certificates::gather(&Sources::open(folder.path(), &Options::default()).unwrap())
}

fn made(store: &str) -> String {
    format!(
        ";@certificate a cn=HOST-A from=-30d to=+150d\n{STATION}\n\"SelfSignedCertificate\"=hex:{{a.sha1}}\n\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\{store}\\Certificates\\{{a.thumbprint}}]\n\"Blob\"=hex:{{a.blob}}\n"
    )
}

#[test]
fn the_self_signed_certificate_is_found_in_its_store() {
    let facts = gather(&made(r"Microsoft\SystemCertificates\Remote Desktop"));
    let reference = facts.reference.value().unwrap();
    assert!(!reference.chosen);
    let used = facts.used.value().unwrap();
    assert_eq!(used.thumbprint, reference.thumbprint);
    assert_eq!(used.subject, "CN=HOST-A");
    assert_eq!(used.not_before.to_string(), "2026-01-30T12:00:00Z");
    assert!(used.has_key && used.is_self_signed());
    assert_eq!(facts.stored.value(), Some(&1));
}

#[test]
fn policy_and_enterprise_stores_are_looked_through_before_it_is_missing() {
    for store in [
        r"Policies\Microsoft\SystemCertificates\Remote Desktop",
        r"Microsoft\EnterpriseCertificates\MY",
        r"Microsoft\SystemCertificates\MY",
    ] {
        let facts = gather(&made(store));
        assert_eq!(facts.used.value().unwrap().store, store);
    }
    let missing = gather(&made(r"Microsoft\SystemCertificates\Root"));
    assert!(missing.used.is_absent());
    assert_eq!(missing.used.evidence.len(), 6);
}

#[test]
fn the_hash_of_the_listener_goes_before_and_zeros_name_nothing() {
    let store = r"Microsoft\SystemCertificates\Remote Desktop";
    let listener = |hash: &str| {
        let path = STATION.replace(']', r"\RDP-Tcp]");
        gather(&format!(
            "{}\n{path}\n\"SSLCertificateSHA1Hash\"=hex:{hash}\n",
            made(store)
        ))
    };
    let zeros = listener(&["00"; 20].join(","));
    assert!(!zeros.reference.value().unwrap().chosen);
    let chosen = listener(&["11"; 20].join(","));
    assert!(chosen.reference.value().unwrap().chosen);
    assert!(chosen.used.is_absent());
    let short = listener("11,22");
    assert!(short.reference.why_unsettled().is_some());
    assert!(short.used.why_unsettled().is_some());
}

#[test]
fn a_certificate_under_another_name_or_cut_is_unreadable() {
    let store = r"Microsoft\SystemCertificates\Remote Desktop";
    let swapped = made(store).replace("{a.blob}", "{b.blob}");
    let other = ";@certificate b cn=HOST-B from=-30d to=+150d\n";
    let facts = gather(&format!("{other}{swapped}"));
    assert!(facts.used.why_unsettled().unwrap().contains("SHA-1"));
    let cut = made(store).replace("{a.blob}", "20,00,00,00");
    assert!(gather(&cut).used.why_unsettled().is_some());
    let none = gather(&format!("{STATION}\n\"x\"=dword:00000001\n"));
    assert!(none.reference.is_absent() && none.used.is_absent());
    let nothing = Certificates::gather(&Sources::none());
    assert!(nothing.used.why_unsettled().is_some());
}
