//! `intranet-dns`: whether names of the intranet and of the cloud resolve.

mod clouds;
mod questions;
mod remedies;
mod routes;
mod servers;
mod settings;

use std::collections::BTreeSet;
use std::net::IpAddr;

use self::clouds::Table;
use self::servers::{Answer, Server};
use super::logs;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::checks::words;
use crate::facts::capture::CaptureKind;
use crate::facts::network::Probe;
use crate::facts::network_events::Kind;

/// The check.
pub const CHECK: Check = Check {
    id: "intranet-dns",
    category: Category::Network,
    title: "Intranet DNS",
    page: include_str!("intranet_dns.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("eventlog.system"),
        Input::helpful("registry.software"),
        Input::helpful("network.adapters"),
        Input::helpful("network.routes"),
        Input::helpful("network.probes"),
        Input::helpful("network.hosts-text"),
        Input::helpful("network.route-text"),
        Input::helpful("system.machine"),
    ],
    thresholds: &[TIMEOUTS],
    decide,
};

const TIMEOUTS: Threshold = Threshold {
    key: "intranet-dns.timeouts",
    default: 20.0,
    unit: "DNS-Client 1014 in one hour",
    meaning: "more in an hour of the last 24 is a warning",
    source: "ours",
};

const DAY: f64 = 24.0;
const DISABLED: u64 = 4;
const PROBES: &str = "a live capture: questions to the name servers (network.probes)";

/// All that the rules look at.
struct Seen<'a> {
    cx: &'a Context<'a>,
    /// The configured servers; `None` where neither adapters nor registry tell.
    servers: Option<Vec<Server>>,
    asked: Vec<(IpAddr, &'a str, &'a Probe)>,
    table: Option<&'static Table>,
    /// The domain of a member.
    domain: Option<&'a str>,
}

fn decide(cx: &Context<'_>) -> Decision {
    let network = &cx.snapshot.network;
    let machine = &cx.snapshot.machine;
    let seen = Seen {
        cx,
        servers: servers::configured(network),
        asked: servers::asked(network),
        table: machine
            .cloud
            .value()
            .and_then(|cloud| clouds::table(*cloud)),
        domain: machine.domain.value().map(String::as_str),
    };
    let mut judge = Judge::new();
    seen.no_server(&mut judge);
    seen.client_disabled(&mut judge);
    seen.nothing_resolves(&mut judge);
    seen.hosts(&mut judge);
    seen.internal_fails(&mut judge);
    seen.first_dead(&mut judge);
    seen.strangers_in_a_domain(&mut judge);
    seen.clouds_servers_overridden(&mut judge);
    routes::stale(&mut judge, cx.snapshot, seen.table);
    routes::hidden(&mut judge, cx.snapshot, seen.table);
    seen.timeouts(&mut judge);
    seen.notes(&mut judge);
    seen.demand(&mut judge);
    for server in seen.servers() {
        judge.exhibit_evidence(
            format!("{} asks {}", server.link, server.address),
            &server.evidence,
        );
    }
    if !seen.live() {
        judge.at_most(Confidence::Medium);
    }
    let list: Vec<String> = seen
        .servers()
        .iter()
        .map(|server| server.address.to_string())
        .collect();
    let known = if list.is_empty() {
        String::new()
    } else {
        format!("name servers {}", list.join(", "))
    };
    let healthy = if seen.live() {
        "names resolve"
    } else {
        "the configuration of name resolution is sound"
    };
    judge.finish(format!("{healthy}: {known}"), known)
}

impl Seen<'_> {
    fn live(&self) -> bool {
        self.cx.snapshot.capture.kind == CaptureKind::Live
    }

    fn servers(&self) -> &[Server] {
        self.servers.as_deref().unwrap_or_default()
    }

    fn is_internal(&self, name: &str) -> bool {
        let cloud = self.table.is_some_and(|table| {
            table
                .names
                .iter()
                .any(|known| known.text.eq_ignore_ascii_case(name))
        });
        cloud || self.is_of_domain(name)
    }

    /// Whether a name lies in the machine's domain.
    fn is_of_domain(&self, name: &str) -> bool {
        self.domain.is_some_and(|domain| {
            let (name, domain) = (name.to_ascii_lowercase(), domain.to_ascii_lowercase());
            name == domain || name.ends_with(&format!(".{domain}"))
        })
    }

    fn timeouts(&self, judge: &mut Judge) {
        let events = &self.cx.snapshot.network_events;
        let limit = self.cx.limit(&TIMEOUTS);
        let hour = logs::before_capture(self.cx.snapshot, DAY)
            .and_then(|since| events.busiest_hour(Kind::DnsTimeout, since));
        let count = hour.map_or(0, |hour| hour.count);
        // A count of records in an hour is far below 2^32.
        let many = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) > limit;
        let compared = format!("{count} DNS-Client 1014 in an hour, limit {limit}");
        let holds = (events.system.value().is_some() || many).then_some(many);
        let problem = judge.rule(Verdict::Warning, "timeouts", compared, holds);
        if let (Some(problem), Some(hour)) = (problem, hour) {
            problem.headline(format!(
                "{count} names timed out in the hour from {} (DNS-Client 1014)",
                hour.begin
            ));
            let servers: BTreeSet<&str> = events
                .of(Kind::DnsTimeout)
                .filter_map(|event| event.subject.as_deref())
                .collect();
            if !servers.is_empty() {
                let servers: Vec<&str> = servers.into_iter().collect();
                problem.because(format!(
                    "The newest name the servers {}.",
                    servers.join(", ")
                ));
            }
            problem.confidence(Confidence::Medium);
            problem.exhibits(
                words::count(count, "record"),
                std::slice::from_ref(&hour.evidence),
            );
            problem.remedy(remedies::reset(self.servers(), self.domain.is_some()));
        }
    }

    fn notes(&self, judge: &mut Judge) {
        let dns = &self.cx.snapshot.network.dns;
        let rules = [&dns.policy_rules, &dns.local_rules];
        let rules: usize = rules
            .iter()
            .filter_map(|fact| fact.value())
            .map(Vec::len)
            .sum();
        if rules > 0 {
            judge.note(format!("{rules} rules of the name resolution policy table send some names to servers of their own."));
        }
    }

    /// What must have been seen before the check may say `ok`.
    fn demand(&self, judge: &mut Judge) {
        let snapshot = self.cx.snapshot;
        let network = &snapshot.network;
        let hive = "the SYSTEM hive (registry.system)";
        judge.require(&network.interfaces, "the TCP/IP settings", hive);
        judge.require(&network.devices, "the network devices", hive);
        judge.require(&network.persistent_routes, "the persistent routes", hive);
        judge.require(
            &snapshot.machine.domain,
            "whether the machine is in a domain",
            hive,
        );
        judge.require(
            &snapshot.machine.cloud,
            "whether the machine runs in a cloud",
            hive,
        );
        if let Some(service) = snapshot.services.service("Dnscache") {
            judge.require(&service.start, "the start type of Dnscache", hive);
        }
        logs::require(
            judge,
            snapshot,
            &snapshot.network_events.system,
            "System",
            DAY,
        );
        if !self.live() {
            judge.would_help(PROBES);
            return;
        }
        judge.require(
            &network.adapters,
            "the adapters of the running machine",
            "network.adapters",
        );
        judge.require(&network.probes, "how the name servers answer", PROBES);
        judge.require(
            &network.dns.hosts,
            "the hosts file",
            "the hosts file (network.hosts-text)",
        );
        if self.table.is_some() {
            judge.require(
                &network.routes,
                "the routes of the running machine",
                "network.routes",
            );
        }
        let answered =
            |(_, _, probe): &(IpAddr, &str, &Probe)| servers::answer(probe) != Answer::NotAsked;
        if network.probes.value().is_some() && !self.asked.iter().any(answered) {
            judge.lacks("no name server was asked", PROBES);
        }
    }
}

#[cfg(test)]
mod tests;
