//! The switches that let sessions in.

use super::{remedies, since, wrong_type};
use crate::checks::check::Judge;
use crate::checks::remote_desktop::registry::{SERVER, number_or, shown, station};
use crate::checks::verdict::Verdict;
use crate::checks::words;
use crate::facts::fact::{Fact, State};
use crate::facts::remote_desktop::{Layer, Listener, RemoteDesktop, written};
use crate::facts::sources::registry::Number;

/// The switches of the whole server.
pub(super) fn server(judge: &mut Judge, rdp: &RemoteDesktop) {
    let off = number_or(&rdp.enabled, 1).map(|value| value == 0);
    let compared = format!("TSEnabled = {} (0)", shown(&rdp.enabled));
    if let Some(problem) = judge.rule(Verdict::Critical, "server-disabled", compared, off) {
        problem
            .headline("Remote Desktop Services are switched off as a whole (TSEnabled = 0)")
            .evidence_expected("TSEnabled = 0", "1 or absent", &rdp.enabled)
            .remedy(remedies::switch(SERVER, "TSEnabled", 1, &rdp.enabled));
    }
    let refused = number_or(&rdp.logons_disabled, 0).map(|value| value != 0);
    let compared = format!("TSUserEnabled = {} (not 0)", shown(&rdp.logons_disabled));
    let rule = judge.rule(
        Verdict::Critical,
        "server-logons-refused",
        compared,
        refused,
    );
    if let Some(problem) = rule {
        let shown = shown(&rdp.logons_disabled);
        problem
            .headline("new logons are refused on the whole server (TSUserEnabled)")
            .because("the value is inverted: 0 lets users log on, 1 keeps them out")
            .evidence_expected(
                format!("TSUserEnabled = {shown}"),
                "0",
                &rdp.logons_disabled,
            )
            .remedy(remedies::logons(
                SERVER,
                "TSUserEnabled",
                &rdp.logons_disabled,
            ));
        if let Some(reason) = since(rdp, written(&rdp.logons_disabled)) {
            problem.because(reason);
        }
    }
    drain(judge, rdp);
    for (name, healthy, fact) in [
        ("TSEnabled", 1, &rdp.enabled),
        ("TSUserEnabled", 0, &rdp.logons_disabled),
        ("TSServerDrainMode", 0, &rdp.drain_mode),
    ] {
        wrong_type(judge, SERVER, name, healthy, fact);
    }
}

/// Drain mode: on a single host nobody new gets in, on a member of a farm it may be intended.
fn drain(judge: &mut Judge, rdp: &RemoteDesktop) {
    let mode = number_or(&rdp.drain_mode, 0);
    let drained = mode.map(|mode| mode != 0);
    let member = match rdp.session_directory.effective.state {
        State::Absent => Some(false),
        _ => rdp.session_directory.effective.value().map(|on| *on != 0),
    };
    let alone = match (drained, member) {
        (Some(false), _) | (_, Some(true)) => Some(false),
        (drained, Some(false)) => drained,
        (_, None) => None,
    };
    let rest = match (drained, alone) {
        (Some(true), Some(true)) => Some(false),
        (drained, _) => drained,
    };
    let until = match mode {
        Some(2) => "until the next restart",
        _ => "until somebody ends it",
    };
    let mode = shown(&rdp.drain_mode);
    for (verdict, rule, holds, headline) in [
        (
            Verdict::Critical,
            "drain",
            alone,
            format!("the server is in drain mode: it takes no new sessions {until}"),
        ),
        (
            Verdict::Warning,
            "drain-in-farm",
            rest,
            match member {
                Some(true) => format!(
                    "this member of a farm is in drain mode {until}, which may be intended: its broker sends new sessions elsewhere"
                ),
                _ => format!(
                    "the server is in drain mode {until}; whether it is a member of a farm is not known"
                ),
            },
        ),
    ] {
        let compared = format!(
            "TSServerDrainMode = {mode} (not 0), farm member: {}",
            words::answer(member)
        );
        if let Some(problem) = judge.rule(verdict, rule, compared, holds) {
            problem
                .headline(headline)
                .evidence_expected(
                    format!("TSServerDrainMode = {mode}"),
                    "0 or absent",
                    &rdp.drain_mode,
                )
                .evidence("SessionDirectoryActive", &rdp.session_directory.effective)
                .remedy(remedies::end_drain(&rdp.drain_mode));
        }
    }
    if rest == Some(true) && member.is_none() {
        judge.would_help(super::SOFTWARE);
    }
}

pub(super) fn disabled(judge: &mut Judge, listener: &Listener) {
    let fact = &listener.enabled;
    let holds = listener.is_enabled().map(|enabled| !enabled);
    let compared = format!("fEnableWinStation = {} (0)", shown(fact));
    let key = station(&listener.name);
    if let Some(problem) = judge.rule(Verdict::Critical, "disabled", compared, holds) {
        problem
            .headline(format!("the listener {} is switched off", listener.name))
            .evidence_expected("fEnableWinStation = 0", "1", fact)
            .remedy(remedies::switch(&key, "fEnableWinStation", 1, fact));
    }
    wrong_type(judge, &key, "fEnableWinStation", 1, fact);
}

pub(super) fn logons_disabled(judge: &mut Judge, listener: &Listener) {
    let fact = &listener.logon_disabled;
    let holds = number_or(fact, 0).map(|value| value != 0);
    let compared = format!("fLogonDisabled = {} (not 0)", shown(fact));
    let key = station(&listener.name);
    if let Some(problem) = judge.rule(Verdict::Critical, "logons-refused", compared, holds) {
        problem
            .headline(format!("the listener {} refuses new logons", listener.name))
            .evidence_expected(format!("fLogonDisabled = {}", shown(fact)), "0", fact)
            .remedy(remedies::logons(&key, "fLogonDisabled", fact));
    }
    wrong_type(judge, &key, "fLogonDisabled", 0, fact);
}

pub(super) fn no_instances(judge: &mut Judge, listener: &Listener) {
    let limit = &listener.max_instances;
    let effective = limit.effective.value();
    let holds = if limit.effective.is_absent() {
        Some(false)
    } else {
        effective.map(|limit| *limit == 0)
    };
    let compared = format!(
        "MaxInstanceCount = {} by policy, {} locally (0)",
        shown(&limit.policy),
        shown(&limit.local)
    );
    if let Some(problem) = judge.rule(Verdict::Critical, "no-instances", compared, holds) {
        problem
            .headline(format!(
                "the listener {} takes no session at all (MaxInstanceCount = 0)",
                listener.name
            ))
            .evidence_expected("MaxInstanceCount = 0", "4294967295", &limit.effective)
            .remedy(remedies::instances(listener));
    }
    let key = station(&listener.name);
    wrong_type(
        judge,
        &key,
        "MaxInstanceCount",
        u64::from(u32::MAX),
        &limit.local,
    );
}

/// The layer that decides, and its value.
pub(super) fn deciding(listener: &Listener) -> (Layer, &Fact<Number>) {
    let limit = &listener.max_instances;
    match limit.decided_by() {
        Some(Layer::Policy) => (Layer::Policy, &limit.policy),
        _ => (Layer::Local, &limit.local),
    }
}
