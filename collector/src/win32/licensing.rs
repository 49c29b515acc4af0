//! Activation by the licensing service's API (slpublic.h), licensing of Remote Desktop Services by
//! WMI.

use std::ffi::c_void;
use std::mem::transmute;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authentication::Identity::SL_LICENSING_STATUS;
use windows_sys::core::{GUID, HRESULT, PCWSTR};

use super::Windows;
use super::com::{Apartment, check};
use super::native::{Library, owned_text};
use super::wide::wide;
use super::wmi::Wmi;
use crate::system::licensing::{LicensedProduct, TerminalServiceSetting};
use crate::system::{Licensing, SysResult};

/// The application id of Windows.
const WINDOWS: GUID = GUID::from_u128(0x55c92734_d682_4d71_983e_d6ec3f16059f);
/// `SL_DATA_SZ`.
const TEXT: u32 = 1;

type Open = unsafe extern "system" fn(*mut *mut c_void) -> HRESULT;
type Close = unsafe extern "system" fn(*const c_void) -> HRESULT;
type Status = unsafe extern "system" fn(
    *const c_void,
    *const GUID,
    *const GUID,
    PCWSTR,
    *mut u32,
    *mut *mut SL_LICENSING_STATUS,
) -> HRESULT;
type Keys =
    unsafe extern "system" fn(*const c_void, *const GUID, *mut u32, *mut *mut GUID) -> HRESULT;
type Information = unsafe extern "system" fn(
    *const c_void,
    *const GUID,
    PCWSTR,
    *mut u32,
    *mut u32,
    *mut *mut u8,
) -> HRESULT;

impl Licensing for Windows {
    fn operating_system_status(&self) -> SysResult<String> {
        let apartment = Apartment::enter()?;
        let wmi = Wmi::connect(&apartment, "root\\CIMV2")?;
        wmi.first("SELECT Status FROM Win32_OperatingSystem")?
            .text("Status")
    }

    fn terminal_service_setting(&self) -> SysResult<TerminalServiceSetting> {
        let apartment = Apartment::enter()?;
        let wmi = Wmi::connect(&apartment, "root\\CIMV2\\TerminalServices")?;
        let setting = wmi.first("SELECT * FROM Win32_TerminalServiceSetting")?;
        Ok(TerminalServiceSetting {
            terminal_server_mode: setting.number("TerminalServerMode"),
            licensing_type: setting.number("LicensingType"),
            licensing_type_source: setting.number("PolicySourceLicensingType"),
            grace_days: wmi
                .call(&setting, "GetGracePeriodDays")
                .and_then(|answer| answer.number("DaysLeft")),
            license_servers: wmi
                .call(&setting, "GetSpecifiedLicenseServerList")
                .and_then(|answer| answer.texts("SpecifiedLSList")),
        })
    }

    fn licensed_products(&self) -> SysResult<Vec<LicensedProduct>> {
        let service = Service::open()?;
        let mut products = Vec::new();
        for status in service.statuses()? {
            if service.has_key(&status.SkuId)? {
                products.push(LicensedProduct {
                    name: service.text(&status.SkuId, "Name"),
                    description: service.text(&status.SkuId, "Description"),
                    status: status.eStatus.cast_unsigned(),
                    reason: status.hrReason.cast_unsigned(),
                    grace_minutes: status.dwGraceTime,
                });
            }
        }
        Ok(products)
    }
}

/// An open connection to the licensing service. `slc.dll` is loaded when it is needed: not every
/// installation has it.
struct Service {
    handle: *mut c_void,
    close: Close,
    status: Status,
    keys: Keys,
    information: Information,
}

impl Service {
    fn open() -> SysResult<Self> {
        let library = Library::system("slc.dll")?;
        // SAFETY: these are the functions' documented types.
        let (open, close, status, keys, information) = unsafe {
            (
                transmute::<_, Open>(library.procedure(c"SLOpen")?),
                transmute::<_, Close>(library.procedure(c"SLClose")?),
                transmute::<_, Status>(library.procedure(c"SLGetLicensingStatusInformation")?),
                transmute::<_, Keys>(library.procedure(c"SLGetInstalledProductKeyIds")?),
                transmute::<_, Information>(library.procedure(c"SLGetProductSkuInformation")?),
            )
        };
        let mut handle = null_mut();
        // SAFETY: the handle lives through the call.
        check("SLOpen", unsafe { open(&raw mut handle) })?;
        Ok(Self {
            handle,
            close,
            status,
            keys,
            information,
        })
    }

    /// The status of every product of Windows, most of which have no key.
    fn statuses(&self) -> SysResult<Vec<SL_LICENSING_STATUS>> {
        let (windows, mut count, mut rows) = (WINDOWS, 0, null_mut());
        // SAFETY: the service is open; null asks for every product and no right in particular.
        let result = unsafe {
            (self.status)(
                self.handle,
                &raw const windows,
                null(),
                null(),
                &raw mut count,
                &raw mut rows,
            )
        };
        check("SLGetLicensingStatusInformation", result)?;
        if rows.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: Windows gave so many rows, which are ours to free.
        unsafe {
            let list = std::slice::from_raw_parts(rows, count as usize).to_vec();
            LocalFree(rows.cast());
            Ok(list)
        }
    }

    /// Whether a key is installed for that product.
    fn has_key(&self, product: &GUID) -> SysResult<bool> {
        /// `SL_E_VALUE_NOT_FOUND`, which is how a product without a key answers (slpublic.h), and
        /// `SL_E_PKEY_NOT_INSTALLED`.
        const NO_KEY: [u32; 2] = [0xC004_F012, 0xC004_F014];
        let (mut count, mut keys) = (0, null_mut());
        // SAFETY: the service is open, all parameters live through the call.
        let result = unsafe { (self.keys)(self.handle, product, &raw mut count, &raw mut keys) };
        if NO_KEY.contains(&result.cast_unsigned()) {
            return Ok(false);
        }
        check("SLGetInstalledProductKeyIds", result)?;
        // SAFETY: the list is ours, and null is allowed.
        unsafe { LocalFree(keys.cast()) };
        Ok(count > 0)
    }

    /// A text about a product.
    fn text(&self, product: &GUID, name: &str) -> Option<String> {
        let name = wide(name);
        let (mut kind, mut bytes, mut value) = (0, 0, null_mut());
        // SAFETY: the service is open, the name ends with a zero.
        let result = unsafe {
            (self.information)(
                self.handle,
                product,
                name.as_ptr(),
                &raw mut kind,
                &raw mut bytes,
                &raw mut value,
            )
        };
        if result < 0 {
            return None;
        }
        // SAFETY: the value is ours; a text ends with a zero.
        unsafe {
            let text = (kind == TEXT && bytes >= 2).then(|| owned_text(value.cast()));
            LocalFree(value.cast());
            text.flatten()
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SAFETY: the connection is open and ours.
        unsafe { (self.close)(self.handle) };
    }
}
