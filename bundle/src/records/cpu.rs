//! `system/cpu.json`: processors that there are and processors in use.

use serde::{Deserialize, Serialize};

/// Processor topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CpuTopology {
    /// Logical processors in use (`GetActiveProcessorCount(ALL_PROCESSOR_GROUPS)`).
    pub active_logical: Option<u32>,
    /// Logical processors that the machine can have
    /// (`GetMaximumProcessorCount(ALL_PROCESSOR_GROUPS)`).
    pub maximum_logical: Option<u32>,
    /// Packages (`GetLogicalProcessorInformationEx(RelationProcessorPackage)`).
    pub sockets: Option<u32>,
    /// Cores (`RelationProcessorCore`).
    pub cores: Option<u32>,
    /// Processor groups (`GetActiveProcessorGroupCount`).
    pub groups: Option<u32>,
    /// NUMA nodes (`RelationNumaNode`).
    pub numa_nodes: Option<u32>,
    /// Brand string (CPUID 0x80000002 to 0x80000004).
    pub brand: Option<String>,
    /// SMBIOS structures of type 4: sockets of the board, populated or not.
    #[serde(default)]
    pub smbios: Vec<SmbiosProcessor>,
}

/// SMBIOS type 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SmbiosProcessor {
    /// Socket designation, such as `CPU 0`.
    pub socket: Option<String>,
    /// Bit 6 of the status: the socket is populated.
    pub populated: bool,
    /// Bits 0 to 2 of the status: 1 enabled, 2 disabled by the user, 3 disabled by firmware,
    /// 4 idle.
    pub status: u8,
    /// Cores of the package.
    pub cores: Option<u32>,
    /// Cores enabled.
    pub enabled_cores: Option<u32>,
    /// Threads of the package.
    pub threads: Option<u32>,
}
