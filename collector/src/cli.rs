//! The command line.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::profile::Profile;
pub use values::Since;

const ABOUT: &str = "\
Copies evidence of this Windows machine, or of a mounted Windows disk, into
one bundle for `snapdiag` to diagnose. It judges nothing and changes nothing.";

const EXAMPLES: &str = "\
Examples, on the sick machine, as an administrator:
  snapdiag-collector               all of it, into this folder, within 3 minutes
  snapdiag-collector --dry-run     what that would collect, and how; no writing
  snapdiag-collector --profile minimal --out D:\\
  snapdiag-collector --only registry,eventlog.system --since 7d
  snapdiag-collector --cleanup     remove what a killed run left behind
  snapdiag-collector --upload \"URL\"  and send the bundle when it is complete

Of a machine that does not start, its disks mounted on another machine
(Linux, macOS, Windows):
  snapdiag-collector --disk /mnt/c --boot /mnt/efi --host web1

The last line of the output has the SHA-256 and the path of the bundle, as
sha256sum -c takes it. Then, on any machine: snapdiag BUNDLE

The bundle can be read at any moment, under the name that it has from the
start: a killed run leaves what it had.

An upload is one PUT: the stores take at most 5 GB so, Azure Blob 5000 MiB.

Exit status:
  0  every item is collected, or there is none of it by nature or profile
  1  the bundle is written, and some item was denied, failed, cut or given up
  2  wrong usage
  3  no bundle could be written
  4  not elevated: start it as an administrator, or add --allow-unelevated";

/// What is typed.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Parser, Debug)]
#[command(
    name = "snapdiag-collector",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    next_line_help = true
)]
pub struct Cli {
    /// Show each item, its source and time limit, or why not; write nothing
    #[arg(long, help_heading = "Instead of collecting", group = "instead")]
    pub dry_run: bool,
    /// List the items and the profiles
    #[arg(long, help_heading = "Instead of collecting", group = "instead")]
    pub list: bool,
    /// Remove what a killed run left in the folder of --out
    #[arg(long, help_heading = "Instead of collecting", group = "instead")]
    pub cleanup: bool,

    /// Send a bundle that lies there to a presigned URL
    #[arg(long, num_args = 2, value_names = ["BUNDLE", "URL"])]
    #[arg(help_heading = "Instead of collecting", group = "instead")]
    pub upload_file: Option<Vec<String>>,

    /// How much to collect: --list tells more
    #[arg(long, value_enum, value_name = "minimal|standard|full")]
    #[arg(default_value = "standard", hide_possible_values = true)]
    pub profile: Profile,
    /// Only these items: ids of --list, or the part before their dot
    #[arg(long, value_name = "ITEM,...", value_delimiter = ',')]
    #[arg(value_parser = values::item)]
    pub only: Vec<String>,
    /// Folder for the bundle
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub out: PathBuf,
    /// Events since an age (12h, 30d) or a date (2026-11-01)
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    #[arg(value_parser = values::since)]
    pub since: Since,
    /// Time for the whole run, such as 120 (seconds), 5m [default: profile's]
    #[arg(long, value_name = "TIME")]
    #[arg(value_parser = values::deadline)]
    pub deadline: Option<Duration>,
    /// Keep the machine's name out of the file's name (not out of the file)
    #[arg(long)]
    pub anonymous_name: bool,
    /// Collect what can be had without an administrator's rights
    #[arg(long)]
    pub allow_unelevated: bool,

    /// Then send the bundle to a presigned URL (S3, COS, OSS, Azure Blob)
    #[arg(long, value_name = "URL")]
    pub upload: Option<String>,

    /// A mounted volume instead of this machine: the folder with `Windows`
    #[arg(
        long,
        value_name = "PATH",
        help_heading = "A machine that does not start"
    )]
    pub disk: Option<PathBuf>,
    /// The volume that it starts from, if another: it holds `Boot` or `EFI`
    #[arg(long, value_name = "PATH", requires = "disk")]
    #[arg(help_heading = "A machine that does not start")]
    pub boot: Option<PathBuf>,
    /// Name of that machine; that of the folder when not given
    #[arg(long, value_name = "NAME", requires = "disk")]
    #[arg(help_heading = "A machine that does not start")]
    pub host: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_is_ascii_and_fits_a_narrow_console() {
        for help in [
            Cli::command().render_help(),
            Cli::command().render_long_help(),
        ] {
            let help = help.to_string();
            assert!(help.is_ascii());
            let wide: Vec<_> = help.lines().filter(|line| line.len() > 80).collect();
            assert!(wide.is_empty(), "{wide:#?}");
        }
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for line in [
            &["x", "--dry-run", "--list"][..],
            &["x", "--boot", "/efi"],
            &["x", "--only", "registry.sam"],
            &["x", "--profile", "huge"],
            &["x", "--since", "soon"],
            &["x", "--deadline", "0"],
            &["x", "collect"],
        ] {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
        }
    }
}
