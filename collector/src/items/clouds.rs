//! The clouds: how each is known, which names its servers resolve, and its metadata service. The
//! addresses are link-local or reserved for the cloud, so that asking them elsewhere reaches nobody.

use std::net::Ipv4Addr;

/// A cloud.
pub(super) struct Cloud {
    /// Its id in records.
    pub(super) id: &'static str,
    /// Texts of the firmware (manufacturer or product) that only its machines have.
    pub(super) firmware: &'static [&'static str],
    /// Services of its agents.
    pub(super) agents: &'static [&'static str],
    /// Names that its name servers resolve; the analyzer's intranet-dns check knows the same.
    pub(super) names: &'static [&'static str],
    /// That of them behind which Windows is activated.
    pub(super) kms: Option<&'static str>,
    /// Its metadata service.
    pub(super) metadata: Service,
}

/// A metadata service: HTTP on port 80.
pub(super) struct Service {
    pub(super) address: Ipv4Addr,
    /// The `Host` header.
    pub(super) host: &'static str,
    /// Below it are the values.
    pub(super) base: &'static str,
    /// What is added to every path.
    pub(super) query: &'static str,
    /// A header that every request needs, and perhaps every answer has.
    pub(super) header: Option<(&'static str, &'static str)>,
    /// Whether the answer has that header too.
    pub(super) echoes_header: bool,
    /// How a session is opened.
    pub(super) token: Option<Token>,
    /// Paths of values, first the one that must be there for the service to be that of this cloud.
    pub(super) values: &'static [&'static str],
    /// The path that lists adapters by MAC address, one a line.
    pub(super) adapters: Option<&'static str>,
    /// Paths of values below each of these.
    pub(super) of_adapter: &'static [&'static str],
}

/// A session token, which is asked for with PUT and thrown away.
pub(super) struct Token {
    pub(super) path: &'static str,
    /// The header that asks for a lifetime, in seconds.
    pub(super) lifetime: &'static str,
    /// The header that carries the token.
    pub(super) header: &'static str,
    /// Whether the service of this cloud always gives one; others imitate its paths without.
    pub(super) required: bool,
}

/// The port of key management services.
pub(super) const KMS_PORT: u16 = 1688;

const LINK_LOCAL: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const META_DATA: &str = "/latest/meta-data/";
const ADAPTERS: Option<&str> = Some("network/interfaces/macs/");

/// The clouds, in the order in which an unknown machine asks their services: first those whose
/// answer cannot be mistaken for another's.
pub(super) static CLOUDS: [Cloud; 5] = [
    // https://cloud.google.com/compute/docs/metadata/querying-metadata
    Cloud {
        id: "gcp",
        firmware: &["Google"],
        agents: &["GCEAgent"],
        names: &["metadata.google.internal", "kms.windows.googlecloud.com"],
        kms: Some("kms.windows.googlecloud.com"),
        metadata: Service {
            address: LINK_LOCAL,
            host: "metadata.google.internal",
            base: "/computeMetadata/v1/",
            query: "",
            header: Some(("Metadata-Flavor", "Google")),
            echoes_header: true,
            token: None,
            values: &[
                "instance/id",
                "instance/machine-type",
                "instance/zone",
                "instance/hostname",
                "instance/network-interfaces/?recursive=true",
            ],
            adapters: None,
            of_adapter: &[],
        },
    },
    // https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
    Cloud {
        id: "azure",
        // On the registry's firmware values Azure looks like every other Hyper-V.
        firmware: &[],
        agents: &["WindowsAzureGuestAgent"],
        names: &["azkms.core.windows.net", "kms.core.windows.net"],
        kms: Some("azkms.core.windows.net"),
        metadata: Service {
            address: LINK_LOCAL,
            host: "169.254.169.254",
            base: "/metadata/instance/",
            query: "?api-version=2021-02-01",
            header: Some(("Metadata", "true")),
            echoes_header: false,
            token: None,
            // Not `compute` as a whole: that holds user data.
            values: &["network"],
            adapters: None,
            of_adapter: &[],
        },
    },
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
    Cloud {
        id: "aws",
        firmware: &["Amazon EC2"],
        agents: &["AmazonSSMAgent", "Ec2Config"],
        names: &[],
        kms: None,
        metadata: Service {
            address: LINK_LOCAL,
            host: "169.254.169.254",
            base: META_DATA,
            query: "",
            header: None,
            echoes_header: false,
            token: Some(Token {
                path: "/latest/api/token",
                lifetime: "X-aws-ec2-metadata-token-ttl-seconds",
                header: "X-aws-ec2-metadata-token",
                required: true,
            }),
            values: &[
                "instance-id",
                "instance-type",
                "placement/availability-zone",
                "mac",
                "local-ipv4",
                "local-hostname",
            ],
            adapters: ADAPTERS,
            of_adapter: &["local-ipv4s", "subnet-ipv4-cidr-block"],
        },
    },
    // https://cloud.tencent.com/document/product/213/4934
    Cloud {
        id: "tencent",
        firmware: &["Tencent Cloud"],
        agents: &["tatsvc", "tat_agent", "QcloudService"],
        names: &[
            "metadata.tencentyun.com",
            "kms.tencentyun.com",
            "ntpupdate.tencentyun.com",
        ],
        kms: Some("kms.tencentyun.com"),
        metadata: Service {
            address: Ipv4Addr::new(169, 254, 0, 23),
            host: "metadata.tencentyun.com",
            base: META_DATA,
            query: "",
            header: None,
            echoes_header: false,
            token: None,
            values: &[
                "instance-id",
                "instance/instance-type",
                "placement/zone",
                "mac",
                "local-ipv4",
            ],
            adapters: ADAPTERS,
            of_adapter: &["primary-local-ipv4"],
        },
    },
    // https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
    Cloud {
        id: "alibaba",
        firmware: &["Alibaba Cloud", "Aliyun"],
        agents: &["AliyunService"],
        names: &["kms.cloud.aliyuncs.com"],
        kms: Some("kms.cloud.aliyuncs.com"),
        metadata: Service {
            address: Ipv4Addr::new(100, 100, 100, 200),
            host: "100.100.100.200",
            base: META_DATA,
            query: "",
            header: None,
            echoes_header: false,
            token: Some(Token {
                path: "/latest/api/token",
                lifetime: "X-aliyun-ecs-metadata-token-ttl-seconds",
                header: "X-aliyun-ecs-metadata-token",
                required: false,
            }),
            values: &[
                "instance-id",
                "instance/instance-type",
                "zone-id",
                "mac",
                "private-ipv4",
                "hostname",
                "dns-conf/nameservers",
            ],
            adapters: ADAPTERS,
            of_adapter: &["primary-ip-address", "netmask", "gateway"],
        },
    },
];
