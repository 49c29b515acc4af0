//! `network.metadata`: what the cloud's metadata service says of the instance. No credentials, no
//! user data.

mod http;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use snapdiag_bundle::State;
use snapdiag_bundle::records::{CloudMetadata, MetadataValue};

use self::http::{BODY, Request, Response, send};
use super::clouds::{CLOUDS, Cloud, Service};
use super::{Collector, Job, Outcome, Phase, machine_signs};
use crate::system::files::io_error;

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "network.metadata",
    phase: Phase::Quick,
    limit: Duration::from_secs(15),
    collect,
}];

const METHOD: &str = "HTTP";
/// One request. These services answer within milliseconds, or nobody is there.
const TIME: Duration = Duration::from_millis(1500);
/// All requests.
const ALL_TIME: Duration = Duration::from_secs(10);
/// Lifetime of a session token, seconds.
const LIFETIME: &str = "60";
/// Most adapters whose values are asked for.
const ADAPTERS: usize = 8;
const PORT: u16 = 80;

fn collect(job: &mut Job) -> Outcome {
    let known = machine_signs::cloud(&*job.system);
    let address = |service: &Service| SocketAddr::new(service.address.into(), PORT);
    let until = (Instant::now() + ALL_TIME).min(job.until);
    let (record, outcome) = look(known, address, until, &|| job.is_over());
    let sent = record.map(|record| job.sink.json("network/metadata.json", &record));
    match sent {
        Some(Err(_)) => Outcome::stopped().by(METHOD),
        _ => outcome.by(METHOD),
    }
}

/// Asks the service of the cloud that is known, else one after the other.
fn look(
    known: Option<&'static Cloud>,
    address: impl Fn(&Service) -> SocketAddr,
    until: Instant,
    is_over: &dyn Fn() -> bool,
) -> (Option<CloudMetadata>, Outcome) {
    let clouds: Vec<&Cloud> = known.map_or_else(|| CLOUDS.iter().collect(), |cloud| vec![cloud]);
    let mut silent: Vec<SocketAddr> = Vec::new();
    let mut fault = None;
    for cloud in clouds {
        let address = address(&cloud.metadata);
        if is_over() || silent.contains(&address) {
            continue;
        }
        let session = Session {
            service: &cloud.metadata,
            address,
            until,
            token: None,
        };
        match session.open() {
            Ok((values, whole)) => {
                let record = CloudMetadata {
                    cloud: cloud.id.to_owned(),
                    endpoint: format!("http://{}{}", cloud.metadata.host, cloud.metadata.base),
                    values,
                };
                let outcome = if whole {
                    Outcome::ok(METHOD)
                } else {
                    Outcome::new(State::Truncated)
                        .because("the service did not answer every request")
                };
                return (Some(record), outcome);
            }
            Err(Closed::Stranger) => {}
            Err(Closed::Silent(error)) => {
                silent.push(address);
                fault = Some(error);
            }
        }
    }
    let outcome = match (known, fault) {
        // On a machine that is in no cloud nobody has to answer.
        (None, _) => Outcome::new(State::Absent).because("no metadata service answers"),
        (Some(_), Some(error)) if is_time_out(&error) => {
            Outcome::new(State::Timeout).because("the metadata service does not answer")
        }
        (Some(_), Some(error)) => Outcome::failed(io_error("connect", &error))
            .because("the metadata service cannot be reached"),
        (Some(_), None) => Outcome::new(State::Failed)
            .because("the metadata service does not answer as that of this cloud"),
    };
    (None, outcome)
}

/// Why a service gave nothing.
enum Closed {
    /// Nobody answers there.
    Silent(io::Error),
    /// Somebody answers, but not as this cloud's service.
    Stranger,
}

struct Session<'a> {
    service: &'a Service,
    address: SocketAddr,
    until: Instant,
    token: Option<String>,
}

impl Session<'_> {
    /// Opens the session and reads the values; false when some request had no answer.
    fn open(mut self) -> Result<(Vec<MetadataValue>, bool), Closed> {
        if let Some(token) = &self.service.token {
            let lifetime = [(token.lifetime, LIFETIME)];
            let answer = self.request("PUT", token.path, &lifetime);
            let answer = answer.map_err(Closed::Silent)?;
            let text = String::from_utf8(answer.body).ok();
            self.token = text
                .filter(|text| answer.status == 200 && is_token(text))
                .map(|text| text.trim().to_owned());
            if token.required && self.token.is_none() {
                return Err(Closed::Stranger);
            }
        }
        let mut values = Vec::new();
        let mut whole = true;
        let Some((first, others)) = self.service.values.split_first() else {
            return Err(Closed::Stranger);
        };
        let answer = self.value(first).map_err(Closed::Silent)?;
        if answer.status != 200 || !self.is_of_cloud(&answer) {
            return Err(Closed::Stranger);
        }
        values.push(value(first, &answer));
        for path in others {
            whole &= self.add(path, &mut values);
        }
        if let Some(list) = self.service.adapters {
            whole &= self.add(list, &mut values);
            let text = values.last().and_then(|last| last.value.clone());
            for mac in adapters(&text.unwrap_or_default()) {
                for path in self.service.of_adapter {
                    whole &= self.add(&format!("{list}{mac}/{path}"), &mut values);
                }
            }
        }
        Ok((values, whole))
    }

    /// Asks for a value and adds it; false where no answer came.
    fn add(&self, path: &str, values: &mut Vec<MetadataValue>) -> bool {
        let answer = self.value(path);
        values.extend(answer.as_ref().ok().map(|answer| value(path, answer)));
        answer.is_ok()
    }

    fn value(&self, path: &str) -> io::Result<Response> {
        let Service { base, query, .. } = self.service;
        let token = self.service.token.as_ref().zip(self.token.as_deref());
        let token = token.map(|(token, text)| (token.header, text));
        let headers: Vec<_> = self.service.header.into_iter().chain(token).collect();
        self.request("GET", &format!("{base}{path}{query}"), &headers)
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let request = Request {
            method,
            host: self.service.host,
            path,
            headers,
        };
        send(self.address, &request, TIME.min(left))
    }

    /// Whether an answer has the mark of this cloud, where it has one.
    fn is_of_cloud(&self, answer: &Response) -> bool {
        match self.service.header {
            Some((name, value)) if self.service.echoes_header => answer.header(name) == Some(value),
            _ => true,
        }
    }
}

fn value(path: &str, answer: &Response) -> MetadataValue {
    let body = answer.body.get(..BODY).unwrap_or(&answer.body);
    MetadataValue {
        path: path.to_owned(),
        status: answer.status,
        value: (answer.status == 200).then(|| String::from_utf8_lossy(body).into_owned()),
    }
}

/// The MAC addresses of a list, as they stand there: they become part of a path.
fn adapters(list: &str) -> Vec<&str> {
    let names = list.lines().map(|line| line.trim().trim_end_matches('/'));
    let is_mac =
        |name: &&str| name.len() == 17 && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    names.filter(is_mac).take(ADAPTERS).collect()
}

/// Whether a text can stand in a header.
fn is_token(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

#[cfg(test)]
mod tests;
