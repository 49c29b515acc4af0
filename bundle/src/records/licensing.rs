//! `system/rds-licensing.json` and `system/activation.json`.

use serde::{Deserialize, Serialize};

/// Licensing of Remote Desktop Services (WMI `Win32_TerminalServiceSetting` in
/// `root\CIMV2\TerminalServices`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RdsLicensing {
    /// `TerminalServerMode`: 0 two administrators' sessions, 1 session host.
    pub terminal_server_mode: Option<u32>,
    /// `LicensingType`: 2 per device, 4 per user, 5 not set.
    pub licensing_type: Option<u32>,
    /// Days left (`GetGracePeriodDays`); 0 is over.
    pub grace_days: Option<u32>,
    /// `GetSpecifiedLicenseServerList`.
    pub license_servers: Option<Vec<String>>,
    /// `PolicySourceLicensingType`: 0 local, 1 group policy.
    pub licensing_type_from_policy: Option<bool>,
}

/// Activation (`SLGetLicensingStatusInformation`, or WMI `SoftwareLicensingProduct` with a partial
/// product key). The collector asks only where the licensing service runs already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Activation {
    /// Products with a key.
    pub products: Vec<ActivationProduct>,
    /// KMS host in use (`SoftwareLicensingService.KeyManagementServiceMachine`), where WMI was asked;
    /// the one that is configured stands in SOFTWARE.
    pub kms_host: Option<String>,
    /// Its port, 1688 by default.
    pub kms_port: Option<u16>,
}

/// One licensed product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivationProduct {
    /// Application id, a GUID; Windows is `55c92734-d682-4d71-983e-d6ec3f16059f`.
    pub application_id: String,
    /// Name, such as `Windows(R), ServerStandard edition`.
    pub name: Option<String>,
    /// Channel and edition, such as `VOLUME_KMSCLIENT channel`.
    pub description: Option<String>,
    /// `LicenseStatus`: 0 unlicensed, 1 licensed, 2 and 3 grace, 4 non-genuine grace,
    /// 5 notification, 6 extended grace.
    pub license_status: u32,
    /// `LicenseStatusReason`, an HRESULT.
    pub status_reason: Option<u32>,
    /// Minutes of grace left.
    pub grace_minutes: Option<u32>,
}
