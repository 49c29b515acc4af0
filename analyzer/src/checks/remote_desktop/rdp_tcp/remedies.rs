//! How to mend a listener.

use super::gates;
use super::protocol;
use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::checks::remote_desktop::registry::{POLICIES, SERVER, get, put_back, set, station};
use crate::facts::Snapshot;
use crate::facts::fact::{Fact, State};
use crate::facts::remote_desktop::{Layer, Listener, RDP_TCP, RemoteDesktop};
use crate::facts::sources::registry::Number;

const STATIONS: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations";
const DROPS: &str = "Restarting the service ends every Remote Desktop session: work from the console or the cloud's own channel.";

/// The step that makes the service take a changed listener.
fn restart_step() -> Step {
    Step::powershell(
        "Restart the service, so that it takes the change.",
        "Restart-Service TermService -Force",
    )
}

fn listens() -> Step {
    Step::cmd(
        "The listener stands there with the session id 65536 or above.",
        "qwinsta",
    )
}

/// Sets a switch of a listener or of the server, which the service takes with its next start.
pub(super) fn switch(key: &str, name: &str, value: u64, old: &Fact<Number>) -> Remedy {
    Remedy::new(format!("Set {name} to {value}"))
        .risk(Risk::Low, DROPS)
        .interrupts(Interruption::Sessions)
        .step(Step::powershell("Set the value.", set(key, name, value)))
        .step(restart_step())
        .undo(put_back(key, name, old))
        .undo(restart_step())
        .verify(Step::powershell("The value is there.", get(key, name)))
        .verify(listens())
}

/// Lets new logons in.
pub(super) fn logons(key: &str, name: &str, old: &Fact<Number>) -> Remedy {
    Remedy::new("Let new logons in")
        .risk(
            Risk::Low,
            "Somebody may have refused logons for maintenance: ask before you end it.",
        )
        .step(Step::powershell("Set the value.", set(key, name, 0)))
        .step(Step::text(
            "If logons are refused all the same, restart the service TermService from the console; that ends every session.",
        ))
        .undo(put_back(key, name, old))
        .verify(Step::powershell("The value is 0.", get(key, name)))
        .verify(Step::cmd("Windows says that logons are enabled.", "change logon /query"))
}

/// Ends drain mode.
pub(super) fn end_drain(mode: &Fact<Number>) -> Remedy {
    let again = match mode.value().and_then(|number| number.value) {
        Some(2) => "change logon /drainuntilrestart",
        _ => "change logon /drain",
    };
    Remedy::new("End drain mode")
        .risk(
            Risk::Low,
            "Somebody may drain the server for maintenance: ask before you end it.",
        )
        .step(Step::cmd(
            "Take new sessions again.",
            "change logon /enable",
        ))
        .undo(Step::cmd(
            "Drain the server again, as it was in the snapshot.",
            again,
        ))
        .undo(put_back(SERVER, "TSServerDrainMode", mode))
        .verify(Step::cmd(
            "Windows says that logons are enabled.",
            "change logon /query",
        ))
}

/// Removes the limit of sessions, in the layer that sets it.
pub(super) fn instances(listener: &Listener) -> Remedy {
    const NAME: &str = "MaxInstanceCount";
    let (layer, old) = gates::deciding(listener);
    let key = match layer {
        Layer::Policy => POLICIES.to_owned(),
        Layer::Local => station(&listener.name),
    };
    let mut remedy = Remedy::new("Remove the limit of sessions").risk(
        Risk::Low,
        "More sessions need memory and, on a session host, licences. Without that role two sessions stay the limit.",
    );
    if layer == Layer::Policy {
        remedy = remedy.step(Step::cmd(
            "A policy sets the limit (\"Limit number of connections\"): find it and change it there, or it comes back with the next refresh.",
            r"gpresult /scope computer /h %TEMP%\gp.html",
        ));
    }
    remedy
        .interrupts(Interruption::Sessions)
        .step(Step::powershell(
            "Set no limit (0xFFFFFFFF, which PowerShell writes as -1).",
            set(&key, NAME, u64::from(u32::MAX)),
        ))
        .step(restart_step())
        .undo(put_back(&key, NAME, old))
        .undo(restart_step())
        .verify(Step::powershell(
            "The value is 4294967295.",
            get(&key, NAME),
        ))
}

/// Writes a value with its right type.
pub(super) fn retype(key: &str, name: &str, healthy: u64, old: &Fact<Number>) -> Remedy {
    let remove = || {
        format!(
            "Remove-ItemProperty -LiteralPath {} -Name {name}",
            powershell_literal(key)
        )
    };
    Remedy::new(format!("Write {name} with its right type"))
        .risk(Risk::Low, "The number is the one that Windows sets up.")
        .step(Step::powershell(
            "Remove the value, whose type would stay otherwise.",
            remove(),
        ))
        .step(Step::powershell(
            "Write it as Windows does.",
            set(key, name, healthy),
        ))
        .undo(Step::powershell("Remove the new value.", remove()))
        .undo(put_back(key, name, old))
        .verify(Step::powershell("The value is there.", get(key, name)))
}

/// Turns TLS on.
pub(super) fn tls(listener: &Listener) -> Remedy {
    const NAME: &str = "SecurityLayer";
    let layer = &listener.security_layer;
    let (key, old) = match layer.decided_by() {
        Some(Layer::Policy) => (POLICIES.to_owned(), &layer.policy),
        _ => (station(&listener.name), &layer.local),
    };
    Remedy::new("Demand TLS")
        .risk(
            Risk::Medium,
            "Clients older than Windows XP SP3 cannot connect afterwards, and a broken certificate keeps everybody out (see rdp-certificate).",
        )
        .step(Step::powershell("Demand TLS; new connections follow.", set(&key, NAME, 2)))
        .undo(put_back(&key, NAME, old))
        .verify(Step::powershell("The value is 2.", get(&key, NAME)))
}

/// Sets the class that Windows listens with.
pub(super) fn class(snapshot: &Snapshot, listener: &Listener) -> Remedy {
    const NAME: &str = "LoadableProtocol_Object";
    let key = powershell_literal(&station(&listener.name));
    let write = |class: &str| {
        format!(
            "Set-ItemProperty -LiteralPath {key} -Name {NAME} -Value {} -Type String",
            powershell_literal(class)
        )
    };
    let expected = protocol::expected(snapshot).unwrap_or(protocol::CLASS_8);
    let undo = match &listener.protocol_object.state {
        State::Known(old) => Step::powershell("Put the old class back.", write(&old.text)),
        _ => Step::powershell(
            "Remove the value again.",
            format!("Remove-ItemProperty -LiteralPath {key} -Name {NAME}"),
        ),
    };
    Remedy::new("Let Windows' own class listen")
        .risk(
            Risk::Medium,
            format!("A product that put its own class there stops working. {DROPS}"),
        )
        .interrupts(Interruption::Sessions)
        .step(Step::powershell(
            "Set the class of this version of Windows.",
            write(expected),
        ))
        .step(restart_step())
        .undo(undo)
        .undo(restart_step())
        .verify(listens())
}

/// Registers the class again.
pub(super) fn registration(class: &str) -> Remedy {
    Remedy::new("Register the class that listens again")
        .risk(
            Risk::Medium,
            "Take the key only from a machine with the same version and build of Windows.",
        )
        .interrupts(Interruption::Sessions)
        .step(Step::cmd(
            "Look for damaged system files first.",
            "sfc /verifyonly",
        ))
        .step(Step::powershell(
            "On a healthy machine of the same version, export the class, and bring the file here.",
            format!(
                "reg export {} C:\\rdp-class.reg /y",
                powershell_literal(&format!("HKLM\\SOFTWARE\\Classes\\CLSID\\{class}"))
            ),
        ))
        .step(Step::cmd("Import it.", r"reg import C:\rdp-class.reg"))
        .step(restart_step())
        .undo(Step::powershell(
            "Remove the class again.",
            format!(
                "reg delete {} /f",
                powershell_literal(&format!("HKLM\\SOFTWARE\\Classes\\CLSID\\{class}"))
            ),
        ))
        .verify(listens())
}

/// Brings a missing listener back.
pub(super) fn import(rdp: &RemoteDesktop) -> Remedy {
    let remedy = Remedy::new("Bring the listener RDP-Tcp back");
    // Without a listener there is no list to put back: the undo removes what was imported.
    let undo = Step::cmd(
        "Remove the imported listener.",
        format!(r#"reg delete "{STATIONS}\{RDP_TCP}" /f"#),
    );
    let others = rdp.listeners.value().map_or(0, Vec::len);
    whole(remedy, others).undo(undo)
}

/// Puts a listener back as Windows sets it up.
pub(super) fn restore(listener: &Listener) -> Remedy {
    let remedy = Remedy::new(format!(
        "Find out who changed the listener {}, and set it up anew",
        listener.name
    ))
    .step(Step::text(
        "Products that extend Remote Desktop replace the protocol or its driver. If one of them is installed, repair or remove it with its own setup, and stop here.",
    ));
    whole(remedy, 1).undo(Step::cmd(
        "Import the listeners as they were.",
        r"reg import C:\winstations-before.reg",
    ))
}

/// The steps that import one listener from a healthy machine.
fn whole(remedy: Remedy, others: usize) -> Remedy {
    let before = if others == 0 {
        "Save what is there."
    } else {
        "Save the listeners that are there."
    };
    remedy
        .risk(
            Risk::Medium,
            format!("Take the listener RDP-Tcp alone, from a machine with the same version of Windows: the whole key WinStations carries the other machine's certificate and permissions. {DROPS}"),
        )
        .interrupts(Interruption::Sessions)
        .step(Step::cmd(
            before,
            format!(r#"reg export "{STATIONS}" C:\winstations-before.reg /y"#),
        ))
        .step(Step::cmd(
            "On a healthy machine of the same version, export the listener, and bring the file here.",
            format!(r#"reg export "{STATIONS}\{RDP_TCP}" C:\rdp-tcp.reg /y"#),
        ))
        .step(Step::cmd("Import it.", r"reg import C:\rdp-tcp.reg"))
        .step(Step::powershell(
            "Remove the other machine's certificate, if it came along; Windows makes a new one.",
            format!("Remove-ItemProperty -LiteralPath {} -Name SSLCertificateSHA1Hash -ErrorAction SilentlyContinue", powershell_literal(&station(RDP_TCP))),
        ))
        .step(restart_step())
        .verify(listens())
        .verify(Step::powershell(
            "Something listens on the port.",
            "Get-NetTCPConnection -LocalPort 3389 -State Listen",
        ))
}

/// Looks at listeners that nobody knows.
pub(super) fn look_at(listeners: &[&Listener]) -> Remedy {
    let mut remedy = Remedy::new("Find out whose listener it is").risk(
        Risk::Medium,
        "Switching off a listener that a product needs cuts its users off.",
    );
    for one in listeners {
        let key = station(&one.name);
        remedy = remedy
            .step(Step::powershell(
                format!("See what {} is.", one.name),
                format!("Get-ItemProperty -LiteralPath {}", powershell_literal(&key)),
            ))
            .step(Step::powershell(
                "If nobody needs it, switch it off; the service takes that with its next start.",
                set(&key, "fEnableWinStation", 0),
            ))
            .undo(put_back(&key, "fEnableWinStation", &one.enabled));
    }
    remedy.verify(Step::cmd(
        "The listener is gone after the next start of the service.",
        "qwinsta",
    ))
}

/// Starts the listener again.
pub(super) fn restart() -> Remedy {
    Remedy::new("Start the listener again")
        .risk(Risk::Medium, DROPS)
        .interrupts(Interruption::Sessions)
        .step(Step::text(
            "Look at rdp-port and rdp-certificate first: a port that is taken and a certificate that cannot be read are the usual causes.",
        ))
        .step(restart_step())
        .undo(Step::text("Nothing was changed."))
        .verify(listens())
}
