//! `system.accounts`: lockout policy, group members, logon rights, the accounts that matter.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use snapdiag_bundle::records::{self, GroupMember, LocalAccount, LockoutPolicy, LogonRight};

use super::parts::Parts;
use super::patience::within;
use super::{Collector, Job, Outcome, Phase};
use crate::system::accounts::{Lockout, Member, User};
use crate::system::{Accounts, System};

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "system.accounts",
    phase: Phase::Quick,
    limit: Duration::from_secs(30),
    collect,
}];

const ADMINISTRATORS: &str = "S-1-5-32-544";
const REMOTE_DESKTOP_USERS: &str = "S-1-5-32-555";
/// Ends of the SIDs of the built-in Administrator and of Guest.
const BUILT_IN: [&str; 2] = ["-500", "-501"];
const RIGHTS: [&str; 4] = [
    "SeRemoteInteractiveLogonRight",
    "SeDenyRemoteInteractiveLogonRight",
    "SeNetworkLogonRight",
    "SeDenyNetworkLogonRight",
];
/// `TIMEQ_FOREVER`, and what netapi32 says where it does not know.
const FOREVER: u32 = u32::MAX;
/// How long names may take: those of a domain are asked of its controllers.
const NAMES_PATIENCE: Duration = if cfg!(test) {
    Duration::from_millis(300)
} else {
    Duration::from_secs(10)
};
/// Most local accounts looked at.
const MOST_USERS: usize = 2048;

fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let accounts = system.accounts();
    let mut parts = Parts::default();
    let (administrators, remote_desktop_users) = groups(&system, &mut parts);
    let record = records::Accounts {
        lockout_policy: parts.take(accounts.lockout_policy()).map(lockout_policy),
        remote_desktop_users,
        logon_rights: logon_rights(accounts, &mut parts),
        local_accounts: local_accounts(job, accounts, administrators.as_deref(), &mut parts),
        administrators,
    };
    parts.finish(job, "system/accounts.json", &record, "NetUserModalsGet")
}

fn lockout_policy(policy: Lockout) -> LockoutPolicy {
    let seconds = |seconds: u32| Some(seconds).filter(|seconds| *seconds != FOREVER);
    LockoutPolicy {
        threshold: policy.threshold,
        duration_s: seconds(policy.duration_s),
        window_s: seconds(policy.window_s),
        // Only the SAM itself tells.
        administrator_lockout: None,
    }
}

type Members = Option<Vec<GroupMember>>;

/// The members of both groups: with their names, or without where a domain that does not answer
/// would have to tell them.
fn groups(system: &Arc<dyn System>, parts: &mut Parts) -> (Members, Members) {
    let asked = Arc::clone(system);
    let named = within(NAMES_PATIENCE, move || {
        [ADMINISTRATORS, REMOTE_DESKTOP_USERS].map(|group| asked.accounts().group_members(group))
    });
    let [administrators, users] = if let Some(named) = named {
        named.map(|members| Some(parts.take(members)?.into_iter().map(named_member).collect()))
    } else {
        parts.cut("names of group members did not come in time");
        [ADMINISTRATORS, REMOTE_DESKTOP_USERS].map(|group| {
            let sids = parts.take(system.accounts().group_sids(group))?;
            Some(sids.into_iter().map(nameless_member).collect())
        })
    };
    (administrators, users)
}

fn named_member(member: Member) -> GroupMember {
    GroupMember {
        sid: member.sid,
        name: member.name.filter(|name| !name.is_empty()),
        sid_use: Some(member.sid_use),
    }
}

fn nameless_member(sid: String) -> GroupMember {
    GroupMember {
        sid,
        name: None,
        sid_use: None,
    }
}

/// The rights that could be asked for; `None` where none could.
fn logon_rights(accounts: &dyn Accounts, parts: &mut Parts) -> Option<Vec<LogonRight>> {
    let mut rights = Vec::new();
    for right in RIGHTS {
        if let Some(mut sids) = parts.take(accounts.holders_of_right(right)) {
            sids.sort();
            rights.push(LogonRight {
                right: right.to_owned(),
                sids,
            });
        }
    }
    (!rights.is_empty()).then_some(rights)
}

/// The built-in accounts and the local administrators. A domain controller has no local account:
/// its list would be the domain's.
fn local_accounts(
    job: &Job,
    accounts: &dyn Accounts,
    administrators: Option<&[GroupMember]>,
    parts: &mut Parts,
) -> Option<Vec<LocalAccount>> {
    if parts.take(accounts.is_domain_controller())? {
        return None;
    }
    let names = parts.take(accounts.user_names())?;
    if names.len() > MOST_USERS {
        parts.cut(format!("only the first {MOST_USERS} local accounts"));
    }
    let is_wanted = |sid: &str| {
        BUILT_IN.iter().any(|end| sid.ends_with(end))
            || administrators.is_some_and(|list| list.iter().any(|member| member.sid == sid))
    };
    let mut list = Vec::new();
    for name in names.iter().take(MOST_USERS) {
        if job.is_over() {
            parts.cut("ended before every local account was looked at");
            break;
        }
        let user = parts.take(accounts.user(name));
        list.extend(user.filter(|user| is_wanted(&user.sid)).map(local_account));
    }
    Some(list)
}

fn local_account(user: User) -> LocalAccount {
    let moment = |seconds: u32| Timestamp::from_second(seconds.into()).ok();
    LocalAccount {
        sid: user.sid,
        name: user.name,
        flags: user.flags,
        bad_password_count: Some(user.bad_password_count).filter(|count| *count != FOREVER),
        expires_at: moment(user.expires).filter(|_| user.expires != FOREVER),
        password_age_s: Some(user.password_age_s),
        password_expired: Some(user.password_expired),
        last_logon_at: moment(user.last_logon).filter(|_| user.last_logon != 0),
    }
}

#[cfg(test)]
mod tests {
    use snapdiag_bundle::State;

    use super::*;
    use crate::items::testing::run;
    use crate::system::{SysResult, Unanswered, os_error};

    const MACHINE: &str = "S-1-5-21-1-2-3";

    #[derive(Clone, Copy, Default)]
    struct Machine {
        controller: bool,
        rights_denied: bool,
        no_names: bool,
    }

    impl System for Machine {
        fn accounts(&self) -> &dyn Accounts {
            self
        }
    }

    impl Accounts for Machine {
        fn lockout_policy(&self) -> SysResult<Lockout> {
            Ok(Lockout {
                threshold: 5,
                duration_s: FOREVER,
                window_s: 1800,
            })
        }
        fn group_members(&self, sid: &str) -> SysResult<Vec<Member>> {
            if self.no_names {
                std::thread::sleep(NAMES_PATIENCE * 2);
            }
            let member = |rid: u32| Member {
                sid: format!("{MACHINE}-{rid}"),
                name: Some(format!("HOST-A\\user{rid}")),
                sid_use: 1,
            };
            Ok(match sid {
                ADMINISTRATORS => vec![member(500), member(1001)],
                _ => Vec::new(),
            })
        }
        fn group_sids(&self, _sid: &str) -> SysResult<Vec<String>> {
            Ok(vec![format!("{MACHINE}-1001")])
        }
        fn holders_of_right(&self, right: &str) -> SysResult<Vec<String>> {
            if self.rights_denied {
                return Err(os_error("LsaOpenPolicy", 0xC000_0022));
            }
            if right.contains("Deny") {
                return Ok(Vec::new());
            }
            Ok(vec![
                REMOTE_DESKTOP_USERS.to_owned(),
                ADMINISTRATORS.to_owned(),
            ])
        }
        fn is_domain_controller(&self) -> SysResult<bool> {
            Ok(self.controller)
        }
        fn user_names(&self) -> SysResult<Vec<String>> {
            assert!(!self.controller, "a domain is not enumerated");
            Ok(["500", "501", "1001", "1002"].map(str::to_owned).to_vec())
        }
        fn user(&self, name: &str) -> SysResult<User> {
            Ok(User {
                sid: format!("{MACHINE}-{name}"),
                name: name.to_owned(),
                flags: 0x212,
                bad_password_count: if name == "501" { FOREVER } else { 3 },
                expires: if name == "500" {
                    FOREVER
                } else {
                    1_700_000_000
                },
                password_age_s: 60,
                password_expired: false,
                last_logon: 0,
            })
        }
    }

    #[test]
    fn administrators_and_built_in_accounts_are_told() {
        let ran = run(Machine::default(), collect);
        assert_eq!(ran.outcome, Outcome::ok("NetUserModalsGet"));
        let record: records::Accounts = ran.record("system/accounts.json");
        let policy = record.lockout_policy.unwrap();
        assert_eq!(
            (policy.threshold, policy.duration_s, policy.window_s),
            (5, None, Some(1800))
        );
        assert_eq!(record.remote_desktop_users, Some(Vec::new()));
        let rights = record.logon_rights.unwrap();
        assert_eq!(rights.len(), 4);
        assert_eq!(rights[0].sids, [ADMINISTRATORS, REMOTE_DESKTOP_USERS]);
        let accounts = record.local_accounts.unwrap();
        let names: Vec<&str> = accounts.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["500", "501", "1001"]);
        assert_eq!(
            (accounts[0].expires_at, accounts[0].last_logon_at),
            (None, None)
        );
        assert_eq!(accounts[1].bad_password_count, None);
        assert_eq!(accounts[2].expires_at.unwrap().as_second(), 1_700_000_000);
    }

    #[test]
    fn a_domain_is_not_enumerated() {
        let machine = Machine {
            controller: true,
            ..Machine::default()
        };
        let ran = run(machine, collect);
        assert_eq!(ran.outcome.state, State::Ok);
        let record: records::Accounts = ran.record("system/accounts.json");
        assert_eq!(record.local_accounts, None);
        assert!(record.administrators.is_some());
    }

    #[test]
    fn a_domain_that_is_silent_costs_only_names() {
        let machine = Machine {
            no_names: true,
            ..Machine::default()
        };
        let ran = run(machine, collect);
        assert_eq!(ran.outcome.state, State::Truncated);
        assert!(ran.outcome.reason.as_ref().unwrap().contains("in time"));
        let record: records::Accounts = ran.record("system/accounts.json");
        let member = nameless_member(format!("{MACHINE}-1001"));
        assert_eq!(record.administrators, Some(vec![member]));
        assert_eq!(record.local_accounts.unwrap().len(), 3);
    }

    #[test]
    fn refused_rights_cost_only_themselves() {
        let machine = Machine {
            rights_denied: true,
            ..Machine::default()
        };
        let ran = run(machine, collect);
        assert_eq!(ran.outcome.state, State::Truncated);
        assert_eq!(ran.outcome.error.as_ref().unwrap().code, 0xC000_0022);
        let record: records::Accounts = ran.record("system/accounts.json");
        assert_eq!(record.logon_rights, None);
        assert!(record.lockout_policy.is_some());
        let nothing = run(Unanswered, collect);
        assert_eq!(nothing.outcome.state, State::Failed);
        assert!(nothing.artifacts.is_empty());
    }
}
