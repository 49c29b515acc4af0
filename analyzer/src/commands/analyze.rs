//! `snapdiag analyze`: the diagnosis of one or several snapshots.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use rayon::prelude::*;

use snapdiag::checks::thresholds::Thresholds;
use snapdiag::checks::verdict::Verdict;
use snapdiag::facts::sources::Options;
use snapdiag::report::{
    Look, Outcome, Report, Reports, Selection, Source, Suppressions, json, markdown, text,
};

use super::options::{self, Decision};
use super::output::Console;
use super::progress::Progress;
use super::status::{Done, Failure, note};

mod targets;

use targets::{Target, Wish};

const EXAMPLES: &str = "\
Examples:
  snapdiag analyze bundle.zip
  snapdiag analyze bundle.zip -v --color always | less -R
  snapdiag analyze /mnt/c -f json=report.json -f markdown=ticket.md -f text
  snapdiag analyze a.zip b.zip c.zip -f json        one object with reports[]
  snapdiag analyze a.zip b.zip -f markdown=tickets  a file each in the folder tickets
  snapdiag analyze bundle.zip --select remote-desktop --ignore rds-licensing
  snapdiag analyze bundle.zip --fail-on warning     exit status 1 from a warning on
  snapdiag analyze bundle.zip --profile strict --suppress accepted.toml

PATH is a bundle (zip or folder), a folder or zip of Windows artifacts in any layout (a mounted
disk, too), one hive, one event log, registry text, or a facts file of `snapdiag facts`.";

/// Diagnose snapshots.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Snapshots: bundles, folders, hives, event logs, facts files
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// A form of the report (text, json, markdown) and the file to write it to; with several
    /// snapshots a folder. Without TARGET it goes to stdout
    #[arg(short, long = "format", value_name = "FORM[=TARGET]")]
    formats: Vec<Wish>,
    /// Only these checks or categories
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    select: Vec<String>,
    /// Not these checks or categories
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    ignore: Vec<String>,
    /// The verdict from which on the exit status is 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Critical)]
    fail_on: FailOn,
    #[command(flatten)]
    decision: Decision,
    /// Threads; all processors by default. The report does not depend on it
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Show all evidence, all steps, healthy checks and the inputs of each
    #[arg(short, long)]
    verbose: bool,
}

impl Args {
    /// The first path; there is one, or clap has refused the command line.
    pub(super) fn first_path(&self) -> &Path {
        self.paths.first().map_or(Path::new(""), PathBuf::as_path)
    }
}

/// The verdict from which on the exit status is 1.
#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    Critical,
    Warning,
    Unknown,
    Never,
}

impl FailOn {
    fn fails(self, worst: Verdict) -> bool {
        match self {
            Self::Critical => worst >= Verdict::Critical,
            Self::Warning => worst >= Verdict::Warning,
            Self::Unknown => worst >= Verdict::Unknown,
            Self::Never => false,
        }
    }
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Markdown,
}

impl Form {
    fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Json => "json",
            Self::Markdown => "md",
        }
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "markdown" | "md" => Ok(Self::Markdown),
            _ => Err(format!("'{word}' is none of text, json, markdown")),
        }
    }
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let selection = Selection::new(&args.select, &args.ignore)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let thresholds = args.decision.thresholds()?;
    let suppressions = args.decision.suppressions()?;
    let wishes = targets::resolve(&args.formats, args.paths.len())?;
    use_threads(args.threads)?;
    let job = Job {
        options: args.decision.options(),
        thresholds,
        selection,
        suppressions,
    };
    let outcomes = job.run(&args.paths);
    let look = Look {
        verbose: args.verbose,
        ..console.look()
    };
    for wish in &wishes {
        write(wish, &outcomes, look, console)?;
    }
    conclude(&outcomes, args.fail_on)
}

fn use_threads(threads: Option<u16>) -> Result<(), Failure> {
    let Some(threads) = threads else {
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(threads))
        .build_global()
        .map_err(|error| Failure::Usage(format!("-j {threads}: {error}")))
}

/// What is done with each path.
struct Job {
    options: Options,
    thresholds: Thresholds,
    selection: Selection,
    suppressions: Suppressions,
}

impl Job {
    fn run(&self, paths: &[PathBuf]) -> Vec<Outcome> {
        if let [path] = paths {
            return vec![self.analyze(path)];
        }
        let _progress = Progress::begin(&format!("analyzing {} snapshots", paths.len()));
        paths.par_iter().map(|path| self.analyze(path)).collect()
    }

    /// One snapshot that makes the program fail does not take the others with it.
    fn analyze(&self, path: &Path) -> Outcome {
        let source = Source::of(path);
        let analyzed = panic::catch_unwind(AssertUnwindSafe(|| {
            let opened = options::open(path, &self.options)?;
            Ok(
                Report::new(&opened.snapshot(), &self.thresholds, &self.selection)
                    .suppressing(&self.suppressions),
            )
        }));
        match analyzed {
            Ok(Ok(report)) => Outcome::Report(Box::new(report.of_source(source))),
            Ok(Err(Failure::Undecided(why))) => {
                Outcome::unreadable(source, without_way(path, &why))
            }
            Ok(Err(_)) | Err(_) => Outcome::unreadable(source, "internal error".to_owned()),
        }
    }
}

/// Reports do not depend on where a snapshot lies.
fn without_way(path: &Path, why: &str) -> String {
    let way = path.display().to_string();
    let name = path.file_name().map(|name| name.to_string_lossy());
    let prefix = format!("{way}: ");
    let why = why.strip_prefix(&prefix).unwrap_or(why);
    why.replace(&way, name.as_deref().unwrap_or("it"))
}

fn write(
    wish: &Target,
    outcomes: &[Outcome],
    look: Look,
    console: &mut Console,
) -> Result<(), Failure> {
    match (wish, outcomes) {
        (Target::Stdout(form), [only]) => {
            if let Some(rendered) = render(*form, only, look)? {
                console.write(&rendered)?;
            }
        }
        (Target::Stdout(form), several) => {
            console.write(&render_all(*form, several, look)?)?;
        }
        (Target::File(form, path), outcomes) => {
            for rendered in outcomes.iter().map(|only| render(*form, only, plain(look))) {
                if let Some(rendered) = rendered? {
                    targets::write(path, &rendered)?;
                }
            }
        }
        (Target::Folder(form, folder), outcomes) => {
            let names = targets::names(outcomes.iter().map(|outcome| &*outcome.source().name));
            for (outcome, name) in outcomes.iter().zip(names) {
                if let Some(rendered) = render(*form, outcome, plain(look))? {
                    let path = folder.join(format!("{name}.{}", form.extension()));
                    targets::write(&path, &rendered)?;
                }
            }
        }
    }
    Ok(())
}

/// For a file: as wide as always, without colours.
fn plain(look: Look) -> Look {
    Look {
        verbose: look.verbose,
        ..Look::PLAIN
    }
}

/// Nothing, for a snapshot that could not be read: that is said on stderr.
fn render(form: Form, outcome: &Outcome, look: Look) -> Result<Option<String>, Failure> {
    let Some(report) = outcome.report() else {
        return Ok(None);
    };
    Ok(Some(match form {
        Form::Text => text::render(report, look),
        Form::Json => json::render(report)?,
        Form::Markdown => markdown::render(report),
    }))
}

fn render_all(form: Form, outcomes: &[Outcome], look: Look) -> Result<String, Failure> {
    let reports = Reports::new(outcomes.to_vec());
    Ok(match form {
        Form::Text => reports.text(look),
        Form::Json => json::render(&reports)?,
        Form::Markdown => reports.markdown(),
    })
}

fn conclude(outcomes: &[Outcome], fail_on: FailOn) -> Result<Done, Failure> {
    for outcome in outcomes {
        if let Outcome::Unreadable(input) = outcome {
            let name = &input.source.name;
            if input.error.contains(name.as_str()) {
                note(&input.error);
            } else {
                note(&format!("{name}: {}", input.error));
            }
        }
    }
    let reports: Vec<&Report> = outcomes.iter().filter_map(Outcome::report).collect();
    if reports.is_empty() {
        return Err(Failure::Undecided(String::new()));
    }
    if !reports.iter().any(|report| report.decides_anything()) {
        return Err(Failure::Undecided("nothing could be decided".to_owned()));
    }
    let found = outcomes
        .iter()
        .any(|outcome| fail_on.fails(outcome.summary().worst));
    Ok(Done::found_if(found))
}
