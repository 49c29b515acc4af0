//! The structured items: JSON files that the collector writes field by field from API structures.
//!
//! Rules for all of them: what Windows did not give is `null`, never a guess; numbers that Windows
//! defines (states, types, error codes) stay numbers; units stand in the names; unknown fields are
//! ignored, so that minor versions can add some. Nothing here is translated text.

mod accounts;
mod adapters;
mod counters;
mod cpu;
mod files;
mod firewall;
mod licensing;
mod machine;
mod memory;
mod ports;
mod probes;
mod processes;
mod registry;
mod routes;
mod services;
mod sessions;
mod sockets;
mod volumes;

pub use accounts::{Accounts, GroupMember, LocalAccount, LockoutPolicy, LogonRight};
pub use adapters::{Adapter, AdapterAddress, Adapters, DnsServer, GatewayAddress};
pub use counters::{
    CounterFailure, CounterSeries, Counters, NativeCounters, NativeSample, ProcessorTimes,
};
pub use cpu::{CpuTopology, SmbiosProcessor};
pub use files::{DumpFiles, FileFact, MachineKeys, PathFact, PathFacts};
pub use firewall::{FirewallProfile, FirewallState};
pub use licensing::{Activation, ActivationProduct, RdsLicensing};
pub use machine::{Firmware, MachineFacts};
pub use memory::{CommitCharge, MemoryTopology, PageFile, PageFiles, SmbiosMemory};
pub use ports::{DynamicRange, ExcludedRange, PortRanges};
pub use probes::{CloudMetadata, MetadataValue, Probe, ProbeKind, ProbeOutcome, Probes, Transport};
pub use processes::{ProcessRow, ProcessSample, ProcessTables};
pub use registry::{RegistryExport, RegistryKey, RegistryValue};
pub use routes::{Neighbour, Neighbours, Route, Routes};
pub use services::{ServiceRow, Services};
pub use sessions::{Session, Sessions};
pub use sockets::{AddressFamily, TcpRow, TcpSample, TcpTables, UdpRow, UdpSample, UdpTables};
pub use volumes::{MetafileRecord, NtfsVolumeData, UsnJournal, Volume, VolumeKind, Volumes};
