//! What the name servers answered.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::servers::{self, Answer};
use super::{Seen, clouds, remedies};
use crate::checks::check::{Judge, Problem};
use crate::checks::verdict::Verdict;
use crate::checks::words;
use crate::facts::network::Probe;

impl Seen<'_> {
    /// No configured server is of use for any name that is certain to exist.
    pub(super) fn nothing_resolves(&self, judge: &mut Judge) {
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

    /// A name of the cloud or the domain fails at every server, while other names resolve.
    pub(super) fn internal_fails(&self, judge: &mut Judge) {
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
    pub(super) fn first_dead(&self, judge: &mut Judge) {
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
}

fn show(problem: &mut Problem, server: IpAddr, name: &str, probe: &Probe) {
    problem.exhibits(
        format!("asked for {name}, {server} {}", servers::words(probe)),
        std::slice::from_ref(&probe.evidence),
    );
}
