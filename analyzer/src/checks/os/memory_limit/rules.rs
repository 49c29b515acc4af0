//! The rules on limits that are in force or will be.

use super::limits::Limits;
use super::{LOGGED_SHARE, REMOVED_SHARE, RESERVED, RESERVED_SHARE, remedies};
use crate::checks::check::{Context, Judge};
use crate::checks::figures::{real, size};
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::Snapshot;

fn told(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "not known".to_owned(), size)
}

pub(super) fn address_limit(judge: &mut Judge, cx: &Context<'_>, limits: &Limits) {
    let boot = &cx.snapshot.boot_options;
    let logged = limits
        .logged
        .map(|bytes| real(bytes) * cx.limit(&LOGGED_SHARE) / 100.0);
    let binds = limits
        .address
        .map(|limit| match (limits.installed, logged) {
            (Some(installed), _) => limit < installed,
            (None, Some(logged)) => real(limit) < logged,
            (None, None) => true,
        });
    let none = limits.configured_none().then_some(false);
    let compared = format!(
        "address limit in force {} < installed {}",
        told(limits.address),
        told(limits.installed)
    );
    let limit = told(limits.address);
    if let Some(problem) = judge.rule(
        Verdict::Critical,
        "address-limit",
        compared.clone(),
        binds.or(none),
    ) {
        problem
            .headline(match limits.installed {
                Some(installed) => format!(
                    "Windows is limited to memory below the address {limit}; the machine has {}",
                    size(installed)
                ),
                None => format!("Windows is limited to memory below the address {limit}"),
            })
            .evidence_expected("truncatememory", "absent", &boot.truncate_memory)
            .evidence_expected("options given to the kernel", "no MAXMEM", &boot.given)
            .remedy(remedies::truncate(cx.snapshot));
        if boot.truncate_memory.is_absent() {
            problem.because(
                "the boot configuration does not hold the limit any more: a restart ends it",
            );
        }
        if limits.inferred || limits.installed.is_none() {
            problem.confidence(Confidence::Medium);
        }
    }
    let harmless = binds.map(|binds| !binds).or(none);
    if let Some(problem) = judge.rule(
        Verdict::Warning,
        "harmless-address-limit",
        compared,
        harmless,
    ) {
        problem
            .headline(format!(
                "an address limit of {limit} is set, which takes nothing away from {} or only what lies above that address",
                told(limits.installed)
            ))
            .because("the limit is an address, not an amount: memory that the firmware maps above it is lost even where the amount is not reached")
            .evidence_expected("truncatememory", "absent", &boot.truncate_memory)
            .evidence("options given to the kernel", &boot.given)
            .remedy(remedies::truncate(cx.snapshot));
    }
}

pub(super) fn removed(judge: &mut Judge, cx: &Context<'_>, limits: &Limits) {
    let boot = &cx.snapshot.boot_options;
    let least = cx.limit(&REMOVED_SHARE);
    let large = match (limits.removed, limits.whole()) {
        (Some(removed), Some(whole)) => Some(real(removed) * 100.0 >= real(whole) * least),
        _ => None,
    };
    let none = limits.configured_none().then_some(false);
    let compared = format!(
        "removed memory {} >= {least} % of {}",
        told(limits.removed),
        told(limits.whole())
    );
    let rules = [
        (Verdict::Critical, "memory-removed", large.or(none)),
        (
            Verdict::Warning,
            "little-memory-removed",
            limits.removed.map(|_| large != Some(true)).or(none),
        ),
    ];
    for (verdict, rule, holds) in rules {
        if let Some(problem) = judge.rule(verdict, rule, compared.clone(), holds) {
            problem
                .headline(format!(
                    "{} of memory is taken away from Windows (removememory); the machine has {}",
                    told(limits.removed),
                    told(limits.whole())
                ))
                .evidence_expected("removememory", "absent", &boot.remove_memory)
                .evidence_expected("options given to the kernel", "no BURNMEMORY", &boot.given)
                .remedy(remedies::removed(cx.snapshot));
            if limits.inferred || limits.visible.is_none() {
                problem.confidence(Confidence::Medium);
            }
        }
    }
}

pub(super) fn edition_cap(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let topology = &snapshot.topology;
    let cap = limits.cap;
    let compared = format!(
        "edition's limit {} < installed {}, and Windows uses no more than it",
        told(cap),
        told(limits.installed)
    );
    let holds = match (cap, limits.installed) {
        (Some(cap), Some(installed)) => {
            Some(cap < installed && limits.visible.is_none_or(|visible| visible <= cap))
        }
        // 0 is no limit.
        (None, _) if topology.memory_cap_bytes.is_settled() => Some(false),
        _ => None,
    };
    if let Some(problem) = judge.rule(Verdict::Critical, "edition-cap", compared, holds) {
        problem
            .headline(format!(
                "this edition of Windows uses at most {}; the machine has {}",
                told(cap),
                told(limits.installed)
            ))
            .evidence(
                "edition's limit (ProductPolicy)",
                &topology.memory_cap_bytes,
            )
            .evidence("installed memory", &topology.installed_bytes)
            .remedy(remedies::edition());
    }
}

pub(super) fn pending(judge: &mut Judge, limits: &Limits, snapshot: &Snapshot) {
    let boot = &snapshot.boot_options;
    let rules = [
        (
            "pending-address-limit",
            limits.address_pending,
            &boot.truncate_memory,
            remedies::truncate as fn(&Snapshot) -> _,
        ),
        (
            "pending-removal",
            limits.removed_pending,
            &boot.remove_memory,
            remedies::removed,
        ),
    ];
    for (rule, bytes, fact, remedy) in rules {
        let compared = format!("configured and not in force: {}", told(bytes));
        let holds = fact.is_settled().then_some(bytes.is_some());
        let Some(problem) = judge.rule(Verdict::Warning, rule, compared, holds) else {
            continue;
        };
        let what = match rule {
            "pending-removal" => format!("{} of memory taken away (removememory)", told(bytes)),
            _ => format!(
                "memory above the address {} left out (truncatememory)",
                told(bytes)
            ),
        };
        problem
            .headline(format!(
                "a memory limit is configured that takes effect at the next boot: {what}"
            ))
            .because("Windows runs without it now: it was set after the last start")
            .evidence_expected("boot configuration", "absent", fact)
            .evidence("options given to the kernel", &boot.given)
            .evidence("memory that Windows uses", &snapshot.topology.visible_bytes)
            .remedy(remedy(snapshot));
    }
}

pub(super) fn reserved(judge: &mut Judge, cx: &Context<'_>, limits: &Limits) {
    let topology = &cx.snapshot.topology;
    let (amount, share) = (cx.limit(&RESERVED), cx.limit(&RESERVED_SHARE));
    let compared = format!(
        "installed {} - usable {} > {amount} MiB and > {share} %",
        told(limits.installed),
        told(limits.visible)
    );
    let explained = limits.limited() || topology.dynamic_memory.value().is_some();
    let much = match (limits.reserved(), limits.installed) {
        (Some(reserved), Some(installed)) => Some(
            real(reserved) > amount * 1_048_576.0
                && real(reserved) * 100.0 > real(installed) * share,
        ),
        _ => None,
    };
    if much == Some(true)
        && let Some(driver) = topology.dynamic_memory.value()
    {
        judge.note(format!(
            "{} less than installed is in use; with dynamic memory ({driver}) that means nothing",
            told(limits.reserved())
        ));
    }
    let holds = if explained { Some(false) } else { much };
    let Some(problem) = judge.rule(Verdict::Warning, "reserved", compared, holds) else {
        return;
    };
    problem
        .headline(format!(
            "Windows cannot use {} of the {} installed, and no limit explains it",
            told(limits.reserved()),
            told(limits.installed)
        ))
        .evidence("installed memory", &topology.installed_bytes)
        .evidence("memory that Windows uses", &topology.visible_bytes)
        .remedy(remedies::reserved());
    if topology
        .architecture
        .value()
        .is_some_and(|name| name == "x86")
    {
        problem
            .because("Windows is of 32 bits: it uses at most 4 GiB, less what devices occupy")
            .evidence("PROCESSOR_ARCHITECTURE", &topology.architecture);
    }
}

pub(super) fn bad_pages(judge: &mut Judge, snapshot: &Snapshot) {
    let fact = &snapshot.boot_options.bad_pages;
    let pages = fact.value().map(|setting| setting.value);
    let compared = format!(
        "pages in badmemorylist: {} (more than 0)",
        pages.map_or_else(|| "none".to_owned(), |pages| pages.to_string())
    );
    let holds = match pages {
        Some(pages) => Some(pages > 0),
        None => fact.is_absent().then_some(false),
    };
    if let Some(problem) = judge.rule(Verdict::Warning, "bad-memory", compared, holds) {
        problem
            .headline(format!(
                "Windows leaves out {} pages of memory as bad (badmemorylist)",
                pages.unwrap_or(0)
            ))
            .because("on a virtual machine the list came from another host, or from an error of the host's memory: report it to the cloud")
            .evidence_expected("badmemorylist", "empty or absent", fact)
            .remedy(remedies::bad_pages(snapshot));
    }
}
