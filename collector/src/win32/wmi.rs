//! WMI (wbemcli.h), which has no C API: queries and methods of one namespace.

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{RPC_E_TOO_LATE, SysFreeString, SysStringLen};
use windows_sys::Win32::System::Com::{
    CoInitializeSecurity, CoSetProxyBlanket, EOAC_NONE, RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
    RPC_C_IMP_LEVEL_IMPERSONATE, SAFEARRAY,
};
use windows_sys::Win32::System::Ole::{
    SafeArrayGetElement, SafeArrayGetLBound, SafeArrayGetUBound,
};
use windows_sys::Win32::System::Rpc::{RPC_C_AUTHN_WINNT, RPC_C_AUTHZ_NONE};
use windows_sys::Win32::System::Variant::{VT_ARRAY, VT_BSTR};
use windows_sys::core::{BSTR, GUID, HRESULT};

use super::com::{Apartment, Com, Text, Uncalled, Unknown, Value, Variant, Vtable, check};
use super::wide::wide;
use crate::system::{SysResult, os_error};

/// `CLSID_WbemLocator`.
const LOCATOR: GUID = GUID::from_u128(0x4590f811_1d3a_11d0_891f_00aa004b2e24);
/// `WBEM_FLAG_FORWARD_ONLY` and `WBEM_FLAG_RETURN_IMMEDIATELY`.
const FORWARD_ONLY: i32 = 0x20 | 0x10;
/// `WBEM_FLAG_CONNECT_USE_MAX_WAIT`: gives up after two minutes.
const MAX_WAIT: i32 = 0x80;
/// Milliseconds that one answer may take.
const PATIENCE_MS: i32 = 10_000;
/// `WBEM_E_NOT_FOUND`.
const NOT_FOUND: u32 = 0x8004_1002;
/// `WBEM_E_TYPE_MISMATCH`.
const TYPE_MISMATCH: u32 = 0x8004_1005;
/// `WBEM_S_TIMEDOUT`.
const TIMED_OUT: HRESULT = 0x0004_0004;
/// `ERROR_TIMEOUT`.
const ERROR_TIMEOUT: u32 = 1460;
/// Most texts of an array.
const MOST_TEXTS: i32 = 256;

#[repr(C)]
struct Locator {
    unknown: Unknown,
    connect_server: unsafe extern "system" fn(
        *mut c_void,
        BSTR,
        BSTR,
        BSTR,
        BSTR,
        i32,
        BSTR,
        *mut c_void,
        *mut *mut c_void,
    ) -> HRESULT,
}

// SAFETY: laid out as IWbemLocator.
unsafe impl Vtable for Locator {
    const ID: GUID = GUID::from_u128(0xdc12a687_737f_11cf_884d_00aa004b2e24);
}

#[repr(C)]
struct Services {
    unknown: Unknown,
    open_namespace_to_create_instance_enum_async: [Uncalled; 17],
    exec_query: unsafe extern "system" fn(
        *mut c_void,
        BSTR,
        BSTR,
        i32,
        *mut c_void,
        *mut *mut c_void,
    ) -> HRESULT,
    exec_query_async_to_exec_notification_query_async: [Uncalled; 3],
    exec_method: unsafe extern "system" fn(
        *mut c_void,
        BSTR,
        BSTR,
        i32,
        *mut c_void,
        *mut c_void,
        *mut *mut c_void,
        *mut *mut c_void,
    ) -> HRESULT,
}

// SAFETY: laid out as IWbemServices up to ExecMethod.
unsafe impl Vtable for Services {
    const ID: GUID = GUID::from_u128(0x9556dc99_828c_11cf_a37e_00aa003240c7);
}

#[repr(C)]
struct Enumerator {
    unknown: Unknown,
    reset: Uncalled,
    next: unsafe extern "system" fn(*mut c_void, i32, u32, *mut *mut c_void, *mut u32) -> HRESULT,
}

// SAFETY: laid out as IEnumWbemClassObject up to Next.
unsafe impl Vtable for Enumerator {
    const ID: GUID = GUID::from_u128(0x027947e1_d731_11ce_a357_000000000001);
}

#[repr(C)]
struct ClassObject {
    unknown: Unknown,
    get_qualifier_set: Uncalled,
    get: unsafe extern "system" fn(
        *mut c_void,
        *const u16,
        i32,
        *mut windows_sys::Win32::System::Variant::VARIANT,
        *mut i32,
        *mut i32,
    ) -> HRESULT,
}

// SAFETY: laid out as IWbemClassObject up to Get.
unsafe impl Vtable for ClassObject {
    const ID: GUID = GUID::from_u128(0xdc12a681_737f_11cf_884d_00aa004b2e24);
}

/// A namespace of WMI.
pub(super) struct Wmi<'a> {
    apartment: &'a Apartment,
    services: Com<'a, Services>,
}

impl<'a> Wmi<'a> {
    /// Connects to a namespace of this machine, such as `root\CIMV2`, with encryption, which some
    /// namespaces demand.
    pub(super) fn connect(apartment: &'a Apartment, namespace: &str) -> SysResult<Self> {
        secure_process()?;
        let locator: Com<'_, Locator> = apartment.create(&LOCATOR)?;
        let namespace = Text::new(namespace)?;
        let mut services = null_mut();
        // SAFETY: the text is a BSTR; null stands for this user, the locale and no context.
        let services: Com<'_, Services> = unsafe {
            let result = (locator.vtable().connect_server)(
                locator.this(),
                namespace.as_ptr(),
                null(),
                null(),
                null(),
                MAX_WAIT,
                null(),
                null_mut(),
                &raw mut services,
            );
            apartment.received("IWbemLocator::ConnectServer", result, services)?
        };
        secure(&services)?;
        Ok(Self {
            apartment,
            services,
        })
    }

    /// The first answer of a query in WQL.
    pub(super) fn first(&self, query: &str) -> SysResult<Object<'a>> {
        const CALL: &str = "IEnumWbemClassObject::Next";
        let (language, query) = (Text::new("WQL")?, Text::new(query)?);
        let mut answers = null_mut();
        // SAFETY: both texts are BSTRs, and there is no context.
        let answers: Com<'_, Enumerator> = unsafe {
            let result = (self.services.vtable().exec_query)(
                self.services.this(),
                language.as_ptr(),
                query.as_ptr(),
                FORWARD_ONLY,
                null_mut(),
                &raw mut answers,
            );
            self.apartment
                .received("IWbemServices::ExecQuery", result, answers)?
        };
        secure(&answers)?;
        let (mut object, mut count) = (null_mut(), 0);
        // SAFETY: there is room for the one object asked for.
        let result = unsafe {
            (answers.vtable().next)(
                answers.this(),
                PATIENCE_MS,
                1,
                &raw mut object,
                &raw mut count,
            )
        };
        if result >= 0 && count == 0 {
            let code = if result == TIMED_OUT {
                ERROR_TIMEOUT
            } else {
                NOT_FOUND
            };
            return Err(os_error(CALL, code));
        }
        // SAFETY: on success the object is ours.
        unsafe { self.apartment.received(CALL, result, object) }.map(Object)
    }

    /// The out parameters of a method without in parameters.
    pub(super) fn call(&self, object: &Object<'_>, method: &str) -> SysResult<Object<'a>> {
        let path = Text::new(&object.text("__RELPATH")?)?;
        let name = Text::new(method)?;
        let mut answer = null_mut();
        // SAFETY: both texts are BSTRs; there are no context, no in parameters, and the call is
        // not asked to return at once.
        unsafe {
            let result = (self.services.vtable().exec_method)(
                self.services.this(),
                path.as_ptr(),
                name.as_ptr(),
                0,
                null_mut(),
                null_mut(),
                &raw mut answer,
                null_mut(),
            );
            self.apartment.received(method, result, answer)
        }
        .map(Object)
    }
}

/// An instance, or the out parameters of a method.
pub(super) struct Object<'a>(Com<'a, ClassObject>);

impl Object<'_> {
    /// A property that is a number.
    pub(super) fn number(&self, property: &str) -> SysResult<u32> {
        match self.get(property)?.value() {
            // A `uint32` comes as a signed number of the same bits.
            Value::Integer(number) => i32::try_from(number)
                .map(i32::cast_unsigned)
                .or_else(|_| u32::try_from(number))
                .map_err(|_| os_error(property, TYPE_MISMATCH)),
            Value::Nothing => Err(os_error(property, NOT_FOUND)),
            _ => Err(os_error(property, TYPE_MISMATCH)),
        }
    }

    /// A property that is a text.
    pub(super) fn text(&self, property: &str) -> SysResult<String> {
        match self.get(property)?.value() {
            Value::Text(text) => Ok(text),
            Value::Nothing => Err(os_error(property, NOT_FOUND)),
            _ => Err(os_error(property, TYPE_MISMATCH)),
        }
    }

    /// A property that is a list of texts; null is an empty list.
    pub(super) fn texts(&self, property: &str) -> SysResult<Vec<String>> {
        let variant = self.get(property)?;
        match variant.value() {
            Value::Nothing => Ok(Vec::new()),
            Value::Other(kind) if kind == VT_ARRAY | VT_BSTR => {
                // SAFETY: the variant says that this member is set; it outlives the call.
                unsafe { texts((*variant.as_ptr()).Anonymous.Anonymous.Anonymous.parray) }
            }
            _ => Err(os_error(property, TYPE_MISMATCH)),
        }
    }

    fn get(&self, property: &str) -> SysResult<Variant> {
        let name = wide(property);
        let mut value = Variant::default();
        // SAFETY: the name ends with a zero; type and flavour are not asked for.
        let result = unsafe {
            (self.0.vtable().get)(
                self.0.this(),
                name.as_ptr(),
                0,
                value.out(),
                null_mut(),
                null_mut(),
            )
        };
        check(property, result)?;
        Ok(value)
    }
}

/// The texts of an array of BSTRs.
///
/// # Safety
/// The pointer is an array of one dimension whose elements are BSTRs.
unsafe fn texts(array: *const SAFEARRAY) -> SysResult<Vec<String>> {
    let (mut first, mut last) = (0, 0);
    // SAFETY: the array is valid, both numbers live through the calls.
    unsafe {
        check(
            "SafeArrayGetLBound",
            SafeArrayGetLBound(array, 1, &raw mut first),
        )?;
        check(
            "SafeArrayGetUBound",
            SafeArrayGetUBound(array, 1, &raw mut last),
        )?;
    }
    let mut list = Vec::new();
    for index in first..=last.min(first.saturating_add(MOST_TEXTS)) {
        let mut text: BSTR = null();
        // SAFETY: the index is within the bounds; the element is a BSTR, of which a copy is made.
        let text = unsafe {
            let result = SafeArrayGetElement(array, &raw const index, (&raw mut text).cast());
            check("SafeArrayGetElement", result)?;
            if text.is_null() {
                continue;
            }
            let units = std::slice::from_raw_parts(text, SysStringLen(text) as usize);
            let copy = String::from_utf16_lossy(units);
            SysFreeString(text);
            copy
        };
        list.push(text);
    }
    Ok(list)
}

/// Sets how this process speaks to COM servers, once; another setting that came first stays.
fn secure_process() -> SysResult<()> {
    // SAFETY: null stands for the defaults.
    let result = unsafe {
        CoInitializeSecurity(
            null_mut(),
            -1,
            null(),
            null(),
            RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
            RPC_C_IMP_LEVEL_IMPERSONATE,
            null(),
            EOAC_NONE.cast_unsigned(),
            null(),
        )
    };
    if result == RPC_E_TOO_LATE {
        return Ok(());
    }
    check("CoInitializeSecurity", result)
}

/// Has calls by this proxy encrypted, in the name of this user.
fn secure<V: Vtable>(proxy: &Com<'_, V>) -> SysResult<()> {
    // SAFETY: the proxy is an interface of COM; null stands for the defaults.
    let result = unsafe {
        CoSetProxyBlanket(
            proxy.this(),
            RPC_C_AUTHN_WINNT,
            RPC_C_AUTHZ_NONE,
            null(),
            RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
            RPC_C_IMP_LEVEL_IMPERSONATE,
            null(),
            EOAC_NONE.cast_unsigned(),
        )
    };
    check("CoSetProxyBlanket", result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_lists_and_methods_are_read() {
        let apartment = Apartment::enter().unwrap();
        let wmi = Wmi::connect(&apartment, "root\\CIMV2").unwrap();
        let system = wmi.first("SELECT * FROM Win32_OperatingSystem").unwrap();
        assert!(!system.text("Version").unwrap().is_empty());
        assert!(!system.texts("MUILanguages").unwrap().is_empty());
        assert!(system.number("ProductType").unwrap() <= 3);
        let mismatch = system.number("Version").unwrap_err();
        assert_eq!(
            (mismatch.call.as_str(), mismatch.code),
            ("Version", TYPE_MISMATCH)
        );
        let pid = std::process::id();
        let query = format!("SELECT * FROM Win32_Process WHERE ProcessId = {pid}");
        let process = wmi.first(&query).unwrap();
        let owner = wmi.call(&process, "GetOwner").unwrap();
        assert_eq!(owner.number("ReturnValue"), Ok(0));
        assert!(!owner.text("User").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let apartment = Apartment::enter().unwrap();
        let error = Wmi::connect(&apartment, "root\\NoSuchNamespace")
            .err()
            .unwrap();
        assert_eq!(error.call, "IWbemLocator::ConnectServer");
        let wmi = Wmi::connect(&apartment, "root\\CIMV2").unwrap();
        let none = wmi.first("SELECT * FROM Win32_Process WHERE ProcessId = 4294967295");
        assert_eq!(none.err().unwrap().code, NOT_FOUND);
    }
}
