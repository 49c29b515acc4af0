//! `network.firewall`: effective state and current profiles of Windows Firewall.

use std::time::Duration;

use snapdiag_bundle::records::{FirewallProfile, FirewallState};
use snapdiag_bundle::{OsError, State};

use super::{Collector, Job, Outcome, Phase};
use crate::system::SysResult;
use crate::system::firewall::ProfileAnswers;

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "network.firewall",
    phase: Phase::Quick,
    limit: Duration::from_secs(15),
    collect,
}];

fn collect(job: &mut Job) -> Outcome {
    const METHOD: &str = "INetFwPolicy2";
    let answers = match job.system.firewall().state() {
        Ok(answers) => answers,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    let mut fault = None;
    let profiles: Vec<FirewallProfile> = answers
        .profiles
        .into_iter()
        .filter_map(|answers| of_profile(answers, &mut fault))
        .collect();
    let state = FirewallState {
        current_profiles: kept(answers.current_profiles, &mut fault),
        local_policy_modify_state: kept(answers.local_policy_modify_state, &mut fault),
        profiles,
    };
    match fault {
        Some(error) if state.profiles.is_empty() && state.current_profiles.is_none() => {
            return Outcome::failed(error).by(METHOD);
        }
        _ => {}
    }
    if job.sink.json("network/firewall.json", &state).is_err() {
        return Outcome::stopped();
    }
    match fault {
        None => Outcome::ok(METHOD),
        fault => Outcome::new(State::Truncated)
            .by(METHOD)
            .after(fault)
            .because("some properties of the policy could not be read"),
    }
}

/// A profile of which at least one property was read.
fn of_profile(answers: ProfileAnswers, fault: &mut Option<OsError>) -> Option<FirewallProfile> {
    let profile = FirewallProfile {
        profile: answers.profile,
        enabled: kept(answers.enabled, fault),
        block_all_inbound: kept(answers.block_all_inbound, fault),
        default_inbound_action: kept(answers.default_inbound_action, fault),
        default_outbound_action: kept(answers.default_outbound_action, fault),
    };
    let read = profile.enabled.is_some()
        || profile.block_all_inbound.is_some()
        || profile.default_inbound_action.is_some()
        || profile.default_outbound_action.is_some();
    read.then_some(profile)
}

/// The value, or `None` and the first fault.
fn kept<T>(answer: SysResult<T>, fault: &mut Option<OsError>) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(error) => {
            fault.get_or_insert(error);
            None
        }
    }
}
