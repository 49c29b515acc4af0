//! Names of event log channels and of the files that hold them.

/// Logons, failed logons, changes of accounts.
pub const SECURITY: &str = "Security";
/// The event ids that a collector asks for from [`SECURITY`]: all that the checks look for. Logons
/// (4624, 4625, 4771, 4776), lockouts and accounts (4720, 4732, 4740), gaps (1100, 1101, 1102,
/// 4608, 4616), dropped connections (5152, 5157).
pub const SECURITY_IDS: &[u32] = &[
    1100, 1101, 1102, 4608, 4616, 4624, 4625, 4720, 4732, 4740, 4771, 4776, 5152, 5157,
];
/// Remote Desktop connections and listeners.
pub const RCM_OPERATIONAL: &str =
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational";
/// Remote Desktop licensing and listener errors.
pub const RCM_ADMIN: &str = "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin";
/// Sessions that came and went.
pub const LSM_OPERATIONAL: &str =
    "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational";
/// Remote Desktop transport.
pub const RDPCORETS_OPERATIONAL: &str =
    "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational";
/// The licence server's errors.
pub const TS_LICENSING_ADMIN: &str = "Microsoft-Windows-TerminalServices-Licensing/Admin";
/// The licence server's work.
pub const TS_LICENSING_OPERATIONAL: &str =
    "Microsoft-Windows-TerminalServices-Licensing/Operational";
/// Changes of firewall rules and profiles.
pub const FIREWALL: &str = "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall";
/// Networks and their category.
pub const NETWORK_PROFILE: &str = "Microsoft-Windows-NetworkProfile/Operational";
/// Network location awareness.
pub const NLA_SERVICE: &str = "Microsoft-Windows-NlaSvc/Operational";
/// DHCP leases that failed.
pub const DHCP_CLIENT_ADMIN: &str = "Microsoft-Windows-Dhcp-Client/Admin";
/// Group policy refreshes.
pub const GROUP_POLICY: &str = "Microsoft-Windows-GroupPolicy/Operational";
/// WMI queries.
pub const WMI_ACTIVITY: &str = "Microsoft-Windows-WMI-Activity/Operational";
/// Windows Defender.
pub const DEFENDER: &str = "Microsoft-Windows-Windows Defender/Operational";
/// The SSH server.
pub const OPENSSH: &str = "OpenSSH/Operational";

const FOLDER: &str = "eventlog/";
const EXTENSION: &str = ".evtx";

/// The file name that Windows gives a channel's log: `/` becomes `%4`, and `.evtx` follows.
pub fn file_name(channel: &str) -> String {
    format!("{}{EXTENSION}", channel.replace('/', "%4"))
}

/// The entry name of a channel's log in a bundle.
pub fn entry_name(channel: &str) -> String {
    format!("{FOLDER}{}", file_name(channel))
}

/// The channel by the name of a log file, with or without folders before it. `None` if it does not
/// end in `.evtx`. A file may have been renamed: the records know better.
pub fn from_file_name(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem_len = base.len().checked_sub(EXTENSION.len())?;
    let (stem, extension) = base.split_at_checked(stem_len)?;
    if stem.is_empty() || !extension.eq_ignore_ascii_case(EXTENSION) {
        return None;
    }
    Some(stem.replace("%4", "/"))
}
