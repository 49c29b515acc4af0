//! A machine that does not start: what can be collected from its mounted Windows volumes, on any
//! system. Nothing is decoded; the files are copied as they lie there.

mod copy;
mod dumps;
mod place;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use snapdiag_bundle::channel;
use snapdiag_bundle::{Content, Item};

use crate::items::Phase;
use crate::plan::{Source, Way};

/// Where hives lie on the system's volume.
const CONFIG: &[&str] = &["Windows", "System32", "config"];

/// Where event logs lie on the system's volume.
const LOGS: &[&str] = &["Windows", "System32", "winevt", "Logs"];

/// Where the boot configuration lies on the volume that the machine starts from: BIOS, EFI.
const BOOT_STORES: &[&[&str]] = &[&["Boot", "BCD"], &["EFI", "Microsoft", "Boot", "BCD"]];

/// How long one file may take: it may have gigabytes, on a slow disk.
const LIMIT: Duration = Duration::from_secs(3600);

/// Mounted volumes of a machine that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The system's volume.
    root: PathBuf,
    /// The hives' folder.
    config: PathBuf,
    /// The event logs' folder, where there is one.
    logs: Option<PathBuf>,
    /// The boot configuration, where a volume at hand holds it.
    boot_store: Option<PathBuf>,
}

impl Disk {
    /// Looks for Windows on a mounted volume, and for the boot configuration on the other, or on
    /// the same when no other is given. Names compare without case.
    ///
    /// # Errors
    /// What was looked for and is not there, for people.
    pub fn find(root: &Path, boot: Option<&Path>) -> Result<Self, String> {
        let config = place::find(root, CONFIG).map_err(|fault| not_windows(root, &fault))?;
        let hives = ["SYSTEM", "SOFTWARE"];
        if !hives
            .iter()
            .any(|hive| place::find(&config, &[hive]).is_ok())
        {
            return Err(format!(
                "{} holds neither of the hives SYSTEM and SOFTWARE",
                config.display()
            ));
        }
        let boot_store = newest_store(boot.unwrap_or(root));
        if let (Some(boot), None) = (boot, &boot_store) {
            return Err(format!(
                "{} is not the volume that a Windows starts from: it holds neither Boot/BCD nor \
                 EFI/Microsoft/Boot/BCD",
                boot.display()
            ));
        }
        Ok(Self {
            root: root.to_owned(),
            logs: place::find(root, LOGS).ok(),
            config,
            boot_store,
        })
    }

    /// A name for the machine: that of the folder where its volume is mounted.
    pub fn name(&self) -> String {
        let root = self
            .root
            .canonicalize()
            .unwrap_or_else(|_| self.root.clone());
        let name = root
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| "disk".to_owned())
    }

    /// The folder and the file name of a hive.
    fn hive(&self, item: &Item) -> Result<(PathBuf, String), String> {
        let name = item
            .entries
            .first()
            .and_then(|entry| entry.rsplit('/').next());
        let name = name.unwrap_or_default();
        if name != "BCD" {
            return Ok((self.config.clone(), name.to_owned()));
        }
        let folder = self.boot_store.as_deref().and_then(Path::parent);
        folder
            .map(|folder| (folder.to_owned(), name.to_owned()))
            .ok_or_else(|| "it lies on another volume: name that with --boot".to_owned())
    }
}

impl Source for Disk {
    fn way(&self, item: &'static Item) -> Result<Way, String> {
        let way = |source: &Path, work| Way {
            phase: Phase::Heavy,
            limit: LIMIT,
            source: source.display().to_string(),
            work,
        };
        match item.content {
            Content::Hive => {
                let (folder, name) = self.hive(item)?;
                let source = folder.join(&name);
                let work = Box::new(move |job: &mut _| copy::hive(&folder, item, job));
                Ok(way(&source, work))
            }
            Content::EventLog(channel) => {
                let folder = self
                    .logs
                    .clone()
                    .ok_or("there is no folder of event logs")?;
                let name = channel::file_name(channel);
                let source = folder.join(&name);
                let work = Box::new(move |job: &mut _| copy::log(&folder, &name, item, job));
                Ok(way(&source, work))
            }
            _ if item.id == dumps::ITEM => {
                let root = self.root.clone();
                let work = Box::new(move |job: &mut _| dumps::collect(&root, job));
                Ok(way(&self.root.join("Windows"), work))
            }
            _ => Err("needs the running machine".to_owned()),
        }
    }
}

fn not_windows(root: &Path, fault: &place::Missing) -> String {
    format!(
        "{} is not the volume of a Windows: looked for Windows/System32/config in it, and {fault}",
        root.display()
    )
}

/// The boot configuration of a volume. Where there are two, that of the last change: the other is
/// left from before the machine started in another way.
fn newest_store(volume: &Path) -> Option<PathBuf> {
    let found = BOOT_STORES
        .iter()
        .filter_map(|parts| place::find(volume, parts).ok());
    found.max_by_key(|path| {
        path.metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
    })
}
