//! A bundle is sent to an object store on loopback.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use snapdiag_collector::upload::{UploadError, upload};
use snapdiag_tests::object_store::Reply::{Answer, Cut};
use snapdiag_tests::object_store::{ObjectStore, Reply, Request};

const OBJECT: &str = "/bucket/a%20b.zip?X-Signature=s3cr3t%2F1";

/// More than what sockets buffer, so that a server that hangs up is noticed while sending.
const BYTES: usize = 12 << 20;

/// Sends a file to a store that replies so: the end, what came, what was printed.
fn send(object: &str, replies: &[Reply]) -> (Result<(), UploadError>, Vec<Request>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("a b.zip");
    std::fs::write(&bundle, content()).unwrap();
    let store = ObjectStore::start(replies.to_vec()).unwrap();
    let mut lines = Vec::new();
    let end = upload(&bundle, &store.url(object), &mut |line| {
        lines.push(line.to_owned());
    });
    assert_eq!(std::fs::read(&bundle).unwrap(), content());
    assert!(lines.iter().all(|line| line.is_ascii()));
    assert!(lines.iter().all(|line| !line.contains("s3cr3t")));
    (end, store.requests().unwrap(), lines)
}

fn content() -> Vec<u8> {
    (0..=250).cycle().take(BYTES).collect()
}

#[test]
fn success() {
    let (end, requests, lines) = send(OBJECT, &[Answer(200, "")]);
    end.unwrap();
    let request = &requests[0];
    assert_eq!(request.line, format!("PUT {OBJECT} HTTP/1.1"));
    assert!(request.body == content());
    assert_eq!(request.header("Content-Length").unwrap(), BYTES.to_string());
    assert!(
        request
            .header("User-Agent")
            .is_some_and(|name| name.starts_with("snapdiag-collector/"))
    );
    // Signed by some stores, so only what the signer expects may be there.
    for name in ["Content-Type", "Transfer-Encoding", "x-ms-blob-type"] {
        assert_eq!(request.header(name), None, "{name}");
    }
    assert!(lines[0].contains("unencrypted"), "{lines:?}");
    assert_eq!(lines[1], format!("upload: sent {BYTES} bytes"));
}

#[test]
fn azure_is_told_the_kind_of_blob() {
    let object = "/container/a.zip?sv=2024-11-04&sr=b&sp=cw&sig=s3cr3t%3D";
    let (end, requests, _) = send(object, &[Answer(201, "")]);
    end.unwrap();
    assert_eq!(requests[0].header("x-ms-blob-type"), Some("BlockBlob"));
}

#[test]
fn a_refusal_is_final_and_the_way_to_send_it_later_is_shown() {
    let body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let (end, requests, lines) = send(OBJECT, &[Answer(403, body)]);
    let error = end.unwrap_err();
    assert!(matches!(error, UploadError::Refused { status: 403, .. }));
    assert_eq!(error.exit_status(), 1);
    assert_eq!(requests.len(), 1);
    let printed = lines.join("\n");
    assert!(
        printed.contains("403: AccessDenied: Request has expired"),
        "{printed}"
    );
    assert!(printed.contains("--upload-file \""), "{printed}");
    assert!(printed.contains("a b.zip\" \"URL\""), "{printed}");
}

#[test]
fn a_redirect_is_not_followed() {
    let (end, requests, _) = send(OBJECT, &[Answer(307, "")]);
    assert!(matches!(end, Err(UploadError::Refused { status: 307, .. })));
    assert_eq!(requests.len(), 1);
}

#[test]
fn a_server_that_fails_once_gets_the_whole_bundle_again() {
    let (end, requests, lines) = send(OBJECT, &[Answer(500, ""), Answer(200, "")]);
    end.unwrap();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].body == content());
    assert!(lines[1].contains("answered 500"), "{lines:?}");
}

#[test]
fn a_connection_cut_in_the_middle_is_made_again() {
    let (end, requests, lines) = send(OBJECT, &[Cut(BYTES / 2), Answer(200, "")]);
    end.unwrap();
    assert_eq!(requests[0].body.len(), BYTES / 2);
    assert!(requests[1].body == content());
    assert!(
        lines[1].starts_with("upload: attempt 1 of 5: "),
        "{lines:?}"
    );
}

#[test]
fn a_wrong_scheme_and_a_missing_bundle_are_not_tried() {
    let mut lines = Vec::new();
    let mut report = |line: &str| lines.push(line.to_owned());
    let missing = Path::new("no-such-bundle.zip");
    let end = upload(missing, "ftp://files.example.com/a?s3cr3t", &mut report);
    assert_eq!(end.unwrap_err().exit_status(), 2);
    let end = upload(missing, "https://files.example.com/a?s3cr3t", &mut report);
    assert_eq!(end.unwrap_err().exit_status(), 3);
    assert!(lines.iter().all(|line| !line.contains("s3cr3t")));
}
