//! Profiles: sets of thresholds that come with the program.

use std::fmt;
use std::str::FromStr;

/// A set of thresholds that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The stricter limits of published guides, where ours are set for small cloud machines.
    Strict,
}

/// A name that is no profile's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoProfile(String);

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 1] = [Self::Strict];

    /// Its name on the command line and in a threshold file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
        }
    }

    /// Its values, in the form of a threshold file, with the source of each.
    pub fn toml(self) -> &'static str {
        match self {
            Self::Strict => include_str!("strict.toml"),
        }
    }
}

impl FromStr for Profile {
    type Err = NoProfile;

    fn from_str(name: &str) -> Result<Self, NoProfile> {
        let named = Self::ALL.into_iter().find(|profile| profile.name() == name);
        named.ok_or_else(|| NoProfile(name.to_owned()))
    }
}

impl std::error::Error for NoProfile {}

impl fmt::Display for NoProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = Profile::ALL.map(Profile::name).join(", ");
        write!(f, "'{}' is no profile; there is: {all}", self.0)
    }
}
