//! The item table: everything that can be in a bundle, in one place. The collector's list, the
//! documentation and the coverage table of a report are made from it.

use std::fmt::Write as _;

use crate::channel;

/// One item: something that the collector can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Stable id, `folder.name`.
    pub id: &'static str,
    /// Entry names of its artifacts. The first is the artifact itself; the others stand beside it
    /// only where the method yields them (transaction logs of a copied hive, `-q` of netstat).
    pub entries: &'static [&'static str],
    /// What is in it.
    pub content: Content,
    /// Ids of the checks that use it.
    pub checks: &'static [&'static str],
    /// Whether an empty answer says something (no page file, no crash dump) and is not a fault.
    pub may_be_empty: bool,
    /// What it is, in a few words.
    pub about: &'static str,
}

/// What is in an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A registry hive (regf).
    Hive,
    /// The event log (evtx) of the channel.
    EventLog(&'static str),
    /// A structured record as JSON.
    Json(Record),
    /// Text as it came: output of a console program in the OEM code page, a text file in the ANSI
    /// one.
    Text,
}

impl Content {
    /// A word for tables.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Hive => "hive",
            Self::EventLog(_) => "event log",
            Self::Json(_) => "JSON",
            Self::Text => "text",
        }
    }
}

macro_rules! records {
    ($($variant:ident => $type:ident, $name:literal;)*) => {
        /// The structured records, each a type of [`crate::records`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Record {
            $(#[doc = concat!("[`crate::records::", stringify!($type), "`]")] $variant,)*
        }

        impl Record {
            /// Every record, in the order of the item table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Name of the record, and of its schema file.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The JSON Schema of the record.
            #[cfg(feature = "schema")]
            pub fn schema(self) -> serde_json::Value {
                match self { $(Self::$variant => crate::schema::of::<crate::records::$type>(),)* }
            }

            /// Reads the record from JSON and throws it away: does it fit its type?
            ///
            /// # Errors
            /// What does not fit, with line and column.
            pub fn check(self, json: &[u8]) -> Result<(), serde_json::Error> {
                match self {
                    $(Self::$variant => {
                        serde_json::from_slice::<crate::records::$type>(json).map(drop)
                    })*
                }
            }
        }
    };
}

records! {
    VolatileRegistry => RegistryExport, "registry-export";
    Tcp => TcpTables, "tcp";
    Udp => UdpTables, "udp";
    PortRanges => PortRanges, "port-ranges";
    Adapters => Adapters, "adapters";
    Routes => Routes, "routes";
    Neighbours => Neighbours, "neighbours";
    Probes => Probes, "probes";
    Metadata => CloudMetadata, "metadata";
    Firewall => FirewallState, "firewall";
    Processes => ProcessTables, "processes";
    Services => Services, "services";
    Counters => Counters, "counters";
    NativeCounters => NativeCounters, "native-counters";
    Machine => MachineFacts, "machine";
    Memory => MemoryTopology, "memory";
    Cpu => CpuTopology, "cpu";
    PageFiles => PageFiles, "page-files";
    Sessions => Sessions, "sessions";
    RdsLicensing => RdsLicensing, "rds-licensing";
    Activation => Activation, "activation";
    Accounts => Accounts, "accounts";
    DumpFiles => DumpFiles, "dump-files";
    Paths => PathFacts, "paths";
    MachineKeys => MachineKeys, "machine-keys";
    Volumes => Volumes, "volumes";
}

const fn item(
    id: &'static str,
    entries: &'static [&'static str],
    content: Content,
    checks: &'static [&'static str],
    about: &'static str,
) -> Item {
    Item {
        id,
        entries,
        content,
        checks,
        may_be_empty: false,
        about,
    }
}

const fn or_empty(item: Item) -> Item {
    Item {
        may_be_empty: true,
        ..item
    }
}

/// An event log may be empty: the channel is there and nothing was written to it yet.
const fn log(
    id: &'static str,
    channel: &'static str,
    entries: &'static [&'static str],
    checks: &'static [&'static str],
    about: &'static str,
) -> Item {
    or_empty(item(id, entries, Content::EventLog(channel), checks, about))
}

const fn json(
    id: &'static str,
    entries: &'static [&'static str],
    record: Record,
    checks: &'static [&'static str],
    about: &'static str,
) -> Item {
    item(id, entries, Content::Json(record), checks, about)
}

/// The item table, in the order of collection: what is cheap and passes first, what is large and
/// stays last.
pub const ITEMS: &[Item] = &[
    json(
        "system.machine",
        &["system/machine.json"],
        Record::Machine,
        &[
            "os-status",
            "handle-leak",
            "cpu-usage",
            "mac-address",
            "intranet-dns",
        ],
        "uptime, boot time, firmware strings, hypervisor, domain membership",
    ),
    json(
        "system.memory",
        &["system/memory.json"],
        Record::Memory,
        &["memory-limit", "memory-usage", "virtual-memory-usage"],
        "installed and visible memory, commit charge, SMBIOS memory devices",
    ),
    json(
        "system.cpu",
        &["system/cpu.json"],
        Record::Cpu,
        &["cpu-limit", "cpu-usage", "single-cpu-usage"],
        "processors in use and present, sockets, cores, groups",
    ),
    or_empty(json(
        "system.page-files",
        &["system/page-files.json"],
        Record::PageFiles,
        &["virtual-memory-usage"],
        "page files of the running system",
    )),
    or_empty(json(
        "network.tcp",
        &["network/tcp.json"],
        Record::Tcp,
        &[
            "brute-force",
            "rds-service",
            "rdp-port",
            "rdp-tcp",
            "port-exhaustion",
            "tcp-wait-states",
        ],
        "TCP connections and listeners with process ids, two samples",
    )),
    or_empty(json(
        "network.udp",
        &["network/udp.json"],
        Record::Udp,
        &["rdp-port", "port-exhaustion"],
        "UDP endpoints with process ids",
    )),
    json(
        "network.port-ranges",
        &["network/port-ranges.json"],
        Record::PortRanges,
        &["rdp-port", "port-exhaustion", "tcp-wait-states"],
        "dynamic and excluded port ranges",
    ),
    json(
        "network.adapters",
        &["network/adapters.json"],
        Record::Adapters,
        &["gateway", "mac-address", "intranet-dns"],
        "adapters, addresses, gateways, DNS servers, MAC addresses",
    ),
    json(
        "network.routes",
        &["network/routes.json"],
        Record::Routes,
        &["gateway", "intranet-dns"],
        "routing table",
    ),
    or_empty(json(
        "network.neighbours",
        &["network/neighbours.json"],
        Record::Neighbours,
        &["gateway"],
        "neighbour (ARP) table",
    )),
    json(
        "network.firewall",
        &["network/firewall.json"],
        Record::Firewall,
        &["rdp-firewall"],
        "active firewall profile and effective state of the profiles",
    ),
    json(
        "network.probes",
        &["network/probes.json"],
        Record::Probes,
        &["rdp-port", "gateway", "intranet-dns"],
        "answers of gateway, DNS servers, the RDP port and cloud services",
    ),
    json(
        "network.metadata",
        &["network/metadata.json"],
        Record::Metadata,
        &["memory-limit", "mac-address", "intranet-dns"],
        "the cloud's own description of the instance",
    ),
    item(
        "network.netstat-text",
        &["network/netstat-ano.txt", "network/netstat-anoq.txt"],
        Content::Text,
        &["rdp-port", "port-exhaustion", "tcp-wait-states"],
        "netstat -ano, and -anoq (bound ports) where Windows has it",
    ),
    item(
        "network.ipconfig-text",
        &["network/ipconfig-all.txt"],
        Content::Text,
        &["gateway", "mac-address", "intranet-dns"],
        "ipconfig /all",
    ),
    item(
        "network.route-text",
        &["network/route-print.txt"],
        Content::Text,
        &["gateway", "intranet-dns"],
        "route print",
    ),
    item(
        "network.port-ranges-text",
        &["network/portranges.txt"],
        Content::Text,
        &["port-exhaustion"],
        "netsh int ipv4|ipv6 show dynamicport and excludedportrange, tcp and udp",
    ),
    or_empty(item(
        "network.hosts-text",
        &["network/hosts.txt"],
        Content::Text,
        &["intranet-dns"],
        "the hosts file",
    )),
    json(
        "processes.table",
        &["processes/processes.json"],
        Record::Processes,
        &[
            "handle-leak",
            "memory-usage",
            "virtual-memory-usage",
            "cpu-usage",
            "single-cpu-usage",
            "rdp-port",
            "port-exhaustion",
            "tcp-wait-states",
        ],
        "processes with handles, memory, times and services inside, two samples",
    ),
    json(
        "services.table",
        &["services/services.json"],
        Record::Services,
        &[
            "memory-limit",
            "rds-service",
            "rdp-port",
            "rdp-certificate",
            "rdp-firewall",
        ],
        "services with state, process id and exit codes",
    ),
    json(
        "counters.pdh",
        &["counters/counters.json"],
        Record::Counters,
        &[
            "handle-leak",
            "memory-usage",
            "virtual-memory-usage",
            "cpu-usage",
            "single-cpu-usage",
        ],
        "performance counters by English path, 31 samples",
    ),
    json(
        "counters.native",
        &["counters/native.json"],
        Record::NativeCounters,
        &[
            "handle-leak",
            "memory-usage",
            "virtual-memory-usage",
            "cpu-usage",
            "single-cpu-usage",
        ],
        "processor and memory figures without the performance library",
    ),
    or_empty(json(
        "system.sessions",
        &["system/sessions.json"],
        Record::Sessions,
        &["rdp-tcp"],
        "sessions and listeners of Remote Desktop Services",
    )),
    json(
        "system.rds-licensing",
        &["system/rds-licensing.json"],
        Record::RdsLicensing,
        &["rds-licensing"],
        "session host mode, licensing type, days of grace",
    ),
    or_empty(json(
        "system.activation",
        &["system/activation.json"],
        Record::Activation,
        &["memory-limit", "rdp-port", "intranet-dns"],
        "activation of Windows",
    )),
    json(
        "system.accounts",
        &["system/accounts.json"],
        Record::Accounts,
        &["brute-force", "network-access-account"],
        "lockout policy, administrators, logon rights, by SID",
    ),
    or_empty(json(
        "system.dump-files",
        &["system/dump-files.json"],
        Record::DumpFiles,
        &["os-status"],
        "names, sizes and times of crash dumps",
    )),
    json(
        "system.paths",
        &["system/paths.json"],
        Record::Paths,
        &["environment-variables"],
        "which directories of the environment exist",
    ),
    json(
        "system.machine-keys",
        &["system/machine-keys.json"],
        Record::MachineKeys,
        &["rdp-certificate"],
        "access control of the machine's key files",
    ),
    json(
        "volumes.volumes",
        &["volumes/volumes.json"],
        Record::Volumes,
        &["os-status", "virtual-memory-usage", "ntfs-metafiles"],
        "volumes with space, dirty bit and NTFS metafile figures",
    ),
    json(
        "registry.volatile",
        &["registry/volatile.json"],
        Record::VolatileRegistry,
        &["os-status", "memory-limit", "cpu-limit"],
        "volatile keys that no hive file holds",
    ),
    or_empty(json(
        "registry.users",
        &["registry/users.json"],
        Record::VolatileRegistry,
        &["environment-variables"],
        "environment of the default and the logged-on users",
    )),
    item(
        "registry.system",
        &[
            "registry/SYSTEM",
            "registry/SYSTEM.LOG1",
            "registry/SYSTEM.LOG2",
        ],
        Content::Hive,
        &[
            "os-status",
            "memory-limit",
            "cpu-limit",
            "brute-force",
            "environment-variables",
            "virtual-memory-usage",
            "single-cpu-usage",
            "ntfs-metafiles",
            "rds-service",
            "rdp-port",
            "rdp-tcp",
            "rdp-allowed",
            "rdp-certificate",
            "rds-licensing",
            "network-access-account",
            "rdp-firewall",
            "port-exhaustion",
            "tcp-wait-states",
            "gateway",
            "mac-address",
            "intranet-dns",
        ],
        "hive HKLM\\SYSTEM",
    ),
    item(
        "registry.software",
        &[
            "registry/SOFTWARE",
            "registry/SOFTWARE.LOG1",
            "registry/SOFTWARE.LOG2",
        ],
        Content::Hive,
        &[
            "os-status",
            "environment-variables",
            "rds-service",
            "rdp-tcp",
            "rdp-allowed",
            "rdp-certificate",
            "rds-licensing",
            "network-access-account",
            "rdp-firewall",
            "intranet-dns",
        ],
        "hive HKLM\\SOFTWARE",
    ),
    item(
        "registry.bcd",
        &["registry/BCD", "registry/BCD.LOG1", "registry/BCD.LOG2"],
        Content::Hive,
        &["memory-limit", "cpu-limit"],
        "hive HKLM\\BCD00000000, the boot configuration",
    ),
    log(
        "eventlog.system",
        "System",
        &["eventlog/System.evtx"],
        &[
            "os-status",
            "memory-limit",
            "cpu-limit",
            "handle-leak",
            "brute-force",
            "memory-usage",
            "virtual-memory-usage",
            "cpu-usage",
            "rds-service",
            "rdp-allowed",
            "rdp-certificate",
            "rds-licensing",
            "port-exhaustion",
            "gateway",
            "intranet-dns",
        ],
        "boots, crashes, services, drivers, DNS and port events",
    ),
    log(
        "eventlog.application",
        "Application",
        &["eventlog/Application.evtx"],
        &[
            "os-status",
            "handle-leak",
            "brute-force",
            "virtual-memory-usage",
            "rds-service",
        ],
        "application crashes, leaks, SQL Server logons",
    ),
    log(
        "eventlog.security",
        "Security",
        &["eventlog/Security.evtx"],
        &["brute-force", "network-access-account"],
        "logons and failed logons",
    ),
    log(
        "eventlog.setup",
        "Setup",
        &["eventlog/Setup.evtx"],
        &["os-status"],
        "servicing",
    ),
    log(
        "eventlog.rcm-operational",
        channel::RCM_OPERATIONAL,
        &["eventlog/Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational.evtx"],
        &[
            "brute-force",
            "rds-service",
            "rdp-port",
            "rdp-tcp",
            "rdp-allowed",
            "rdp-certificate",
        ],
        "Remote Desktop connections and listeners",
    ),
    log(
        "eventlog.rcm-admin",
        channel::RCM_ADMIN,
        &["eventlog/Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Admin.evtx"],
        &["brute-force", "rdp-tcp", "rds-licensing"],
        "Remote Desktop licensing and listener errors",
    ),
    log(
        "eventlog.lsm-operational",
        channel::LSM_OPERATIONAL,
        &["eventlog/Microsoft-Windows-TerminalServices-LocalSessionManager%4Operational.evtx"],
        &["brute-force", "rds-service", "rdp-allowed"],
        "sessions that came and went",
    ),
    log(
        "eventlog.rdpcorets-operational",
        channel::RDPCORETS_OPERATIONAL,
        &["eventlog/Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx"],
        &["brute-force", "rdp-port", "rdp-tcp", "rdp-allowed"],
        "Remote Desktop transport: client addresses, refused logons, the port used",
    ),
    log(
        "eventlog.ts-licensing-admin",
        channel::TS_LICENSING_ADMIN,
        &["eventlog/Microsoft-Windows-TerminalServices-Licensing%4Admin.evtx"],
        &["rds-licensing"],
        "the licence server's errors",
    ),
    log(
        "eventlog.ts-licensing-operational",
        channel::TS_LICENSING_OPERATIONAL,
        &["eventlog/Microsoft-Windows-TerminalServices-Licensing%4Operational.evtx"],
        &["rds-licensing"],
        "the licence server's work",
    ),
    log(
        "eventlog.firewall",
        channel::FIREWALL,
        &["eventlog/Microsoft-Windows-Windows Firewall With Advanced Security%4Firewall.evtx"],
        &["rdp-firewall"],
        "firewall rules and profiles that changed",
    ),
    log(
        "eventlog.network-profile",
        channel::NETWORK_PROFILE,
        &["eventlog/Microsoft-Windows-NetworkProfile%4Operational.evtx"],
        &["rdp-firewall", "gateway"],
        "networks and their category",
    ),
    log(
        "eventlog.nla-service",
        channel::NLA_SERVICE,
        &["eventlog/Microsoft-Windows-NlaSvc%4Operational.evtx"],
        &["rdp-firewall", "gateway"],
        "network location awareness",
    ),
    log(
        "eventlog.dhcp-client-admin",
        channel::DHCP_CLIENT_ADMIN,
        &["eventlog/Microsoft-Windows-Dhcp-Client%4Admin.evtx"],
        &["gateway"],
        "DHCP leases that failed",
    ),
    log(
        "eventlog.group-policy",
        channel::GROUP_POLICY,
        &["eventlog/Microsoft-Windows-GroupPolicy%4Operational.evtx"],
        &["rdp-allowed"],
        "group policy refreshes",
    ),
    log(
        "eventlog.wmi-activity",
        channel::WMI_ACTIVITY,
        &["eventlog/Microsoft-Windows-WMI-Activity%4Operational.evtx"],
        &["cpu-usage"],
        "WMI queries and who makes them",
    ),
    log(
        "eventlog.defender",
        channel::DEFENDER,
        &["eventlog/Microsoft-Windows-Windows Defender%4Operational.evtx"],
        &["cpu-usage"],
        "scans that explain load",
    ),
    log(
        "eventlog.openssh",
        channel::OPENSSH,
        &["eventlog/OpenSSH%4Operational.evtx"],
        &["brute-force"],
        "failed SSH logons",
    ),
];

/// The item with an id.
pub fn by_id(id: &str) -> Option<&'static Item> {
    ITEMS.iter().find(|item| item.id == id)
}

/// The item that an entry belongs to; names compare without case, as on Windows.
pub fn by_entry(name: &str) -> Option<&'static Item> {
    ITEMS
        .iter()
        .find(|item| item.entries.iter().any(|e| e.eq_ignore_ascii_case(name)))
}

/// The items that a check uses, in the order of the table.
pub fn used_by(check: &str) -> impl Iterator<Item = &'static Item> {
    ITEMS
        .iter()
        .filter(move |item| item.checks.contains(&check))
}

/// The item table as Markdown.
pub fn item_table_markdown() -> String {
    let mut table = String::from(
        "| item | entries | content | may be empty | used by | what it is |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for item in ITEMS {
        let entries: Vec<String> = item.entries.iter().map(|e| format!("`{e}`")).collect();
        let checks: Vec<String> = item.checks.iter().map(|c| format!("`{c}`")).collect();
        let empty = if item.may_be_empty { "yes" } else { "no" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {empty} | {} | {} |",
            item.id,
            entries.join(" "),
            item.content.kind(),
            checks.join(" "),
            item.about.replace('|', "\\|"),
        );
    }
    table
}
