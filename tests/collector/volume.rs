//! A small Windows volume, and the collector at work on it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use snapdiag_bundle::{Bundle, Limits};
use tempfile::TempDir;

/// The program.
pub(crate) const COLLECTOR: &str = env!("CARGO_BIN_EXE_snapdiag-collector");

pub(crate) const SYSTEM_LOG: &str = "System.evtx";

/// A volume, and a folder for bundles beside it.
pub(crate) struct Place {
    root: TempDir,
}

impl Place {
    /// With two hives and nothing else.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("out")).unwrap();
        let place = Self { root };
        fs::create_dir_all(place.logs()).unwrap();
        fs::create_dir_all(place.config()).unwrap();
        fs::write(place.config().join("SYSTEM"), noise(1, 300_000)).unwrap();
        fs::write(place.config().join("SOFTWARE"), noise(2, 300_000)).unwrap();
        place
    }

    pub(crate) fn volume(&self) -> PathBuf {
        self.root.path().join("c")
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.volume().join("Windows/System32/config")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.volume().join("Windows/System32/winevt/Logs")
    }

    /// Puts an event log there that does not pack.
    pub(crate) fn log(&self, name: &str, bytes: usize) {
        fs::write(self.logs().join(name), noise(3, bytes)).unwrap();
    }

    /// Puts an event log there that is large and takes little room. A bit of noise here and there
    /// keeps it from packing like a bomb, which readers refuse.
    pub(crate) fn sparse_log(&self, name: &str, bytes: u64) {
        const STEP: usize = 16 << 20;
        let file = File::create(self.logs().join(name)).unwrap();
        file.set_len(bytes).unwrap();
        let noise = noise(4, 64 << 10);
        for at in (0..bytes).step_by(STEP) {
            file.write_all_at(&noise, at).unwrap();
        }
    }

    /// The collector on this volume, its bundle to go into `out`.
    pub(crate) fn collector(&self, out: &Path) -> Command {
        let mut command = Command::new(COLLECTOR);
        command
            .arg("--disk")
            .arg(self.volume())
            .arg("--out")
            .arg(out);
        command
    }

    /// Runs it, with further arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.collector(&self.out())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The only file in `out`, which is a bundle.
    pub(crate) fn bundle(&self) -> Bundle {
        let files = files(&self.out());
        let [path] = &files[..] else {
            panic!("{files:?}");
        };
        let bundle = Bundle::open(path, &Limits::default()).unwrap();
        assert!(bundle.verify().is_sound());
        bundle
    }
}

/// What a folder holds, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Bytes that do not pack: xorshift.
pub(crate) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
