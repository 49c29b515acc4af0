//! What the configuration says: small ranges, and ranges that are taken out.

use super::{EXCLUDED_RANGES, SMALL_RANGE, remedies};
use crate::checks::check::{Context, Judge};
use crate::checks::network::ports::{Load, Pool};
use crate::checks::verdict::Verdict;
use crate::facts::sockets::{PortRange, Sockets};

/// A range that is smaller than programs of today expect.
pub(super) fn small(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let limit = cx.limit(&SMALL_RANGE);
    for (pool, _) in pools {
        let count = pool.range.map(PortRange::count);
        let compared = match count {
            Some(count) => format!("{}: {count} ports, limit {limit}", pool.name()),
            None => format!("{}: range not read, limit {limit}", pool.name()),
        };
        // A range has at most 65,536 ports.
        let number = count.map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        let holds = number.map(|number| number < limit);
        let problem = judge.rule(Verdict::Warning, "small-range", compared, holds);
        if let (Some(problem), Some(range)) = (problem, pool.range) {
            problem.headline(format!(
                "the dynamic range of {} has {} ports only ({} to {})",
                pool.name(),
                range.count(),
                range.first,
                range.last
            ));
            problem.because("Windows starts with 49152 to 65535; somebody has changed it.");
            problem.exhibits("first port of the range", &range.evidence);
            if let Some(remedy) = remedies::widen(&cx.snapshot.sockets, pool.protocol) {
                problem.remedy(remedy);
            }
        }
    }
}

/// Many ranges are taken out of the dynamic one.
pub(super) fn excluded(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let limit = cx.limit(&EXCLUDED_RANGES);
    let Some(ranges) = cx.snapshot.sockets.excluded.value() else {
        judge.rule(
            Verdict::Warning,
            "excluded-ranges",
            "excluded ranges not read",
            None,
        );
        return;
    };
    for (pool, _) in pools {
        let of_pool: Vec<&PortRange> = ranges
            .iter()
            .filter(|range| range.protocol == pool.protocol && range.family == pool.family)
            .collect();
        let count = of_pool.len();
        let number = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let compared = format!("{}: {count} excluded ranges, limit {limit}", pool.name());
        let problem = judge.rule(
            Verdict::Warning,
            "excluded-ranges",
            compared,
            Some(number > limit),
        );
        if let Some(problem) = problem {
            problem.headline(format!(
                "{count} ranges are excluded from the ports of {}",
                pool.name()
            ));
            problem.because("WSL, Docker and Hyper-V exclude blocks at every start; each takes ports away from outgoing connections and from listeners.");
            if let Some(range) = of_pool.first() {
                problem.exhibits("first port of an excluded range", &range.evidence);
            }
            problem.remedy(remedies::look_at_exclusions());
        }
    }
}

/// The old setting that people still make.
pub(super) fn notes(judge: &mut Judge, sockets: &Sockets) {
    if sockets.max_user_port.value().is_some() {
        judge.note("MaxUserPort is set: a setting of Windows 2000 and 2003. Since Vista netsh sets the range; what the value does now is not documented.");
        judge.exhibit("MaxUserPort", &sockets.max_user_port);
    }
}
