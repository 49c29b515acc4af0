//! Activation, and licensing of Remote Desktop Services.

use super::{SysResult, not_implemented};

/// Activation, and licensing of Remote Desktop Services.
pub trait Licensing: Send + Sync {
    /// WMI's `Win32_OperatingSystem.Status`.
    ///
    /// # Errors
    /// The HRESULT of WMI. It may hang.
    fn operating_system_status(&self) -> SysResult<String> {
        not_implemented("IWbemServices::ExecQuery")
    }

    /// The one instance of WMI's `Win32_TerminalServiceSetting`.
    ///
    /// # Errors
    /// The HRESULT of WMI. It may hang.
    fn terminal_service_setting(&self) -> SysResult<TerminalServiceSetting> {
        not_implemented("IWbemServices::ExecQuery")
    }

    /// The products of Windows for which a key is installed.
    ///
    /// # Errors
    /// The HRESULT of the licensing service.
    fn licensed_products(&self) -> SysResult<Vec<LicensedProduct>> {
        not_implemented("SLOpen")
    }
}

/// `Win32_TerminalServiceSetting`: properties, and the answers of its methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalServiceSetting {
    /// `TerminalServerMode`.
    pub terminal_server_mode: SysResult<u32>,
    /// `LicensingType`.
    pub licensing_type: SysResult<u32>,
    /// `PolicySourceLicensingType`: 0 local, 1 group policy.
    pub licensing_type_source: SysResult<u32>,
    /// `GetGracePeriodDays`.
    pub grace_days: SysResult<u32>,
    /// `GetSpecifiedLicenseServerList`.
    pub license_servers: SysResult<Vec<String>>,
}

/// A product of the licensing service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicensedProduct {
    /// `Name`.
    pub name: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// `SLLICENSINGSTATUS`: 0 unlicensed, 1 licensed, 2 in a grace period, 3 notification.
    pub status: u32,
    /// `hrReason`.
    pub reason: u32,
    /// `dwGraceTime`, minutes.
    pub grace_minutes: u32,
}
