//! The command line, from outside: exit statuses, what goes where, help.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[cfg(test)]
#[path = "cli/policy.rs"]
mod policy;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Output, Stdio};

use assert_cmd::Command;
use jiff::Timestamp;
use serde_json::{Value, json};
use snapdiag::facts::Snapshot;
use snapdiag::facts::sources::Sources;
use tempfile::TempDir;

fn snapdiag(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

fn program() -> Command {
    let mut command = Command::cargo_bin("snapdiag").unwrap();
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn status(args: &[&str]) -> i32 {
    snapdiag(args).status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A facts file in which everything is "not collected", but for the boot history when `decided`.
fn facts(folder: &Path, name: &str) -> String {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some("2026-11-20T10:22:07Z".parse::<Timestamp>().unwrap());
    let path = folder.join(name);
    fs::write(&path, serde_json::to_string(&snapshot).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Registry text with a control set, and what is asked to stand in it.
fn registry_text(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    let text = "Windows Registry Editor Version 5.00\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Current\"=dword:00000001\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\ComputerName\\ComputerName]\r\n\
        \"ComputerName\"=\"HOST-A\"\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Terminal Server]\r\n\
        \"fDenyTSConnections\"=dword:00000001\r\n\"Odd\"=hex:01,ff\r\n";
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn help_teaches_with_examples() {
    for command in [
        "analyze",
        "checks",
        "explain",
        "facts",
        "show",
        "verify",
        "schema",
        "completions",
    ] {
        let output = snapdiag(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(
            stdout(&output).contains("Examples:\n  snapdiag"),
            "{command}"
        );
    }
    let all = stdout(&snapdiag(&["--help"]));
    assert!(
        all.contains("Exit status:") && all.contains("Examples:"),
        "{all}"
    );
    assert!(stdout(&snapdiag(&["--version"])).starts_with("snapdiag "));
}

#[test]
fn wrong_usage_is_2() {
    let folder = folder();
    let facts = facts(folder.path(), "a.json");
    let bad = folder.path().join("bad.toml");
    fs::write(&bad, "[rdp-port]\nnothing = 1\n").unwrap();
    let bad = bad.to_str().unwrap();
    for args in [
        &[][..],
        &["analyze"],
        &["analyze", &facts, "--no-such-option"],
        &["analyze", &facts, "--select", "no-such-check"],
        &[
            "analyze", &facts, "--select", "gateway", "--ignore", "network",
        ],
        &["analyze", &facts, "-f", "xml"],
        &["analyze", &facts, "-f", "json", "-f", "text"],
        &["analyze", &facts, "-f", "json="],
        &[
            "analyze",
            &facts,
            "-f",
            &format!("json={}", folder.path().display()),
        ],
        &["analyze", &facts, "--fail-on", "ok"],
        &["analyze", &facts, "--captured-at", "yesterday"],
        &["analyze", &facts, "--thresholds", bad],
        &["analyze", &facts, "--thresholds", "/no/such/file"],
        &["analyze", &facts, "-j", "0"],
        &["explain", "rdp-prot"],
        &["show", &facts, "no locator"],
        &["show", &facts, "evt:System?id=x"],
        &["show", &facts, "reg:SYSTEM", "--count"],
        &["schema", "nothing"],
        &["analyse"],
    ] {
        let output = snapdiag(args);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(stdout(&output).is_empty(), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    assert!(stderr(&snapdiag(&["analyse"])).contains("did you mean the command 'analyze'?"));
    let refused = stderr(&snapdiag(&["analyze", &facts, "--thresholds", bad]));
    assert!(refused.contains("rdp-port.nothing"), "{refused}");
}

#[test]
fn without_a_snapshot_it_is_3() {
    let folder = folder();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "nothing of interest").unwrap();
    let text = text.to_str().unwrap();
    let newer = folder.path().join("newer.json");
    fs::write(&newer, "{\"facts_version\": 99}").unwrap();
    let newer = newer.to_str().unwrap();
    for path in ["/no/such/file", text, newer] {
        for args in [
            &["analyze", path][..],
            &[path],
            &["facts", path],
            &["verify", path],
            &["show", path, "reg:SYSTEM"],
            &["explain", "rdp-port", path],
        ] {
            let output = snapdiag(args);
            assert_eq!(output.status.code(), Some(3), "{args:?}");
            assert!(stdout(&output).is_empty(), "{args:?}");
            assert_eq!(
                stderr(&output).lines().count(),
                1,
                "{args:?}: {}",
                stderr(&output)
            );
        }
    }
    assert_eq!(status(&["analyze", "/no/such/file", text]), 3);
}

#[test]
fn a_snapshot_in_which_nothing_can_be_decided_is_3_with_a_report() {
    let folder = folder();
    let facts = facts(folder.path(), "a.json");
    let output = snapdiag(&["analyze", &facts]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("Nothing could be decided."));
}

#[test]
fn a_report_that_cannot_be_written_is_4() {
    let folder = folder();
    let facts = facts(folder.path(), "a.json");
    assert_eq!(
        status(&["analyze", &facts, "-f", "json=/no/such/folder/x"]),
        4
    );
    if Path::new("/dev/full").exists() {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let program = assert_cmd::cargo::cargo_bin("snapdiag");
        let mut command = std::process::Command::new(program);
        let status = command
            .args(["analyze", &facts])
            .stdout(full)
            .stderr(Stdio::null())
            .status();
        assert_eq!(status.unwrap().code(), Some(4));
    }
}

#[test]
fn a_closed_pipe_is_0() {
    let program = assert_cmd::cargo::cargo_bin("snapdiag");
    for args in [&["schema", "facts"][..], &["--help"], &["man"], &["checks"]] {
        let mut child = std::process::Command::new(&program)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
        assert_eq!(said, "", "{args:?}");
    }
}

#[test]
fn forms_go_where_they_are_sent_and_nowhere_else() {
    let folder = folder();
    let facts = facts(folder.path(), "a.json");
    let json_file = folder.path().join("out.json");
    let ticket = folder.path().join("out.md");
    let output = snapdiag(&[
        "analyze",
        &facts,
        "-f",
        &format!("json={}", json_file.display()),
        "-f",
        &format!("markdown={}", ticket.display()),
        "-f",
        "text",
    ]);
    assert!(stdout(&output).contains("What matters") || stdout(&output).contains("unknown"));
    let report: Value = serde_json::from_slice(&fs::read(json_file).unwrap()).unwrap();
    assert_eq!(report["source"]["name"], "a.json");
    assert_eq!(report["machine"]["captured_at"], "2026-11-20T10:22:07Z");
    assert!(fs::read_to_string(ticket).unwrap().starts_with("# "));
    let quiet = snapdiag(&[
        "analyze",
        &facts,
        "-f",
        &format!("json={}", folder.path().join("b").display()),
    ]);
    assert!(stdout(&quiet).is_empty());
}

#[test]
fn several_snapshots_get_a_line_each_and_a_file_each() {
    let folder = folder();
    let good = facts(folder.path(), "a.json");
    let bad = "/no/such/b.zip";
    let json = snapdiag(&["analyze", &good, bad, "-f", "json"]);
    let reports: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(reports["reports"].as_array().unwrap().len(), 2);
    assert_eq!(reports["reports"][1]["summary"]["worst"], "critical");
    assert_eq!(reports["reports"][1]["source"], json!({"name": "b.zip"}));
    let text = stdout(&snapdiag(&["analyze", &good, bad]));
    assert!(text.starts_with("CRITICAL        b.zip"), "{text}");
    assert!(text.contains("UNKNOWN         a.json"), "{text}");
    assert!(!text.contains("/no/such/"), "{text}");
    let out = folder.path().join("reports");
    let target = format!("markdown={}", out.display());
    snapdiag(&["analyze", &good, bad, &good, "-f", &target]);
    let mut names: Vec<_> = fs::read_dir(out)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["a-2.md", "a.md"]);
}

#[test]
fn output_depends_on_nothing_but_the_input() {
    let folder = folder();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (here, there) = (
        registry_text(folder.path(), "a.reg"),
        registry_text(&elsewhere, "a.reg"),
    );
    for form in ["text", "json", "markdown"] {
        let first = stdout(&snapdiag(&["analyze", &here, "-f", form]));
        let mut second = program();
        second.args(["analyze", &there, "-f", form, "-j", "1"]);
        second
            .env("LANG", "de_DE.UTF-8")
            .env("TZ", "Asia/Tokyo")
            .env("COLUMNS", "40");
        assert_eq!(first, stdout(&second.output().unwrap()), "{form}");
        assert!(!first.contains('\u{1b}') && !first.contains(folder.path().to_str().unwrap()));
    }
}

#[test]
fn colour_comes_when_it_is_asked_for() {
    let folder = folder();
    let facts = facts(folder.path(), "a.json");
    let coloured =
        |when: &str| stdout(&snapdiag(&["analyze", &facts, "--color", when])).contains('\u{1b}');
    assert!(coloured("always"));
    assert!(!coloured("auto") && !coloured("never"));
}

#[test]
fn show_reads_registry_text_back() {
    let folder = folder();
    let path = registry_text(folder.path(), "a.reg");
    let shown = |args: &[&str]| {
        let output = snapdiag(&[&["show", &path], args].concat());
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            stderr(&output)
        );
        stdout(&output)
    };
    assert_eq!(
        serde_json::from_str::<Value>(&shown(&["reg:SYSTEM\\Select::Current", "--format", "json"]))
            .unwrap(),
        json!({"name": "Current", "type": "REG_DWORD", "data": 1})
    );
    let key = "reg:SYSTEM\\CurrentControlSet\\Control\\Terminal Server";
    assert_eq!(
        serde_json::from_str::<Value>(&shown(&[key, "--format", "json"])).unwrap(),
        json!({
            "key": "ControlSet001\\Control\\Terminal Server",
            "last_write": null,
            "values": [
                {"name": "fDenyTSConnections", "type": "REG_DWORD", "data": 1},
                {"name": "Odd", "type": "REG_BINARY", "data": "01ff"}
            ],
            "subkeys": []
        })
    );
    assert!(shown(&["reg:SYSTEM\\Select"]).contains("Current  REG_DWORD  1"));
    let line = shown(&["text:a.reg:4", "--format", "json"]);
    assert_eq!(line, "\"\\\"Current\\\"=dword:00000001\"\n");
}

#[test]
fn what_show_does_not_find_is_1_with_the_nearest() {
    let folder = folder();
    let path = registry_text(folder.path(), "a.reg");
    for (locator, hint) in [
        (
            "reg:SYSTEM\\Select\\Deep\\Er",
            "the nearest is reg:SYSTEM\\Select",
        ),
        ("reg:SYSTEM\\Select::Curent", "which has Current"),
        ("reg:SOFTWARE\\Microsoft", "no SOFTWARE hive"),
        ("evt:System", "no event log"),
        ("json:network/tcp.json#/1", "no file network/tcp.json"),
        ("text:a.reg:99", "no line 99"),
        ("manifest:registry.system", "no manifest"),
        ("counter:\\Memory\\Available MBytes", "no counters"),
    ] {
        let output = snapdiag(&["show", &path, locator]);
        assert_eq!(output.status.code(), Some(1), "{locator}");
        assert!(stdout(&output).is_empty());
        assert!(
            stderr(&output).contains(hint),
            "{locator}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn verify_lists_what_is_there() {
    let folder = folder();
    registry_text(folder.path(), "a.reg");
    fs::write(folder.path().join("notes.txt"), "nothing of interest").unwrap();
    let path = folder.path().to_str().unwrap();
    let output = snapdiag(&["verify", path, "--deep", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let verified: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verified["counts"]["files"], 2);
    assert_eq!(verified["counts"]["unrecognised"], 1);
    assert_eq!(verified["artifacts"][0]["path"], "a.reg");
    assert_eq!(
        verified["artifacts"][0]["sha256"].as_str().unwrap().len(),
        64
    );
    assert!(stdout(&snapdiag(&["verify", path])).contains("1 not recognised"));
}

#[test]
fn facts_give_the_same_report_as_what_they_were_made_from() {
    let folder = folder();
    let path = registry_text(folder.path(), "a.reg");
    let facts = folder.path().join("facts.json");
    fs::write(&facts, snapdiag(&["facts", &path]).stdout).unwrap();
    let report = |path: &str| {
        let output = snapdiag(&["analyze", path, "-f", "json"]);
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["source"] = Value::Null;
        report
    };
    assert_eq!(report(&path), report(facts.to_str().unwrap()));
}

#[test]
fn schemas_describe_what_is_written() {
    let folder = folder();
    let path = registry_text(folder.path(), "a.reg");
    for (schema, args) in [
        ("report", &["analyze", &path, "-f", "json"][..]),
        ("facts", &["facts", &path]),
    ] {
        let schema: Value = serde_json::from_slice(&snapdiag(&["schema", schema]).stdout).unwrap();
        let written: Value = serde_json::from_slice(&snapdiag(args).stdout).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&written)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{args:?}: {errors:?}");
    }
    assert_eq!(status(&["schema", "manifest"]), 0);
}

#[test]
fn checks_explanations_completions_and_the_manual_are_printed() {
    let listed: Value =
        serde_json::from_slice(&snapdiag(&["checks", "--format", "json"]).stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 24);
    assert!(stdout(&snapdiag(&["checks"])).contains("brute-force"));
    assert_eq!(status(&["explain", "brute-force"]), 0);
    let folder = folder();
    let path = registry_text(folder.path(), "a.reg");
    let explained = stdout(&snapdiag(&["explain", "rdp-port", &path]));
    assert!(explained.contains("The decision on a.reg"), "{explained}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            stdout(&snapdiag(&["completions", shell])).contains("snapdiag"),
            "{shell}"
        );
    }
    assert!(stdout(&snapdiag(&["man"])).contains(".TH snapdiag"));
}
