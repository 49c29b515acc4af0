//! `network.firewall`: effective state and current profiles of Windows Firewall.

use std::time::Duration;

use snapdiag_bundle::records::{FirewallProfile, FirewallState};

use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
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
    let mut parts = Parts::default();
    let state = FirewallState {
        current_profiles: parts.take(answers.current_profiles),
        local_policy_modify_state: parts.take(answers.local_policy_modify_state),
        profiles: answers
            .profiles
            .into_iter()
            .filter_map(|answers| of_profile(answers, &mut parts))
            .collect(),
    };
    parts.finish(job, "network/firewall.json", &state, METHOD)
}

/// A profile of which at least one property was read.
fn of_profile(answers: ProfileAnswers, parts: &mut Parts) -> Option<FirewallProfile> {
    let profile = FirewallProfile {
        profile: answers.profile,
        enabled: parts.take(answers.enabled),
        block_all_inbound: parts.take(answers.block_all_inbound),
        default_inbound_action: parts.take(answers.default_inbound_action),
        default_outbound_action: parts.take(answers.default_outbound_action),
    };
    let read = profile.enabled.is_some()
        || profile.block_all_inbound.is_some()
        || profile.default_inbound_action.is_some()
        || profile.default_outbound_action.is_some();
    read.then_some(profile)
}

#[cfg(test)]
mod tests {
    use snapdiag_bundle::State;

    use super::*;
    use crate::items::testing::run;
    use crate::system::firewall::{Firewall, FirewallAnswers};
    use crate::system::{SysResult, System, Unanswered, os_error};

    /// A firewall whose public profile answers nothing, or that answers everything.
    struct Machine {
        whole: bool,
    }

    impl System for Machine {
        fn firewall(&self) -> &dyn Firewall {
            self
        }
    }

    fn denied<T>() -> SysResult<T> {
        Err(os_error("get_FirewallEnabled", 0x8007_0005))
    }

    impl Firewall for Machine {
        fn state(&self) -> SysResult<FirewallAnswers> {
            let profile = |profile| ProfileAnswers {
                profile,
                enabled: Ok(profile != 2),
                block_all_inbound: Ok(false),
                default_inbound_action: Ok(0),
                default_outbound_action: Ok(1),
            };
            let silent = ProfileAnswers {
                profile: 4,
                enabled: denied(),
                block_all_inbound: denied(),
                default_inbound_action: denied(),
                default_outbound_action: denied(),
            };
            let last = if self.whole { profile(4) } else { silent };
            Ok(FirewallAnswers {
                current_profiles: Ok(4),
                local_policy_modify_state: Ok(0),
                profiles: vec![profile(1), profile(2), last],
            })
        }
    }

    #[test]
    fn the_state_of_every_profile_is_kept() {
        let ran = run(Machine { whole: true }, collect);
        assert_eq!(ran.outcome, Outcome::ok("INetFwPolicy2"));
        let state: FirewallState = ran.record("network/firewall.json");
        assert_eq!(state.current_profiles, Some(4));
        let enabled: Vec<_> = state.profiles.iter().map(|one| one.enabled).collect();
        assert_eq!(enabled, [Some(true), Some(false), Some(true)]);
    }

    #[test]
    fn a_profile_that_is_denied_costs_that_profile() {
        let ran = run(Machine { whole: false }, collect);
        assert_eq!(ran.outcome.state, State::Truncated);
        let code = ran.outcome.error.as_ref().map(|error| error.code);
        assert_eq!(code, Some(0x8007_0005));
        let state: FirewallState = ran.record("network/firewall.json");
        let profiles: Vec<_> = state.profiles.iter().map(|one| one.profile).collect();
        assert_eq!(profiles, [1, 2]);
    }

    #[test]
    fn without_com_it_fails_with_the_error() {
        let ran = run(Unanswered, collect);
        assert_eq!(ran.outcome.state, State::Failed);
        assert!(ran.outcome.error.is_some() && ran.artifacts.is_empty());
    }
}
