//! `WinHTTP` against an object store on loopback.

use snapdiag_tests::object_store::Reply::{Answer, Cut};
use snapdiag_tests::object_store::{ObjectStore, Reply, Request};

use crate::machine::{Machine, folder};

const OBJECT: &str = "/bucket/a%20b.zip?X-Signature=s3cr3t%2F1";

/// More than what sockets buffer.
const BYTES: usize = 12 << 20;

fn content() -> Vec<u8> {
    (0..=250).cycle().take(BYTES).collect()
}

/// Sends a file with the real program: its status, what it printed, what came.
fn send(machine: &Machine, object: &str, replies: &[Reply]) -> (i32, String, Vec<Request>) {
    let folder = folder();
    let bundle = folder.path().join("bundle.zip");
    std::fs::write(&bundle, content()).unwrap();
    let store = ObjectStore::start(replies.to_vec()).unwrap();
    let url = store.url(object);
    let (status, printed) = machine.run(folder.path(), &["--upload-file", "bundle.zip", &url]);
    assert!(bundle.exists());
    assert!(printed.is_ascii());
    assert!(!printed.contains("s3cr3t"), "{printed}");
    (status, printed, store.requests().unwrap())
}

#[test]
fn a_bundle_arrives_whole() {
    let Some(machine) = Machine::get() else {
        return;
    };
    let (status, printed, requests) = send(machine, OBJECT, &[Answer(200, "")]);
    assert_eq!(status, 0, "{printed}");
    assert_eq!(requests[0].line, format!("PUT {OBJECT} HTTP/1.1"));
    assert!(requests[0].body == content());
    let length = requests[0].header("Content-Length").unwrap();
    assert_eq!(length, BYTES.to_string());
    for name in ["Content-Type", "Transfer-Encoding", "x-ms-blob-type"] {
        assert_eq!(requests[0].header(name), None, "{name}");
    }
}

#[test]
fn azure_is_told_the_kind_of_blob() {
    let Some(machine) = Machine::get() else {
        return;
    };
    let object = "/container/a.zip?sv=2024-11-04&sr=b&sp=cw&sig=s3cr3t%3D";
    let (status, printed, requests) = send(machine, object, &[Answer(201, "")]);
    assert_eq!(status, 0, "{printed}");
    assert_eq!(requests[0].header("x-ms-blob-type"), Some("BlockBlob"));
}

#[test]
fn a_refusal_is_final_and_the_way_to_send_it_later_is_shown() {
    let Some(machine) = Machine::get() else {
        return;
    };
    let body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let (status, printed, requests) = send(machine, OBJECT, &[Answer(403, body)]);
    assert_eq!((status, requests.len()), (1, 1), "{printed}");
    assert!(
        printed.contains("403: AccessDenied: Request has expired"),
        "{printed}"
    );
    assert!(
        printed.contains("--upload-file \"bundle.zip\" \"URL\""),
        "{printed}"
    );
}

#[test]
fn a_server_that_fails_and_a_connection_that_breaks_are_tried_again() {
    let Some(machine) = Machine::get() else {
        return;
    };
    let replies = [Answer(500, ""), Cut(BYTES / 2), Answer(200, "")];
    let (status, printed, requests) = send(machine, OBJECT, &replies);
    assert_eq!((status, requests.len()), (0, 3), "{printed}");
    assert!(requests[2].body == content());
    assert!(
        printed.contains("attempt 1 of 5: the server answered 500"),
        "{printed}"
    );
    assert!(printed.contains("attempt 2 of 5: "), "{printed}");
}

#[test]
fn what_cannot_be_sent_is_said_at_once() {
    let Some(machine) = Machine::get() else {
        return;
    };
    let folder = folder();
    let run = |url| machine.run(folder.path(), &["--upload-file", "missing.zip", url]);
    assert_eq!(run("ftp://files.example.com/a").0, 2);
    assert_eq!(run("https://files.example.com/a").0, 3);
}
