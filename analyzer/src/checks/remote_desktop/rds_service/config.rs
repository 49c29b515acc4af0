//! What the configuration says: can the service start?

use crate::checks::words;
use std::collections::BTreeSet;

use super::{Confidence, Context, DISABLED, Judge, Service, Verdict, is_running, remedies};
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Text;

/// The services besides, without which parts of Remote Desktop do not work.
const HELPERS: [(&str, &str); 2] = [
    (
        "UmRdpService",
        "printers, drives and clipboard are not redirected",
    ),
    (
        "SessionEnv",
        "the certificate is not renewed and sessions are not configured",
    ),
];

pub(super) fn disabled(judge: &mut Judge, service: &Service) {
    let start = service.start_number();
    let compared = format!("Start = {} (4 is disabled)", or_unknown(start));
    let holds = service
        .start
        .is_settled()
        .then_some(start == Some(DISABLED));
    if let Some(problem) = judge.rule(Verdict::Critical, "disabled", compared, holds) {
        let also = if is_running(service) == Some(true) {
            ": it still runs, and will not start again"
        } else {
            ""
        };
        problem
            .headline(format!("the service TermService is disabled{also}"))
            .evidence_expected(
                "Start = 4: disabled",
                "3 (on demand) or 2 (automatic)",
                &service.start,
            )
            .remedy(remedies::enable(service));
    }
}

pub(super) fn missing(judge: &mut Judge, service: &Service) {
    let holds = service.key.is_settled().then_some(service.key.is_absent());
    let compared = "the key of TermService is missing";
    if let Some(problem) = judge.rule(Verdict::Critical, "missing", compared, holds) {
        problem
            .headline("there is no service TermService: Remote Desktop cannot work")
            .evidence("no such key", &service.key)
            .remedy(remedies::restore_service());
    }
}

/// The library or the program is not Microsoft's.
pub(super) fn altered(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    if service.key.is_absent() {
        return;
    }
    let root = cx.snapshot.machine.system_root.value().map(String::as_str);
    let genuine = |text: &str| is_in_system32(text, root, "termsrv.dll");
    let shown = text_of(&service.dll).unwrap_or("none");
    let holds = match text_of(&service.dll) {
        Some(dll) => Some(!genuine(dll)),
        None => service.dll.is_absent().then_some(true),
    };
    let compared = format!("ServiceDll = {shown}");
    if let Some(problem) = judge.rule(Verdict::Critical, "library-altered", compared, holds) {
        problem
            .headline(format!(
                "TermService loads {shown} instead of termsrv.dll: a patched Remote Desktop (RDP Wrapper) or malware"
            ))
            .evidence_expected(
                "ServiceDll",
                r"%SystemRoot%\System32\termsrv.dll",
                &service.dll,
            )
            .remedy(remedies::restore_library(service));
    }
    let shown = text_of(&service.image).unwrap_or("none");
    let holds = match text_of(&service.image) {
        Some(image) => {
            let program = image.split_whitespace().next().unwrap_or_default();
            // The loader adds the ending where there is none.
            let program = program.trim_matches('"');
            Some(
                !["svchost.exe", "svchost"]
                    .iter()
                    .any(|file| is_in_system32(program, root, file)),
            )
        }
        None => service.image.is_absent().then_some(true),
    };
    let compared = format!("ImagePath = {shown}");
    if let Some(problem) = judge.rule(Verdict::Critical, "program-altered", compared, holds) {
        problem
            .headline(format!("TermService runs {shown} instead of svchost.exe"))
            .evidence_expected(
                "ImagePath",
                r"%SystemRoot%\System32\svchost.exe -k …",
                &service.image,
            )
            .remedy(remedies::restore_service());
    }
}

/// Whether a path is that file in the system folder, in one of the ways Windows writes it.
fn is_in_system32(path: &str, root: Option<&str>, file: &str) -> bool {
    let roots = ["%SystemRoot%", r"\SystemRoot", "%windir%", r"C:\Windows"];
    roots.iter().copied().chain(root).any(|root| {
        let expected = format!(r"{root}\System32\{file}");
        path.eq_ignore_ascii_case(&expected)
    })
}

/// A service that it depends on, directly or through others, cannot start.
pub(super) fn dependencies(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    let mut open: Vec<&str> = names(service).collect();
    let mut seen = BTreeSet::new();
    let mut broken = Vec::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.to_ascii_lowercase()) {
            continue;
        }
        let Some(found) = cx.snapshot.services.service(name) else {
            judge.lacks(
                format!("the service {name}, which it depends on, was not looked at"),
                "the SYSTEM hive",
            );
            continue;
        };
        judge.require(
            &found.start,
            &format!("the start type of {name}, which it depends on"),
            "the SYSTEM hive",
        );
        judge.require(
            &found.depends_on,
            &format!("what {name} depends on"),
            "the SYSTEM hive",
        );
        if found.key.is_absent() || found.start_number() == Some(DISABLED) {
            broken.push(found);
        }
        open.extend(names(found));
    }
    broken.sort_by(|a, b| a.name.cmp(&b.name));
    let list: Vec<&str> = broken.iter().map(|service| service.name.as_str()).collect();
    let compared = format!("disabled or missing dependencies: {}", words::list(&list));
    let holds = (service.depends_on.is_settled()).then_some(!broken.is_empty());
    if let Some(problem) = judge.rule(Verdict::Critical, "dependency", compared, holds) {
        problem.headline(format!(
            "TermService cannot start: its dependency {} is disabled or missing",
            list.join(", ")
        ));
        for found in broken {
            if found.key.is_absent() {
                problem.evidence(format!("{}: no such service", found.name), &found.key);
            } else {
                problem.evidence_expected(
                    format!("{}: Start = 4, disabled", found.name),
                    "not 4",
                    &found.start,
                );
            }
            problem.remedy(remedies::enable_dependency(found));
        }
        problem.evidence("TermService depends on these", &service.depends_on);
    }
}

/// The services that one depends on; `+name` is a load order group.
fn names(service: &Service) -> impl Iterator<Item = &str> {
    let list = service.depends_on.value().into_iter().flatten();
    list.map(String::as_str)
        .filter(|name| !name.is_empty() && !name.starts_with('+'))
}

/// The service host's group does not list it.
pub(super) fn group(judge: &mut Judge, service: &Service) {
    let Some(group) = &service.group else {
        return;
    };
    let members = group.members.value();
    let listed = members.is_some_and(|members| {
        members
            .iter()
            .any(|name| name.eq_ignore_ascii_case("TermService"))
    });
    let holds = group.members.is_settled().then_some(!listed);
    // While it runs, the list was changed after its start.
    let running = is_running(service) == Some(true);
    let verdict = if running {
        Verdict::Warning
    } else {
        Verdict::Critical
    };
    let compared = format!("group {} lists TermService: {listed}", group.name);
    if let Some(problem) = judge.rule(verdict, "group", compared, holds) {
        problem
            .headline(format!(
                "TermService cannot start: the service group {} does not list it",
                group.name
            ))
            .evidence_expected(
                format!("members of {}", group.name),
                "TermService among them",
                &group.members,
            )
            .remedy(remedies::join_group(group));
    }
}

pub(super) fn helpers(judge: &mut Judge, cx: &Context<'_>) {
    for (name, effect) in HELPERS {
        let Some(service) = cx.snapshot.services.service(name) else {
            continue;
        };
        let start = service.start_number();
        let compared = format!("{name}: Start = {} (4 is disabled)", or_unknown(start));
        let holds = service
            .start
            .is_settled()
            .then_some(start == Some(DISABLED));
        if let Some(problem) = judge.rule(Verdict::Warning, "helper-disabled", compared, holds) {
            problem
                .headline(format!("the service {name} is disabled: {effect}"))
                .evidence_expected(
                    format!("{name}: Start = 4"),
                    "3 (on demand)",
                    &service.start,
                )
                .remedy(remedies::enable(service));
        }
    }
}

pub(super) fn account(judge: &mut Judge, service: &Service) {
    let account = text_of(&service.account);
    let compared = format!("ObjectName = {}", account.unwrap_or("none"));
    let holds = account.map(|account| {
        let plain = account.replace(' ', "").to_ascii_lowercase();
        plain != r"ntauthority\networkservice"
    });
    if let Some(problem) = judge.rule(Verdict::Warning, "account", compared, holds) {
        problem
            .headline(format!(
                "TermService runs as {} instead of NetworkService",
                account.unwrap_or_default()
            ))
            .evidence_expected(
                "ObjectName",
                r"NT Authority\NetworkService",
                &service.account,
            )
            .confidence(Confidence::Medium)
            .remedy(remedies::restore_account(service));
    }
}

fn text_of(fact: &Fact<Text>) -> Option<&str> {
    fact.value().map(|text| text.text.as_str())
}

fn or_unknown(number: Option<u64>) -> String {
    number.map_or_else(|| "not known".to_owned(), |number| number.to_string())
}
