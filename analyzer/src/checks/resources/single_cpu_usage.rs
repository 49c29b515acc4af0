//! `single-cpu-usage`: whether one processor is busy while the others rest.

mod remedies;

use super::usage;
use crate::checks::check::{Check, Context, Decision, Input, Judge, Problem};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::counters::{Core, Series};
use crate::facts::fact::Fact;
use crate::facts::receive_scaling::ReceiveScaling;

const HOT: Threshold = Threshold {
    key: "single-cpu-usage.hot",
    default: 90.0,
    unit: "percent, median of the busiest processor",
    meaning: "more, while the others rest, is a warning",
    source: "ours; Alibaba Cloud's diagnosis warns at 85",
};
const REST: Threshold = Threshold {
    key: "single-cpu-usage.rest",
    default: 50.0,
    unit: "percent, median of the other processors' medians",
    meaning: "the others rest with less",
    source: "ours",
};
const TOTAL: Threshold = Threshold {
    key: "single-cpu-usage.total",
    default: 70.0,
    unit: "percent, median of all processors together",
    meaning: "with that much or more the load is everywhere: cpu-usage",
    source: "ours",
};
const PACKETS: Threshold = Threshold {
    key: "single-cpu-usage.interrupts",
    default: 50.0,
    unit: "percent of the busiest processor, interrupts and DPCs together",
    meaning: "more is critical",
    source: "ours: packets are processed on one processor only",
};
const THREAD: Threshold = Threshold {
    key: "single-cpu-usage.thread-tolerance",
    default: 5.0,
    unit: "percent of one processor",
    meaning: "a process within that of one whole processor, in 90 % of the samples, runs one thread without pause",
    source: "ours",
};
const IDLE: Threshold = Threshold {
    key: "single-cpu-usage.otherwise-idle",
    default: 10.0,
    unit: "percent of all processors",
    meaning: "with at most that much beside the one thread, it is a warning instead of a note",
    source: "ours",
};
/// One thread of few processors is not told from ordinary load.
const FEWEST_PROCESSORS: u32 = 4;
const THREAD_SAMPLES: usize = 90;

/// The check.
pub const CHECK: Check = Check {
    id: "single-cpu-usage",
    category: Category::Resources,
    title: "Usage of a single CPU",
    page: include_str!("single_cpu_usage.md"),
    inputs: &[
        Input::helpful("counters.pdh"),
        Input::helpful("counters.native"),
        Input::required("system.cpu"),
        Input::helpful("processes.table"),
        Input::helpful("registry.system"),
    ],
    thresholds: &[HOT, REST, TOTAL, PACKETS, THREAD, IDLE],
    decide,
};

/// The busiest processor beside the others.
struct Hot<'a> {
    core: &'a Core,
    busy: f64,
    /// Median of the other processors' medians, parked ones left out.
    rest: f64,
    total: f64,
    /// Interrupts and DPCs.
    packets: Option<f64>,
}

fn decide(cx: &Context<'_>) -> Decision {
    let counters = &cx.snapshot.counters;
    let mut judge = Judge::new();
    let count = counters.logical_processors.value().copied();
    if count == Some(1) {
        judge.exhibit("one logical processor", &counters.logical_processors);
        return judge.not_applicable("there is one logical processor only");
    }
    let hot = hot(cx);
    core(&mut judge, cx, hot.as_ref());
    thread(&mut judge, cx, count);
    demand(&mut judge, cx, count);
    usage::show_consumers(
        &mut judge,
        &cx.snapshot.consumers.processor,
        "processor time",
        |percent| format!("{percent:.1} % of one processor"),
    );
    scaling(&mut judge, cx);
    usage::say_how_long(&mut judge, &counters.processor.busy);
    let state = hot.map_or_else(String::new, |hot| {
        format!(
            "processor {} is busiest with {:.0} %, the others {:.0} %",
            hot.core.name, hot.busy, hot.rest
        )
    });
    judge.finish(format!("no processor stands out: {state}"), state.clone())
}

fn middle(fact: &Fact<Series>) -> Option<f64> {
    usage::whole(fact).and_then(Series::median)
}

/// Parked for most of the time: it rests because Windows wants it to.
fn is_parked(core: &Core) -> bool {
    core.parked
        .value()
        .and_then(|parked| parked.mostly(usage::SUSTAINED_PERCENT, |value| value >= 1.0))
        == Some(true)
}

fn hot<'a>(cx: &Context<'a>) -> Option<Hot<'a>> {
    let processor = &cx.snapshot.counters.processor;
    let cores = processor.cores.value()?;
    let mut medians: Vec<(&Core, f64)> = Vec::with_capacity(cores.len());
    for core in cores.iter().filter(|core| !is_parked(core)) {
        medians.push((core, middle(&core.busy)?));
    }
    let (place, (core, busy)) = medians
        .iter()
        .copied()
        .enumerate()
        .reduce(|best, next| if next.1.1 > best.1.1 { next } else { best })?;
    medians.remove(place);
    let others = medians.iter().map(|(_, median)| *median).collect();
    let rest = Series {
        values: others,
        ..Series::default()
    }
    .median()?;
    Some(Hot {
        core,
        busy,
        rest,
        total: middle(&processor.busy)?,
        packets: middle(&core.dpc)
            .zip(middle(&core.interrupt))
            .map(|(dpc, interrupt)| dpc + interrupt),
    })
}

fn core(judge: &mut Judge, cx: &Context<'_>, hot: Option<&Hot<'_>>) {
    let alone = hot.map(|hot| {
        hot.busy > cx.limit(&HOT) && hot.rest < cx.limit(&REST) && hot.total < cx.limit(&TOTAL)
    });
    let packets = match (alone, hot.and_then(|hot| hot.packets)) {
        (Some(false), _) => Some(false),
        (Some(true), Some(packets)) => Some(packets > cx.limit(&PACKETS)),
        _ => None,
    };
    let seen = hot.map_or_else(
        || "not known".to_owned(),
        |hot| {
            format!(
                "processor {} {:.1} % (interrupts and DPCs {}), the others {:.1} %, together {:.1} %",
                hot.core.name,
                hot.busy,
                hot.packets.map_or_else(|| "not known".to_owned(), |packets| format!("{packets:.1} %")),
                hot.rest,
                hot.total
            )
        },
    );
    let limits = format!(
        "{seen}: over {} %, below {} %, below {} %",
        cx.limit(&HOT),
        cx.limit(&REST),
        cx.limit(&TOTAL)
    );
    let with_packets = format!(
        "{limits}, interrupts and DPCs over {} %",
        cx.limit(&PACKETS)
    );
    if let (Some(problem), Some(hot)) = (
        judge.rule(
            Verdict::Critical,
            "packets-on-one-processor",
            with_packets,
            packets,
        ),
        hot,
    ) {
        describe(problem, hot).headline(format!(
            "processor {} is {:.0} % busy with interrupts and DPCs while the others rest: packets are processed on one processor",
            hot.core.name,
            hot.packets.unwrap_or_default()
        ));
        let off = switched_off(cx);
        problem.remedy(remedies::spread_packets(&off));
        for adapter in &off {
            problem
                .because(format!(
                    "receive side scaling is off on {}",
                    adapter.adapter
                ))
                .evidence("*RSS = 0", &adapter.enabled);
        }
    }
    let holds = alone.map(|alone| alone && packets != Some(true));
    if let (Some(problem), Some(hot)) = (
        judge.rule(Verdict::Warning, "one-processor-hot", limits, holds),
        hot,
    ) {
        describe(problem, hot)
            .headline(format!(
                "processor {} is {:.0} % busy while the others rest at {:.0} %",
                hot.core.name, hot.busy, hot.rest
            ))
            .remedy(remedies::single_thread(&cx.snapshot.consumers.processor));
    }
}

fn describe<'p>(problem: &'p mut Problem, hot: &Hot<'_>) -> &'p mut Problem {
    problem
        .evidence(
            format!("processor {}: busy {:.0} %", hot.core.name, hot.busy),
            &hot.core.busy,
        )
        .evidence("its DPC time", &hot.core.dpc)
        .evidence("its interrupt time", &hot.core.interrupt)
}

/// A process that takes exactly one processor: Windows moves its thread about, so that no single
/// processor needs to be hot.
fn thread(judge: &mut Judge, cx: &Context<'_>, count: Option<u32>) {
    let processor = &cx.snapshot.counters.processor;
    let tolerance = cx.limit(&THREAD);
    let Some(count) = count.filter(|count| *count >= FEWEST_PROCESSORS) else {
        return;
    };
    let one = 100.0 / f64::from(count);
    let found = processor.processes.value().map(|list| {
        list.iter().find(|process| {
            usage::whole(&process.busy)
                .and_then(|series| {
                    series.mostly(THREAD_SAMPLES, |busy| (busy - 100.0).abs() <= tolerance)
                })
                .unwrap_or(false)
        })
    });
    let total = middle(&processor.busy);
    let idle = total.map(|total| total <= one + cx.limit(&IDLE));
    let holds = match (&found, idle) {
        (Some(None), _) | (_, Some(false)) => Some(false),
        (Some(Some(_)), Some(true)) => Some(true),
        _ => None,
    };
    let Some(Some(process)) = found else {
        judge.rule(
            Verdict::Warning,
            "single-thread-bound",
            "a process takes one whole processor",
            holds,
        );
        return;
    };
    let name = &process.instance;
    let compared = format!(
        "{name} takes {one:.1} % of all {count} processors in 90 % of the samples, and all together {}",
        total.map_or_else(|| "not known".to_owned(), |total| format!("{total:.1} %"))
    );
    let words = format!(
        "{name} is single-thread bound: it takes one of {count} processors ({one:.1} %) without pause"
    );
    let evidence = format!("{name}: one processor in 90 % of the samples");
    if let Some(problem) = judge.rule(Verdict::Warning, "single-thread-bound", compared, holds) {
        problem
            .headline(words)
            .confidence(Confidence::Medium)
            .evidence(evidence, &process.busy)
            .remedy(remedies::single_thread(&cx.snapshot.consumers.processor));
    } else {
        judge.note(words);
        judge.exhibit(evidence, &process.busy);
    }
}

/// What must have been seen before `ok`.
fn demand(judge: &mut Judge, cx: &Context<'_>, count: Option<u32>) {
    let processor = &cx.snapshot.counters.processor;
    usage::demand(judge, &processor.busy, "processor time");
    match processor.cores.value() {
        None => judge.lacks(
            format!(
                "the time of each processor is not known ({})",
                processor.cores.why_unsettled().unwrap_or_default()
            ),
            usage::COLLECT,
        ),
        Some(cores) => {
            for core in cores {
                usage::demand(judge, &core.busy, &format!("processor {}", core.name));
            }
            // The native figures are those of one group; a group has 64 processors at most.
            let seen = u32::try_from(cores.len()).unwrap_or(u32::MAX);
            if count.is_some_and(|count| count > seen) {
                judge.lacks(
                    format!(
                        "only {seen} of {} processors were seen",
                        count.unwrap_or_default()
                    ),
                    "a live bundle with the performance library's counters (counters.pdh)",
                );
            }
        }
    }
    if count.is_none() {
        judge.lacks(
            "the number of processors is not known",
            "a live bundle with system.cpu",
        );
    }
    // Process counters come from the performance library alone; without them a single thread
    // that Windows moves about cannot be seen.
    if count.is_none_or(|count| count >= FEWEST_PROCESSORS) && processor.processes.value().is_none()
    {
        judge.lacks(
            "whether one thread takes a whole processor is not known: there are no counters of processes",
            "a live bundle with the performance library's counters (counters.pdh)",
        );
    }
}

fn switched_off<'a>(cx: &Context<'a>) -> Vec<&'a ReceiveScaling> {
    let list = cx.snapshot.receive_scaling.value().into_iter().flatten();
    list.filter(|adapter| {
        adapter
            .enabled
            .value()
            .is_some_and(|enabled| enabled.text.trim() == "0")
    })
    .collect()
}

fn scaling(judge: &mut Judge, cx: &Context<'_>) {
    for adapter in switched_off(cx) {
        judge.note(format!(
            "receive side scaling is off on {}",
            adapter.adapter
        ));
        judge.exhibit(format!("{}: *RSS = 0", adapter.adapter), &adapter.enabled);
    }
}

#[cfg(test)]
mod tests;
