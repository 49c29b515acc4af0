//! From bytes to structure. Nothing here knows of bundles, Windows policy or checks.

pub mod bcd;
pub mod evtx;
pub mod file_record;
pub mod firewall_rule;
pub mod hive;
pub mod netstat;
pub mod product_policy;
pub mod registry;
pub mod text;
