//! How to mend what this check finds.

use super::path::NEEDED;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::environment::{Hook, UserEnvironment, UserVariable};
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::registry::Text;

/// `PATHEXT` of a fresh Windows.
pub(super) const PATHEXT: &str = ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC";

const KEY: &str = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment";
const BACKUP: &str = "reg export \"HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment\" C:\\env-backup.reg /y";
const NEVER_SETX: &str = "Never use setx /M for this: it writes the user's Path into the machine's, expands variables and cuts at 1024 characters. Services see the change after a restart. Where powershell is not found, start %SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe by its full path.";

/// Puts the folders that Windows needs on top of `Path`, and keeps the rest.
pub(super) fn path(old: &Fact<Text>) -> Remedy {
    let needed: Vec<String> = NEEDED
        .iter()
        .map(|(_, raw)| powershell_literal(raw))
        .collect();
    let needed = needed.join(",");
    let script = format!(
        "$k = '{KEY}'\n\
         $old = (Get-Item $k).GetValue('Path', '', 'DoNotExpandEnvironmentNames')\n\
         $need = {needed}\n\
         $same = {{ param($p) [Environment]::ExpandEnvironmentVariables($p.Trim('\"', ' ')).TrimEnd('\\') }}\n\
         $have = $need | ForEach-Object {{ & $same $_ }}\n\
         $rest = $old -split ';' | Where-Object {{ $_.Trim() -and ($have -notcontains (& $same $_)) }}\n\
         Set-ItemProperty $k -Name Path -Type ExpandString -Value ((@($need) + @($rest)) -join ';')"
    );
    on_path("Put the folders of Windows on top of Path", script, old)
}

/// Lets somebody choose what stays in `Path`.
pub(super) fn edit(old: &Fact<Text>) -> Remedy {
    let script = format!(
        "$k = '{KEY}'\n\
         $old = (Get-Item $k).GetValue('Path', '', 'DoNotExpandEnvironmentNames')\n\
         $drop = @()   # the elements to take out, as they stand in the list below\n\
         $old -split ';'\n\
         $keep = $old -split ';' | Where-Object {{ $_.Trim() -and ($drop -notcontains $_) }}\n\
         Set-ItemProperty $k -Name Path -Type ExpandString -Value (($keep -join ';') -replace '\"', '')"
    );
    on_path("Take out the elements that are wrong", script, old)
}

/// Takes repetitions out of `Path`.
pub(super) fn shorten(old: &Fact<Text>) -> Remedy {
    let script = format!(
        "$k = '{KEY}'\n\
         $old = (Get-Item $k).GetValue('Path', '', 'DoNotExpandEnvironmentNames')\n\
         $seen = @{{}}\n\
         $keep = $old -split ';' | Where-Object {{ $n = $_.Trim().TrimEnd('\\').ToLower(); $n -and -not $seen[$n] -and ($seen[$n] = $true) }}\n\
         $keep | ForEach-Object {{ '{{0}}  {{1}}' -f (Test-Path ([Environment]::ExpandEnvironmentVariables($_))), $_ }}\n\
         Set-ItemProperty $k -Name Path -Type ExpandString -Value ($keep -join ';')"
    );
    on_path(
        "Take repetitions out of Path, then what is not needed",
        script,
        old,
    )
}

fn on_path(title: &str, script: String, old: &Fact<Text>) -> Remedy {
    Remedy::new(title)
        .step(Step::cmd("Save the key.", BACKUP))
        .step(Step::powershell("Set the new Path.", script))
        .risk(Risk::Medium, NEVER_SETX)
        .interrupts(Interruption::Restart)
        .undo(Step::powershell(
            "Put the Path of the snapshot back.",
            restore("Path", old),
        ))
        .verify(Step::powershell(
            "The list is right.",
            format!(
                "(Get-Item '{KEY}').GetValue('Path', '', 'DoNotExpandEnvironmentNames') -split ';'"
            ),
        ))
}

/// Sets a variable to what a fresh Windows has.
pub(super) fn variable(name: &str, old: &Fact<Text>) -> Remedy {
    let (value, kind) = match name {
        "ComSpec" => ("%SystemRoot%\\system32\\cmd.exe", "ExpandString"),
        "PATHEXT" => (PATHEXT, "String"),
        "TEMP" | "TMP" => ("%SystemRoot%\\TEMP", "ExpandString"),
        _ => ("%SystemRoot%", "ExpandString"),
    };
    // SystemRoot does not belong here: Windows takes it from SOFTWARE.
    let command = if name == "SystemRoot" {
        format!("Remove-ItemProperty '{KEY}' -Name SystemRoot")
    } else {
        format!("Set-ItemProperty '{KEY}' -Name {name} -Type {kind} -Value '{value}'")
    };
    Remedy::new(format!("Set {name} to what a fresh Windows has"))
        .step(Step::cmd("Save the key.", BACKUP))
        .step(Step::powershell("Set the value.", command))
        .risk(Risk::Low, "Services see the change after a restart.")
        .interrupts(Interruption::Restart)
        .undo(Step::powershell(
            "Put the value of the snapshot back.",
            restore(name, old),
        ))
        .verify(Step::powershell(
            "The value is right.",
            format!("(Get-Item '{KEY}').GetValue('{name}', '', 'DoNotExpandEnvironmentNames')"),
        ))
}

/// The command that puts a variable back as it was in the snapshot.
fn restore(name: &str, old: &Fact<Text>) -> String {
    match old.value() {
        Some(text) if matches!(text.kind.as_str(), "REG_SZ" | "REG_EXPAND_SZ") => {
            let kind = if text.kind == "REG_SZ" {
                "String"
            } else {
                "ExpandString"
            };
            format!(
                "Set-ItemProperty '{KEY}' -Name {name} -Type {kind} -Value {}",
                powershell_literal(&text.text)
            )
        }
        Some(_) => "reg import C:\\env-backup.reg".to_owned(),
        None => format!("Remove-ItemProperty '{KEY}' -Name {name}"),
    }
}

/// Takes out a debugger or an `AutoRun`.
pub(super) fn unhook(hook: &Hook) -> Remedy {
    let key = match hook.command.evidence.first().map(|place| &place.locator) {
        Some(Locator::Registry(place)) => format!("HKLM:\\{}\\{}", place.hive, place.key),
        _ => String::new(),
    };
    let key = powershell_literal(&key);
    let (old, kind) = hook.command.value().map_or(("", "String"), |text| {
        let expand = text.kind == "REG_EXPAND_SZ";
        (
            text.text.as_str(),
            if expand { "ExpandString" } else { "String" },
        )
    });
    let name = &hook.setting;
    Remedy::new(format!("Take the {name} of {} out", hook.program))
        .step(Step::text(
            "Find out what the command is and who set it: Process Explorer and some development tools set such values on purpose, malware does as well.",
        ))
        .step(Step::powershell(
            "Remove the value.",
            format!("Remove-ItemProperty {key} -Name {name}"),
        ))
        .risk(Risk::Medium, "Keep the command's file until it is known to be harmless or not.")
        .undo(Step::powershell(
            "Set the old command again.",
            format!(
                "Set-ItemProperty {key} -Name {name} -Type {kind} -Value {}",
                powershell_literal(old)
            ),
        ))
        .verify(Step::powershell(
            "Nothing is printed.",
            format!("(Get-ItemProperty {key} -ErrorAction SilentlyContinue).{name}"),
        ))
}

/// Takes a user's value out.
pub(super) fn user(user: &UserEnvironment, variable: &UserVariable) -> Remedy {
    let key = powershell_literal(&format!(
        "Registry::HKEY_USERS\\{}\\{}",
        user.user, user.key
    ));
    let name = powershell_literal(&variable.name);
    Remedy::new(format!("Take {} of user {} out", variable.name, user.user))
        .step(Step::text(
            "Ask the user, or find out which program set it.",
        ))
        .step(Step::powershell(
            "Remove the value, while the user is logged on.",
            format!("Remove-ItemProperty {key} -Name {name}"),
        ))
        .risk(Risk::Low, "In force at the user's next logon.")
        .undo(Step::powershell(
            "Set it again.",
            format!(
                "Set-ItemProperty {key} -Name {name} -Type ExpandString -Value {}",
                powershell_literal(&variable.text)
            ),
        ))
        .verify(Step::powershell(
            "The value is gone.",
            format!("(Get-Item {key}).GetValue({name})"),
        ))
}
