//! The services that checks ask for.

/// A service by its short name, and the English name that events carry when they lack the
/// short one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The key's name under `Services`.
    pub(super) name: &'static str,
    /// `DisplayName` on an English Windows.
    pub(super) display: &'static str,
}

const fn known(name: &'static str, display: &'static str) -> Known {
    Known { name, display }
}

/// Every service that a check asks for. What `TermService` depends on beyond them is added from
/// its configuration.
pub(super) const KNOWN: &[Known] = &[
    known("TermService", "Remote Desktop Services"),
    known(
        "UmRdpService",
        "Remote Desktop Services UserMode Port Redirector",
    ),
    known("SessionEnv", "Remote Desktop Configuration"),
    known("RpcSs", "Remote Procedure Call (RPC)"),
    known("RpcEptMapper", "RPC Endpoint Mapper"),
    known("DcomLaunch", "DCOM Server Process Launcher"),
    known("TermDD", "Terminal Device Driver"),
    known("RDPDR", "Remote Desktop Device Redirector Driver"),
    known("rdpbus", "Remote Desktop Device Redirector Bus Driver"),
    known("CertPropSvc", "Certificate Propagation"),
    known("LanmanWorkstation", "Workstation"),
    known("LanmanServer", "Server"),
    known("SamSs", "Security Accounts Manager"),
    known("KeyIso", "CNG Key Isolation"),
    known("CryptSvc", "Cryptographic Services"),
    known("MpsSvc", "Windows Firewall"),
    known("BFE", "Base Filtering Engine"),
    known("Dhcp", "DHCP Client"),
    known("Dnscache", "DNS Client"),
    known("NlaSvc", "Network Location Awareness"),
    known("netprofm", "Network List Service"),
    known("nsi", "Network Store Interface Service"),
    known("Netlogon", "Netlogon"),
    known("gpsvc", "Group Policy Client"),
    known("EventLog", "Windows Event Log"),
    known("Winmgmt", "Windows Management Instrumentation"),
    known("wuauserv", "Windows Update"),
    known("W32Time", "Windows Time"),
];

/// The known service that a text names: by its short name, else by its English display name.
pub(super) fn find(text: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(text))
        .or_else(|| {
            KNOWN
                .iter()
                .find(|known| known.display.eq_ignore_ascii_case(text))
        })
        .map(|known| known.name)
        // Windows 10 renamed the firewall's service.
        .or_else(|| {
            text.eq_ignore_ascii_case("Windows Defender Firewall")
                .then_some("MpsSvc")
        })
}
