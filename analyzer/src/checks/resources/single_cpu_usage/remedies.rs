//! How to spread the load.

use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::facts::consumers::Consumer;
use crate::facts::fact::Fact;
use crate::facts::receive_scaling::ReceiveScaling;

/// Packets are processed on one processor.
pub(super) fn spread_packets(off: &[&ReceiveScaling]) -> Remedy {
    let mut remedy = Remedy::new("Spread network packets over the processors")
        .risk(
            Risk::Medium,
            "The adapter restarts: connections, Remote Desktop among them, are cut for some seconds. Work from the cloud's console.",
        )
        .interrupts(Interruption::Network)
        .step(Step::powershell(
            "See which adapters can, and which do.",
            "Get-NetAdapterRss | Format-Table Name, InterfaceDescription, Enabled, NumberOfReceiveQueues, MaxProcessors",
        ));
    if off.is_empty() {
        remedy = remedy.step(Step::powershell(
            "Turn it on where it is off; <name> stands for the adapter's name.",
            "Enable-NetAdapterRss -Name '<name>'",
        ));
        remedy = remedy.undo(Step::powershell(
            "Turn it off again where it was off.",
            "Disable-NetAdapterRss -Name '<name>'",
        ));
    }
    for adapter in off {
        let name = powershell_literal(&adapter.adapter);
        remedy = remedy
            .step(Step::powershell(
                format!("Turn it on for {}.", adapter.adapter),
                format!("Enable-NetAdapterRss -InterfaceDescription {name}"),
            ))
            .undo(Step::powershell(
                format!(
                    "Turn it off again for {}, as it was at capture.",
                    adapter.adapter
                ),
                format!("Disable-NetAdapterRss -InterfaceDescription {name}"),
            ));
    }
    remedy
        .step(Step::text(
            "If it stays on one processor, update the adapter's driver (NetKVM, ENA, gVNIC, vmxnet3) and let the cloud give the instance more queues.",
        ))
        .verify(Step::powershell(
            "DPC time is spread over the processors.",
            r"Get-Counter '\Processor Information(*)\% DPC Time' -SampleInterval 5 -MaxSamples 6",
        ))
}

/// One thread cannot use more than one processor.
pub(super) fn single_thread(list: &Fact<Vec<Consumer>>) -> Remedy {
    let mut remedy = Remedy::new("Find the program that runs on one processor").risk(
        Risk::Low,
        "Only looks. More processors do not help one thread; a faster one does.",
    );
    if let Some(first) = list.value().and_then(|list| list.first()) {
        remedy = remedy.step(Step::powershell(
            format!("See whether {} is bound to a processor; its id may belong to another process by now.", first.name()),
            format!("Get-Process -Id {} | Select-Object Name, Id, CPU, ProcessorAffinity, Path", first.pid),
        ));
    }
    remedy
        .step(Step::powershell(
            "List the busiest processes with their affinity: a value with few bits set was set by somebody.",
            "Get-Process | Sort-Object CPU -Descending | Select-Object -First 10 Name, Id, CPU, ProcessorAffinity",
        ))
        .step(Step::text("Ask the program's maker how it uses more processors; remove an affinity that nobody needs."))
        .undo(Step::text("Nothing was changed; note an affinity before it is removed."))
        .verify(Step::text("Collect again under the same load: the check is ok."))
}
