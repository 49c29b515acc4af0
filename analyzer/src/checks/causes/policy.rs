//! A setting that came with a refresh of group policies, or with an update, was not changed by a
//! user.

use super::{Cause, Origin, View};
use crate::checks::remote_desktop::rdp_allowed::origin::{self, Occasion};

pub(super) fn came_with_refresh(view: &View<'_>) -> Option<Cause> {
    let (setting, written) = if view.holds("rdp-allowed", &["denied-by-policy"]) {
        ("policy", origin::of_policy(view.context)?)
    } else if view.holds("rdp-allowed", &["denied-locally"]) {
        ("machine's own setting", origin::of_local(view.context)?)
    } else {
        return None;
    };
    let at = written.at;
    let author = match written.with {
        Occasion::Refresh(_) => "it was set by a group policy, not by a user of the machine",
        Occasion::Servicing(_) => "it was set by servicing, not by a user of the machine",
    };
    let because = format!("the key of the {setting} was written at {at}, in that time: {author}");
    let fact = Origin::Fact(written.with.describe());
    let mut cause = Cause::of(fact, vec!["rdp-allowed"], because)?;
    let says = match written.with {
        Occasion::Refresh(_) => "the refresh",
        Occasion::Servicing(_) => "a package or an update was changed",
    };
    for record in written.with.evidence() {
        cause = cause.resting_on(says, record);
    }
    for place in written.value {
        let says = format!("the {setting}, with the time its key was written");
        cause = cause.resting_on(says, place);
    }
    Some(cause)
}
