//! How name resolution is set up.

use super::servers::{self, Answer};
use super::{DISABLED, Seen, clouds, remedies};
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;

impl Seen<'_> {
    pub(super) fn no_server(&self, judge: &mut Judge) {
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

    pub(super) fn client_disabled(&self, judge: &mut Judge) {
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

    /// The hosts file sends a name of a cloud elsewhere.
    pub(super) fn hosts(&self, judge: &mut Judge) {
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

    pub(super) fn strangers_in_a_domain(&self, judge: &mut Judge) {
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
    pub(super) fn clouds_servers_overridden(&self, judge: &mut Judge) {
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
}
