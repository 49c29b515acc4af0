//! One whole run, and what the analyzer makes of its bundle.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use snapdiag_bundle::{Bundle, ItemRow, Limits, State};
use tempfile::TempDir;

use crate::machine::{Machine, files, folder, snapdiag};

const CONTROL: &str = r"HKLM\SYSTEM\CurrentControlSet\Control";

/// Bytes of memory that the collector stays below.
const MOST_MEMORY: u64 = 32 << 20;

/// `ERROR_CALL_NOT_IMPLEMENTED`, Wine's answer for a function that it lacks.
const NOT_IMPLEMENTED: u32 = 120;

/// What one run left.
struct Collected {
    folder: TempDir,
    status: i32,
    printed: String,
    /// The log that lay on the machine, if there are captures here.
    log: Option<PathBuf>,
    /// The registry alone, after Remote Desktop was allowed again: while it is denied, its port
    /// does not matter.
    allowed: TempDir,
}

impl Collected {
    /// A machine that is set up to be sick in three ways, collected once.
    fn get() -> Option<&'static Self> {
        static COLLECTED: OnceLock<Option<Collected>> = OnceLock::new();
        COLLECTED
            .get_or_init(|| Machine::get().map(Self::new))
            .as_ref()
    }

    fn new(machine: &Machine) -> Self {
        let rdp = format!(r"{CONTROL}\Terminal Server");
        machine.set(&rdp, "fDenyTSConnections", "REG_DWORD", "1");
        let listener = format!(r"{rdp}\WinStations\RDP-Tcp");
        machine.set(&listener, "PortNumber", "REG_DWORD", "13389");
        let environment = format!(r"{CONTROL}\Session Manager\Environment");
        let path = r"C:\Program Files\Sample\bin";
        machine.set(&environment, "Path", "REG_EXPAND_SZ", path);

        let log = snapdiag_tests::captures()
            .map(|captures| captures.join("eventlogs/Velocidex-velociraptor/RDPAuth_System.evtx"));
        if let Some(log) = &log {
            let logs = machine.windows().join("system32/winevt/Logs");
            fs::create_dir_all(&logs).unwrap();
            fs::write(logs.join("System.evtx"), fs::read(log).unwrap()).unwrap();
        }
        let folder = self::folder();
        let (status, printed) = machine.run(folder.path(), &[]);
        machine.set(&rdp, "fDenyTSConnections", "REG_DWORD", "0");
        let allowed = self::folder();
        machine.run(allowed.path(), &["--only", "registry"]);
        Self {
            folder,
            status,
            printed,
            log,
            allowed,
        }
    }

    fn path(&self) -> PathBuf {
        only_file(&self.folder)
    }

    fn bundle(&self) -> Bundle {
        Bundle::open(&self.path(), &Limits::default()).unwrap()
    }

    fn rows(&self) -> Vec<ItemRow> {
        self.bundle().manifest().unwrap().items.clone()
    }
}

/// The only file that a run left.
fn only_file(folder: &TempDir) -> PathBuf {
    let files = files(folder.path());
    let [path] = &files[..] else {
        panic!("{files:?}");
    };
    path.clone()
}

/// The verdict and headline of a check.
fn finding(bundle: &Path, check: &str) -> (String, String) {
    let output = snapdiag(&["analyze", "-f", "json"], bundle);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let finding = checks
        .iter()
        .find(|finding| finding["id"] == check)
        .unwrap();
    let text = |field: &str| finding[field].as_str().unwrap().to_owned();
    (text("verdict"), text("headline"))
}

#[test]
fn what_was_set_on_the_machine_is_found() {
    let Some(collected) = Collected::get() else {
        return;
    };
    let denied = collected.path();
    let allowed = only_file(&collected.allowed);
    for (bundle, check, verdict, says) in [
        (&denied, "rdp-allowed", "critical", "fDenyTSConnections"),
        (&denied, "environment-variables", "critical", "system32"),
        (&allowed, "rdp-allowed", "ok", "allowed"),
        (&allowed, "rdp-port", "warning", "13389"),
    ] {
        let (is, headline) = finding(bundle, check);
        assert_eq!(is, verdict, "{check}: {headline}");
        assert!(headline.contains(says), "{check}: {headline}");
    }
}

#[test]
fn a_log_arrives_byte_for_byte() {
    let Some(collected) = Collected::get() else {
        return;
    };
    let Some(log) = &collected.log else { return };
    let bundle = collected.bundle();
    let row = bundle.row("eventlog.system").unwrap();
    assert_eq!(row.artifacts.len(), 1, "{row:?}");
    let entry = bundle.entry("eventlog/System.evtx").unwrap();
    assert!(bundle.archive().read(entry).unwrap() == fs::read(log).unwrap());
}

#[test]
fn every_call_that_the_machine_lacks_is_one_recorded_failure() {
    let Some(collected) = Collected::get() else {
        return;
    };
    let rows = collected.rows();
    let lacking: Vec<_> = rows
        .iter()
        .filter_map(|row| row.error.as_ref())
        .filter(|error| error.code == NOT_IMPLEMENTED)
        .map(|error| error.call.as_str())
        .collect();
    assert!(
        lacking.contains(&"EvtExportLog") || lacking.contains(&"EvtQuery"),
        "{lacking:?}"
    );
    for row in &rows {
        if matches!(row.state, State::Ok | State::Skipped) {
            continue;
        }
        assert!(
            row.error.is_some() || row.reason.is_some(),
            "{} is {} and does not say why",
            row.item,
            row.state
        );
    }
}

#[test]
fn the_run_says_how_it_went() {
    let Some(collected) = Collected::get() else {
        return;
    };
    let printed = &collected.printed;
    // The bundle is there, and not all of it could be had.
    assert_eq!(collected.status, 1, "{printed}");
    assert!(printed.is_ascii());
    let name = collected.path().file_name().unwrap().to_owned();
    assert!(printed.contains(name.to_str().unwrap()), "{printed}");
    for row in collected.rows() {
        if row.state != State::Skipped {
            assert!(printed.contains(&row.item), "{} in {printed}", row.item);
        }
    }
}

#[test]
fn the_bundle_is_sound_and_was_cheap() {
    let Some(collected) = Collected::get() else {
        return;
    };
    let verified = snapdiag(&["verify"], &collected.path());
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let cost = collected.bundle().manifest().unwrap().cost.unwrap();
    let peak = cost.peak_rss_bytes.unwrap();
    assert!(peak < MOST_MEMORY, "{peak} bytes");
}

#[test]
fn the_command_line_is_guarded() {
    let Some(machine) = Machine::get() else {
        return;
    };
    let folder = folder();
    let status = |arguments: &[&str]| machine.run(folder.path(), arguments).0;
    assert_eq!(status(&["--help"]), 0);
    assert_eq!(status(&["--list"]), 0);
    assert_eq!(status(&["--dry-run"]), 0);
    assert_eq!(status(&["--no-such-option"]), 2);
    assert_eq!(status(&["--out", r"C:\no\such\folder"]), 3);
    assert!(files(folder.path()).is_empty());
}
