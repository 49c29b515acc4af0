//! Firewall rules as the registry stores them: `v2.30|Action=Allow|Active=TRUE|Dir=In|…|`.
//!
//! The grammar is that of MS-GPFAS 2.2.2.19, the meaning that of MS-FASP 2.2.37. Keys that may
//! repeat are lists of alternatives. Keys this module does not know are kept as they are.

use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{char, digit1};
use nom::combinator::{map_res, opt};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many fields a rule may have. Windows allows 10,000 addresses in one; a field costs memory.
const MAX_FIELDS: usize = 20_000;
/// How much of an unreadable text an error repeats, in characters.
const SHOWN: usize = 40;

/// A firewall rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirewallRule {
    /// Version of the schema that wrote it (2.0 Vista, 2.10 Windows 7, 2.30 Windows 10 and 11).
    pub version: (u16, u16),
    /// What it does.
    pub action: Option<Action>,
    /// Whether it is in force; a rule that does not say so is not.
    pub active: bool,
    /// Which way the connection goes.
    pub direction: Option<Direction>,
    /// The IP protocol's number (6 TCP, 17 UDP); `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u16>,
    /// The profiles it is for; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Profile>,
    /// The local ports, any of them; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_ports: Vec<Ports>,
    /// The remote ports, any of them; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remote_ports: Vec<Ports>,
    /// Local addresses, ranges and subnets, any of them; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_addresses: Vec<String>,
    /// Remote addresses, ranges, subnets and keywords, any of them; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remote_addresses: Vec<String>,
    /// The program's path, or `System` for the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The service's short name, or `*` for any service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The versions of Windows it is for, any of them; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// The name, often a reference to a resource (`@FirewallAPI.dll,-28753`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The group (`@FirewallAPI.dll,-28752` is Remote Desktop in every language).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Every other field, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<Field>,
    /// Fields that could not be read, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A field that has no place of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// What stands before the first `=`.
    pub key: String,
    /// What stands behind it.
    pub value: String,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Lets the connection through.
    Allow,
    /// Drops it; wins over every `Allow`.
    Block,
    /// Lets it through when it is authenticated by `IPsec`, even against a `Block`.
    Bypass,
}

/// Which way a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To this machine.
    In,
    /// From this machine.
    Out,
}

/// A network profile.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Networks on which a domain controller answers.
    Domain,
    /// Networks marked as private; the registry calls them `Standard`.
    Private,
    /// All others.
    Public,
}

/// Ports that a rule is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ports {
    /// A port or a range, both ends included.
    Range {
        /// The lowest.
        low: u16,
        /// The highest.
        high: u16,
    },
    /// Ports that Windows finds out itself (`RPC`, `IPHTTPSIn`, `mDNS`, …).
    Keyword(String),
}

/// A version of Windows that a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Platform {
    /// Major version (6 for Vista to 8.1, 10 since then).
    pub major: u16,
    /// Minor version.
    pub minor: u16,
    /// This one and every later one.
    pub or_later: bool,
}

/// Why a text is not a firewall rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("firewall rule at offset {offset}: expected {expected}, found {found}")]
pub struct RuleError {
    /// Bytes from the start of the text.
    pub offset: usize,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Domain, Self::Private, Self::Public];

    /// The name that Windows shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "Domain",
            Self::Private => "Private",
            Self::Public => "Public",
        }
    }
}

impl FirewallRule {
    /// Reads a rule.
    ///
    /// # Errors
    /// The text does not start with `v<major>.<minor>|`, or has too many fields. Fields that
    /// cannot be read do not fail the rule: they stand in [`Self::problems`].
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let (mut rest, version) = version(text).map_err(|_| RuleError {
            offset: 0,
            expected: "v<major>.<minor>|".to_owned(),
            found: shown(text),
        })?;
        let mut rule = Self {
            version,
            ..Self::default()
        };
        let mut fields = 0_usize;
        while let Some((after, field)) = next_field(rest) {
            fields += 1;
            if fields > MAX_FIELDS {
                return Err(RuleError {
                    offset: text.len() - rest.len(),
                    expected: format!("at most {MAX_FIELDS} fields"),
                    found: "more".to_owned(),
                });
            }
            rule.take(field);
            rest = after;
        }
        Ok(rule)
    }

    /// Whether it is for a profile.
    pub fn is_for(&self, profile: Profile) -> bool {
        self.profiles.is_empty() || self.profiles.contains(&profile)
    }

    /// Whether it is for a local port.
    pub fn is_for_port(&self, port: u16) -> bool {
        self.local_ports.is_empty()
            || self.local_ports.iter().any(|ports| match ports {
                Ports::Range { low, high } => (*low..=*high).contains(&port),
                Ports::Keyword(_) => false,
            })
    }

    /// Takes a field in.
    fn take(&mut self, field: &str) {
        let Some((key, value)) = field.split_once('=') else {
            if !field.is_empty() {
                self.problem("key=value", field);
            }
            return;
        };
        // Keys are compared without case: MS-GPFAS itself spells some in two ways.
        match key.to_ascii_lowercase().as_str() {
            "action" => match ACTIONS.iter().find(|(name, _)| is(name, value)) {
                Some((_, action)) => self.action = Some(*action),
                None => self.problem("Action", field),
            },
            "active" => self.active = is(value, "TRUE"),
            "dir" => match DIRECTIONS.iter().find(|(name, _)| is(name, value)) {
                Some((_, direction)) => self.direction = Some(*direction),
                None => self.problem("Dir", field),
            },
            "protocol" => match value.parse::<u16>() {
                // 256 stands for any protocol in MS-FASP; rules leave the field out for it.
                Ok(256) => self.protocol = None,
                Ok(number) if number < 256 => self.protocol = Some(number),
                _ => self.problem("Protocol", field),
            },
            "profile" => match Profile::ALL.iter().find(|p| is(p.name(), value)) {
                Some(profile) => self.profiles.push(*profile),
                None => self.problem("Profile", field),
            },
            "lport" | "lport2_10" | "lport2_20" | "lport2_24" | "lport2_29" => {
                self.local_ports.push(ports(value));
            }
            "rport" | "rport2_10" => self.remote_ports.push(ports(value)),
            "la4" | "la6" => self.local_addresses.push(value.to_owned()),
            "ra4" | "ra6" | "ra42" | "ra62" => self.remote_addresses.push(value.to_owned()),
            "app" => self.application = Some(value.to_owned()),
            "svc" => self.service = Some(value.to_owned()),
            "platform" => match platform(value) {
                Some(platform) => self.platforms.push(platform),
                None => self.problem("Platform", field),
            },
            // The operator belongs to the platform before it.
            "platform2" if is(value, "GTEQ") => {
                if let Some(platform) = self.platforms.last_mut() {
                    platform.or_later = true;
                }
            }
            "name" => self.name = Some(value.to_owned()),
            "embedctxt" => self.group = Some(value.to_owned()),
            _ => self.other.push(Field {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
        }
    }

    fn problem(&mut self, expected: &str, found: &str) {
        self.problems
            .push(format!("expected {expected}, found {}", shown(found)));
    }
}

const ACTIONS: [(&str, Action); 3] = [
    ("Allow", Action::Allow),
    ("Block", Action::Block),
    ("ByPass", Action::Bypass),
];

const DIRECTIONS: [(&str, Direction); 2] = [("In", Direction::In), ("Out", Direction::Out)];

fn is(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// The start of a text, for an error.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{more}")
}

fn number(input: &str) -> IResult<&str, u16> {
    map_res(digit1, str::parse).parse(input)
}

fn version(input: &str) -> IResult<&str, (u16, u16)> {
    let number_dot_number = (terminated(number, char('.')), number);
    terminated(preceded(tag("v"), number_dot_number), char('|')).parse(input)
}

/// The next field without its `|`, which may be missing at the end of the text.
fn next_field(input: &str) -> Option<(&str, &str)> {
    if input.is_empty() {
        return None;
    }
    let mut field = terminated(take_till(|c| c == '|'), opt(char('|')));
    let parsed: IResult<&str, &str> = field.parse(input);
    parsed.ok()
}

/// `3389`, `5000-5020`, or a keyword.
fn ports(value: &str) -> Ports {
    let mut range = (number, opt(preceded(char('-'), number)));
    match range.parse(value) {
        Ok(("", (low, high))) => Ports::Range {
            low,
            high: high.unwrap_or(low),
        },
        _ => Ports::Keyword(value.to_owned()),
    }
}

/// `2:6:1`: three bits of platform, major and minor version.
fn platform(value: &str) -> Option<Platform> {
    let mut parts = (
        terminated(number, char(':')),
        terminated(number, char(':')),
        number,
    );
    let (rest, (_, major, minor)) = parts.parse(value).ok()?;
    rest.is_empty().then_some(Platform {
        major,
        minor,
        or_later: false,
    })
}

#[cfg(test)]
mod tests;
