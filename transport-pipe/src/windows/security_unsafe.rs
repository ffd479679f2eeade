//! Descriptors, owners and identifiers of accounts, as the system gives them, turned into owned values.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
    SDDL_REVISION_1, SE_KERNEL_OBJECT,
};
use windows_sys::Win32::Security::{OWNER_SECURITY_INFORMATION, PSID};
use windows_sys::core::BOOL;

/// Who owns an object and who may use it.
#[derive(Debug)]
pub(super) struct Descriptor(Local<c_void>);

// SAFETY: it is memory of the process' heap that nobody writes to, and any thread may free it.
unsafe impl Send for Descriptor {}
// SAFETY: as above; all that is done with it is reading.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// The descriptor of that text, in the system's descriptor language.
    pub(super) fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text);
        let mut descriptor = Local(null_mut());
        // SAFETY: the text ends in a NUL and the pointer lives until the call returns.
        check(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor.0,
                null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }

    /// For calls that read it; good as long as the descriptor lives.
    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.0.0
    }
}

/// The identifier of the account that owns the object.
pub(super) fn owner_of(object: BorrowedHandle<'_>) -> io::Result<String> {
    let (mut owner, mut descriptor) = (null_mut(), Local::<c_void>(null_mut()));
    // SAFETY: the handle is open, both pointers live until the call returns, and null asks for nothing.
    let code = unsafe {
        GetSecurityInfo(
            object.as_raw_handle(),
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor.0,
        )
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    // SAFETY: the call set it to an identifier inside the descriptor, which lives until the end of this function.
    unsafe { text_of(owner) }
}

/// # Safety
/// `sid` points to an identifier.
pub(super) unsafe fn text_of(sid: PSID) -> io::Result<String> {
    let mut text = Local(null_mut());
    // SAFETY: the caller's promise; the pointer lives until the call returns.
    check(unsafe { ConvertSidToStringSidW(sid, &raw mut text.0) })?;
    // SAFETY: the call made a text that ends in a NUL.
    Ok(unsafe { text.to_text() })
}

/// Memory that the system allocated for us.
#[derive(Debug)]
struct Local<T>(*mut T);

impl Local<u16> {
    /// # Safety
    /// It is a text that ends in a NUL.
    unsafe fn to_text(&self) -> String {
        let at = |index| {
            // SAFETY: the caller's promise, and no index behind the first NUL is asked for.
            unsafe { *self.0.add(index) }
        };
        let units: Vec<u16> = (0..).map(at).take_while(|&unit| unit != 0).collect();
        String::from_utf16_lossy(&units)
    }
}

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        // SAFETY: the system allocated it with LocalAlloc, it is freed once, and null is allowed.
        unsafe { LocalFree(self.0.cast()) };
    }
}

pub(super) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

pub(super) fn check(succeeded: BOOL) -> io::Result<()> {
    if succeeded == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod read_back {
    //! A pipe's descriptor as text, to hold against what was asked for.

    use windows_sys::Win32::Security::Authorization::ConvertSecurityDescriptorToStringSecurityDescriptorW;
    use windows_sys::Win32::Security::DACL_SECURITY_INFORMATION;

    use super::*;

    const WANTED: u32 = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;

    /// The owner and the access list of the object.
    pub(in crate::windows) fn describe(object: BorrowedHandle<'_>) -> io::Result<String> {
        let mut descriptor = Local::<c_void>(null_mut());
        // SAFETY: the handle is open, the pointer lives until the call returns, and null asks for nothing.
        let code = unsafe {
            GetSecurityInfo(
                object.as_raw_handle(),
                SE_KERNEL_OBJECT,
                WANTED,
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                &raw mut descriptor.0,
            )
        };
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code.cast_signed()));
        }
        Descriptor(descriptor).to_text()
    }

    impl Descriptor {
        /// In the system's descriptor language, as the system writes it.
        pub(in crate::windows) fn to_text(&self) -> io::Result<String> {
            let mut text = Local(null_mut());
            // SAFETY: the descriptor is whole, and the pointer lives until the call returns.
            check(unsafe {
                ConvertSecurityDescriptorToStringSecurityDescriptorW(
                    self.as_ptr(),
                    SDDL_REVISION_1,
                    WANTED,
                    &raw mut text.0,
                    null_mut(),
                )
            })?;
            // SAFETY: the call made a text that ends in a NUL.
            Ok(unsafe { text.to_text() })
        }
    }
}
