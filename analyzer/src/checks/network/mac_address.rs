//! `mac-address`: whether the machine sends with the MAC address that its platform expects.

mod cards;
mod remedies;

use std::collections::BTreeMap;

use self::cards::{Card, Override};
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::capture::CaptureKind;
use crate::facts::network::Mac;

/// The check.
pub const CHECK: Check = Check {
    id: "mac-address",
    category: Category::Network,
    title: "MAC address",
    page: include_str!("mac_address.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::helpful("network.adapters"),
        Input::helpful("network.metadata"),
        Input::helpful("system.machine"),
    ],
    thresholds: &[],
    decide,
};

const ADAPTERS: &str = "a live capture: the adapters (network.adapters)";

fn decide(cx: &Context<'_>) -> Decision {
    let network = &cx.snapshot.network;
    let cards = cards::of(network);
    let mut judge = Judge::new();
    if cards.is_empty() && network.devices.is_settled() && network.adapters.is_settled() {
        judge.exhibit("the class key of network devices", &network.devices);
        return judge.not_applicable("the machine has no wired network card");
    }
    let judged: Vec<&Card<'_>> = cards.iter().filter(|card| card.exempt.is_none()).collect();
    for card in &judged {
        malformed(&mut judge, card);
        overridden(&mut judge, cx, card);
        differs(&mut judge, card);
        absent_card(&mut judge, card);
    }
    twice(&mut judge, &judged);
    not_the_clouds(&mut judge, cx, &judged);
    exempted(&mut judge, cx, &cards);
    demand(&mut judge, cx, &cards);
    for card in &judged {
        let Some(mac) = card.current() else { continue };
        judge.exhibit_evidence(
            format!("{} uses {}", card.label, spelled(&mac)),
            &card.current_evidence(),
        );
    }
    let known = match judged.iter().filter(|card| card.present).count() {
        0 => String::new(),
        count => format!("no MAC address of {count} network cards is overridden"),
    };
    judge.finish("every network card uses its own MAC address", known)
}

/// An override that is no address; the driver may take anything or nothing for it.
fn malformed(judge: &mut Judge, card: &Card<'_>) {
    let text = match &card.override_ {
        Override::Malformed(text) => Some(text),
        _ => None,
    };
    let compared = format!("{}: NetworkAddress = {}", card.label, card.override_text());
    let verdict = if card.present {
        Verdict::Critical
    } else {
        Verdict::Warning
    };
    let holds = card.override_is_known().then_some(text.is_some());
    if let (Some(problem), Some(text)) = (judge.rule(verdict, "malformed", compared, holds), text) {
        problem.headline(format!(
            "the MAC address set for {} is none: '{text}'",
            card.label
        ));
        problem.because("It takes 12 hexadecimal digits without separators, and the second digit even: an odd one is a group address.");
        card.show_override(problem);
        problem.remedy(remedies::remove_override(card));
    }
}

/// An override in force.
fn overridden(judge: &mut Judge, cx: &Context<'_>, card: &Card<'_>) {
    let Override::Address(set) = &card.override_ else {
        return;
    };
    if !card.present {
        return;
    }
    let permanent = card.permanent();
    let compared = format!(
        "{}: NetworkAddress {set}, the device's own {}",
        card.label,
        permanent.as_deref().unwrap_or("not known")
    );
    let differs = permanent.as_ref().map(|permanent| permanent != set);
    let on_cloud = cx.snapshot.machine.cloud.value().is_some() || card.is_virtual();
    let verdict = if on_cloud {
        Verdict::Critical
    } else {
        Verdict::Warning
    };
    if let Some(problem) = judge.rule(verdict, "overridden", compared.as_str(), differs) {
        let own = permanent.as_deref().map(spelled).unwrap_or_default();
        problem.headline(format!(
            "{} is set to the MAC address {}, its own is {own}",
            card.label,
            spelled(set)
        ));
        problem.because(if on_cloud {
            "Clouds and virtual platforms drop packets that come from another MAC address than the one they gave."
        } else {
            "Some do this on purpose, for licensed software say. A switch or platform that checks addresses drops the packets."
        });
        card.show_override(problem);
        problem.exhibits("the device's own address", &card.permanent_evidence());
        problem.remedy(remedies::remove_override(card));
        return;
    }
    let says = match differs {
        Some(_) => "equals the device's own: harmless now, and wrong after the machine is cloned",
        None => "cannot be compared: the device's own address is not known",
    };
    if let Some(problem) = judge.rule(Verdict::Warning, "override-kept", compared, Some(true)) {
        problem.headline(format!(
            "a MAC address is set for {}: {} {says}",
            card.label,
            spelled(set)
        ));
        if differs.is_none() {
            problem.confidence(Confidence::Low);
        }
        card.show_override(problem);
        problem.remedy(remedies::remove_override(card));
    }
}

/// Another address than the device's own, without an override.
fn differs(judge: &mut Judge, card: &Card<'_>) {
    if !card.present {
        return;
    }
    let (current, permanent) = (card.current(), card.permanent());
    let shown = |mac: &Option<String>| mac.clone().unwrap_or_else(|| "not known".to_owned());
    let compared = format!(
        "{}: in use {}, the device's own {}",
        card.label,
        shown(&current),
        shown(&permanent)
    );
    let unexplained = !matches!(card.override_, Override::Address(_));
    let holds = current
        .as_ref()
        .zip(permanent.as_ref())
        .map(|(current, permanent)| current != permanent && unexplained);
    let problem = judge.rule(Verdict::Critical, "not-its-own", compared, holds);
    if let (Some(problem), Some(current), Some(permanent)) = (problem, current, permanent) {
        problem.headline(format!(
            "{} uses the MAC address {}, its own is {}",
            card.label,
            spelled(&current),
            spelled(&permanent)
        ));
        problem.because("No setting of the registry explains it: a team, a driver's own setting or a program may.");
        problem.confidence(Confidence::Low);
        problem.exhibits("in use", &card.current_evidence());
        problem.exhibits("the device's own", &card.permanent_evidence());
        problem.remedy(remedies::reset_property(card));
    }
}

/// An override of a device that is not there.
fn absent_card(judge: &mut Judge, card: &Card<'_>) {
    if card.present {
        return;
    }
    let Override::Address(set) = &card.override_ else {
        return;
    };
    let compared = format!("{} is not in the machine, NetworkAddress {set}", card.label);
    if let Some(problem) = judge.rule(Verdict::Warning, "gone-with-override", compared, Some(true))
    {
        problem.headline(format!(
            "a MAC address is still set for {}, which is not in use: {}",
            card.label,
            spelled(set)
        ));
        card.show_override(problem);
        problem.remedy(remedies::remove_override(card));
    }
}

/// Two cards with one address.
fn twice(judge: &mut Judge, cards: &[&Card<'_>]) {
    let mut by_mac: BTreeMap<String, Vec<&Card<'_>>> = BTreeMap::new();
    for card in cards.iter().filter(|card| card.present) {
        if let Some(mac) = card.current() {
            by_mac.entry(mac).or_default().push(card);
        }
    }
    // A virtual function and the synthetic adapter over it share an address by design.
    let holds = |cards: &[&Card<'_>]| cards.len() > 1 && !cards::are_one_path(cards);
    let pairs: Vec<_> = by_mac
        .into_iter()
        .filter(|(_, cards)| holds(cards))
        .collect();
    let compared = format!("{} MAC addresses are in use by several cards", pairs.len());
    judge.rule(
        Verdict::Critical,
        "twice",
        compared,
        Some(false).filter(|_| pairs.is_empty()),
    );
    for (mac, cards) in pairs {
        let labels: Vec<&str> = cards.iter().map(|card| card.label.as_str()).collect();
        let compared = format!("{} use {mac}", labels.join(", "));
        if let Some(problem) = judge.rule(Verdict::Critical, "twice", compared, Some(true)) {
            problem.headline(format!(
                "{} use the same MAC address {}",
                labels.join(" and "),
                spelled(&mac)
            ));
            for card in cards {
                problem.exhibits(format!("{} uses it", card.label), &card.current_evidence());
                problem.remedy(remedies::reset_property(card));
            }
        }
    }
}

/// An address that the cloud did not give, while one that it gave is not in use.
fn not_the_clouds(judge: &mut Judge, cx: &Context<'_>, cards: &[&Card<'_>]) {
    let Some(metadata) = cx.snapshot.network.metadata.value() else {
        judge.rule(
            Verdict::Critical,
            "not-the-clouds",
            "metadata not collected",
            None,
        );
        return;
    };
    let used: Vec<(&Card<'_>, String)> = cards
        .iter()
        .filter(|card| card.present)
        .filter_map(|card| Some((*card, card.current()?)))
        .collect();
    let unused: Vec<&Mac> = metadata
        .macs
        .iter()
        .filter(|given| used.iter().all(|(_, mac)| *mac != given.mac))
        .collect();
    let foreign = used
        .iter()
        .find(|(_, mac)| metadata.macs.iter().all(|given| given.mac != *mac));
    let compared = format!(
        "{} of {} addresses of the cloud are not in use",
        unused.len(),
        metadata.macs.len()
    );
    let holds = !unused.is_empty() && foreign.is_some();
    let problem = judge.rule(Verdict::Critical, "not-the-clouds", compared, Some(holds));
    if let (Some(problem), Some((card, mac)), Some(given)) = (problem, foreign, unused.first()) {
        problem.headline(format!(
            "{} uses the MAC address {}, the cloud gave {}",
            card.label,
            spelled(mac),
            spelled(&given.mac)
        ));
        problem.because("The cloud drops packets from any other address.");
        problem.exhibits("in use", &card.current_evidence());
        problem.exhibits("the cloud's value", std::slice::from_ref(&given.evidence));
        problem.remedy(match card.override_ {
            Override::Address(_) | Override::Malformed(_) => remedies::remove_override(card),
            _ => remedies::reset_property(card),
        });
    }
}

/// Cards that share or borrow addresses by design.
fn exempted(judge: &mut Judge, cx: &Context<'_>, cards: &[Card<'_>]) {
    for card in cards {
        let Some(why) = card.exempt else { continue };
        let balanced = why == cards::LOAD_BALANCED;
        let on_cloud = cx.snapshot.machine.cloud.value();
        let compared = format!("{} is {why}", card.label);
        let holds = balanced && on_cloud.is_some();
        let problem = judge.rule(
            Verdict::Warning,
            "load-balanced-on-a-cloud",
            compared,
            Some(holds),
        );
        if let (Some(problem), Some(cloud)) = (problem, on_cloud) {
            problem.headline(format!(
                "{} is {why}, whose shared MAC address {} does not carry",
                card.label,
                cloud.name()
            ));
            problem.exhibits("the card", &card.place());
            problem.remedy(remedies::leave_load_balancing(card));
        } else {
            judge.note(format!(
                "{} is {why}: its MAC address is not judged.",
                card.label
            ));
        }
    }
}

/// What must have been seen before the check may say `ok`.
fn demand(judge: &mut Judge, cx: &Context<'_>, cards: &[Card<'_>]) {
    let network = &cx.snapshot.network;
    judge.require(
        &network.devices,
        "the registry's network devices",
        "the SYSTEM hive (registry.system)",
    );
    if network.devices.is_absent() {
        judge.lacks("the registry knows no network devices", "the SYSTEM hive");
    }
    if cx.snapshot.capture.kind == CaptureKind::Live {
        judge.require(
            &network.adapters,
            "the adapters of the running machine",
            ADAPTERS,
        );
        if cx.snapshot.machine.cloud.value().is_some() {
            judge.require(
                &network.metadata,
                "the MAC addresses that the cloud gave",
                "the cloud's metadata (network.metadata)",
            );
        }
    }
    for card in cards
        .iter()
        .filter(|card| card.present && card.exempt.is_none())
    {
        if !card.override_is_known() {
            judge.lacks(
                format!(
                    "whether a MAC address is set for {} is not known",
                    card.label
                ),
                "the SYSTEM hive (registry.system)",
            );
        }
    }
    if cards.iter().all(|card| !card.present) {
        judge.lacks("no network card is in use", ADAPTERS);
    }
}

/// `52-54-00-aa-bb-cc`.
fn spelled(mac: &str) -> String {
    let bytes: Vec<&str> = (0..mac.len())
        .step_by(2)
        .filter_map(|start| mac.get(start..start + 2))
        .collect();
    bytes.join("-")
}

#[cfg(test)]
mod tests;
