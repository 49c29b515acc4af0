use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

type Answer = fn(&str, &[String]) -> String;

/// A server on loopback: answers the request line and headers; and keeps the lines.
fn serve(answer: Answer) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut lines: Vec<String> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let request = lines.remove(0);
            log.lock().unwrap().push(request.clone());
            // A client that has enough hangs up.
            let _ = stream.write_all(answer(&request, &lines).as_bytes());
        }
    });
    (address, seen)
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found";

fn cloud(id: &str) -> &'static Cloud {
    CLOUDS.iter().find(|cloud| cloud.id == id).unwrap()
}

fn ask(known: Option<&str>, address: SocketAddr) -> (Option<CloudMetadata>, Outcome) {
    let until = Instant::now() + ALL_TIME;
    look(known.map(cloud), |_| address, until, &|| false)
}

fn values(record: &CloudMetadata) -> Vec<(&str, u16, Option<&str>)> {
    record
        .values
        .iter()
        .map(|value| (value.path.as_str(), value.status, value.value.as_deref()))
        .collect()
}

#[test]
fn tencent_gives_its_values_adapter_by_adapter() {
    let (address, seen) = serve(|request, headers| {
        assert!(headers.contains(&"Host: metadata.tencentyun.com".to_owned()));
        match request.split(' ').nth(1).unwrap() {
            "/latest/meta-data/instance-id" => ok("ins-0a1b2c3d"),
            "/latest/meta-data/mac" => ok("52:54:00:A1:B2:C3"),
            "/latest/meta-data/network/interfaces/macs/" => {
                ok("52:54:00:A1:B2:C3/\n../../user-data\n")
            }
            "/latest/meta-data/network/interfaces/macs/52:54:00:A1:B2:C3/primary-local-ipv4" => {
                ok("192.0.2.10")
            }
            _ => NOT_FOUND.to_owned(),
        }
    });
    let (record, outcome) = ask(Some("tencent"), address);
    assert_eq!(outcome, Outcome::ok(METHOD));
    let record = record.unwrap();
    assert_eq!(record.cloud, "tencent");
    assert_eq!(
        record.endpoint,
        "http://metadata.tencentyun.com/latest/meta-data/"
    );
    let values = values(&record);
    assert_eq!(values[0], ("instance-id", 200, Some("ins-0a1b2c3d")));
    assert_eq!(values[1], ("instance/instance-type", 404, None));
    assert!(values.contains(&("mac", 200, Some("52:54:00:A1:B2:C3"))));
    let last = "network/interfaces/macs/52:54:00:A1:B2:C3/primary-local-ipv4";
    assert_eq!(*values.last().unwrap(), (last, 200, Some("192.0.2.10")));
    // What is no MAC address does not become a path.
    assert!(
        seen.lock()
            .unwrap()
            .iter()
            .all(|line| !line.contains("user-data"))
    );
}

#[test]
fn aws_is_asked_with_a_token_and_an_imitator_without_is_no_aws() {
    fn answer(request: &str, headers: &[String]) -> String {
        if request.starts_with("PUT /latest/api/token ") {
            assert!(headers.contains(&"X-aws-ec2-metadata-token-ttl-seconds: 60".to_owned()));
            return ok("c2VjcmV0");
        }
        if !headers.contains(&"X-aws-ec2-metadata-token: c2VjcmV0".to_owned()) {
            return "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_owned();
        }
        ok("i-0a1b2c3d")
    }
    let (record, outcome) = ask(Some("aws"), serve(answer).0);
    assert_eq!(outcome, Outcome::ok(METHOD));
    let record = record.unwrap();
    assert_eq!(values(&record)[0], ("instance-id", 200, Some("i-0a1b2c3d")));
    let written = serde_json::to_string(&record).unwrap();
    assert!(!written.contains("c2VjcmV0"), "the token is no evidence");
    let imitator = |request: &str, _: &[String]| {
        if request.starts_with("PUT") {
            NOT_FOUND.to_owned()
        } else {
            ok("i-0a1b2c3d")
        }
    };
    let (record, outcome) = ask(Some("aws"), serve(imitator).0);
    assert_eq!((record, outcome.state), (None, State::Failed));
}

#[test]
fn an_unknown_machine_is_recognised_by_the_mark_of_the_answer() {
    fn google(request: &str, headers: &[String]) -> String {
        assert!(headers.contains(&"Metadata-Flavor: Google".to_owned()));
        match request.split(' ').nth(1).unwrap() {
            "/computeMetadata/v1/instance/network-interfaces/?recursive=true" => {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n[{\"mac\"\r\n16;x=y\r\n:\"42:01:c0:00:02:0a\"}]\r\n0\r\n\r\n".to_owned()
            }
            _ => "HTTP/1.1 200 OK\r\nmetadata-flavor: Google\r\nContent-Length: 2\r\n\r\n42".to_owned(),
        }
    }
    let (record, outcome) = ask(None, serve(google).0);
    assert_eq!(outcome, Outcome::ok(METHOD));
    let record = record.unwrap();
    assert_eq!(record.cloud, "gcp");
    assert_eq!(
        *values(&record).last().unwrap(),
        (
            "instance/network-interfaces/?recursive=true",
            200,
            Some("[{\"mac\":\"42:01:c0:00:02:0a\"}]")
        )
    );
}

#[test]
fn azure_is_known_by_its_path_and_header() {
    fn azure(request: &str, headers: &[String]) -> String {
        let right = request.starts_with("GET /metadata/instance/network?api-version=2021-02-01 ")
            && headers.contains(&"Metadata: true".to_owned());
        if right {
            ok("{}")
        } else {
            NOT_FOUND.to_owned()
        }
    }
    let (record, _) = ask(None, serve(azure).0);
    assert_eq!(record.unwrap().cloud, "azure");
}

#[test]
fn nobody_there_is_absent_unless_the_firmware_names_a_cloud() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    assert_eq!(ask(None, address).1.state, State::Absent);
    let (record, outcome) = ask(Some("alibaba"), address);
    // Windows tells of a closed port only after two seconds, which a request does not have.
    let refused = if cfg!(windows) {
        State::Timeout
    } else {
        State::Failed
    };
    assert_eq!((record, outcome.state), (None, refused));
    assert_eq!(outcome.error.is_some(), !cfg!(windows));
    // One that takes the connection and says nothing.
    let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let outcome = ask(Some("tencent"), mute.local_addr().unwrap()).1;
    assert_eq!(outcome.state, State::Timeout);
}

#[test]
fn alibaba_is_asked_without_a_token_where_it_gives_none() {
    let answer = |request: &str, _: &[String]| {
        if request.starts_with("PUT") {
            NOT_FOUND.to_owned()
        } else {
            ok("x")
        }
    };
    let (record, outcome) = ask(Some("alibaba"), serve(answer).0);
    assert_eq!(outcome, Outcome::ok(METHOD));
    assert!(values(&record.unwrap()).contains(&("dns-conf/nameservers", 200, Some("x"))));
}

#[test]
fn answers_are_bounded_and_nonsense_is_no_answer() {
    let long = |_: &str, _: &[String]| ok(&"a".repeat(100_000));
    let (record, _) = ask(Some("tencent"), serve(long).0);
    for (_, _, value) in values(&record.unwrap()) {
        assert_eq!(value.map(str::len), Some(BODY));
    }
    let nonsense: [Answer; 5] = [
        |_, _| "no http\r\n\r\n".to_owned(),
        |_, _| "HTTP/1.1 9999 OK\r\n\r\n".to_owned(),
        |_, _| String::new(),
        |_, _| "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        |_, _| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(100_000)),
    ];
    for answer in nonsense {
        let (record, outcome) = ask(Some("tencent"), serve(answer).0);
        assert_eq!((record, outcome.state), (None, State::Failed));
    }
}

#[test]
fn only_mac_addresses_become_paths() {
    let list = "52:54:00:A1:B2:C3/\n52-54-00-a1-b2-c3\n52:54:00:a1:b2:c4\n/etc\n";
    assert_eq!(adapters(list), ["52:54:00:A1:B2:C3", "52:54:00:a1:b2:c4"]);
    assert!(is_token("abc=\n") && !is_token("a b") && !is_token(""));
}
