//! What decides besides the snapshot: profiles, thresholds, suppressions, a given cloud.

use std::sync::LazyLock;

use super::*;

/// A machine with findings, of 2026-11-20.
fn bundle() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/bundles/sick-server.zip");
    path.to_str().unwrap().to_owned()
}

/// Its facts, which are quicker to open.
fn sick() -> String {
    static FACTS: LazyLock<String> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sick-server.json");
        fs::write(&path, snapdiag(&["facts", &bundle()]).stdout).unwrap();
        path.to_str().unwrap().to_owned()
    });
    FACTS.clone()
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn report(args: &[&str]) -> Value {
    let output = snapdiag(&[&["analyze", "-f", "json"], args].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn threshold(report: &Value, key: &str) -> Value {
    let thresholds = report["thresholds"].as_array().unwrap();
    let limit = thresholds.iter().find(|limit| limit["key"] == key).unwrap();
    json!([limit["value"], limit["set_by"]])
}

fn finding<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut findings = report["checks"].as_array().unwrap().iter();
    findings.find(|finding| finding["id"] == id).unwrap()
}

#[test]
fn a_profile_and_a_file_over_it_are_in_the_report() {
    let (folder, sick) = (folder(), sick());
    let plain = report(&[&sick]);
    assert_eq!(
        threshold(&plain, "cpu-usage.warning"),
        json!([80.0, "default"])
    );
    let strict = report(&[&sick, "--profile", "strict"]);
    let by_profile = json!([50.0, {"profile": "strict"}]);
    assert_eq!(threshold(&strict, "cpu-usage.warning"), by_profile);
    let by_profile = json!([60.0, {"profile": "strict"}]);
    assert_eq!(
        threshold(&strict, "virtual-memory-usage.warning"),
        by_profile
    );
    let values = "[cpu-usage]\nwarning = 40\n";
    let over = file(&folder, "over.toml", values);
    let whole = file(
        &folder,
        "whole.toml",
        &format!("profile = \"strict\"\n{values}"),
    );
    for (args, name) in [
        (
            &["--profile", "strict", "--thresholds", &over][..],
            "over.toml",
        ),
        (&["--thresholds", &whole], "whole.toml"),
    ] {
        let report = report(&[&[&*sick], args].concat());
        let by_file = json!([40.0, {"file": name}]);
        assert_eq!(threshold(&report, "cpu-usage.warning"), by_file);
        let by_profile = json!([80.0, {"profile": "strict"}]);
        assert_eq!(threshold(&report, "cpu-usage.critical"), by_profile);
    }
    let text = stdout(&snapdiag(&["analyze", &sick, "--thresholds", &whole]));
    assert!(
        text.contains("thresholds of the profile strict: "),
        "{text}"
    );
    assert!(
        text.contains("thresholds of whole.toml: cpu-usage.warning is 40 "),
        "{text}"
    );
    let explained = stdout(&snapdiag(&[
        "explain",
        "cpu-usage",
        &sick,
        "--profile",
        "strict",
    ]));
    assert!(
        explained.contains("set by the profile strict"),
        "{explained}"
    );
    let listed: Value =
        serde_json::from_slice(&snapdiag(&["checks", "--format", "json"]).stdout).unwrap();
    let cpu = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["id"] == "cpu-usage");
    assert_eq!(
        cpu.unwrap()["thresholds"][0]["profiles"],
        json!({"strict": 50.0})
    );
}

#[test]
fn suppressed_findings_are_shown_and_do_not_count() {
    let (folder, sick) = (folder(), sick());
    let plain = report(&[&sick]);
    let bad: Vec<&str> = plain["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["verdict"] == "critical")
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert!(!bad.is_empty());
    let entries = |until: &str| -> String {
        let entry = |id| format!("[[suppress]]\ncheck = \"{id}\"\nreason = \"a <lab>\"\n{until}\n");
        bad.iter().map(entry).collect()
    };
    let accepted = file(&folder, "a.toml", &entries("until = 2026-11-20"));
    let args = ["analyze", &sick, "--suppress", &accepted];
    let output = snapdiag(&args);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(
        text.contains("suppressed: a <lab> (until 2026-11-20)"),
        "{text}"
    );
    assert!(
        text.contains(&format!("{} suppressed", bad.len())),
        "{text}"
    );
    let markdown = stdout(&snapdiag(&[&args[..], &["-f", "markdown"]].concat()));
    assert!(markdown.contains("\n## Suppressed\n"), "{markdown}");
    assert!(markdown.contains("suppressed: a &lt;lab&gt;"), "{markdown}");
    let json = report(&args[1..]);
    assert_ne!(json["summary"]["worst"], "critical");
    assert_eq!(json["summary"]["critical"], 0);
    assert_eq!(json["summary"]["suppressed"], bad.len());
    for id in &bad {
        let (before, after) = (finding(&plain, id), finding(&json, id));
        assert_eq!(after["verdict"], "critical");
        assert_eq!(
            after["suppressed"],
            json!({"reason": "a <lab>", "until": "2026-11-20"})
        );
        assert_eq!(after["evidence"], before["evidence"]);
    }

    // The day after its end, by the time of capture, an entry is without effect and is named.
    let expired = file(&folder, "b.toml", &entries("until = \"2026-11-19\""));
    let output = snapdiag(&["analyze", &sick, "--suppress", &expired]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    let said = format!(
        "the suppression of {} until 2026-11-19 has no effect",
        bad[0]
    );
    assert!(text.contains(&said), "{text}");
    let json = report(&[&sick, "--suppress", &expired]);
    assert_eq!(json["summary"], plain["summary"]);
    assert_eq!(json["suppressions"][0]["effect"], "expired");
}

#[test]
fn a_suppression_file_that_says_too_little_is_wrong_usage() {
    let (folder, sick) = (folder(), sick());
    for (name, text, says) in [
        (
            "unknown",
            "check = \"gatway\"\nreason = \"x\"",
            "did you mean 'gateway'?",
        ),
        (
            "empty",
            "check = \"gateway\"\nreason = \"\"",
            "gives no reason",
        ),
        ("missing", "check = \"gateway\"", "reason"),
        (
            "date",
            "check = \"gateway\"\nreason = \"x\"\nuntil = \"soon\"",
            "no date",
        ),
    ] {
        let path = file(&folder, name, &format!("[[suppress]]\n{text}\n"));
        let output = snapdiag(&["analyze", &sick, "--suppress", &path]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(stdout(&output).is_empty(), "{name}");
        let said = stderr(&output);
        assert!(
            said.contains(&path) && said.contains(says),
            "{name}: {said}"
        );
    }
    assert_eq!(
        status(&["analyze", &sick, "--suppress", "/no/such/file"]),
        2
    );
    for option in ["--profile", "--cloud"] {
        let output = snapdiag(&["analyze", &sick, option, "lax"]);
        assert_eq!(output.status.code(), Some(2), "{option}");
        assert!(stderr(&output).contains("'lax' is no"), "{option}");
    }
}

#[test]
fn a_given_cloud_is_a_fact_and_says_so() {
    let (folder, sick) = (folder(), bundle());
    let written = snapdiag(&["facts", &sick, "--cloud", "azure"]).stdout;
    let facts: Value = serde_json::from_slice(&written).unwrap();
    let machine = &facts["machine"];
    assert_eq!(machine["cloud"]["value"], "azure");
    let evidence = &machine["cloud"]["evidence"];
    assert_eq!(evidence[0]["artifact"], "given on the command line");
    assert_eq!(evidence[0]["locator"], "option:--cloud");
    assert_eq!(machine["recognised_cloud"]["value"], "tencent");

    // Carried by the facts, and over them.
    let facts = folder.path().join("facts.json");
    fs::write(&facts, &written).unwrap();
    let facts = facts.to_str().unwrap();
    for (args, cloud) in [
        (&[&*sick, "--cloud", "azure"][..], "azure"),
        (&[facts], "azure"),
        (&[facts, "--cloud", "google"], "google"),
    ] {
        let json = report(args);
        assert_eq!(json["machine"]["cloud"], cloud, "{args:?}");
        assert_eq!(json["machine"]["cloud_given"], true, "{args:?}");
        assert_eq!(json["machine"]["recognised_cloud"], "tencent", "{args:?}");
    }
    let text = stdout(&snapdiag(&[facts]));
    assert!(text.contains("Azure (as given)"), "{text}");
    let note = "Azure is given as the cloud; firmware or agents tell Tencent Cloud";
    assert!(text.contains(note), "{text}");
    let agrees = stdout(&snapdiag(&[facts, "--cloud", "tencent"]));
    assert!(!agrees.contains("is given as the cloud"), "{agrees}");
    assert_eq!(status(&["show", &sick, "option:--cloud"]), 1);
}
