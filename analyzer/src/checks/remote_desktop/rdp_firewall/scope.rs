//! Where a rule lets connections come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far a list of remote addresses reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// The machine's own networks alone: keywords for them, private and link-local addresses.
    Local,
    /// Some addresses of the internet.
    Limited,
    /// Everywhere.
    Any,
}

/// Keywords for networks of the machine's own (MS-GPFAS 2.2.2.13).
const LOCAL_WORDS: [&str; 8] = [
    "LocalSubnet",
    "DNS",
    "DHCP",
    "WINS",
    "DefaultGateway",
    "IntrAnet",
    "RmtIntrAnet",
    "Ply2Renders",
];

/// How far the addresses of a rule reach; none are all.
pub(super) fn scope(addresses: &[String]) -> Scope {
    if addresses.is_empty() {
        return Scope::Any;
    }
    let widest = addresses.iter().map(|address| one(address.trim())).max();
    widest.unwrap_or(Scope::Any)
}

fn one(address: &str) -> Scope {
    if address == "*" || address.eq_ignore_ascii_case("Any") {
        return Scope::Any;
    }
    if LOCAL_WORDS
        .iter()
        .any(|word| word.eq_ignore_ascii_case(address))
    {
        return Scope::Local;
    }
    match ends(address) {
        Some((low, high)) if is_everything(low, high) => Scope::Any,
        Some((low, high)) if network(low).is_some() && network(low) == network(high) => {
            Scope::Local
        }
        _ => Scope::Limited,
    }
}

/// First and last address of `a`, `a-b`, `a/length` or `a/mask`.
fn ends(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some((low, high)) = text.split_once('-') {
        return Some((low.trim().parse().ok()?, high.trim().parse().ok()?));
    }
    let Some((address, mask)) = text.split_once('/') else {
        let address = text.parse().ok()?;
        return Some((address, address));
    };
    match address.parse().ok()? {
        IpAddr::V4(address) => {
            let mask = match mask.parse::<Ipv4Addr>() {
                Ok(mask) => u32::from(mask),
                Err(_) => prefix(mask, 32, u32::MAX, |bits| u32::MAX.checked_shl(bits))?,
            };
            let address = u32::from(address);
            Some((
                Ipv4Addr::from(address & mask).into(),
                Ipv4Addr::from(address | !mask).into(),
            ))
        }
        IpAddr::V6(address) => {
            let mask = prefix(mask, 128, u128::MAX, |bits| u128::MAX.checked_shl(bits))?;
            let address = u128::from(address);
            Some((
                Ipv6Addr::from(address & mask).into(),
                Ipv6Addr::from(address | !mask).into(),
            ))
        }
    }
}

/// The mask of a prefix length of an address of `width` bits.
fn prefix<T: Default>(
    length: &str,
    width: u32,
    all: T,
    shifted: impl Fn(u32) -> Option<T>,
) -> Option<T> {
    let length: u32 = length.parse().ok().filter(|length| *length <= width)?;
    if length == width {
        return Some(all);
    }
    // A shift by the whole width gives nothing: no bit is fixed.
    Some(shifted(width - length).unwrap_or_default())
}

fn is_everything(low: IpAddr, high: IpAddr) -> bool {
    match (low, high) {
        (IpAddr::V4(low), IpAddr::V4(high)) => {
            // Windows writes "everything" with either first address.
            u32::from(low) <= 1 && u32::from(high) >= u32::MAX - 1
        }
        (IpAddr::V6(low), IpAddr::V6(high)) => {
            u128::from(low) <= 1 && u128::from(high) == u128::MAX
        }
        _ => false,
    }
}

/// The private network that an address is in: RFC 1918, RFC 3927, RFC 4193, link-local, loopback.
fn network(address: IpAddr) -> Option<u8> {
    match address {
        IpAddr::V4(v4) => match v4.octets() {
            [10, ..] => Some(10),
            [172, second, ..] if (16..32).contains(&second) => Some(172),
            [192, 168, ..] => Some(192),
            [169, 254, ..] => Some(169),
            [127, ..] => Some(127),
            _ => None,
        },
        IpAddr::V6(v6) => {
            let first = *v6.segments().first()?;
            let local = first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80;
            (local || v6.is_loopback()).then_some(6)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(addresses: &[&str]) -> Scope {
        let addresses: Vec<String> = addresses.iter().map(|a| (*a).to_owned()).collect();
        scope(&addresses)
    }

    #[test]
    fn everything_is_written_in_several_ways() {
        assert_eq!(of(&[]), Scope::Any);
        for text in [
            "*",
            "Any",
            "0.0.0.0/0",
            "0.0.0.0/0.0.0.0",
            "0.0.0.0-255.255.255.255",
            "0.0.0.1-255.255.255.254",
            "203.0.113.7/0",
            "2001:db8::7/0",
            "::/0",
        ] {
            assert_eq!(of(&[text]), Scope::Any, "{text}");
        }
        assert_eq!(of(&["LocalSubnet", "0.0.0.0/0"]), Scope::Any);
    }

    #[test]
    fn private_networks_are_local() {
        for text in [
            "LocalSubnet",
            "10.0.0.0/8",
            "10.0.0.0/255.0.0.0",
            "172.16.0.0/12",
            "192.168.1.1-192.168.1.9",
            "169.254.0.0/16",
            "127.0.0.1",
            "fe80::/64",
            "fd00::1",
        ] {
            assert_eq!(of(&[text]), Scope::Local, "{text}");
        }
    }

    #[test]
    fn what_reaches_out_of_a_private_network_is_limited() {
        for text in [
            "203.0.113.7",
            "203.0.113.0/24",
            "10.0.0.0/7",
            "172.16.0.0/11",
            "10.0.0.0-192.168.0.0",
            "0.0.0.0-9.255.255.255",
            "203.0.113.0-255.255.255.255",
            "::-::5",
            "2001:db8::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "what is this",
            "1.2.3.4/99",
        ] {
            assert_eq!(of(&[text]), Scope::Limited, "{text}");
        }
        assert_eq!(of(&["LocalSubnet", "203.0.113.7"]), Scope::Limited);
    }
}
