//! `intranet-dns`: whether names of the intranet and of the cloud resolve.

mod clouds;
mod remedies;
mod routes;
mod servers;

use std::collections::BTreeSet;
use std::net::IpAddr;

use self::clouds::Table;
use self::servers::{Answer, Server};
use super::logs;
use crate::checks::check::{Check, Context, Decision, Input, Judge, Problem};
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

    fn no_server(&self, judge: &mut Judge) {
        let count = self.servers.as_ref().map(Vec::len);
        let compared = format!(
            "configured name servers: {}, critical at 0",
            words::value(count)
        );
        let problem = judge.rule(
            Verdict::Critical,
            "no-server",
            compared,
            count.map(|count| count == 0),
        );
        if let Some(problem) = problem {
            problem.headline("no name server is configured");
            let network = &self.cx.snapshot.network;
            for adapter in network.adapters.value().into_iter().flatten().take(4) {
                problem.exhibits(
                    "a connection without name servers",
                    std::slice::from_ref(&adapter.evidence),
                );
            }
            for interface in network.interfaces.value().into_iter().flatten().take(4) {
                problem.evidence("NameServer", &interface.name_servers);
                problem.evidence("DhcpNameServer", &interface.dhcp_name_servers);
            }
            problem.remedy(remedies::reset(self.servers(), self.domain.is_some()));
        }
    }

    fn client_disabled(&self, judge: &mut Judge) {
        let Some(service) = self.cx.snapshot.services.service("Dnscache") else {
            return;
        };
        let start = service.start_number();
        let compared = format!("Start of Dnscache: {} (4 is disabled)", words::value(start));
        let holds = start.map(|start| start == DISABLED);
        if let Some(problem) = judge.rule(Verdict::Critical, "client-disabled", compared, holds) {
            problem.headline("the DNS client (Dnscache) is disabled");
            problem.evidence_expected("Start of Dnscache", "2", &service.start);
            problem.remedy(remedies::enable_client(&service.start));
        }
    }

    /// No configured server is of use for any name that is certain to exist.
    fn nothing_resolves(&self, judge: &mut Judge) {
        let certain = |name: &str| clouds::known(name).is_none_or(|known| known.confirmed);
        let questions: Vec<_> = self
            .asked
            .iter()
            .filter(|(_, name, probe)| certain(name) && servers::answer(probe) != Answer::NotAsked)
            .collect();
        let failed =
            |probe: &Probe| matches!(servers::answer(probe), Answer::Fails | Answer::Silent);
        let bad = questions
            .iter()
            .filter(|(_, _, probe)| failed(probe))
            .count();
        let compared = format!("{bad} of {} questions failed", questions.len());
        let holds = (!questions.is_empty()).then_some(bad == questions.len());
        if let Some(problem) = judge.rule(Verdict::Critical, "nothing-resolves", compared, holds) {
            let asked: BTreeSet<IpAddr> = questions.iter().map(|(server, ..)| *server).collect();
            let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
            problem.headline(format!(
                "no name resolves: {} failed all questions",
                asked.join(", ")
            ));
            for (server, name, probe) in questions {
                show(problem, *server, name, probe);
            }
            problem.remedy(remedies::reset(self.servers(), self.domain.is_some()));
        }
    }

    /// The hosts file sends a name of a cloud elsewhere.
    fn hosts(&self, judge: &mut Judge) {
        let hosts = self.cx.snapshot.network.dns.hosts.value();
        for entry in hosts.into_iter().flatten() {
            let Some(known) = clouds::known(&entry.name) else {
                continue;
            };
            let right = known
                .addresses
                .iter()
                .any(|one| one.parse() == Ok(entry.address));
            if right {
                judge.note(format!(
                    "The hosts file holds {} with its right address.",
                    entry.name
                ));
                continue;
            }
            let sure = known.confirmed && !known.addresses.is_empty();
            let verdict = if sure {
                Verdict::Critical
            } else {
                Verdict::Warning
            };
            let compared = format!("hosts: {} is {}", entry.name, entry.address);
            if let Some(problem) = judge.rule(verdict, "hosts", compared, Some(true)) {
                problem.headline(format!(
                    "the hosts file sends {} to {}",
                    entry.name, entry.address
                ));
                if sure {
                    problem.because(format!("Its address is {}.", known.addresses.join(" or ")));
                }
                problem.exhibits("the entry", std::slice::from_ref(&entry.evidence));
                problem.remedy(remedies::edit_hosts(&entry.name));
            }
        }
    }

    /// A name of the cloud or the domain fails at every server, while other names resolve.
    fn internal_fails(&self, judge: &mut Judge) {
        let resolved = |name: &str| {
            self.asked.iter().any(|(_, one, probe)| {
                one.eq_ignore_ascii_case(name) && servers::answer(probe) == Answer::Resolved
            })
        };
        let names: BTreeSet<&str> = self.asked.iter().map(|(_, name, _)| *name).collect();
        let others = names
            .iter()
            .any(|name| !self.is_internal(name) && resolved(name));
        for name in names.iter().filter(|name| self.is_internal(name)) {
            let questions: Vec<_> = self
                .asked
                .iter()
                .filter(|(_, one, probe)| one == name && servers::answer(probe) != Answer::NotAsked)
                .collect();
            let fails = !questions.is_empty() && !resolved(name);
            let compared = format!("{name} resolves: {}; other names: {others}", !fails);
            if let Some(problem) =
                judge.rule(Verdict::Warning, "internal-fails", compared, Some(fails))
            {
                let answer = questions
                    .first()
                    .map_or("", |(_, _, probe)| servers::words(probe));
                let server = questions
                    .first()
                    .map(|(server, ..)| server.to_string())
                    .unwrap_or_default();
                problem.headline(format!("{name} does not resolve: {server} {answer}"));
                if others {
                    problem.because(
                        "Other names resolve: the configured servers do not know the intranet.",
                    );
                }
                for (server, name, probe) in questions {
                    show(problem, *server, name, probe);
                }
                self.mend_internal(problem, name);
            }
        }
        let public_fails = names.iter().find(|name| {
            !self.is_internal(name) && !resolved(name) && names.iter().any(|one| resolved(one))
        });
        if let Some(name) = public_fails {
            judge.note(format!("{name} does not resolve, and names of the intranet do: a closed network, or a missing forwarder."));
        }
    }

    fn mend_internal(&self, problem: &mut Problem, name: &str) {
        match (self.domain, self.table) {
            (Some(_), Some(table)) if !self.is_of_domain(name) => {
                let zone = name.split_once('.').map_or(name, |(_, zone)| zone);
                problem.remedy(remedies::forward(zone, table.servers));
            }
            _ => {
                problem.remedy(remedies::reset(self.servers(), self.domain.is_some()));
            }
        }
    }

    /// The first server is dead, and another one works.
    fn first_dead(&self, judge: &mut Judge) {
        let Some(first) = self.servers().first() else {
            return;
        };
        let answers = |address: IpAddr| -> Vec<Answer> {
            let asked = self.asked.iter().filter(|(server, ..)| *server == address);
            asked
                .map(|(_, _, probe)| servers::answer(probe))
                .filter(|answer| *answer != Answer::NotAsked)
                .collect()
        };
        let of_first = answers(first.address);
        let dead = !of_first.is_empty()
            && of_first
                .iter()
                .all(|answer| matches!(answer, Answer::Silent | Answer::Fails));
        let others = self
            .servers()
            .iter()
            .filter(|server| server.address != first.address);
        let works = others
            .map(|server| answers(server.address))
            .any(|answers| answers.contains(&Answer::Resolved));
        let compared = format!(
            "answers of {}: {}; another server works: {}",
            first.address,
            words::list(of_first.iter().map(|answer| answer.words())),
            words::answer(Some(works))
        );
        let holds = (!of_first.is_empty()).then_some(dead && works);
        if let Some(problem) = judge.rule(Verdict::Warning, "first-dead", compared, holds) {
            problem.headline(format!(
                "the first name server {} does not work: every name waits for it",
                first.address
            ));
            for (server, name, probe) in self
                .asked
                .iter()
                .filter(|(server, ..)| *server == first.address)
            {
                show(problem, *server, name, probe);
            }
            problem.remedy(remedies::reset(self.servers(), self.domain.is_some()));
        }
    }

    fn strangers_in_a_domain(&self, judge: &mut Judge) {
        let Some(domain) = self.domain else { return };
        let strangers = self
            .servers()
            .iter()
            .filter_map(|server| Some((server, clouds::stranger(server.address)?)));
        let found: Vec<_> = strangers.collect();
        let compared = format!(
            "{} of {} servers cannot know {domain}",
            found.len(),
            self.servers().len()
        );
        let problem = judge.rule(
            Verdict::Warning,
            "stranger-in-a-domain",
            compared,
            Some(!found.is_empty()),
        );
        if let (Some(problem), Some((server, what))) = (problem, found.first()) {
            problem.headline(format!(
                "a member of the domain {domain} asks {}, {what}, which does not know the domain",
                server.address
            ));
            problem.because("Windows stays with the server that answered last: after one time-out the domain is unknown for a quarter of an hour or longer.");
            for (server, what) in &found {
                problem.exhibits(format!("{} is {what}", server.address), &server.evidence);
            }
            problem.remedy(remedies::reset(self.servers(), true));
        }
    }

    /// Servers set by hand hide those that the cloud gave.
    fn clouds_servers_overridden(&self, judge: &mut Judge) {
        let Some(table) = self.table.filter(|_| self.domain.is_none()) else {
            return;
        };
        let works = self.asked.iter().any(|(_, name, probe)| {
            self.is_internal(name) && servers::answer(probe) == Answer::Resolved
        });
        let network = &self.cx.snapshot.network;
        for interface in network.interfaces.value().into_iter().flatten() {
            let set = servers::set_by_hand(interface);
            let given = servers::list(interface.dhcp_name_servers.value());
            let hidden = !set.is_empty()
                && given.iter().any(|one| clouds::is_of(table, *one))
                && !set.iter().any(|one| clouds::is_of(table, *one));
            let compared = format!(
                "set: {}; given by DHCP: {}; a name of the cloud resolves: {}",
                words::list(&set),
                words::list(&given),
                words::answer(Some(works))
            );
            let problem = judge.rule(
                Verdict::Warning,
                "clouds-servers-hidden",
                compared,
                Some(hidden && !works),
            );
            if let (Some(problem), Some(first)) = (problem, set.first()) {
                problem.headline(format!(
                    "the name server {first} is set by hand; {} gave others, which know its names",
                    table.cloud.name()
                ));
                problem.confidence(Confidence::Medium);
                problem.evidence("NameServer", &interface.name_servers);
                problem.evidence("DhcpNameServer", &interface.dhcp_name_servers);
                problem.remedy(remedies::reset(self.servers(), false));
            }
        }
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

fn show(problem: &mut Problem, server: IpAddr, name: &str, probe: &Probe) {
    problem.exhibits(
        format!("asked for {name}, {server} {}", servers::words(probe)),
        std::slice::from_ref(&probe.evidence),
    );
}

#[cfg(test)]
mod tests;
