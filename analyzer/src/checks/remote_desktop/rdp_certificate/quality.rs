//! How good the certificate is, and who may read its key.

use super::{KEY, View, remedies};
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::Verdict;
use crate::facts::certificates::{Certificate, CertificateEvent};

/// Signature algorithms with a hash that is broken: RSA with MD5 and SHA-1, DSA and ECDSA with
/// SHA-1.
const WEAK: [(&str, &str); 4] = [
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.2.840.10040.4.3", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
];
/// Server authentication, and Remote Desktop authentication.
const USES: [&str; 2] = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.54.1.2"];

/// A weak signature or a short key.
pub(super) fn weak(judge: &mut Judge, cx: &Context<'_>, view: &View<'_>) {
    let hash = |used: &Certificate| {
        let mut weak = WEAK.iter();
        weak.find(|(oid, _)| *oid == used.signature)
            .map(|(_, name)| *name)
    };
    let short = |used: &Certificate| {
        used.rsa_bits
            .filter(|bits| f64::from(*bits) < cx.limit(&KEY))
    };
    let unused = view.facts.used.is_settled().then_some(false);
    let holds = view
        .used
        .map(|used| hash(used).is_some() || short(used).is_some())
        .or(unused);
    let what = view.used.map_or_else(String::new, |used| {
        let hash = hash(used).map(|name| format!("it is signed with {name}"));
        let short = short(used).map(|bits| format!("its key has {bits} bits"));
        let words: Vec<String> = hash.into_iter().chain(short).collect();
        words.join(" and ")
    });
    let compared = format!(
        "signature with MD5 or SHA-1, or an RSA key below {} bits: {what}",
        cx.limit(&KEY)
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "weak", compared, holds) {
        let chosen = view.reference.is_some_and(|reference| reference.chosen);
        problem
            .headline(format!("the certificate of Remote Desktop is weak: {what}"))
            .because("current clients may refuse it")
            .evidence("the certificate", &view.facts.used)
            .remedy(if chosen {
                remedies::replace(view.used)
            } else {
                remedies::renew(view.snapshot, view.used)
            });
    }
}

/// A certificate without a private key.
pub(super) fn no_key(judge: &mut Judge, view: &View<'_>) {
    let unused = view.facts.used.is_settled().then_some(false);
    let holds = view.used.map(|used| !used.has_key).or(unused);
    let compared = "the store associates no private key with it (property 2)";
    if let Some(problem) = judge.rule(Verdict::Warning, "no-private-key", compared, holds) {
        let chosen = view.reference.is_some_and(|reference| reference.chosen);
        problem
            .headline("the certificate of Remote Desktop has no private key: TLS cannot use it")
            .evidence("the certificate", &view.facts.used)
            .remedy(if chosen {
                remedies::replace(view.used)
            } else {
                remedies::renew(view.snapshot, view.used)
            });
    }
}

/// What is worth knowing of a certificate.
pub(super) fn notes(judge: &mut Judge, view: &View<'_>, used: &Certificate) {
    if let Some(usages) = &used.usages
        && !usages.iter().any(|usage| USES.contains(&usage.as_str()))
    {
        judge.note(
            "the certificate is neither for servers nor for Remote Desktop: Windows may not use it",
        );
    }
    let host = view.snapshot.machine.host.value();
    if let Some(host) = host.filter(|_| used.is_self_signed()) {
        let name = used.subject.strip_prefix("CN=").unwrap_or(&used.subject);
        let short = name.split('.').next().unwrap_or(name);
        if !short.eq_ignore_ascii_case(host) {
            judge.note(format!("the certificate is for {name}, the machine is called {host}: it was renamed or copied, which does no harm"));
        }
    }
    if let Some(created) = view.newest(CertificateEvent::Created) {
        let other = created
            .subject
            .as_deref()
            .is_some_and(|hash| hash != used.thumbprint);
        if other && view.reference.is_some_and(|reference| !reference.chosen) {
            judge.note(format!(
                "event 1056 of {} names another certificate than the one in use",
                created.time
            ));
        }
    }
}

/// Who may read the private key: `NETWORK SERVICE` is the account of the service, `SYSTEM` renews.
pub(super) fn key_access(judge: &mut Judge, view: &View<'_>) {
    let fact = &view.facts.machine_keys;
    let Some(access) = fact.value() else { return };
    if access.key_exists == Some(false) {
        judge.note("the key file of Remote Desktop (f686aace…) is not in MachineKeys");
    }
    let lacks = |sddl: &str, who: &str| !sddl.contains(&format!(";;;{who})"));
    if let Some(sddl) = &access.key {
        for (who, name) in [("SY", "SYSTEM"), ("NS", "NETWORK SERVICE")] {
            if lacks(sddl, who) {
                judge.note(format!(
                    "{name} has no entry in the access list of Remote Desktop's key file: {sddl}"
                ));
            }
        }
    }
    judge.exhibit("access to the private keys of the machine", fact);
}
