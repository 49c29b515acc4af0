//! The machine: Windows, edition, firmware, domain.

use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use snapdiag_bundle::CaptureMode;
use snapdiag_bundle::records::MachineFacts;

use super::document::placed;
use super::evidence::Evidence;
use super::fact::{Fact, State};
use super::locator::Locator;
use super::sources::Sources;
use super::sources::registry::{Below, Number};

/// Where SOFTWARE describes Windows.
const CURRENT_VERSION: &str = "Microsoft\\Windows NT\\CurrentVersion";
/// The first build of Windows 11, whose `ProductName` still says Windows 10.
const WINDOWS_11: u64 = 22_000;

/// The machine itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Computer name.
    pub host: Fact<String>,
    /// `Windows Server 2022 Datacenter`; Windows 11 under its own name.
    pub product: Fact<String>,
    /// `EditionID` (`ServerDatacenter`).
    pub edition: Fact<String>,
    /// `InstallationType`: `Server`, `Server Core`, `Client`.
    pub installation_type: Fact<String>,
    /// Build number.
    pub build: Fact<u32>,
    /// Update build revision: the fourth part of the version.
    pub update_revision: Fact<Number>,
    /// When Windows was installed, UTC.
    pub installed: Fact<Timestamp>,
    /// Workstation, server or domain controller.
    pub product_type: Fact<ProductType>,
    /// `%SystemRoot%` (`C:\Windows`).
    pub system_root: Fact<String>,
    /// Firmware: manufacturer and product of the (virtual) machine.
    pub firmware: Fact<Firmware>,
    /// The cloud: given from outside, else what firmware or agents tell.
    pub cloud: Fact<Cloud>,
    /// The cloud that firmware or agents tell.
    pub recognised_cloud: Fact<Cloud>,
    /// DNS domain of an Active Directory domain member; absent for a workgroup machine.
    pub domain: Fact<String>,
    /// `TimeZoneKeyName` (`W. Europe Standard Time`).
    pub time_zone: Fact<String>,
    /// Uptime at capture, in seconds.
    pub uptime_seconds: Fact<u64>,
}

/// What Windows was sold as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProductType {
    /// `WinNT`.
    Workstation,
    /// `ServerNT`.
    Server,
    /// `LanmanNT`.
    DomainController,
}

/// SMBIOS strings of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firmware {
    /// System manufacturer.
    pub manufacturer: String,
    /// System product name.
    pub product: String,
}

/// A cloud that is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Tencent Cloud.
    Tencent,
    /// Amazon EC2.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Compute Engine.
    Google,
    /// Alibaba Cloud.
    Alibaba,
}

/// A word that stands for no cloud that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no cloud that is known: tencent, aws, azure, google, alibaba")]
pub struct NoCloud(String);

impl FromStr for Cloud {
    type Err = NoCloud;

    fn from_str(word: &str) -> Result<Self, NoCloud> {
        let mut all = Self::ALL.into_iter();
        all.find(|cloud| cloud.word() == word)
            .ok_or_else(|| NoCloud(word.to_owned()))
    }
}

impl Cloud {
    /// Every cloud that is known.
    pub const ALL: [Self; 5] = [
        Self::Tencent,
        Self::Aws,
        Self::Azure,
        Self::Google,
        Self::Alibaba,
    ];

    /// Its word on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tencent => "tencent",
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Google => "google",
            Self::Alibaba => "alibaba",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tencent => "Tencent Cloud",
            Self::Aws => "AWS",
            Self::Azure => "Azure",
            Self::Google => "Google Cloud",
            Self::Alibaba => "Alibaba Cloud",
        }
    }
}

/// Manufacturer or product strings by which a cloud is known (`checks.md` 1.5).
const FIRMWARE: [(&str, Cloud); 6] = [
    ("Tencent Cloud", Cloud::Tencent),
    ("Amazon EC2", Cloud::Aws),
    ("Google", Cloud::Google),
    ("Alibaba Cloud", Cloud::Alibaba),
    ("7783-7084-3265-9085-8269-3286-77", Cloud::Azure),
    ("Aliyun", Cloud::Alibaba),
];

/// Services of the clouds' agents (`checks.md` 1.5).
const AGENTS: [(&str, Cloud); 8] = [
    ("AmazonSSMAgent", Cloud::Aws),
    ("Ec2Config", Cloud::Aws),
    ("GCEAgent", Cloud::Google),
    ("WindowsAzureGuestAgent", Cloud::Azure),
    ("AliyunService", Cloud::Alibaba),
    ("tatsvc", Cloud::Tencent),
    ("tat_agent", Cloud::Tencent),
    ("QcloudService", Cloud::Tencent),
];

impl Machine {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let control_set = sources.system().control_set();
        let windows = sources.software().below(CURRENT_VERSION);
        let text = |below: &Below<'_>, key: &str, value: &str| {
            below.text(key, value).map(|text| text.text)
        };
        let build = windows
            .text("", "CurrentBuild")
            .and_then(|build| parse::<u32>(&build.text));
        let record: Fact<MachineFacts> = sources.record("system.machine");
        let firmware = firmware(sources, &record);
        let recognised_cloud = recognise(&firmware, &control_set);
        let machine = Self {
            host: host(sources),
            product: product(text(&windows, "", "ProductName"), &build),
            edition: text(&windows, "", "EditionID"),
            installation_type: text(&windows, "", "InstallationType"),
            update_revision: windows.number("", "UBR"),
            installed: windows
                .number("", "InstallDate")
                .and_then(|number| unix_time(&number)),
            product_type: control_set
                .text("Control\\ProductOptions", "ProductType")
                .and_then(|kind| product_type(&kind.text)),
            system_root: text(&windows, "", "SystemRoot"),
            cloud: recognised_cloud.clone(),
            recognised_cloud,
            firmware,
            domain: domain(&control_set),
            time_zone: text(
                &control_set,
                "Control\\TimeZoneInformation",
                "TimeZoneKeyName",
            ),
            uptime_seconds: uptime(sources, record),
            build,
        };
        match sources.given_cloud() {
            Some(cloud) => machine.with_cloud(cloud),
            None => machine,
        }
    }

    /// With a cloud that somebody knows better than the snapshot tells it.
    #[must_use]
    pub fn with_cloud(mut self, cloud: Cloud) -> Self {
        let place = Locator::Option("--cloud".to_owned());
        let evidence = Evidence::new("given on the command line", place, cloud.word());
        self.cloud = Fact::known(cloud, [evidence]);
        self
    }

    /// Whether the cloud was given from outside.
    pub fn is_cloud_given(&self) -> bool {
        let mut evidence = self.cloud.evidence.iter();
        evidence.any(|evidence| matches!(evidence.locator, Locator::Option(_)))
    }
}

/// The name in the hive; without a hive the one in the newest event record.
pub(super) fn host(sources: &Sources) -> Fact<String> {
    let control_set = sources.system().control_set();
    let name = control_set.text("Control\\ComputerName\\ComputerName", "ComputerName");
    let newest = sources
        .inventory()
        .channels
        .iter()
        .filter(|channel| !channel.computer.is_empty())
        .max_by_key(|channel| channel.newest.map(|mark| mark.time));
    match (&name.state, newest) {
        (State::NotCollected(_), Some(channel)) => sources
            .channel(&channel.name)
            .map(|channel| channel.computer),
        _ => name.map(|name| name.text),
    }
}

fn parse<T: FromStr>(text: &str) -> Result<T, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("'{text}' is no number"))
}

/// `ProductName` says Windows 10 on Windows 11, too: the build decides.
fn product(name: Fact<String>, build: &Fact<u32>) -> Fact<String> {
    let is_11 = build
        .value()
        .is_some_and(|build| u64::from(*build) >= WINDOWS_11);
    name.map(|name| match name.strip_prefix("Windows 10") {
        Some(rest) if is_11 => format!("Windows 11{rest}"),
        _ => name,
    })
}

fn unix_time(number: &Number) -> Result<Timestamp, String> {
    let seconds = number.value.and_then(|seconds| i64::try_from(seconds).ok());
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| "no time".to_owned())
}

fn product_type(text: &str) -> Result<ProductType, String> {
    match text.to_lowercase().as_str() {
        "winnt" => Ok(ProductType::Workstation),
        "servernt" => Ok(ProductType::Server),
        "lanmannt" => Ok(ProductType::DomainController),
        _ => Err(format!("'{text}' is none of WinNT, ServerNT, LanmanNT")),
    }
}

/// The collector's SMBIOS strings, else those that Windows keeps below `HardwareConfig`.
fn firmware(sources: &Sources, record: &Fact<MachineFacts>) -> Fact<Firmware> {
    let from_record = record.value().and_then(|facts| {
        let strings = facts.firmware.as_ref()?;
        Some(Firmware {
            manufacturer: strings.system_manufacturer.clone().unwrap_or_default(),
            product: strings.system_product.clone().unwrap_or_default(),
        })
    });
    if let Some(firmware) = from_record {
        let document = sources.record("system.machine");
        return placed(&document, "/firmware", Fact::known(firmware, []));
    }
    let hardware = sources.system().below("HardwareConfig");
    let newest = hardware.subkeys("").value().and_then(|keys| {
        keys.iter()
            .filter(|key| key.starts_with('{') || key.eq_ignore_ascii_case("Current"))
            .max_by_key(|key| {
                let used = hardware.bytes(key, "LastUse");
                let ticks = used
                    .value()
                    .and_then(|bytes| bytes.as_slice().try_into().ok())
                    .map(u64::from_le_bytes);
                (key.eq_ignore_ascii_case("Current"), ticks)
            })
            .cloned()
    });
    let Some(key) = newest else {
        let there = hardware.key("");
        return there
            .carry()
            .unwrap_or_else(|| Fact::absent(there.evidence));
    };
    let product = hardware.text(&key, "SystemProductName");
    let manufacturer = hardware.text(&key, "SystemManufacturer");
    let product_name = product.value().map(|text| text.text.clone());
    let mut fact = manufacturer.map(|manufacturer| Firmware {
        manufacturer: manufacturer.text,
        product: product_name.unwrap_or_default(),
    });
    fact.evidence.extend(product.evidence);
    fact
}

/// By the firmware, else by an agent that is installed.
fn recognise(firmware: &Fact<Firmware>, control_set: &Below<'_>) -> Fact<Cloud> {
    if let Some(strings) = firmware.value() {
        let known = FIRMWARE.iter().find(|(mark, _)| {
            strings.manufacturer.contains(mark) || strings.product.contains(mark)
        });
        if let Some((_, cloud)) = known {
            return Fact::known(*cloud, firmware.evidence.clone());
        }
    }
    for (service, cloud) in AGENTS {
        let agent = control_set.key(&format!("Services\\{service}"));
        if agent.value().is_some() {
            return agent.map(|_| cloud);
        }
    }
    match firmware.carry() {
        Some(missing) => missing,
        None => Fact::absent(firmware.evidence.clone()),
    }
}

/// A member of a domain has Netlogon start by itself and knows its domain (`checks.md` 1.5).
fn domain(control_set: &Below<'_>) -> Fact<String> {
    let domain = control_set.text("Services\\Tcpip\\Parameters", "Domain");
    let netlogon = control_set.number("Services\\Netlogon", "Start");
    let starts = netlogon.value().and_then(|start| start.value) == Some(2);
    match domain.value() {
        Some(text) if !text.text.is_empty() && starts => {
            let mut fact = domain.map(|text| text.text);
            fact.evidence.extend(netlogon.evidence);
            fact
        }
        Some(_) => Fact::absent(domain.evidence.into_iter().chain(netlogon.evidence)),
        None => domain.map(|text| text.text),
    }
}

/// Uptime as the collector saw it, else the manifest's; a disk has none.
fn uptime(sources: &Sources, record: Fact<MachineFacts>) -> Fact<u64> {
    if record.value().is_some() {
        return record
            .at_pointer("/uptime_ms", |facts| json!(facts.uptime_ms))
            .map(|facts| facts.uptime_ms / 1000);
    }
    let capture = sources.manifest().map(|manifest| &manifest.capture);
    match capture {
        Some(capture) if capture.mode == CaptureMode::Live => match capture.uptime_ms {
            Some(uptime) => {
                let place = Locator::json("manifest.json", "/capture/uptime_ms");
                let evidence = Evidence::new("manifest.json", place, json!(uptime));
                Fact::known(uptime / 1000, [evidence])
            }
            None => record.map(|facts| facts.uptime_ms / 1000),
        },
        _ => Fact::not_collected("a disk tells nothing of a running system"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_cloud_stands_over_the_recognised_one() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.word().parse(), Ok(cloud));
            assert_eq!(json!(cloud), json!(cloud.word()));
        }
        let mut machine = Machine::gather(&Sources::none());
        machine.recognised_cloud = Fact::known(Cloud::Tencent, []);
        assert!(!machine.is_cloud_given());
        let machine = machine.with_cloud(Cloud::Aws);
        assert!(machine.is_cloud_given());
        assert_eq!(machine.cloud.value(), Some(&Cloud::Aws));
        assert_eq!(machine.recognised_cloud.value(), Some(&Cloud::Tencent));
        let evidence = &machine.cloud.evidence[0];
        assert_eq!(evidence.artifact, "given on the command line");
        assert_eq!(evidence.locator.to_string(), "option:--cloud");
        assert_eq!(evidence.raw, json!("aws"));
    }
}
