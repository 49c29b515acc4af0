//! Which profile is in force: what Windows said, or what the networks known to it suggest.

use serde_json::json;
use snapdiag_bundle::channel;
use snapdiag_bundle::records::FirewallState;

use super::events::Events;
use super::profiles::bit;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;
use crate::formats::firewall_rule::Profile;

const NETWORKS: &str = "Microsoft\\Windows NT\\CurrentVersion\\NetworkList\\Profiles";
/// How many networks are looked at. A laptop knows hundreds, a server a handful.
const MAX_NETWORKS: usize = 4096;

/// The profiles in force; several where the machine is in several networks.
pub(super) fn active(live: &Fact<FirewallState>) -> Fact<Vec<Profile>> {
    let Some(state) = live.value() else {
        return live.carry().unwrap_or_else(|| Fact::absent([]));
    };
    let Some(bits) = state.current_profiles else {
        return Fact::not_collected("Windows did not say which profile is in force");
    };
    let profiles = Profile::ALL
        .into_iter()
        .filter(|profile| bits & bit(*profile) != 0)
        .collect();
    Fact::known(profiles, live.evidence.clone()).at_pointer("/current_profiles", |_| json!(bits))
}

/// The category of the network that was connected last.
pub(super) fn last_network(sources: &Sources) -> Fact<Profile> {
    let networks = sources.software().below(NETWORKS);
    let names = networks.subkeys("");
    if let Some(missing) = names.carry() {
        return missing;
    }
    let newest = names
        .value()
        .into_iter()
        .flatten()
        .take(MAX_NETWORKS)
        .filter_map(|name| {
            let connected = networks.bytes(name, "DateLastConnected");
            Some((system_time(connected.value()?)?, name))
        })
        .max();
    let Some((_, name)) = newest else {
        return Fact::absent(names.evidence);
    };
    networks
        .number(name, "Category")
        .and_then(|number| category(number.value))
}

/// The category of the network in the newest event 10000.
pub(super) fn last_connected(sources: &Sources, logged: &Events) -> Fact<Profile> {
    let log = sources.channel(channel::NETWORK_PROFILE);
    match (log.value(), logged.connected.newest()) {
        (Some(log), Some(kept)) => {
            let event = kept.event(&log.artifact);
            Fact::known(event.number("Category"), [event.evidence]).and_then(category)
        }
        _ => log.carry().unwrap_or_else(|| Fact::absent(log.evidence)),
    }
}

/// `NLM_NETWORK_CATEGORY`.
fn category(number: Option<u64>) -> Result<Profile, String> {
    match number {
        Some(0) => Ok(Profile::Public),
        Some(1) => Ok(Profile::Private),
        Some(2) => Ok(Profile::Domain),
        Some(other) => Err(format!("{other} is no category of networks")),
        None => Err("no number".to_owned()),
    }
}

/// A SYSTEMTIME, in an order that compares: year, month, day, hour, minute, second, millisecond.
fn system_time(bytes: &[u8]) -> Option<[u16; 7]> {
    let unit = |index: usize| {
        let pair = bytes.get(index * 2..index * 2 + 2)?;
        Some(u16::from_le_bytes(pair.try_into().ok()?))
    };
    // The third unit is the day of the week.
    let time = [
        unit(0)?,
        unit(1)?,
        unit(3)?,
        unit(4)?,
        unit(5)?,
        unit(6)?,
        unit(7)?,
    ];
    (time[0] >= 1601).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_compare_without_the_day_of_the_week() {
        let time = |units: [u16; 8]| {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            system_time(&bytes)
        };
        let sunday = time([2026, 11, 0, 22, 20, 0, 0, 0]);
        let saturday = time([2026, 11, 6, 21, 20, 0, 0, 0]);
        assert!(sunday > saturday);
        assert_eq!(time([0; 8]), None);
        assert_eq!(system_time(&[1, 2, 3]), None);
    }

    #[test]
    fn categories_are_those_of_the_network_list_manager() {
        assert_eq!(category(Some(0)), Ok(Profile::Public));
        assert_eq!(category(Some(1)), Ok(Profile::Private));
        assert_eq!(category(Some(2)), Ok(Profile::Domain));
        assert!(category(Some(3)).is_err());
        assert!(category(None).is_err());
    }
}
