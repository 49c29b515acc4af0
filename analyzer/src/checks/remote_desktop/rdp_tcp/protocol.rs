//! The class and the library that listen.

use super::remedies;
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::Snapshot;
use crate::facts::fact::State;
use crate::facts::remote_desktop::Listener;

/// The class of Windows 7 and Server 2008 R2.
pub(super) const CLASS_7: &str = "{18b726bb-6fe6-4fb9-9276-ed57ce7c7cb2}";
/// The class of Windows 8, Server 2012 and later.
pub(super) const CLASS_8: &str = "{5828227c-20cf-4408-b73f-73ab70b8849f}";
/// The first build of Windows 8.
const BUILD_8: u32 = 9200;

/// The class that this version of Windows listens with.
pub(super) fn expected(snapshot: &Snapshot) -> Option<&'static str> {
    let build = *snapshot.machine.build.value()?;
    Some(if build < BUILD_8 { CLASS_7 } else { CLASS_8 })
}

/// A class that is missing, foreign or not registered: critical where nothing listens though it
/// should, nothing where something does, a warning where that was not seen.
pub(super) fn judge(judge: &mut Judge, snapshot: &Snapshot, listener: &Listener) {
    let listening = is_listening(snapshot, listener);
    let class = listener
        .protocol_object
        .value()
        .map(|class| class.text.as_str());
    let foreign = listener.protocol_object.is_settled().then(|| {
        !class.is_some_and(|class| match expected(snapshot) {
            Some(expected) => class.eq_ignore_ascii_case(expected),
            None => [CLASS_7, CLASS_8]
                .iter()
                .any(|known| class.eq_ignore_ascii_case(known)),
        })
    });
    let unregistered = match listener.protocol_library.state {
        _ if foreign != Some(false) => Some(false),
        State::Absent => Some(true),
        State::Known(_) => Some(false),
        _ => None,
    };
    let class = class.unwrap_or("absent");
    let compared = format!("LoadableProtocol_Object = {class}, and nothing listens");
    let headline = match class {
        "absent" => format!(
            "{} names no class that listens (LoadableProtocol_Object)",
            listener.name
        ),
        _ => format!(
            "{} names a class that is not Windows' own (LoadableProtocol_Object = {class})",
            listener.name
        ),
    };
    let settled = decided(foreign, listening);
    if let Some((verdict, holds)) = settled
        && let Some(problem) = judge.rule(verdict, "foreign-class", compared, holds)
    {
        problem
            .headline(headline)
            .evidence_expected(
                format!("LoadableProtocol_Object = {class}"),
                expected(snapshot).unwrap_or(CLASS_8),
                &listener.protocol_object,
            )
            .remedy(remedies::class(snapshot, listener));
        if verdict == Verdict::Warning {
            problem
                .because("whether something listens on the port was not seen")
                .confidence(Confidence::Medium);
        }
    }
    let compared = format!("{class} has no InprocServer32, and nothing listens");
    if let Some((verdict, holds)) = decided(unregistered, listening)
        && let Some(problem) = judge.rule(verdict, "class-not-registered", compared, holds)
    {
        problem
            .headline(format!(
                "the class that listens for {} is not registered, so its library cannot be loaded",
                listener.name
            ))
            .evidence("the library of the class", &listener.protocol_library)
            .evidence("LoadableProtocol_Object", &listener.protocol_object)
            .remedy(remedies::registration(class));
        if verdict == Verdict::Warning {
            problem
                .because("whether something listens on the port was not seen")
                .confidence(Confidence::Medium);
        }
    }
    if foreign == Some(true) && listening == Some(true) {
        judge.note(format!("LoadableProtocol_Object of {} is {class}, and something listens on its port all the same", listener.name));
    }
}

/// The verdict of a fault of the class, and whether it holds.
fn decided(fault: Option<bool>, listening: Option<bool>) -> Option<(Verdict, Option<bool>)> {
    match listening {
        Some(false) => Some((Verdict::Critical, fault)),
        None => Some((Verdict::Warning, fault)),
        Some(true) => None,
    }
}

/// Whether something listens on the listener's port; `None` without a table of sockets, and where
/// nothing has to listen because connections are refused.
fn is_listening(snapshot: &Snapshot, listener: &Listener) -> Option<bool> {
    let on_port = snapshot.sockets.on_port(listener.port_number()?)?;
    let listens = !on_port.is_empty();
    let expected = snapshot.remote_desktop.is_denied() == Some(false);
    (listens || expected && snapshot.sockets.lists_every_listener()).then_some(listens)
}
