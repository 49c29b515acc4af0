//! Reports: one result model, one file per rendering. A renderer shows; it decides nothing.

mod appendix;
pub mod canvas;
pub mod catalogue;
mod causes;
pub mod coverage;
pub mod explain;
pub mod json;
pub mod many;
pub mod markdown;
pub mod model;
pub mod page;
pub mod sanitize;
pub mod selection;
pub mod shown;
pub mod summary;
pub mod suppression;
pub mod text;
pub mod verification;
mod words;

pub use crate::inspect::Source;
pub use canvas::Look;
pub use many::{Outcome, Reports, Unreadable};
pub use model::{Finding, Report};
pub use selection::{Selection, SelectionError};
pub use summary::{Counts, Summary};
pub use suppression::{Suppressed, SuppressionError, Suppressions};
