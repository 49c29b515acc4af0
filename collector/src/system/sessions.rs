//! Sessions of Remote Desktop Services.

use super::{SysResult, not_implemented};

/// Sessions of Remote Desktop Services.
pub trait Sessions: Send + Sync {
    /// Sessions and listeners with their users. Windows 7 and later.
    ///
    /// # Errors
    /// The error of `WTSEnumerateSessionsExW`.
    fn list_with_users(&self) -> SysResult<Vec<SessionInfo>> {
        not_implemented("WTSEnumerateSessionsExW")
    }

    /// Sessions and listeners.
    ///
    /// # Errors
    /// The error of `WTSEnumerateSessionsW`.
    fn list(&self) -> SysResult<Vec<SessionInfo>> {
        not_implemented("WTSEnumerateSessionsW")
    }
}

/// `WTS_SESSION_INFO_1W` or `WTS_SESSION_INFOW`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// `SessionId`.
    pub id: u32,
    /// Name of the `WinStation`.
    pub station: String,
    /// `WTS_CONNECTSTATE_CLASS`.
    pub state: u32,
    /// Whether `pUserName` is set; `None` where the call does not tell.
    pub has_user: Option<bool>,
}
