//! Sessions of Remote Desktop Services.

use std::ptr::null_mut;

use windows_sys::Win32::System::RemoteDesktop::{
    WTS_CURRENT_SERVER_HANDLE, WTS_SESSION_INFO_1W, WTS_SESSION_INFOW, WTSEnumerateSessionsExW,
    WTSEnumerateSessionsW, WTSFreeMemory, WTSFreeMemoryExW, WTSTypeSessionInfoLevel1,
};

use super::Windows;
use super::native::owned_text;
use super::wide::last_error;
use crate::system::sessions::SessionInfo;
use crate::system::{Sessions, SysResult};

impl Sessions for Windows {
    fn list_with_users(&self) -> SysResult<Vec<SessionInfo>> {
        let mut rows: *mut WTS_SESSION_INFO_1W = null_mut();
        let (mut level, mut count) = (1, 0);
        // SAFETY: all out parameters live through the call.
        let done = unsafe {
            WTSEnumerateSessionsExW(
                WTS_CURRENT_SERVER_HANDLE,
                &raw mut level,
                0,
                &raw mut rows,
                &raw mut count,
            )
        };
        if done == 0 {
            return Err(last_error("WTSEnumerateSessionsExW"));
        }
        let mut list = Vec::new();
        for index in 0..count as usize {
            // SAFETY: Windows gave so many rows, whose texts are null or end with a zero.
            let (row, station, user) = unsafe {
                let row = &*rows.add(index);
                (row, owned_text(row.pSessionName), owned_text(row.pUserName))
            };
            list.push(SessionInfo {
                id: row.SessionId,
                station: station.unwrap_or_default(),
                state: row.State.cast_unsigned(),
                has_user: Some(user.is_some_and(|user| !user.is_empty())),
            });
        }
        // SAFETY: the rows are ours, and nothing points to them any more.
        unsafe { WTSFreeMemoryExW(WTSTypeSessionInfoLevel1, rows.cast(), count) };
        Ok(list)
    }

    fn list(&self) -> SysResult<Vec<SessionInfo>> {
        let mut rows: *mut WTS_SESSION_INFOW = null_mut();
        let mut count = 0;
        // SAFETY: both out parameters live through the call.
        let done = unsafe {
            WTSEnumerateSessionsW(
                WTS_CURRENT_SERVER_HANDLE,
                0,
                1,
                &raw mut rows,
                &raw mut count,
            )
        };
        if done == 0 {
            return Err(last_error("WTSEnumerateSessionsW"));
        }
        let mut list = Vec::new();
        for index in 0..count as usize {
            // SAFETY: Windows gave so many rows, whose texts are null or end with a zero.
            let (row, station) = unsafe {
                let row = &*rows.add(index);
                (row, owned_text(row.pWinStationName))
            };
            list.push(SessionInfo {
                id: row.SessionId,
                station: station.unwrap_or_default(),
                state: row.State.cast_unsigned(),
                has_user: None,
            });
        }
        // SAFETY: the rows are ours, and nothing points to them any more.
        unsafe { WTSFreeMemory(rows.cast()) };
        Ok(list)
    }
}
