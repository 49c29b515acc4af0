//! The item table: everything that can be in a bundle, in one place. The collector's list, the
//! documentation and the coverage table of a report are made from it.

mod table;

use std::fmt::Write as _;

pub use table::ITEMS;

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
