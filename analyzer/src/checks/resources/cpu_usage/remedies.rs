//! How to find what is busy.

use crate::checks::remedy::{Remedy, Risk, Step, powershell_literal};
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Text;

/// A trace names the function.
pub(super) fn trace() -> Remedy {
    Remedy::new("Trace what the processors do")
        .risk(
            Risk::Low,
            "The trace takes some memory and disk while it runs: a minute is enough.",
        )
        .step(Step::cmd("Start the trace.", "wpr -start CPU -filemode"))
        .step(Step::cmd(
            "After a minute stop it and open the file in Windows Performance Analyzer.",
            r"wpr -stop %TEMP%\cpu.etl",
        ))
        .undo(Step::cmd(
            "End the trace without a file, and delete the file when it is not needed.",
            "wpr -cancel",
        ))
        .verify(Step::cmd("No trace runs.", "wpr -status"))
}

/// The plan that saves energy slows the processors.
pub(super) fn power_plan(old: &Fact<Text>) -> Remedy {
    let undo = match old.value() {
        Some(plan) => Step::powershell(
            "Set the old plan again.",
            format!("powercfg /setactive {}", powershell_literal(&plan.text)),
        ),
        None => Step::text("The snapshot does not hold the old plan."),
    };
    Remedy::new("Use the power plan for high performance")
        .risk(Risk::Low, "On a virtual machine it costs nothing.")
        .step(Step::cmd(
            "Set the plan; it works at once.",
            "powercfg /setactive 8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c",
        ))
        .undo(undo)
        .verify(Step::cmd(
            "The plan is in force.",
            "powercfg /getactivescheme",
        ))
}
