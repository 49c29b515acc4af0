//! The name servers and names of the clouds, and resolvers that know no intranet.

use std::net::IpAddr;

use crate::facts::machine::Cloud;

/// A name that the cloud's own servers resolve.
pub(super) struct Name {
    pub(super) text: &'static str,
    /// Its addresses, where they are published.
    pub(super) addresses: &'static [&'static str],
    /// Whether a public document confirms it; an unconfirmed one never gives `critical`.
    pub(super) confirmed: bool,
}

/// What is known of a cloud.
pub(super) struct Table {
    pub(super) cloud: Cloud,
    pub(super) servers: &'static [&'static str],
    pub(super) names: &'static [Name],
    /// An address of its services within 169.254.0.0/16.
    pub(super) link_local: Option<&'static str>,
}

const fn name(text: &'static str, addresses: &'static [&'static str], confirmed: bool) -> Name {
    Name {
        text,
        addresses,
        confirmed,
    }
}

/// The clouds (`intranet_dns.md` gives the sources).
const TABLES: [Table; 5] = [
    Table {
        cloud: Cloud::Tencent,
        servers: &["183.60.83.19", "183.60.82.98"],
        names: &[
            name("metadata.tencentyun.com", &["169.254.0.23"], false),
            name("kms.tencentyun.com", &[], false),
            name("ntpupdate.tencentyun.com", &[], false),
        ],
        link_local: Some("169.254.0.23"),
    },
    Table {
        cloud: Cloud::Alibaba,
        servers: &["100.100.2.136", "100.100.2.138"],
        names: &[name("kms.cloud.aliyuncs.com", &[], true)],
        link_local: None,
    },
    Table {
        cloud: Cloud::Aws,
        servers: &["169.254.169.253"],
        names: &[],
        link_local: Some("169.254.169.254"),
    },
    Table {
        cloud: Cloud::Google,
        servers: &["169.254.169.254"],
        names: &[
            name("metadata.google.internal", &["169.254.169.254"], true),
            name("kms.windows.googlecloud.com", &["35.190.247.13"], true),
        ],
        link_local: Some("169.254.169.254"),
    },
    Table {
        cloud: Cloud::Azure,
        servers: &["168.63.129.16"],
        names: &[
            name(
                "azkms.core.windows.net",
                &["20.118.99.224", "40.83.235.53"],
                true,
            ),
            name("kms.core.windows.net", &["23.102.135.246"], true),
        ],
        link_local: Some("169.254.169.254"),
    },
];

/// Public resolvers that everybody knows; none of them knows a domain or a cloud from inside.
const PUBLIC: [&str; 20] = [
    "8.8.8.8",
    "8.8.4.4",
    "1.1.1.1",
    "1.0.0.1",
    "9.9.9.9",
    "149.112.112.112",
    "208.67.222.222",
    "208.67.220.220",
    "114.114.114.114",
    "114.114.115.115",
    "223.5.5.5",
    "223.6.6.6",
    "119.29.29.29",
    "182.254.116.116",
    "180.76.76.76",
    "1.2.4.8",
    "94.140.14.14",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "2606:4700:4700::1111",
];

/// The table of a cloud.
pub(super) fn table(cloud: Cloud) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.cloud == cloud)
}

/// The name in the tables of all clouds.
pub(super) fn known(name: &str) -> Option<&'static Name> {
    let name = name.trim_end_matches('.');
    TABLES
        .iter()
        .flat_map(|table| table.names)
        .find(|known| known.text.eq_ignore_ascii_case(name))
}

fn is_one(list: &[&str], address: IpAddr) -> bool {
    list.iter().any(|one| one.parse() == Ok(address))
}

/// Whether a server is one of the cloud's.
pub(super) fn is_of(table: &Table, address: IpAddr) -> bool {
    is_one(table.servers, address)
}

/// In words why a server cannot know a domain: it is a cloud's, or a public resolver.
pub(super) fn stranger(address: IpAddr) -> Option<String> {
    if is_one(&PUBLIC, address) {
        return Some("a public resolver".to_owned());
    }
    let cloud = TABLES.iter().find(|table| is_of(table, address))?;
    Some(format!("the resolver of {}", cloud.cloud.name()))
}

/// Placeholders that Windows lists for IPv6 where no server is set.
pub(super) fn is_placeholder(address: IpAddr) -> bool {
    match address {
        IpAddr::V6(address) => address.segments().starts_with(&[0xfec0, 0, 0, 0xffff]),
        IpAddr::V4(_) => false,
    }
}
