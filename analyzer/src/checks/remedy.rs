//! Remedies: complete commands with their risk, undo and verification.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How to mend a finding, complete enough to be carried out as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// What it achieves, in one line.
    pub title: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// How much can go wrong.
    pub risk: Risk,
    /// What can go wrong, and what to do first.
    pub caution: String,
    /// What it interrupts.
    pub interrupts: Interruption,
    /// How to put back what was there; the commands carry the snapshot's old values.
    pub undo: Vec<Step>,
    /// How to see that it worked.
    pub verify: Vec<Step>,
}

/// One step: what to do and, where there is one, the command that does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// What the step does, or what to look at.
    pub text: String,
    /// The command, ready to paste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
}

/// A command and the shell it is written for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// The shell.
    pub shell: Shell,
    /// The lines.
    pub text: String,
}

/// Where a command is typed; always elevated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shell {
    /// Windows PowerShell 5.1 or later.
    Powershell,
    /// `cmd.exe`; the command works in PowerShell, too.
    Cmd,
}

/// How much can go wrong.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Reversible at once and without side effects.
    Low,
    /// Reversible; something else may notice.
    Medium,
    /// May lock somebody out or lose data: snapshot first.
    High,
}

/// What carrying out a remedy interrupts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Interruption {
    /// Nothing.
    Nothing,
    /// Remote Desktop sessions are cut: work from the console.
    Sessions,
    /// The network is cut: work from the console.
    Network,
    /// Windows restarts.
    Restart,
}

impl Remedy {
    /// A remedy of low risk that interrupts nothing, to be filled in.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            steps: Vec::new(),
            risk: Risk::Low,
            caution: String::new(),
            interrupts: Interruption::Nothing,
            undo: Vec::new(),
            verify: Vec::new(),
        }
    }

    /// With a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// With its risk and what to mind.
    #[must_use]
    pub fn risk(mut self, risk: Risk, caution: impl Into<String>) -> Self {
        self.risk = risk;
        self.caution = caution.into();
        self
    }

    /// With what it interrupts.
    #[must_use]
    pub fn interrupts(mut self, interruption: Interruption) -> Self {
        self.interrupts = interruption;
        self
    }

    /// With a step that undoes it.
    #[must_use]
    pub fn undo(mut self, step: Step) -> Self {
        self.undo.push(step);
        self
    }

    /// With a step that verifies it.
    #[must_use]
    pub fn verify(mut self, step: Step) -> Self {
        self.verify.push(step);
        self
    }
}

impl Step {
    /// A step without a command.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            command: None,
        }
    }

    /// A step carried out in PowerShell.
    pub fn powershell(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self::command(text, Shell::Powershell, command)
    }

    /// A step carried out in `cmd.exe`.
    pub fn cmd(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self::command(text, Shell::Cmd, command)
    }

    fn command(text: impl Into<String>, shell: Shell, command: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            command: Some(Command {
                shell,
                text: command.into(),
            }),
        }
    }
}

/// A text as a PowerShell string literal: in single quotes, so that nothing in it is expanded.
///
/// Values of a snapshot are hostile; PowerShell takes the typographic quotes U+2018 to U+201B as
/// single quotes, too, so they are doubled like the plain one. Control characters become spaces,
/// so that a pasted command cannot contain a line of its own.
pub fn powershell_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\u{2018}'..='\u{201b}' => literal.extend([c, c]),
            c if c.is_control() => literal.push(' '),
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_value_stays_inside_its_literal() {
        assert_eq!(powershell_literal("plain"), "'plain'");
        assert_eq!(powershell_literal("a'; evil; '"), "'a''; evil; '''");
        assert_eq!(
            powershell_literal("a\u{2019}; evil"),
            "'a\u{2019}\u{2019}; evil'"
        );
        assert_eq!(powershell_literal("a\r\nevil"), "'a  evil'");
        assert_eq!(powershell_literal("$(evil)"), "'$(evil)'");
    }
}
