//! Counts by minute.

use super::newest::Join;

/// What is counted. The first ones count records exactly as a query by channel, provider and ID
/// finds them, so that they can stand as evidence; the others are what was made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tally {
    /// Security 4625, all of them.
    Logon4625,
    /// Security 4624, all logon types.
    Logon4624,
    /// Security 4771: Kerberos pre-authentication failed.
    Kerberos4771,
    /// Security 4740: an account was locked out.
    Lockout4740,
    /// RdpCoreTS 140: wrong user name or password.
    Rdp140,
    /// RdpCoreTS 139: refused by the security layer.
    Rdp139,
    /// RdpCoreTS 131: a connection was accepted.
    Rdp131,
    /// RemoteConnectionManager 261: a connection came in.
    Rcm261,
    /// RemoteConnectionManager 1149: network authentication succeeded.
    Rcm1149,
    /// `LocalSessionManager` 21 and 25: a session began or was taken up again.
    Lsm,
    /// OpenSSH 4, all of them.
    Ssh,
    /// SQL Server 18456.
    Sql,
    /// 4625 that count as attempts from outside.
    Attempts,
    /// Those of them without an address.
    Unattributed,
    /// 4625: no such user (0xC0000064).
    NoSuchUser,
    /// 4625: wrong password (0xC000006A).
    BadPassword,
    /// 4625: account locked out (0xC0000234).
    LockedOut,
    /// 4625: account disabled, expired, restricted.
    Barred,
    /// 4625 written for the SSH server.
    SshServer,
    /// 4776 with an error: NTLM validation failed.
    NtlmRefused,
    /// OpenSSH 4: a password was refused.
    SshRefused,
    /// `TermDD` 50 and 56.
    TermDd,
    /// Schannel 36874 and 36888.
    Schannel,
    /// RemoteConnectionManager/Admin 1006: many incomplete connections.
    Rcm1006,
    /// Security 1101: audit events were dropped.
    Dropped,
    /// Security 1100: the event log service stopped.
    LogStopped,
    /// Security 4608: Windows started.
    Started,
    /// Security 4616 with a jump of five minutes or more.
    ClockJump,
}

const KINDS: usize = Tally::ClockJump as usize + 1;

/// The counts of one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Minute([u32; KINDS]);

impl Default for Minute {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl Minute {
    pub(super) fn one(tally: Tally) -> Self {
        let mut minute = Self::default();
        minute.count(tally);
        minute
    }

    pub(super) fn count(&mut self, tally: Tally) {
        if let Some(count) = self.0.get_mut(tally as usize) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn get(&self, tally: Tally) -> u64 {
        self.0.get(tally as usize).copied().map_or(0, u64::from)
    }

    /// Failed attempts of this minute. A refused Remote Desktop logon is written by several logs,
    /// each of which can be silent: the one that saw most decides. Kerberos and SQL Server
    /// failures have no 4625.
    pub(super) fn failures(&self) -> u64 {
        let remote = self.get(Tally::Rdp140).max(self.get(Tally::Rdp139));
        self.get(Tally::Attempts)
            .max(remote + self.get(Tally::SshRefused))
            + self.get(Tally::Kerberos4771)
            + self.get(Tally::Sql)
    }
}

impl Join for Minute {
    fn join(&mut self, other: Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_refused_logon_seen_by_two_logs_counts_once() {
        let mut minute = Minute::one(Tally::Attempts);
        minute.count(Tally::Rdp140);
        minute.count(Tally::Rdp139);
        assert_eq!(minute.failures(), 1);
        minute.count(Tally::Rdp140);
        assert_eq!(minute.failures(), 2);
        minute.count(Tally::SshRefused);
        assert_eq!(minute.failures(), 3);
        minute.count(Tally::Sql);
        minute.count(Tally::Kerberos4771);
        assert_eq!(minute.failures(), 5);
    }
}
