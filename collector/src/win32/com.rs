//! COM by hand: an apartment, owned interface pointers, texts and variants. An interface is a
//! vtable type (`#[repr(C)]`, [`Unknown`] first) that its user declares, in the order of the header.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

use snapdiag_bundle::OsError;
use windows_sys::Win32::Foundation::{
    RPC_E_CHANGED_MODE, SysAllocStringLen, SysFreeString, SysStringLen,
};
use windows_sys::Win32::System::Com::{
    CLSCTX_INPROC_SERVER, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx, CoUninitialize,
};
use windows_sys::Win32::System::Variant::{
    VARIANT, VT_BOOL, VT_BSTR, VT_EMPTY, VT_I1, VT_I2, VT_I4, VT_I8, VT_INT, VT_NULL, VT_UI1,
    VT_UI2, VT_UI4, VT_UI8, VT_UINT, VariantClear,
};
use windows_sys::core::{BSTR, GUID, HRESULT};

use crate::system::{SysResult, os_error};

/// `E_POINTER`: a call that succeeded gave no pointer.
const E_POINTER: u32 = 0x8000_4003;
/// `E_OUTOFMEMORY`.
const E_OUTOFMEMORY: u32 = 0x8007_000E;

/// The HRESULT of a call as a result; every success code is one.
///
/// # Errors
/// The HRESULT, when it is a failure.
pub fn check(call: &str, result: HRESULT) -> SysResult<()> {
    if result < 0 {
        return Err(os_error(call, result.cast_unsigned()));
    }
    Ok(())
}

/// `IUnknown`: the head of every vtable.
#[repr(C)]
pub struct Unknown {
    query_interface:
        unsafe extern "system" fn(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT,
    add_ref: unsafe extern "system" fn(*mut c_void) -> u32,
    release: unsafe extern "system" fn(*mut c_void) -> u32,
}

/// A method that the vtable has to hold in its place and nobody here calls.
pub type Uncalled = *const c_void;

/// `IDispatch`: the head of the vtables of automation interfaces.
#[repr(C)]
pub struct Dispatch {
    unknown: Unknown,
    uncalled: [Uncalled; 4],
}

/// The vtable of an interface.
///
/// # Safety
/// The type is `#[repr(C)]`, begins with [`Unknown`] or [`Dispatch`], and is laid out as the
/// interface with that id.
pub unsafe trait Vtable {
    /// The interface's id.
    const ID: GUID;
}

/// COM on this thread, until it is dropped.
pub struct Apartment {
    /// Whether it is ours to leave.
    entered: bool,
    /// Not for another thread.
    thread: PhantomData<*const ()>,
}

impl Apartment {
    /// Enters the multithreaded apartment. A thread that is in another kind already stays there.
    ///
    /// # Errors
    /// The HRESULT of `CoInitializeEx`.
    pub fn enter() -> SysResult<Self> {
        // SAFETY: takes no pointer but the reserved one, which is null.
        let result =
            unsafe { CoInitializeEx(std::ptr::null(), COINIT_MULTITHREADED.cast_unsigned()) };
        if result != RPC_E_CHANGED_MODE {
            check("CoInitializeEx", result)?;
        }
        Ok(Self {
            entered: result != RPC_E_CHANGED_MODE,
            thread: PhantomData,
        })
    }

    /// Makes an object of a class that lives in a DLL.
    ///
    /// # Errors
    /// The HRESULT of `CoCreateInstance`.
    pub fn create<V: Vtable>(&self, class: &GUID) -> SysResult<Com<'_, V>> {
        let (interface, mut object) = (V::ID, null_mut());
        // SAFETY: the ids are valid for the call, and `object` receives a pointer.
        let result = unsafe {
            CoCreateInstance(
                class,
                null_mut(),
                CLSCTX_INPROC_SERVER,
                &raw const interface,
                &raw mut object,
            )
        };
        // SAFETY: on success the object is ours and has the interface asked for.
        unsafe { self.received("CoCreateInstance", result, object) }
    }

    /// Takes what a method has put into an out parameter.
    ///
    /// # Safety
    /// When `result` is a success, `object` is null or a reference that the caller owns, to an
    /// interface laid out as `V`.
    ///
    /// # Errors
    /// The method's HRESULT; `E_POINTER` for a success without an object.
    pub unsafe fn received<V: Vtable>(
        &self,
        call: &str,
        result: HRESULT,
        object: *mut c_void,
    ) -> SysResult<Com<'_, V>> {
        check(call, result)?;
        let object = NonNull::new(object.cast()).ok_or_else(|| os_error(call, E_POINTER))?;
        Ok(Com {
            object,
            apartment: PhantomData,
        })
    }
}

impl Drop for Apartment {
    fn drop(&mut self) {
        if self.entered {
            // SAFETY: balances the CoInitializeEx of `enter`, on the same thread; no interface
            // pointer outlives the borrow of the apartment.
            unsafe { CoUninitialize() };
        }
    }
}

/// An interface pointer that is released when dropped.
pub struct Com<'a, V: Vtable> {
    object: NonNull<*const V>,
    apartment: PhantomData<&'a Apartment>,
}

impl<V: Vtable> Com<'_, V> {
    /// The vtable.
    pub fn vtable(&self) -> &V {
        // SAFETY: an interface pointer points to the pointer to its vtable, which lives as long.
        unsafe { &**self.object.as_ptr() }
    }

    /// The pointer that every method takes first.
    pub fn this(&self) -> *mut c_void {
        self.object.as_ptr().cast()
    }
}

impl<V: Vtable> Drop for Com<'_, V> {
    fn drop(&mut self) {
        // SAFETY: every vtable begins with IUnknown's; the reference is ours.
        unsafe {
            let unknown = *self.object.as_ptr().cast::<*const Unknown>();
            ((*unknown).release)(self.this());
        }
    }
}

/// A text of COM, freed when dropped.
pub struct Text(BSTR);

impl Text {
    /// A copy of the text.
    ///
    /// # Errors
    /// `E_OUTOFMEMORY`.
    pub fn new(text: &str) -> SysResult<Self> {
        let wide: Vec<u16> = text.encode_utf16().collect();
        let out_of_memory = |_| os_error("SysAllocStringLen", E_OUTOFMEMORY);
        let length = u32::try_from(wide.len()).map_err(out_of_memory)?;
        // SAFETY: `wide` holds `length` units.
        let text = unsafe { SysAllocStringLen(wide.as_ptr(), length) };
        if text.is_null() {
            return Err(os_error("SysAllocStringLen", E_OUTOFMEMORY));
        }
        Ok(Self(text))
    }

    /// The pointer for a parameter that is only read.
    pub fn as_ptr(&self) -> BSTR {
        self.0
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: the text is ours.
        unsafe { SysFreeString(self.0) };
    }
}

/// A variant, cleared when dropped.
#[derive(Default)]
pub struct Variant(VARIANT);

/// A plain value of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `VT_EMPTY` or `VT_NULL`.
    Nothing,
    /// An integer of any width.
    Integer(i64),
    /// An unsigned integer of 64 bits.
    Unsigned(u64),
    /// `VT_BOOL`.
    Boolean(bool),
    /// `VT_BSTR`.
    Text(String),
    /// Another type, by its `VARENUM`.
    Other(u16),
}

impl Variant {
    /// A variant that holds a copy of the text.
    ///
    /// # Errors
    /// `E_OUTOFMEMORY`.
    pub fn text(text: &str) -> SysResult<Self> {
        let text = Text::new(text)?;
        let mut variant = VARIANT::default();
        variant.Anonymous.Anonymous.vt = VT_BSTR;
        variant.Anonymous.Anonymous.Anonymous.bstrVal = text.0;
        // The variant frees it from here on.
        std::mem::forget(text);
        Ok(Self(variant))
    }

    /// The pointer for an out parameter; what the variant held is cleared.
    pub fn out(&mut self) -> *mut VARIANT {
        self.clear();
        &raw mut self.0
    }

    /// The pointer for a parameter that is only read.
    pub fn as_ptr(&self) -> *const VARIANT {
        &raw const self.0
    }

    /// What it holds.
    pub fn value(&self) -> Value {
        // SAFETY: `vt` is always set, and says which member of the union is.
        unsafe {
            let inner = &self.0.Anonymous.Anonymous;
            let data = &inner.Anonymous;
            match inner.vt {
                VT_EMPTY | VT_NULL => Value::Nothing,
                VT_BOOL => Value::Boolean(data.boolVal != 0),
                VT_BSTR => Value::Text(text_of(data.bstrVal)),
                VT_I1 => Value::Integer(data.cVal.into()),
                VT_UI1 => Value::Integer(data.bVal.into()),
                VT_I2 => Value::Integer(data.iVal.into()),
                VT_UI2 => Value::Integer(data.uiVal.into()),
                VT_I4 | VT_INT => Value::Integer(data.lVal.into()),
                VT_UI4 | VT_UINT => Value::Integer(data.ulVal.into()),
                VT_I8 => Value::Integer(data.llVal),
                VT_UI8 => Value::Unsigned(data.ullVal),
                other => Value::Other(other),
            }
        }
    }

    fn clear(&mut self) {
        // SAFETY: the variant is initialised. The one failure, a locked array, cannot be mended.
        unsafe { VariantClear(&raw mut self.0) };
    }
}

impl Drop for Variant {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The text of a BSTR; null is the empty text.
///
/// # Safety
/// The pointer is null or a valid BSTR.
unsafe fn text_of(text: BSTR) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: a BSTR holds as many units as it says.
    let units = unsafe { std::slice::from_raw_parts(text, SysStringLen(text) as usize) };
    String::from_utf16_lossy(units)
}

/// Calls a getter with one out parameter.
///
/// # Errors
/// The HRESULT of the getter.
pub fn get<T: Default>(call: &str, getter: impl FnOnce(*mut T) -> HRESULT) -> Result<T, OsError> {
    let mut value = T::default();
    check(call, getter(&raw mut value))?;
    Ok(value)
}
