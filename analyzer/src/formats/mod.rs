//! From bytes to structure. Nothing here knows of bundles, Windows policy or checks.

pub mod evtx;
pub mod hive;
pub mod registry;
pub mod text;
