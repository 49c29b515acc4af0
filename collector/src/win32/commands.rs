//! Child processes in a job of their own.

use std::ffi::c_void;
use std::io::{self, Read};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, ERROR_GEN_FAILURE, GetLastError};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
    SetInformationJobObject,
};
use windows_sys::Win32::System::Pipes::PeekNamedPipe;
use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

use super::Windows;
use crate::system::commands::{Commands, Running};
use crate::system::files::{Files, io_error};
use crate::system::{SysResult, os_error};

/// How often a silent program is looked at.
const STEP: Duration = Duration::from_millis(10);

impl Commands for Windows {
    fn start(
        &self,
        program: &str,
        arguments: &[&str],
        time: Duration,
    ) -> SysResult<Box<dyn Running>> {
        const CALL: &str = "CreateProcessW";
        let folder = self.system_root()?.join("System32");
        let mut child = Command::new(folder.join(program))
            .args(arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .creation_flags(CREATE_NO_WINDOW)
            .spawn()
            .map_err(|error| io_error(CALL, &error))?;
        let job = job_of(&child);
        let output = child.stdout.take();
        let output = output.ok_or_else(|| os_error(CALL, ERROR_GEN_FAILURE))?;
        Ok(Box::new(Program {
            child,
            output,
            _job: job,
            until: Instant::now() + time,
        }))
    }
}

struct Program {
    child: Child,
    output: ChildStdout,
    /// Ends what is in it when closed.
    _job: Option<OwnedHandle>,
    until: Instant,
}

impl Read for Program {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A read of an anonymous pipe cannot be given a time: it happens when there is something.
        loop {
            let mut there = 0;
            // SAFETY: the handle is open, and only the number of bytes is asked for.
            let peeked = unsafe {
                PeekNamedPipe(
                    self.output.as_raw_handle(),
                    null_mut(),
                    0,
                    null_mut(),
                    &raw mut there,
                    null_mut(),
                )
            };
            if peeked == 0 {
                // SAFETY: reads a number that belongs to this thread.
                return match unsafe { GetLastError() } {
                    ERROR_BROKEN_PIPE => Ok(0),
                    code => Err(io::Error::from_raw_os_error(code.cast_signed())),
                };
            }
            if there > 0 {
                return self.output.read(buffer);
            }
            if Instant::now() >= self.until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(STEP);
        }
    }
}

impl Running for Program {
    fn exit_status(&mut self) -> Option<u32> {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.code().map(i32::cast_unsigned),
                Ok(None) if Instant::now() < self.until => std::thread::sleep(STEP),
                _ => return None,
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended cannot be ended again, and that is no matter.
        let _ = self.child.kill();
    }
}

/// A job that ends the child and its children when it is closed. None before Windows 8 where the
/// collector itself is in a job: then only the child is ended.
fn job_of(child: &Child) -> Option<OwnedHandle> {
    // SAFETY: no name, default security; the handle is ours from here on.
    let job = unsafe {
        let job = CreateJobObjectW(null(), null());
        if job.is_null() {
            return None;
        }
        OwnedHandle::from_raw_handle(job)
    };
    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    let size = u32::try_from(size_of_val(&limits)).ok()?;
    // SAFETY: both handles are open, and the structure is that of the class, with its size.
    let set = unsafe {
        let limits: *const c_void = (&raw const limits).cast();
        let (job, class) = (job.as_raw_handle(), JobObjectExtendedLimitInformation);
        SetInformationJobObject(job, class, limits, size) != 0
            && AssignProcessToJobObject(job, child.as_raw_handle()) != 0
    };
    set.then_some(job)
}
