//! Registry values of Remote Desktop in remedies.

use crate::checks::remedy::{Step, powershell_literal};
use crate::facts::fact::{Fact, State};
use crate::facts::sources::registry::Number;

/// The local settings of Remote Desktop Services.
pub(super) const SERVER: &str = r"HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server";
/// Its policies.
pub(super) const POLICIES: &str = r"HKLM:\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";
/// The group of the firewall's own Remote Desktop rules, by a name that no language changes.
pub(super) const FIREWALL_GROUP: &str = "'@FirewallAPI.dll,-28752'";

/// The key of a listener.
pub(super) fn station(name: &str) -> String {
    format!(r"{SERVER}\WinStations\{name}")
}

/// The command that sets a `REG_DWORD`. Windows PowerShell takes a number above `0x7FFFFFFF` only
/// as the negative one with the same bits.
pub(in crate::checks) fn set(key: &str, name: &str, value: u64) -> String {
    let path = powershell_literal(key);
    let value = u32::try_from(value).map_or_else(
        |_| value.to_string(),
        |value| value.cast_signed().to_string(),
    );
    format!("Set-ItemProperty -LiteralPath {path} -Name {name} -Value {value} -Type DWord")
}

/// The command that shows a value.
pub(in crate::checks) fn get(key: &str, name: &str) -> String {
    format!(
        "Get-ItemProperty -LiteralPath {} -Name {name}",
        powershell_literal(key)
    )
}

/// The step that puts back what the snapshot holds, with its type; a value that was absent is
/// removed.
pub(in crate::checks) fn put_back(key: &str, name: &str, fact: &Fact<Number>) -> Step {
    let path = powershell_literal(key);
    let raw = fact.evidence.first().map(|evidence| &evidence.raw);
    let command = match (&fact.state, raw.and_then(|raw| raw.as_str())) {
        (State::Absent, _) => format!("Remove-ItemProperty -LiteralPath {path} -Name {name}"),
        (State::Known(number), None) => match (number.value, number.wrong_type.as_deref()) {
            (Some(value), None) => set(key, name, value),
            (Some(value), Some("REG_QWORD")) => {
                format!(
                    "Set-ItemProperty -LiteralPath {path} -Name {name} -Value {value} -Type QWord"
                )
            }
            _ => return unknown(name),
        },
        (State::Known(number), Some(text)) => match number.wrong_type.as_deref() {
            Some("REG_SZ") => format!(
                "Set-ItemProperty -LiteralPath {path} -Name {name} -Value {} -Type String",
                powershell_literal(text)
            ),
            Some("REG_EXPAND_SZ") => format!(
                "Set-ItemProperty -LiteralPath {path} -Name {name} -Value {} -Type ExpandString",
                powershell_literal(text)
            ),
            _ => return unknown(name),
        },
        _ => return unknown(name),
    };
    Step::powershell(
        format!("Put {name} back as it was in the snapshot."),
        command,
    )
}

fn unknown(name: &str) -> Step {
    Step::text(format!(
        "The snapshot does not tell the old value of {name} in a form that can be typed: export \
         the key before the change (reg export), and import that file."
    ))
}

/// A value in words.
pub(super) fn shown(fact: &Fact<Number>) -> String {
    match &fact.state {
        State::Known(Number {
            value: Some(value),
            wrong_type,
        }) => match wrong_type {
            Some(kind) => format!("{value} ({kind})"),
            None => value.to_string(),
        },
        State::Known(_) => "no number".to_owned(),
        State::Absent => "absent".to_owned(),
        _ => "not known".to_owned(),
    }
}

/// Whether a value is there with a type that Windows may not take.
pub(super) fn is_mistyped(fact: &Fact<Number>) -> bool {
    fact.value()
        .is_some_and(|number| number.wrong_type.is_some() || number.value.is_none())
}

/// The number in a value, or `default` where it is absent; `None` where it cannot be read or is
/// no number.
pub(super) fn number_or(fact: &Fact<Number>, default: u64) -> Option<u64> {
    let default = Number {
        value: Some(default),
        wrong_type: None,
    };
    fact.value_or(default)?.value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::evidence::Evidence;
    use crate::facts::locator::Locator;

    fn value(value: Option<u64>, wrong_type: Option<&str>, raw: serde_json::Value) -> Fact<Number> {
        let number = Number {
            value,
            wrong_type: wrong_type.map(str::to_owned),
        };
        let place = Locator::value("SYSTEM", "k", "v");
        Fact::known(number, [Evidence::new("registry/SYSTEM", place, raw)])
    }

    fn command(fact: &Fact<Number>) -> Option<String> {
        let step = put_back(r"HKLM:\k", "v", fact);
        step.command.map(|command| command.text)
    }

    #[test]
    fn the_old_value_comes_back_with_its_type() {
        let with = |rest: &str| {
            Some(format!(
                r"Set-ItemProperty -LiteralPath 'HKLM:\k' -Name v {rest}"
            ))
        };
        for (fact, undo) in [
            (value(Some(7), None, json!(7)), with("-Value 7 -Type DWord")),
            (
                value(Some(0xffff_ffff), None, json!(0xffff_ffff_u32)),
                with("-Value -1 -Type DWord"),
            ),
            (
                value(Some(7), Some("REG_QWORD"), json!(7)),
                with("-Value 7 -Type QWord"),
            ),
            (
                value(Some(7), Some("REG_SZ"), json!("7")),
                with("-Value '7' -Type String"),
            ),
            (
                value(None, Some("REG_EXPAND_SZ"), json!("%x%")),
                with("-Value '%x%' -Type ExpandString"),
            ),
            (
                Fact::absent([]),
                Some(r"Remove-ItemProperty -LiteralPath 'HKLM:\k' -Name v".to_owned()),
            ),
            // No command can type these.
            (value(Some(7), Some("REG_BINARY"), json!(7)), None),
            (value(None, Some("REG_MULTI_SZ"), json!("a")), None),
            (Fact::unreadable("x", []), None),
        ] {
            assert_eq!(command(&fact), undo);
        }
    }

    #[test]
    fn a_value_is_shown_as_it_is() {
        for (fact, words) in [
            (value(Some(7), None, json!(7)), "7"),
            (value(Some(7), Some("REG_SZ"), json!("7")), "7 (REG_SZ)"),
            (value(None, None, json!(null)), "no number"),
            (Fact::absent([]), "absent"),
            (Fact::not_collected("x"), "not known"),
        ] {
            assert_eq!(shown(&fact), words);
        }
        assert_eq!(get("k", "v"), "Get-ItemProperty -LiteralPath 'k' -Name v");
    }
}
