//! Bytes to structure. Nothing here knows of bundles, Windows policy or checks.

pub mod hive;
pub mod registry;
