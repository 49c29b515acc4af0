//! `rdp-port`: which port Remote Desktop is set to, and whether its service listens there.

mod config;
mod remedies;
mod runtime;

use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::verdict::Category;
use crate::facts::Snapshot;
use crate::facts::remote_desktop::{Kind, Listener};

use self::runtime::Runtime;

/// The check.
pub const CHECK: Check = Check {
    id: "rdp-port",
    category: Category::RemoteDesktop,
    title: "Remote Desktop port",
    page: include_str!("rdp_port.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::helpful("registry.software"),
        Input::helpful("network.tcp"),
        Input::helpful("network.netstat-text"),
        Input::helpful("services.table"),
        Input::helpful("processes.table"),
        Input::helpful("network.port-ranges"),
        Input::helpful("network.probes"),
        Input::helpful("system.activation"),
        Input::helpful("eventlog.rdpcorets-operational"),
        Input::helpful("eventlog.rcm-operational"),
    ],
    thresholds: &[],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    let snapshot = cx.snapshot;
    let rdp = &snapshot.remote_desktop;
    let mut judge = Judge::new();
    if rdp.edition_may_host.value() == Some(&false) {
        judge.exhibit(
            "ProductPolicy: AllowRemoteConnections = 0",
            &rdp.edition_may_host,
        );
        return judge
            .not_applicable("this edition of Windows cannot accept Remote Desktop connections");
    }
    judge.require(
        &rdp.listeners,
        "the configuration of the listeners",
        "the SYSTEM hive (registry.system)",
    );
    let Some(listener) = rdp.rdp_tcp() else {
        if rdp.listeners.is_settled() {
            judge.lacks(
                "there is no listener RDP-Tcp, so there is no port to judge (see rdp-tcp)",
                "the key Control\\Terminal Server\\WinStations\\RDP-Tcp",
            );
        }
        return judge.finish("", "");
    };
    judge.require(
        &listener.port,
        "PortNumber of RDP-Tcp",
        "the SYSTEM hive (registry.system)",
    );
    let sound = config::invalid_port(&mut judge, listener)
        & config::wrong_type(&mut judge, listener)
        & config::same_port(&mut judge, rdp);
    let Some(port) = listener.port_number() else {
        return judge.finish("", "");
    };
    let runtime = Runtime::of(snapshot, listener, port);
    if sound && runtime.is_expected_to_be_silent() {
        judge.exhibit(format!("configured port {port}"), &listener.port);
        judge.exhibit("fDenyTSConnections", &rdp.deny.effective);
        return judge.not_applicable(format!(
            "connections are refused (see rdp-allowed), so nothing has to listen on port {port}"
        ));
    }
    runtime.judge(&mut judge);
    config::unusual_port(&mut judge, listener, port);
    config::dynamic_range(&mut judge, snapshot, port);
    config::one_adapter(&mut judge, listener);
    config::redirect(&mut judge, snapshot, port);
    show(&mut judge, snapshot, listener, port, &runtime);
    judge.finish(
        format!("Remote Desktop listens on its port {port}"),
        known(snapshot, listener, port),
    )
}

/// Evidence that is shown whatever the verdict.
fn show(
    judge: &mut Judge,
    snapshot: &Snapshot,
    listener: &Listener,
    port: u16,
    runtime: &Runtime<'_>,
) {
    let logged = &snapshot.remote_desktop.logged;
    let configured = if listener.port.is_absent() {
        format!("PortNumber is absent, which stands for {port}")
    } else {
        format!("PortNumber = {port}")
    };
    judge.exhibit(configured, &listener.port);
    if let Some(event) = logged.newest(Kind::UdpListener) {
        let used = event.subject.as_deref().unwrap_or("?");
        judge.exhibit_evidence(
            format!("the UDP listener took port {used} at {}", event.time),
            std::slice::from_ref(&event.evidence),
        );
        if used != port.to_string() {
            let perhaps = if runtime.listens() {
                ""
            } else {
                ", or the change waits for a restart of the service"
            };
            judge.note(format!(
                "at {} the service listened on port {used}, not on {port}: the port was changed since{perhaps}",
                event.time
            ));
        }
    }
    let license = &snapshot.activation.windows;
    if let Some(status) = license
        .value()
        .map(|license| license.status)
        .filter(|status| *status != 1)
    {
        judge.note(format!("Windows is not activated (LicenseStatus {status})"));
        judge.exhibit(format!("LicenseStatus = {status}"), license);
    }
    if let Some(event) = logged.newest_connection() {
        judge.exhibit_evidence(
            format!("the listener took a connection at {}", event.time),
            std::slice::from_ref(&event.evidence),
        );
    }
}

/// What is known where the whole is not.
fn known(snapshot: &Snapshot, listener: &Listener, port: u16) -> String {
    let changed = listener.key.value().and_then(|key| key.last_write);
    let proof = snapshot
        .remote_desktop
        .logged
        .newest_connection()
        .filter(|event| changed.is_some_and(|changed| changed <= event.time));
    match proof {
        Some(event) => format!(
            "port {port} is configured, and the listener took a connection at {}, after its last change",
            event.time
        ),
        None => format!("port {port} is configured"),
    }
}

#[cfg(test)]
mod tests;
