//! Linux and macOS, where the collector reads mounted disks: what it asks of the system under it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use snapdiag_bundle::OsError;

use crate::system::host::{Host, HostFacts, Usage};
use crate::system::{SysResult, System, os_error};

/// The system that the collector runs on. Of a Windows machine it can say nothing.
pub struct Unix;

impl System for Unix {
    fn host(&self) -> &dyn Host {
        self
    }
}

impl Host for Unix {
    fn facts(&self) -> HostFacts {
        HostFacts::default()
    }

    fn lower_priority(&self) -> SysResult<()> {
        rustix::process::nice(5)
            .map(drop)
            .map_err(|error| code("nice", &error.into()))
    }

    fn free_bytes(&self, folder: &Path) -> SysResult<u64> {
        let room = rustix::fs::statvfs(folder).map_err(|error| code("statvfs", &error.into()))?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    fn create_private_folder(&self, path: &Path, _elevated: bool) -> SysResult<()> {
        let made = DirBuilder::new().mode(0o700).create(path);
        made.map_err(|error| code("mkdir", &error))
    }

    /// From `/proc`, which only Linux has.
    fn usage(&self) -> Usage {
        Usage {
            cpu_ms: fs::read_to_string("/proc/self/stat")
                .ok()
                .and_then(|stat| cpu_ms(&stat)),
            peak_rss_bytes: figure("/proc/self/status", "VmHWM:").map(|kilobytes| kilobytes * 1024),
            read_bytes: figure("/proc/self/io", "rchar:"),
        }
    }
}

fn code(call: &str, error: &io::Error) -> OsError {
    let code = error.raw_os_error().unwrap_or_default();
    os_error(call, code.unsigned_abs())
}

/// The number after a word at the start of a line.
fn figure(file: &str, word: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and kernel time of `/proc/self/stat`, which counts hundredths of a second: the 14th and
/// 15th field, behind a name in brackets that may hold anything.
fn cpu_ms(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11);
    let user: u64 = ticks.next()?.parse().ok()?;
    let kernel: u64 = ticks.next()?.parse().ok()?;
    Some((user + kernel) * 10)
}
