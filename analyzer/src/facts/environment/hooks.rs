//! What hooks into the start of programs: debuggers, and the command interpreter's `AutoRun`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::fact::Fact;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Text;

/// The programs whose `Debugger` is looked at: a window of another program that keeps popping up
/// comes from one of these. Accessibility programs (`sethc.exe`) are a matter of security, not
/// of the environment.
pub const DEBUGGED: [&str; 14] = [
    "cmd.exe",
    "powershell.exe",
    "conhost.exe",
    "explorer.exe",
    "userinit.exe",
    "winlogon.exe",
    "svchost.exe",
    "rundll32.exe",
    "reg.exe",
    "regedit.exe",
    "mmc.exe",
    "taskmgr.exe",
    "netsh.exe",
    "ipconfig.exe",
];

/// A command that runs instead of a program, or before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hook {
    /// The program.
    pub program: String,
    /// What the setting is called: `Debugger` or `AutoRun`.
    pub setting: String,
    /// The command.
    pub command: Fact<Text>,
}

/// One fact a program, present or not, so that what was looked for is told.
pub(super) fn gather(sources: &Sources) -> Vec<Hook> {
    let software = sources.software().root();
    let mut hooks: Vec<Hook> = DEBUGGED
        .iter()
        .map(|program| {
            let key = format!(
                "Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\{program}"
            );
            Hook {
                program: (*program).to_owned(),
                setting: "Debugger".to_owned(),
                command: software.text(&key, "Debugger"),
            }
        })
        .collect();
    let keys = [
        ("cmd.exe", "Microsoft\\Command Processor"),
        (
            "cmd.exe (32-bit)",
            "WOW6432Node\\Microsoft\\Command Processor",
        ),
    ];
    hooks.extend(keys.map(|(program, key)| Hook {
        program: program.to_owned(),
        setting: "AutoRun".to_owned(),
        command: software.text(key, "AutoRun"),
    }));
    hooks
}
