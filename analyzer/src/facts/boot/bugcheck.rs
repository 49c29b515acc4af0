//! Stop codes: their names, and how the logs write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stop of Windows ("blue screen").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bugcheck {
    /// The stop code.
    pub code: u32,
    /// Its four parameters, as far as they were logged.
    pub parameters: Vec<u64>,
    /// The dump that was written, as logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dump: Option<String>,
}

/// Names of the stop codes that instances meet, and where to look first ("Bug Check Code
/// Reference", Windows driver documentation).
const NAMES: &[(u32, &str, &str)] = &[
    (0x0a, "IRQL_NOT_LESS_OR_EQUAL", "a driver"),
    (0x1a, "MEMORY_MANAGEMENT", "memory or a driver"),
    (0x1e, "KMODE_EXCEPTION_NOT_HANDLED", "a driver"),
    (0x24, "NTFS_FILE_SYSTEM", "the file system or the disk"),
    (0x3b, "SYSTEM_SERVICE_EXCEPTION", "a driver"),
    (0x4e, "PFN_LIST_CORRUPT", "memory or a driver"),
    (0x50, "PAGE_FAULT_IN_NONPAGED_AREA", "a driver or memory"),
    (0x51, "REGISTRY_ERROR", "the registry or the disk"),
    (
        0x7a,
        "KERNEL_DATA_INPAGE_ERROR",
        "the disk or the page file",
    ),
    (0x7b, "INACCESSIBLE_BOOT_DEVICE", "the storage driver"),
    (0x7e, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", "a driver"),
    (0x7f, "UNEXPECTED_KERNEL_MODE_TRAP", "hardware or a driver"),
    (0x9c, "MACHINE_CHECK_EXCEPTION", "hardware or the host"),
    (0x9f, "DRIVER_POWER_STATE_FAILURE", "a driver"),
    (0xc2, "BAD_POOL_CALLER", "a driver"),
    (
        0xc4,
        "DRIVER_VERIFIER_DETECTED_VIOLATION",
        "a driver under Driver Verifier",
    ),
    (0xc5, "DRIVER_CORRUPTED_EXPOOL", "a driver"),
    (0xd1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL", "a driver"),
    (0xda, "SYSTEM_PTE_MISUSE", "a driver"),
    (
        0xe2,
        "MANUALLY_INITIATED_CRASH",
        "somebody who asked for it",
    ),
    (
        0xef,
        "CRITICAL_PROCESS_DIED",
        "a system process or damaged system files",
    ),
    (
        0xf4,
        "CRITICAL_OBJECT_TERMINATION",
        "a system process or the disk",
    ),
    (0xf7, "DRIVER_OVERRAN_STACK_BUFFER", "a driver"),
    (0xfc, "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY", "a driver"),
    (
        0x101,
        "CLOCK_WATCHDOG_TIMEOUT",
        "a processor that did not get to run: the host",
    ),
    (0x109, "CRITICAL_STRUCTURE_CORRUPTION", "a driver or memory"),
    (0x116, "VIDEO_TDR_FAILURE", "the display driver"),
    (0x124, "WHEA_UNCORRECTABLE_ERROR", "hardware or the host"),
    (0x12b, "FAULTY_HARDWARE_CORRUPTED_PAGE", "memory"),
    (
        0x133,
        "DPC_WATCHDOG_VIOLATION",
        "a driver, often of storage or network",
    ),
    (0x139, "KERNEL_SECURITY_CHECK_FAILURE", "a driver"),
    (0x154, "UNEXPECTED_STORE_EXCEPTION", "the disk or memory"),
    (
        0x80,
        "NMI_HARDWARE_FAILURE",
        "hardware, or an interrupt sent from the console",
    ),
    (
        0xc000_021a,
        "WINLOGON_FATAL_ERROR",
        "a system process or damaged system files",
    ),
];

impl Bugcheck {
    /// The name of the stop code, for those that are known.
    pub fn name(&self) -> Option<&'static str> {
        self.known().map(|(_, name, _)| *name)
    }

    /// Where to look first, for codes that are known.
    pub fn suspect(&self) -> Option<&'static str> {
        self.known().map(|(_, _, suspect)| *suspect)
    }

    /// `0xD1 (DRIVER_IRQL_NOT_LESS_OR_EQUAL)`.
    pub fn words(&self) -> String {
        match self.name() {
            Some(name) => format!("0x{:X} ({name})", self.code),
            None => format!("0x{:X}", self.code),
        }
    }

    fn known(&self) -> Option<&'static (u32, &'static str, &'static str)> {
        // Windows marks some codes with bit 28 when the same fault came up in another mode.
        let plain = if self.code & 0xf000_0000 == 0x1000_0000 {
            self.code & 0x0fff_ffff
        } else {
            self.code
        };
        NAMES.iter().find(|(code, _, _)| *code == plain)
    }

    /// Reads `0x000000d1 (0x…, 0x…, 0x…, 0x…)`, the first parameter of event 1001.
    pub fn parse(text: &str) -> Option<Self> {
        let (code, rest) = text.trim().split_once('(').unwrap_or((text.trim(), ""));
        let parameters = rest
            .trim_end_matches(')')
            .split(',')
            .filter_map(number)
            .take(4)
            .collect();
        Some(Self {
            code: u32::try_from(number(code)?).ok()?,
            parameters,
            dump: None,
        })
    }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_1001_is_read() {
        let text = "0x000000d1 (0xffffd00000000028, 0x0000000000000002, 0x0000000000000000, 0xfffff80100001000)";
        let bugcheck = Bugcheck::parse(text).unwrap();
        assert_eq!(bugcheck.code, 0xd1);
        assert_eq!(bugcheck.parameters.len(), 4);
        assert_eq!(bugcheck.parameters[1], 2);
        assert_eq!(bugcheck.words(), "0xD1 (DRIVER_IRQL_NOT_LESS_OR_EQUAL)");
        assert_eq!(bugcheck.suspect(), Some("a driver"));
    }

    #[test]
    fn other_text_is_no_stop_code() {
        assert_eq!(Bugcheck::parse(""), None);
        assert_eq!(Bugcheck::parse("C:\\Windows\\MEMORY.DMP"), None);
        assert_eq!(Bugcheck::parse("0x1ffffffff (0x0)"), None);
        let bare = Bugcheck::parse("0x000000EF").unwrap();
        assert_eq!((bare.code, bare.parameters.len()), (0xef, 0));
    }

    #[test]
    fn marked_and_unknown_codes_have_words() {
        let words = |code| {
            Bugcheck {
                code,
                parameters: Vec::new(),
                dump: None,
            }
            .words()
        };
        assert_eq!(
            words(0x1000_007e),
            "0x1000007E (SYSTEM_THREAD_EXCEPTION_NOT_HANDLED)"
        );
        assert_eq!(words(0xdead), "0xDEAD");
    }
}
