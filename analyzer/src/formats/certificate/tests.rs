use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use snapdiag_fixtures::certificate::{Builder, Signature};

use super::*;

fn builder() -> Builder {
    let at = |text: &str| text.parse().unwrap();
    Builder::new(
        "HOST-A",
        at("2026-01-01T10:20:30Z"),
        at("2026-07-02T10:20:30Z"),
    )
}

#[test]
fn a_built_certificate_is_read_back() {
    let blob = builder().blob();
    let blob = Blob::parse(&blob).unwrap();
    assert!(blob.has_key());
    let certificate = blob.certificate().unwrap();
    assert_eq!(blob.property(3), Some(certificate.sha1.as_slice()));
    assert_eq!(certificate.subject, "CN=HOST-A");
    assert!(certificate.is_self_signed());
    assert_eq!(certificate.not_before.to_string(), "2026-01-01T10:20:30Z");
    assert_eq!(certificate.not_after.to_string(), "2026-07-02T10:20:30Z");
    assert_eq!(certificate.rsa_bits, Some(2048));
    assert_eq!(certificate.signature, "1.2.840.113549.1.1.11");
    let usages = vec!["1.3.6.1.5.5.7.3.1".to_owned()];
    assert_eq!(certificate.usages, Some(usages));
}

#[test]
fn a_weak_certificate_of_another_issuer_is_told() {
    let mut builder = builder();
    builder.issuer = "Example CA".to_owned();
    builder.key_bits = 1024;
    builder.signature = Signature::Sha1;
    builder.key = false;
    builder.usages.clear();
    // Past 2049 the times are written in the other form (RFC 5280 4.1.2.5).
    builder.not_after = "2050-01-01T00:00:00Z".parse().unwrap();
    let blob = builder.blob();
    let blob = Blob::parse(&blob).unwrap();
    assert!(!blob.has_key());
    let certificate = blob.certificate().unwrap();
    assert!(!certificate.is_self_signed());
    assert_eq!(certificate.rsa_bits, Some(1024));
    assert_eq!(certificate.signature, "1.2.840.113549.1.1.5");
    assert_eq!(certificate.usages, None);
    assert_eq!(certificate.not_after.to_string(), "2050-01-01T00:00:00Z");
}

/// Needs openssl; passes without it.
#[test]
fn openssl_reads_what_was_built() {
    let arguments = [
        "x509",
        "-inform",
        "DER",
        "-noout",
        "-subject",
        "-enddate",
        "-fingerprint",
        "-sha1",
    ];
    let child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return };
    let der = builder().der();
    child.stdin.take().unwrap().write_all(&der).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("HOST-A"), "{text}");
    assert!(text.contains("notAfter=Jul  2 10:20:30 2026 GMT"), "{text}");
    let print: Vec<String> = Certificate::parse(&der)
        .unwrap()
        .sha1
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    assert!(text.contains(&print.join(":")), "{text}");
}

#[test]
fn damage_is_an_error_with_its_place() {
    let blob = builder().blob();
    let error = Blob::parse(blob.get(..blob.len() - 1).unwrap()).unwrap_err();
    assert!(error.offset > 0);
    let missing = Blob::parse(&[]).unwrap().certificate().unwrap_err();
    assert_eq!(missing.expected, "property 32, the certificate");
    let empty = [0_u8; 12].repeat(MAX_PROPERTIES);
    assert!(Blob::parse(&empty).is_ok());
    let many = [0_u8; 12].repeat(MAX_PROPERTIES + 1);
    assert_eq!(Blob::parse(&many).unwrap_err().offset, 12 * MAX_PROPERTIES);
    assert!(Certificate::parse(b"0\x80").is_err());
}

proptest! {
    #[test]
    fn hostile_bytes_do_not_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        if let Ok(blob) = Blob::parse(&bytes) {
            drop(blob.certificate());
        }
        drop(Certificate::parse(&bytes));
        let mut der = builder().der();
        let place = at.index(der.len());
        der[place] = byte;
        drop(Certificate::parse(&der));
    }
}
