//! How an item ended, before the engine adds its times.

use snapdiag_bundle::{LiveLog, OsError, State};

/// What an item says of its own end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub state: State,
    /// How it was got, such as `RegSaveKeyExW`.
    pub method: Option<&'static str>,
    /// The error that decided the state or made the method fall back.
    pub error: Option<OsError>,
    /// Why it is not `ok`, in plain English.
    pub reason: Option<String>,
    /// For an event log: what the live log held.
    pub log: Option<LiveLog>,
}

impl Outcome {
    /// An end without method, error and reason.
    pub fn new(state: State) -> Self {
        Self {
            state,
            method: None,
            error: None,
            reason: None,
            log: None,
        }
    }

    /// Collected whole, by that method.
    pub fn ok(method: &'static str) -> Self {
        Self::new(State::Ok).by(method)
    }

    /// Ended by an error of the machine, which decides the state.
    pub fn failed(error: OsError) -> Self {
        let state = state_of(&error);
        Self {
            error: Some(error),
            ..Self::new(state)
        }
    }

    /// The engine gave the item up, or the run was interrupted, while it was writing.
    pub fn stopped() -> Self {
        Self::new(State::Timeout)
    }

    /// Sets how it was got.
    #[must_use]
    pub fn by(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    /// Keeps the error that made the method fall back.
    #[must_use]
    pub fn after(mut self, error: Option<OsError>) -> Self {
        self.error = error;
        self
    }

    /// Says why it is not `ok`.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// The state that an error of Windows means: a Win32 code, an NTSTATUS or an HRESULT that wraps a
/// Win32 code (0x8007xxxx).
pub fn state_of(error: &OsError) -> State {
    let code = match error.code {
        wrapped if wrapped & 0xFFFF_0000 == 0x8007_0000 => wrapped & 0xFFFF,
        code => code,
    };
    match code {
        // ERROR_FILE_NOT_FOUND, PATH_NOT_FOUND, NOT_FOUND, SERVICE_DOES_NOT_EXIST,
        // EVT_CHANNEL_NOT_FOUND; STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND
        2 | 3 | 1060 | 1168 | 15007 | 0xC000_0034 | 0xC000_003A => State::Absent,
        // ERROR_ACCESS_DENIED, PRIVILEGE_NOT_HELD; STATUS_ACCESS_DENIED, PRIVILEGE_NOT_HELD
        5 | 1314 | 0xC000_0022 | 0xC000_0061 | 0x8004_1003 => State::Denied,
        // ERROR_SHARING_VIOLATION, LOCK_VIOLATION; STATUS_SHARING_VIOLATION, FILE_LOCK_CONFLICT
        32 | 33 | 0xC000_0043 | 0xC000_0054 => State::Locked,
        // WAIT_TIMEOUT, ERROR_TIMEOUT
        258 | 1460 => State::Timeout,
        _ => State::Failed,
    }
}
