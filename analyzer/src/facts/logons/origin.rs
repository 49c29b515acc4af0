//! Where an attempt came from: addresses as the different events spell them, and user names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::formats::evtx::Fields;

/// How many characters of a hostile name are kept. A SAM name has at most 20, a UPN prefix 64.
const MAX_NAME: usize = 64;

/// The address in `text`, as `10.0.2.16`, `::ffff:10.0.2.16`, `10.0.2.16:52202`,
/// `[10.0.2.16]:59407` or `[fe80::1%4]:3389`. IPv4 in IPv6 becomes IPv4. `None` for `-`, `LOCAL`
/// and names.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None if text.matches(':').count() == 1 => text.split(':').next().unwrap_or(text),
        None => text,
    };
    let bare = bare.split('%').next().unwrap_or(bare);
    bare.parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// The address in the field `name`.
pub(super) fn address_in(fields: &Fields, name: &str) -> Option<IpAddr> {
    address(&fields.get(name)?.to_string())
}

/// Whether an address belongs to a private network: RFC 1918, RFC 6598 (shared, where clouds put
/// their load balancers), link-local, unique local (RFC 4193).
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private() || v4.is_link_local() || v4.is_loopback() || shared
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

/// Whether an address is the machine itself, or none at all.
pub(super) fn is_self(address: IpAddr) -> bool {
    address.is_loopback()
        || address == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        || address == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}

/// A user's name for comparing: without domain, in lower case, cut at a sane length. `None` for
/// an empty name and for `-`.
pub(super) fn user(name: &str) -> Option<String> {
    let name = name.trim();
    let name = name.rsplit('\\').next().unwrap_or(name);
    let name = name.split('@').next().unwrap_or(name);
    if name.is_empty() || name == "-" {
        return None;
    }
    Some(name.to_lowercase().chars().take(MAX_NAME).collect())
}

/// The user's name in the field `name`.
pub(super) fn user_in(fields: &Fields, name: &str) -> Option<String> {
    user(&fields.get(name)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_spelling_of_the_logs() {
        let v4: IpAddr = "10.0.2.16".parse().unwrap();
        for text in [
            "10.0.2.16",
            "::ffff:10.0.2.16",
            "10.0.2.16:52202",
            "[10.0.2.16]:59407",
            " 10.0.2.16 ",
        ] {
            assert_eq!(address(text), Some(v4), "{text}");
        }
        let v6: IpAddr = "fe80::1".parse().unwrap();
        for text in ["fe80::1", "fe80::1%4", "[fe80::1%4]:3389"] {
            assert_eq!(address(text), Some(v6), "{text}");
        }
        for text in [
            "-",
            "",
            "LOCAL",
            "<local machine>",
            "999.1.1.1",
            "[",
            "]:1",
            ":",
            "%",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn private_networks_are_told_from_public_ones() {
        let private = |text: &str| is_private(text.parse().unwrap());
        for text in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.1.1",
            "fd00::1",
            "fe80::1",
        ] {
            assert!(private(text), "{text}");
        }
        for text in [
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "203.0.113.7",
            "2001:db8::1",
        ] {
            assert!(!private(text), "{text}");
        }
    }

    #[test]
    fn user_names_compare_without_domain_and_case() {
        assert_eq!(user("HOST-A\\Admin").as_deref(), Some("admin"));
        assert_eq!(user("Admin@example.test").as_deref(), Some("admin"));
        assert_eq!(user("-"), None);
        assert_eq!(user("  "), None);
        assert_eq!(
            user(&"\u{e9}".repeat(1000)).map(|name| name.chars().count()),
            Some(64)
        );
    }
}
