//! The one result model. Every rendering is made from it; none decides anything.

use jiff::Timestamp;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::Cost;

use super::coverage::Coverage;
use super::selection::Selection;
use super::summary::Summary;
use super::suppression::{Suppressed, SuppressionReport, Suppressions};
use crate::checks::causes::{self, Cause, Decided};
use crate::checks::check::{Check, Context, Decision, Exhibit};
use crate::checks::remedy::Remedy;
use crate::checks::thresholds::{ThresholdInForce, Thresholds};
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::Snapshot;
use crate::facts::capture::{CaptureKind, TimeSource};
use crate::facts::inventory::{Artifact, Channel};
use crate::facts::machine::{Cloud, Firmware, ProductType};
use crate::inspect::Source;

/// The diagnosis of one snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this structure. Fields may be added within a version.
    pub schema_version: u32,
    /// Version of the analyzer.
    pub analyzer: String,
    /// What was analyzed.
    pub source: Source,
    /// The result in short.
    pub summary: Summary,
    /// The machine, and when the snapshot of it was taken.
    pub machine: MachineReport,
    /// Every check that ran, in the checklist's order.
    pub checks: Vec<Finding>,
    /// Which of the findings follow from which, or from a fact; what lies deeper comes first.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// What each check had to go by.
    pub coverage: Vec<Coverage>,
    /// Every file of the snapshot and what became of it.
    pub artifacts: Vec<Artifact>,
    /// How far each event channel reaches.
    pub channels: Vec<Channel>,
    /// What is worth knowing about the snapshot as a whole.
    pub notes: Vec<String>,
    /// The limits that were compared with.
    pub thresholds: Vec<ThresholdInForce>,
    /// The entries of the suppression file, and what each did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressions: Vec<SuppressionReport>,
    /// What no snapshot can see.
    pub limits: Vec<String>,
}

/// The machine, and when and how the snapshot of it was taken. `null` is what is not known; the
/// facts say why, and where the rest stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachineReport {
    /// When the snapshot was taken, UTC.
    pub captured_at: Option<Timestamp>,
    /// By what that is known.
    pub captured_by: TimeSource,
    /// Where in the snapshot that stands.
    pub captured_because: String,
    /// Live or from a disk.
    pub kind: CaptureKind,
    /// The program that collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collector: Option<String>,
    /// What the collection cost the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Computer name.
    pub host: Option<String>,
    /// Windows by its name (`Windows Server 2022 Datacenter`).
    pub os: Option<String>,
    /// Edition (`ServerDatacenter`).
    pub edition: Option<String>,
    /// `Server`, `Server Core` or `Client`.
    pub installation_type: Option<String>,
    /// Build number.
    pub build: Option<u32>,
    /// Update build revision: the fourth part of the version.
    pub update_revision: Option<u64>,
    /// When Windows was installed, UTC.
    pub installed: Option<Timestamp>,
    /// Workstation, server or domain controller.
    pub product_type: Option<ProductType>,
    /// The cloud: given, else what firmware or agents tell.
    pub cloud: Option<Cloud>,
    /// Whether the cloud was given on the command line.
    pub cloud_given: bool,
    /// The cloud that firmware or agents tell.
    pub recognised_cloud: Option<Cloud>,
    /// Firmware: manufacturer and product of the (virtual) machine.
    pub firmware: Option<Firmware>,
    /// DNS domain of a member of a domain.
    pub domain: Option<String>,
    /// Key name of the time zone.
    pub time_zone: Option<String>,
    /// Uptime at capture, in seconds.
    pub uptime_seconds: Option<u64>,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The check's id.
    pub id: String,
    /// Its group.
    pub category: Category,
    /// What it asks.
    pub title: String,
    /// What it says.
    pub verdict: Verdict,
    /// The one sentence that matters.
    pub headline: String,
    /// How much weight the verdict bears.
    pub confidence: Confidence,
    /// Why, worst first.
    pub reasons: Vec<String>,
    /// What is worth knowing and no reason for the verdict.
    pub notes: Vec<String>,
    /// What the verdict rests on.
    pub evidence: Vec<Exhibit>,
    /// How to mend it.
    pub remedies: Vec<Remedy>,
    /// What would have to be collected to settle what is open.
    pub missing: Vec<String>,
    /// Why it does not count, where it is suppressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppressed>,
}

/// What no snapshot of a guest can see, whatever was collected.
const LIMITS: [&str; 4] = [
    "security groups and network ACLs of the cloud, which can block a port that is open here",
    "metrics of the host and the hypervisor: steal time, storage throttling, packets dropped",
    "CPU credits of a burstable instance",
    "the network between you and the instance",
];

impl Report {
    /// Version of the structure that this program writes.
    pub const VERSION: u32 = 1;

    /// Runs the selected checks, in parallel, puts what they say in the order of the table, and
    /// joins symptoms to their causes.
    pub fn new(snapshot: &Snapshot, thresholds: &Thresholds, selection: &Selection) -> Self {
        let context = Context {
            snapshot,
            thresholds,
        };
        let checks: Vec<&Check> = selection.checks().collect();
        let decided: Vec<Decided> = checks
            .par_iter()
            .map(|check| (check.id, check.run(&context)))
            .collect();
        let causes = causes::fold(&context, &decided);
        let findings: Vec<Finding> = checks
            .iter()
            .zip(decided)
            .map(|(check, (_, decision))| Finding::new(check, decision))
            .collect();
        let coverage = checks
            .iter()
            .zip(&findings)
            .map(|(check, finding)| Coverage::of(check, finding.verdict, &snapshot.inventory))
            .collect();
        Self {
            schema_version: Self::VERSION,
            analyzer: env!("CARGO_PKG_VERSION").to_owned(),
            source: Source::default(),
            summary: Summary::of(&findings),
            machine: MachineReport::of(snapshot),
            checks: findings,
            causes,
            coverage,
            artifacts: snapshot.inventory.artifacts.clone(),
            channels: snapshot.inventory.channels.clone(),
            notes: snapshot.inventory.notes.clone(),
            thresholds: checks
                .iter()
                .flat_map(|check| check.thresholds)
                .map(|threshold| thresholds.in_force(threshold))
                .collect(),
            suppressions: Vec::new(),
            limits: LIMITS.map(str::to_owned).to_vec(),
        }
    }

    /// With the name of what was analyzed.
    #[must_use]
    pub fn of_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// With findings suppressed: they keep their verdict and are counted apart.
    #[must_use]
    pub fn suppressing(mut self, suppressions: &Suppressions) -> Self {
        self.suppressions = suppressions.apply(self.machine.captured_at, &mut self.checks);
        self.summary = Summary::of(&self.checks);
        self
    }

    /// The findings with that verdict that are not suppressed, in the checklist's order.
    pub fn with_verdict(&self, verdict: Verdict) -> impl Iterator<Item = &Finding> {
        self.checks
            .iter()
            .filter(move |finding| finding.verdict == verdict && finding.suppressed.is_none())
    }

    /// The findings that are suppressed with the reason of each, in the checklist's order.
    pub fn suppressed(&self) -> impl Iterator<Item = (&Finding, &Suppressed)> {
        self.checks
            .iter()
            .filter_map(|finding| Some((finding, finding.suppressed.as_ref()?)))
    }

    /// The findings that ask for something to be done, worst first.
    pub fn problems(&self) -> impl Iterator<Item = &Finding> {
        self.with_verdict(Verdict::Critical)
            .chain(self.with_verdict(Verdict::Warning))
    }

    /// Whether any check came to a verdict other than unknown.
    pub fn decides_anything(&self) -> bool {
        self.checks
            .iter()
            .any(|finding| finding.verdict != Verdict::Unknown)
    }
}

impl Finding {
    fn new(check: &Check, decision: Decision) -> Self {
        Self {
            id: check.id.to_owned(),
            category: check.category,
            title: check.title.to_owned(),
            verdict: decision.verdict,
            headline: decision.headline,
            confidence: decision.confidence,
            reasons: decision.reasons,
            notes: decision.notes,
            evidence: decision.evidence,
            remedies: decision.remedies,
            missing: decision.missing,
            suppressed: None,
        }
    }
}

impl MachineReport {
    fn of(snapshot: &Snapshot) -> Self {
        let capture = snapshot.capture.clone();
        let machine = &snapshot.machine;
        Self {
            captured_at: capture.time,
            captured_by: capture.source,
            captured_because: capture.because,
            kind: capture.kind,
            collector: capture.collector,
            cost: capture.cost,
            host: machine.host.value().cloned(),
            os: machine.product.value().cloned(),
            edition: machine.edition.value().cloned(),
            installation_type: machine.installation_type.value().cloned(),
            build: machine.build.value().copied(),
            update_revision: machine.update_revision.value().and_then(|ubr| ubr.value),
            installed: machine.installed.value().copied(),
            product_type: machine.product_type.value().copied(),
            cloud: machine.cloud.value().copied(),
            cloud_given: machine.is_cloud_given(),
            recognised_cloud: machine.recognised_cloud.value().copied(),
            firmware: machine.firmware.value().cloned(),
            domain: machine.domain.value().cloned(),
            time_zone: machine.time_zone.value().cloned(),
            uptime_seconds: machine.uptime_seconds.value().copied(),
        }
    }
}
