//! How to give Windows its processors back.

use crate::checks::os::boot_store::{Limit, remove};
use crate::checks::remedy::{Interruption, Remedy, Risk, Step};
use crate::facts::Snapshot;
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Number;

const USED: &str = "Get-CimInstance Win32_Processor | Select-Object DeviceID,NumberOfCores,NumberOfLogicalProcessors; $env:NUMBER_OF_PROCESSORS";

/// Removes `numproc` or `onecpu`.
pub(super) fn remove_limit(snapshot: &Snapshot, one_processor: bool) -> Remedy {
    let boot = &snapshot.boot_options;
    let stored = boot.processors.value().map(|setting| setting.value);
    let given = boot.given.value().and_then(|given| given.processors);
    let limit = if one_processor {
        Limit {
            name: "onecpu",
            setting: &boot.one_processor,
            old: Some("on".to_owned()),
            verify: USED,
        }
    } else {
        Limit {
            name: "numproc",
            setting: &boot.processors,
            old: stored.or(given).map(|count| count.to_string()),
            verify: USED,
        }
    };
    remove(snapshot, &limit)
}

/// Another topology of the virtual machine.
pub(super) fn sockets() -> Remedy {
    Remedy::new("Give the virtual machine fewer sockets with more cores each")
        .risk(
            Risk::Medium,
            "Changes the virtual hardware: Windows finds new processors at its next start. Nothing is to be changed in Windows.",
        )
        .interrupts(Interruption::Restart)
        .step(Step::text(
            "Shut the machine down, and at the hypervisor set one or two sockets with as many cores as there were processors. In a cloud choose another instance type or image edition.",
        ))
        .undo(Step::text("Set the old number of sockets and cores again."))
        .verify(Step::powershell("After the start.", USED))
}

/// Looks for what keeps processors unused.
pub(super) fn look(settings: &Fact<Number>) -> Remedy {
    let bits = settings.value().and_then(|number| number.value);
    let mitigation = match bits {
        Some(bits) => format!(
            "FeatureSettingsOverride is {bits}: see KB4072698 before changing it, for it guards against flaws of processors."
        ),
        None => "FeatureSettingsOverride is not set.".to_owned(),
    };
    Remedy::new("Find out what keeps processors unused")
        .step(Step::powershell("See what Windows uses.", USED))
        .step(Step::text(
            "Compare with the instance type: was it made smaller, or hyper-threading turned off?",
        ))
        .step(Step::text(mitigation))
        .verify(Step::powershell("The numbers agree.", USED))
}
