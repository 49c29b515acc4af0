//! A Windows of Wine's, and programs that run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// Names the collector's .exe.
const EXE: &str = "SNAPDIAG_COLLECTOR_EXE";
/// Makes a missing .exe or Wine a failure.
const REQUIRED: &str = "SNAPDIAG_REQUIRE_WINE";

/// The file that is tested, or `None` (which is said) where there is none.
pub(crate) fn exe() -> Option<PathBuf> {
    let exe = std::env::var_os(EXE).map(PathBuf::from);
    if exe.is_none() {
        let required = std::env::var_os(REQUIRED).is_some_and(|value| value == "1");
        assert!(!required, "{EXE} does not name the collector's .exe");
        println!("skipped: {EXE} does not name the collector's .exe");
    }
    exe
}

/// The machine. All tests share it, because making one takes long.
pub(crate) struct Machine {
    exe: PathBuf,
    prefix: PathBuf,
}

impl Machine {
    /// The machine, or `None` where there is no .exe to run on it.
    pub(crate) fn get() -> Option<&'static Self> {
        static MACHINE: OnceLock<Option<Machine>> = OnceLock::new();
        MACHINE.get_or_init(|| exe().map(Self::new)).as_ref()
    }

    /// A new one in the place of the one before, so that nothing is left of that.
    fn new(exe: PathBuf) -> Self {
        let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wine");
        if prefix.exists() {
            fs::remove_dir_all(&prefix).unwrap();
        }
        let machine = Self { exe, prefix };
        let made = machine.wine(&["wineboot", "--init"]).output().unwrap();
        assert!(machine.windows().is_dir(), "{made:?}");
        machine
    }

    /// `C:\windows`.
    pub(crate) fn windows(&self) -> PathBuf {
        self.prefix.join("drive_c/windows")
    }

    /// A program on that machine.
    fn wine(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("wine");
        command
            .args(arguments)
            .env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            .env_remove("DISPLAY")
            .stdin(Stdio::null());
        command
    }

    /// Sets a value of the registry.
    pub(crate) fn set(&self, key: &str, name: &str, kind: &str, data: &str) {
        let line = ["reg", "add", key, "/v", name, "/t", kind, "/d", data, "/f"];
        let output = self.wine(&line).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// The collector in a folder of this Linux.
    pub(crate) fn collector(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = self.wine(&[]);
        command.arg(&self.exe).args(arguments).current_dir(folder);
        command
    }

    /// Runs the collector to its end: its status and what it printed.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> (i32, String) {
        let output = self.collector(folder, arguments).output().unwrap();
        let printed = [&output.stdout[..], &output.stderr[..]].concat();
        let printed = String::from_utf8(printed).unwrap();
        (output.status.code().unwrap(), printed)
    }
}

/// A new folder for bundles.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The files in a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The analyzer, as it runs anywhere.
pub(crate) fn snapdiag(arguments: &[&str], bundle: &Path) -> Output {
    Command::new(cargo_bin("snapdiag"))
        .args(arguments)
        .arg(bundle)
        .output()
        .unwrap()
}
