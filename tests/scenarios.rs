//! Every scenario decides as its file says, and what must hold for all of them.
//!
//! A scenario is a healthy machine and what makes it sick, built into real hives and logs. What a
//! check must say was typed by hand from its specification.
#![forbid(unsafe_code)]

#[cfg(test)]
#[path = "scenarios/case.rs"]
mod case;
#[cfg(test)]
#[path = "scenarios/causes.rs"]
mod causes;
#[cfg(test)]
#[path = "scenarios/completeness.rs"]
mod completeness;
#[cfg(test)]
#[path = "scenarios/cut.rs"]
mod cut;
#[cfg(test)]
#[path = "scenarios/dates.rs"]
mod dates;
#[cfg(test)]
#[path = "scenarios/expect.rs"]
mod expect;
#[cfg(test)]
#[path = "scenarios/program.rs"]
mod program;
#[cfg(test)]
#[path = "scenarios/properties.rs"]
mod properties;
#[cfg(test)]
#[path = "scenarios/recorded.rs"]
mod recorded;
#[cfg(test)]
#[path = "scenarios/same.rs"]
mod same;
#[cfg(test)]
#[path = "scenarios/verdicts.rs"]
mod verdicts;
