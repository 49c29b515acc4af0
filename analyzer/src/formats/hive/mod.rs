//! Hive files, read through nt-hive.
//!
//! nt-hive refuses dirty hives, panics on some damaged ones, and does not know everything that
//! Windows writes. So the cells of a question are looked at before nt-hive sees them (`cells`),
//! what may still panic is caught (`guard`), and what it cannot read is read beside it
//! (`value`). A dirty hive is first brought up to date from its logs ([`replay`]).
//! Registry texts are a second source of the same view ([`reg_text`]).

mod budget;
mod bytes;
mod cells;
mod guard;
mod header;
mod index;
pub mod reg_text;
mod replay;
mod tree;
mod value;
mod view;
mod walk;

pub use guard::silence_guarded_panics;
pub use header::Header;
pub use replay::{Log, LogReport, ReplayReport, replay};
pub use view::HiveFile;

#[cfg(test)]
mod tests;
