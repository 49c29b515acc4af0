//! The command line.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::profile::Profile;
pub use values::Since;

const ABOUT: &str = "Copies evidence of this Windows machine, or of a mounted Windows disk, into one \
                     bundle for `snapdiag` to diagnose. It judges nothing and changes nothing.";

const EXAMPLES: &str = "\
Examples, on the sick machine, as an administrator:
  snapdiag-collector                            all of it, into this folder, in up to 3 minutes
  snapdiag-collector --dry-run                  what that would collect, and how; writes nothing
  snapdiag-collector --profile minimal --out D:\\
  snapdiag-collector --only registry,eventlog.system --since 7d
  snapdiag-collector --cleanup                  remove what a killed run left

Of a machine that does not start, its disks mounted on another (Linux, macOS, Windows):
  snapdiag-collector --disk /mnt/c --boot /mnt/efi --host web1

The last line of the output is the SHA-256 and the path of the bundle, as sha256sum -c takes it.
Then, on any machine: snapdiag BUNDLE

A bundle is readable at any moment: that of a killed run keeps its name and what it had.

Exit status:
  0  every item is collected, or there is none of it by nature or profile
  1  the bundle is written, and some item was denied, failed, cut or given up
  2  wrong usage
  3  no bundle could be written
  4  not elevated: start it as an administrator, or add --allow-unelevated";

/// What is typed.
#[derive(Parser, Debug)]
#[command(
    name = "snapdiag-collector",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Cli {
    /// Show every item, where it comes from, its time limit, and why it is or is not collected;
    /// write nothing
    #[arg(long, help_heading = "Instead of collecting", group = "instead")]
    pub dry_run: bool,
    /// List the items and the profiles
    #[arg(long, help_heading = "Instead of collecting", group = "instead")]
    pub list: bool,
    /// Remove from the folder of --out what a killed run left beside its bundle
    #[arg(long, help_heading = "Instead of collecting", group = "instead")]
    pub cleanup: bool,

    /// How much to collect
    #[arg(long, value_enum, value_name = "NAME", default_value = "standard")]
    pub profile: Profile,
    /// Only these items: ids of --list, or the part before their dot
    #[arg(long, value_name = "ITEM,...", value_delimiter = ',')]
    #[arg(value_parser = values::item)]
    pub only: Vec<String>,
    /// Folder for the bundle
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub out: PathBuf,
    /// Events from then on: an age such as 12h, 30d, 8w, or a date such as 2026-11-01 (UTC)
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    #[arg(value_parser = values::since)]
    pub since: Since,
    /// Time for the whole run, such as 120 (seconds) or 5m; the profile's when not given, and none
    /// for a mounted disk
    #[arg(long, value_name = "TIME")]
    #[arg(value_parser = values::deadline)]
    pub deadline: Option<Duration>,
    /// Keep the machine's name out of the bundle's file name (not out of the bundle)
    #[arg(long)]
    pub anonymous_name: bool,
    /// Collect what can be had without an administrator's rights
    #[arg(long)]
    pub allow_unelevated: bool,

    /// A mounted Windows volume instead of this machine: the folder that holds `Windows`
    #[arg(
        long,
        value_name = "PATH",
        help_heading = "A machine that does not start"
    )]
    pub disk: Option<PathBuf>,
    /// The mounted volume that it starts from, where that is another: it holds `Boot` or `EFI`
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
        let help = Cli::command().render_help().to_string();
        assert!(help.is_ascii());
        let wide = help.lines().find(|line| line.len() > 100);
        assert_eq!(wide, None);
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
