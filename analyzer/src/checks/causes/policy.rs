//! A setting that came with a refresh of group policies was not changed by a user.

use super::{Cause, Origin, View};
use crate::checks::remote_desktop::rdp_allowed;

pub(super) fn came_with_refresh(view: &View<'_>) -> Option<Cause> {
    if !view.holds("rdp-allowed", &["denied-by-policy"]) {
        return None;
    }
    let (changed, refresh) = rdp_allowed::refresh_of_policy(view.context)?;
    let rdp = &view.snapshot().remote_desktop;
    let fact = format!(
        "the refresh of the machine's group policies at {}",
        refresh.time
    );
    let because = format!(
        "the policy's key was written at {changed}, with that refresh: the setting came from the domain, not from a user of the machine"
    );
    let mut cause = Cause::of(Origin::Fact(fact), vec!["rdp-allowed"], because)?;
    cause = cause.resting_on("the refresh", &refresh.evidence);
    for place in &rdp.deny.policy.evidence {
        cause = cause.resting_on("the policy, with the time its key was written", place);
    }
    Some(cause)
}
