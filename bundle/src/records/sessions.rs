//! `system/sessions.json`: sessions and listeners of Remote Desktop Services.

use serde::{Deserialize, Serialize};

/// Sessions (`WTSEnumerateSessionsExW`, without it `WTSEnumerateSessionsW`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sessions {
    /// In the order of Windows.
    pub sessions: Vec<Session>,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Session {
    /// Session id; 65536 and up for listeners.
    pub id: u32,
    /// Name of the `WinStation`, such as `RDP-Tcp` or `Console`.
    pub station: String,
    /// `WTS_CONNECTSTATE_CLASS`: 0 active, 1 connected, 2 connect query, 3 shadow,
    /// 4 disconnected, 5 idle, 6 listen, 7 reset, 8 down, 9 init.
    pub state: u32,
    /// Whether someone is logged on.
    pub logged_on: Option<bool>,
}
