//! PUT requests where there is no `WinHTTP`: ureq, with the system's certificates and the proxy
//! that the environment names.

use std::io::Read;

use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error, SendBody};

use super::{ANSWER_BYTES, Answer, CONNECT_LIMIT, Put, SILENCE_LIMIT, Target, USER_AGENT};

/// The client of Linux and macOS.
pub(super) struct Client;

impl Put for Client {
    fn put(&self, target: &Target, body: &mut dyn Read, bytes: u64) -> Result<Answer, String> {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent: Agent = Agent::config_builder()
            .tls_config(tls)
            .user_agent(USER_AGENT)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(CONNECT_LIMIT))
            .timeout_connect(Some(CONNECT_LIMIT))
            .timeout_per_write(Some(SILENCE_LIMIT))
            .timeout_per_read(Some(SILENCE_LIMIT))
            .build()
            .into();
        // A length, because stores refuse chunked bodies; leave to continue, because they refuse a
        // bad signature before they have read the body and then hang up.
        let mut request = agent
            .put(&target.url)
            .header("Content-Length", bytes)
            .header("Expect", "100-continue");
        for (name, value) in target.store.headers() {
            request = request.header(*name, *value);
        }
        let mut response = request
            .send(SendBody::from_reader(body))
            .map_err(|error| describe(&error))?;
        let mut start = Vec::new();
        // The status alone decides; the body only explains it.
        let limit = ANSWER_BYTES as u64;
        let _ = response
            .body_mut()
            .as_reader()
            .take(limit)
            .read_to_end(&mut start);
        Ok(Answer {
            status: response.status().as_u16(),
            body: start,
        })
    }
}

/// The error in ASCII, without what might hold the URL.
fn describe(error: &Error) -> String {
    let text = match error {
        Error::BadUri(_) => "the URL is not valid".to_owned(),
        other => other.to_string(),
    };
    text.chars().filter(char::is_ascii).collect()
}
