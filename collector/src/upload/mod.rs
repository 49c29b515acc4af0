//! Sends a finished bundle to an object store by one HTTP PUT to a presigned URL: S3, COS, OSS,
//! Azure Blob and what speaks like them.
//!
//! `target` reads the URL, `attempts` decides what an answer means and when to try again, and a
//! [`Put`] does one request: `WinHTTP` on Windows, so that the system's proxy and certificate store
//! count, `client` elsewhere.
//!
//! The URL's query is a secret that lets anyone write there: it is never repeated, neither on the
//! console nor in an error.

mod attempts;
#[cfg(not(windows))]
mod client;
mod target;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

pub use target::{Store, Target};

/// Bytes of an answer's body that are looked at: the error documents of object stores are smaller.
pub(crate) const ANSWER_BYTES: usize = 8 << 10;

/// How this program names itself to a server.
pub(crate) const USER_AGENT: &str = concat!("snapdiag-collector/", env!("CARGO_PKG_VERSION"));

/// How long a name or a connection may take. A presigned URL's own life is counted in minutes.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// How long one send or receive may bring nothing. Stores answer a large PUT only when they have
/// written it.
pub(crate) const SILENCE_LIMIT: Duration = Duration::from_secs(120);

/// One PUT request, without redirects, over the machine's proxy if it has one.
pub trait Put {
    /// Sends `bytes` bytes of `body` and hands back what the server says, whatever its status.
    ///
    /// # Errors
    /// A text in ASCII when the server could not be reached or broke off. It names no part of the
    /// URL.
    fn put(&self, target: &Target, body: &mut dyn Read, bytes: u64) -> Result<Answer, String>;
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The first bytes of the body.
    pub body: Vec<u8>,
}

/// Why a bundle was not sent.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Not a URL that can be sent to.
    #[error("the URL {0}")]
    Url(&'static str),
    /// The file cannot be opened.
    #[error("{path}: {error}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The file cannot be read to its end.
    #[error("cannot read the bundle: {0}")]
    Read(io::Error),
    /// A single PUT of that size is refused by the store.
    #[error("the bundle has {bytes} bytes; {store} takes at most {limit} in one PUT")]
    TooLarge {
        /// The bundle's size.
        bytes: u64,
        /// The most the store takes.
        limit: u64,
        /// The store.
        store: &'static str,
    },
    /// The server answered and does not want it.
    #[error("the server answered {status}{detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What the server says of it, with a leading separator, or nothing.
        detail: String,
    },
    /// No attempt got an answer.
    #[error("no answer after {attempts} attempts; the last: {last}")]
    Unreachable {
        /// How often it was tried.
        attempts: usize,
        /// What went wrong the last time.
        last: String,
    },
}

impl UploadError {
    /// The program's exit status: 2 for a bad URL, 3 for a bundle that is not there, 1 for one that
    /// was not sent.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Url(_) => 2,
            Self::Open { .. } => 3,
            _ => 1,
        }
    }
}

/// Sends `bundle` to `url`. `report` takes lines of ASCII for the console: progress, each failed
/// attempt, and at a failure how to send the bundle later.
///
/// # Errors
/// If the bundle did not arrive. The bundle stays where it is.
pub fn upload(bundle: &Path, url: &str, report: &mut dyn FnMut(&str)) -> Result<(), UploadError> {
    #[cfg(windows)]
    let put = crate::win32::http::WinHttp;
    #[cfg(not(windows))]
    let put = client::Client;
    let sent = send(bundle, url, &put, report);
    if let Err(error) = &sent
        && !matches!(error, UploadError::Open { .. })
    {
        report(&format!("upload: failed: {error}"));
        report("upload: the bundle is kept. To send it later, with a URL that is still valid:");
        report(&format!("upload:   {}", later(bundle)));
        report("upload: (the URL is not repeated because it is a secret; keep the quotes)");
    }
    sent
}

/// The command that sends `bundle` later, with `URL` in place of the URL.
pub fn later(bundle: &Path) -> String {
    format!(
        "snapdiag-collector --upload-file \"{}\" \"URL\"",
        bundle.display()
    )
}

fn send(
    bundle: &Path,
    url: &str,
    put: &dyn Put,
    report: &mut dyn FnMut(&str),
) -> Result<(), UploadError> {
    let target = Target::parse(url)?;
    let open = |error| UploadError::Open {
        path: bundle.display().to_string(),
        error,
    };
    let mut file = File::open(bundle).map_err(open)?;
    let metadata = file.metadata().map_err(open)?;
    if !metadata.is_file() {
        return Err(open(io::Error::other("not a file")));
    }
    let bytes = metadata.len();
    target.store.admit(bytes)?;
    if !target.secure {
        report("upload: this URL is http, not https: the bundle travels unencrypted");
    }
    attempts::run(put, &target, &mut file, bytes, report, std::thread::sleep)
}
