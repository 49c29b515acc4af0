//! `system.sessions`: sessions and listeners of Remote Desktop Services.

use std::sync::Arc;
use std::time::Duration;

use snapdiag_bundle::State;
use snapdiag_bundle::records::{Session, Sessions};

use super::{Collector, Job, Outcome, Phase};

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "system.sessions",
    phase: Phase::Quick,
    limit: Duration::from_secs(15),
    collect,
}];

fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let sessions = system.sessions();
    let (list, method, refused) = match sessions.list_with_users() {
        Ok(list) => (list, "WTSEnumerateSessionsExW", None),
        Err(refused) => match sessions.list() {
            Ok(list) => (list, "WTSEnumerateSessionsW", Some(refused)),
            Err(error) => return Outcome::failed(error).by("WTSEnumerateSessionsW"),
        },
    };
    if list.is_empty() {
        return Outcome::new(State::Empty).by(method).after(refused);
    }
    let rows = list.into_iter().map(|one| Session {
        id: one.id,
        station: one.station,
        state: one.state,
        logged_on: one.has_user,
    });
    let record = Sessions {
        sessions: rows.collect(),
    };
    match job.sink.json("system/sessions.json", &record) {
        Ok(()) => Outcome::ok(method).after(refused),
        Err(_) => Outcome::stopped().by(method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::testing::run;
    use crate::system::sessions::SessionInfo;
    use crate::system::{self, SysResult, System, os_error};

    /// Whether the newer call works, and what both list.
    struct Machine {
        newer: bool,
        list: Option<Vec<u32>>,
    }

    impl System for Machine {
        fn sessions(&self) -> &dyn system::Sessions {
            self
        }
    }

    impl Machine {
        fn answer(&self, has_user: Option<bool>) -> SysResult<Vec<SessionInfo>> {
            let error = os_error("WTSEnumerateSessionsW", 1722);
            let states = self.list.as_ref().ok_or(error)?.iter();
            let rows = states.map(|state| SessionInfo {
                id: 65536,
                station: "RDP-Tcp".to_owned(),
                state: *state,
                has_user,
            });
            Ok(rows.collect())
        }
    }

    impl system::Sessions for Machine {
        fn list_with_users(&self) -> SysResult<Vec<SessionInfo>> {
            if self.newer {
                return self.answer(Some(false));
            }
            Err(os_error("WTSEnumerateSessionsExW", 50))
        }
        fn list(&self) -> SysResult<Vec<SessionInfo>> {
            self.answer(None)
        }
    }

    fn ran(newer: bool, list: Option<Vec<u32>>) -> (Outcome, Option<Sessions>) {
        let ran = run(Machine { newer, list }, collect);
        let record = (!ran.artifacts.is_empty()).then(|| ran.record("system/sessions.json"));
        (ran.outcome, record)
    }

    #[test]
    fn the_older_call_stands_in_and_says_less() {
        let (outcome, record) = ran(true, Some(vec![6]));
        assert_eq!(outcome, Outcome::ok("WTSEnumerateSessionsExW"));
        assert_eq!(record.unwrap().sessions[0].logged_on, Some(false));
        let (outcome, record) = ran(false, Some(vec![6]));
        assert_eq!(
            (outcome.state, outcome.method),
            (State::Ok, Some("WTSEnumerateSessionsW"))
        );
        assert_eq!(outcome.error.unwrap().code, 50);
        let session = record.unwrap().sessions.remove(0);
        assert_eq!(
            (session.id, session.state, session.logged_on),
            (65536, 6, None)
        );
    }

    #[test]
    fn no_session_and_no_answer_are_different() {
        assert_eq!(ran(true, Some(Vec::new())).0.state, State::Empty);
        let (outcome, record) = ran(false, None);
        assert_eq!((outcome.state, record), (State::Failed, None));
        assert_eq!(outcome.error.unwrap().code, 1722);
    }
}
