//! From bytes to structure. Nothing here knows of bundles, Windows policy or checks.

pub mod bcd;
pub mod certificate;
pub mod counters;
pub mod evtx;
pub mod file_record;
pub mod firewall_rule;
pub mod hive;
pub mod ipconfig;
pub mod lines;
pub mod netstat;
pub mod portranges;
pub mod product_policy;
pub mod registry;
pub mod route_print;
pub mod text;
