//! PUT requests through `WinHTTP`: the machine's proxy and its certificate store count.

use std::ffi::c_void;
use std::io::Read;
use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::GlobalFree;
use windows_sys::Win32::Networking::WinHttp::{
    WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, WINHTTP_ACCESS_TYPE_NAMED_PROXY, WINHTTP_ADDREQ_FLAG_ADD,
    WINHTTP_ADDREQ_FLAG_REPLACE, WINHTTP_AUTO_DETECT_TYPE_DHCP, WINHTTP_AUTO_DETECT_TYPE_DNS_A,
    WINHTTP_AUTOPROXY_AUTO_DETECT, WINHTTP_AUTOPROXY_CONFIG_URL, WINHTTP_AUTOPROXY_OPTIONS,
    WINHTTP_AUTOPROXY_RUN_INPROCESS, WINHTTP_CURRENT_USER_IE_PROXY_CONFIG, WINHTTP_DISABLE_COOKIES,
    WINHTTP_DISABLE_REDIRECTS, WINHTTP_FLAG_SECURE, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, WINHTTP_IGNORE_REQUEST_TOTAL_LENGTH,
    WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_OPTION_PROXY, WINHTTP_OPTION_SECURE_PROTOCOLS,
    WINHTTP_PROXY_INFO, WINHTTP_QUERY_FLAG_NUMBER, WINHTTP_QUERY_STATUS_CODE,
    WinHttpAddRequestHeaders, WinHttpCloseHandle, WinHttpConnect,
    WinHttpGetIEProxyConfigForCurrentUser, WinHttpGetProxyForUrl, WinHttpOpen, WinHttpOpenRequest,
    WinHttpQueryHeaders, WinHttpReadData, WinHttpReceiveResponse, WinHttpSendRequest,
    WinHttpSetOption, WinHttpSetTimeouts, WinHttpWriteData,
};

use super::wide::{self, wide};
use crate::upload::{ANSWER_BYTES, Answer, CONNECT_LIMIT, Put, SILENCE_LIMIT, Target, USER_AGENT};

/// Bytes handed over at once.
const PART: usize = 64 << 10;

/// `WinHTTP`.
pub(crate) struct WinHttp;

impl Put for WinHttp {
    fn put(&self, target: &Target, body: &mut dyn Read, bytes: u64) -> Result<Answer, String> {
        let agent = wide(USER_AGENT);
        // SAFETY: the agent is terminated; without proxy names the two pointers are to be null.
        let session = Handle::new("WinHttpOpen", unsafe {
            WinHttpOpen(
                agent.as_ptr(),
                WINHTTP_ACCESS_TYPE_DEFAULT_PROXY,
                null(),
                null(),
                0,
            )
        })?;
        session.prepare(target.secure)?;
        let host = wide(&target.host);
        // SAFETY: the session lives and the name is terminated.
        let connection = Handle::new("WinHttpConnect", unsafe {
            WinHttpConnect(session.0, host.as_ptr(), target.port, 0)
        })?;
        let (verb, object) = (wide("PUT"), wide(&target.object));
        let flags = if target.secure {
            WINHTTP_FLAG_SECURE
        } else {
            0
        };
        // SAFETY: the connection lives and the texts are terminated; the rest may be null.
        let request = Handle::new("WinHttpOpenRequest", unsafe {
            WinHttpOpenRequest(
                connection.0,
                verb.as_ptr(),
                object.as_ptr(),
                null(),
                null(),
                null(),
                flags,
            )
        })?;
        // A proxy that cannot be found out leaves the machine's default in force.
        if let Some(proxy) = Proxy::find(&session, &target.url) {
            request.set(
                WINHTTP_OPTION_PROXY,
                "WINHTTP_OPTION_PROXY",
                &proxy.as_winhttp(),
            )?;
        }
        request.set(
            WINHTTP_OPTION_DISABLE_FEATURE,
            "WINHTTP_OPTION_DISABLE_FEATURE",
            &(WINHTTP_DISABLE_REDIRECTS | WINHTTP_DISABLE_COOKIES),
        )?;
        for (name, value) in target.store.headers() {
            request.add_header(name, value)?;
        }
        request.send(body, bytes)
    }
}

/// A handle of `WinHTTP`, closed at its end.
struct Handle(*mut c_void);

impl Handle {
    fn new(call: &str, handle: *mut c_void) -> Result<Self, String> {
        if handle.is_null() {
            return Err(last_error(call));
        }
        Ok(Self(handle))
    }

    /// Sets the session's time-outs and, for https, its protocols: Windows 7 and Server 2008 R2 use
    /// TLS 1.2 only when asked to, and know no TLS 1.3.
    fn prepare(&self, secure: bool) -> Result<(), String> {
        let connect = milliseconds(CONNECT_LIMIT);
        let silence = milliseconds(SILENCE_LIMIT);
        // SAFETY: the session lives; the rest are numbers.
        let set = unsafe { WinHttpSetTimeouts(self.0, connect, connect, silence, silence) };
        checked("WinHttpSetTimeouts", set)?;
        if !secure {
            return Ok(());
        }
        let call = "WINHTTP_OPTION_SECURE_PROTOCOLS";
        let newest = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3;
        self.set(WINHTTP_OPTION_SECURE_PROTOCOLS, call, &newest)
            .or_else(|_| {
                self.set(
                    WINHTTP_OPTION_SECURE_PROTOCOLS,
                    call,
                    &WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2,
                )
            })
    }

    /// Sets an option whose value is `T`.
    fn set<T>(&self, option: u32, name: &str, value: &T) -> Result<(), String> {
        let size = u32::try_from(size_of::<T>()).unwrap_or(0);
        // SAFETY: the value is readable over the size that is named.
        let set = unsafe { WinHttpSetOption(self.0, option, (&raw const *value).cast(), size) };
        checked(name, set)
    }

    fn add_header(&self, name: &str, value: &str) -> Result<(), String> {
        let line = wide(&format!("{name}: {value}"));
        let flags = WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE;
        // SAFETY: the line is terminated, which the length -1 says.
        let added = unsafe { WinHttpAddRequestHeaders(self.0, line.as_ptr(), u32::MAX, flags) };
        checked("WinHttpAddRequestHeaders", added)
    }

    /// Sends the body and reads the answer.
    fn send(&self, body: &mut dyn Read, bytes: u64) -> Result<Answer, String> {
        // The parameter has 32 bits; a larger length goes into the header alone.
        let total = match u32::try_from(bytes) {
            Ok(total) => total,
            Err(_) => {
                self.add_header("Content-Length", &bytes.to_string())?;
                WINHTTP_IGNORE_REQUEST_TOTAL_LENGTH
            }
        };
        // SAFETY: the request lives; headers and optional data are left out by null and length 0.
        let sent = unsafe { WinHttpSendRequest(self.0, null(), 0, null(), 0, total, 0) };
        checked("WinHttpSendRequest", sent)?;
        let written = self.write(body);
        // A server that refuses answers and hangs up before it has read all: its answer counts.
        // SAFETY: the request lives; the second parameter is reserved.
        let received = unsafe { WinHttpReceiveResponse(self.0, null_mut()) };
        let received = checked("WinHttpReceiveResponse", received);
        match (written, received) {
            (Ok(()), Ok(())) => {}
            (Err(_), Ok(())) if self.status().is_ok_and(|status| status >= 300) => {}
            (Err(error), _) | (Ok(()), Err(error)) => return Err(error),
        }
        Ok(Answer {
            status: self.status()?,
            body: self.read(),
        })
    }

    fn write(&self, body: &mut dyn Read) -> Result<(), String> {
        let mut part = vec![0; PART];
        loop {
            let filled = match body.read(&mut part) {
                Ok(0) => return Ok(()),
                Ok(count) => part.get(..count).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => return Err("the bundle cannot be read".to_owned()),
            };
            let mut left = filled;
            while !left.is_empty() {
                let length = u32::try_from(left.len()).unwrap_or(u32::MAX);
                let mut count = 0;
                // SAFETY: `left` is readable over `length` bytes, and `count` takes the answer.
                let written = unsafe {
                    WinHttpWriteData(self.0, left.as_ptr().cast(), length, &raw mut count)
                };
                checked("WinHttpWriteData", written)?;
                left = left.get(count as usize..).unwrap_or_default();
                if count == 0 {
                    return Err("WinHttpWriteData: nothing was taken".to_owned());
                }
            }
        }
    }

    fn status(&self) -> Result<u16, String> {
        let mut status: u32 = 0;
        let mut size = 4;
        // SAFETY: as a number the status has four bytes, which `status` holds.
        let asked = unsafe {
            WinHttpQueryHeaders(
                self.0,
                WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER,
                null(),
                (&raw mut status).cast(),
                &raw mut size,
                null_mut(),
            )
        };
        checked("WinHttpQueryHeaders", asked)?;
        u16::try_from(status).map_err(|_| "the server's status is no HTTP status".to_owned())
    }

    /// The start of the answer's body, which only explains the status: what cannot be read of it is
    /// left out.
    fn read(&self) -> Vec<u8> {
        let mut body = vec![0; ANSWER_BYTES];
        let mut filled = 0;
        while let Some(room) = body.get_mut(filled..).filter(|room| !room.is_empty()) {
            let length = u32::try_from(room.len()).unwrap_or(u32::MAX);
            let mut count = 0;
            // SAFETY: `room` is writable over `length` bytes, and `count` takes the answer.
            let read = unsafe {
                WinHttpReadData(self.0, room.as_mut_ptr().cast(), length, &raw mut count)
            };
            if read == 0 || count == 0 {
                break;
            }
            filled += count as usize;
        }
        body.truncate(filled);
        body
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open and closed only here.
        unsafe { WinHttpCloseHandle(self.0) };
    }
}

/// A proxy by name, as `WinHTTP` handed it out.
struct Proxy {
    names: Text,
    bypass: Text,
}

impl Proxy {
    /// What the user's settings say for this URL: a script or automatic detection first, then the
    /// proxy that is named there.
    fn find(session: &Handle, url: &str) -> Option<Self> {
        let mut settings = WINHTTP_CURRENT_USER_IE_PROXY_CONFIG::default();
        // SAFETY: the structure takes the answer.
        if unsafe { WinHttpGetIEProxyConfigForCurrentUser(&raw mut settings) } == 0 {
            return None;
        }
        let script = Text(settings.lpszAutoConfigUrl);
        let named = Self {
            names: Text(settings.lpszProxy),
            bypass: Text(settings.lpszProxyBypass),
        };
        let detected = Self::for_url(session, url, &script, settings.fAutoDetect != 0);
        detected.or_else(|| Some(named).filter(|proxy| !proxy.names.0.is_null()))
    }

    /// Runs the script, or the one that the network offers, within this process: outside of it
    /// Windows would start a service.
    fn for_url(session: &Handle, url: &str, script: &Text, detect: bool) -> Option<Self> {
        let mut options = WINHTTP_AUTOPROXY_OPTIONS {
            dwFlags: WINHTTP_AUTOPROXY_RUN_INPROCESS,
            fAutoLogonIfChallenged: 1,
            ..Default::default()
        };
        if detect {
            options.dwFlags |= WINHTTP_AUTOPROXY_AUTO_DETECT;
            options.dwAutoDetectFlags =
                WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A;
        }
        if !script.0.is_null() {
            options.dwFlags |= WINHTTP_AUTOPROXY_CONFIG_URL;
            options.lpszAutoConfigUrl = script.0;
        }
        if !detect && script.0.is_null() {
            return None;
        }
        let url = wide(url);
        let mut found = WINHTTP_PROXY_INFO::default();
        // SAFETY: session and texts live through the call, and `found` takes the answer.
        let asked = unsafe {
            WinHttpGetProxyForUrl(session.0, url.as_ptr(), &raw mut options, &raw mut found)
        };
        let proxy = Self {
            names: Text(found.lpszProxy),
            bypass: Text(found.lpszProxyBypass),
        };
        Some(proxy).filter(|_| asked != 0 && found.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY)
    }

    fn as_winhttp(&self) -> WINHTTP_PROXY_INFO {
        WINHTTP_PROXY_INFO {
            dwAccessType: WINHTTP_ACCESS_TYPE_NAMED_PROXY,
            lpszProxy: self.names.0,
            lpszProxyBypass: self.bypass.0,
        }
    }
}

/// A text, or null, that `WinHTTP` allocated for its caller.
struct Text(*mut u16);

impl Drop for Text {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: `WinHTTP` allocated it for the caller to free, and it is freed only here.
            unsafe { GlobalFree(self.0.cast()) };
        }
    }
}

fn checked(call: &str, done: i32) -> Result<(), String> {
    if done == 0 {
        return Err(last_error(call));
    }
    Ok(())
}

/// The last error, with words for those that a person can do something about.
/// <https://learn.microsoft.com/windows/win32/winhttp/error-messages>
fn last_error(call: &str) -> String {
    let code = wide::last_error(call).code;
    let meaning = match code {
        12002 => ": timed out",
        12007 => ": the name was not resolved",
        12029 => ": cannot connect",
        12030 => ": the connection broke off",
        12175 => ": no trusted TLS connection (certificate, clock or protocol)",
        12044 => ": the server asks for a client certificate",
        _ => "",
    };
    format!("{call} failed with {code}{meaning}")
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
