//! What the system knows of an account by its name, and of a process by its number.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::PathBuf;
use std::ptr::null;

use windows_sys::Win32::Security::{LookupAccountNameW, SID_NAME_USE};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

use super::security_unsafe::{check, text_of, wide};

/// The longest path, in characters.
const LONGEST_PATH: usize = 32_768;

/// The identifier of the account, and of which kind it is.
pub(super) fn account_named(name: &str) -> io::Result<(String, SID_NAME_USE)> {
    let name = wide(name);
    // An identifier has at most 68 bytes, a domain's name at most 255 characters; u64 for the alignment.
    let (mut sid, mut domain) = ([0_u64; 16], [0_u16; 512]);
    let (mut sid_length, mut domain_length) = (size_of_val(&sid) as u32, domain.len() as u32);
    let mut kind = 0;
    // SAFETY: the name ends in a NUL, null is this computer, the buffers are as large as stated, and all live until
    // the call returns.
    check(unsafe {
        LookupAccountNameW(
            null(),
            name.as_ptr(),
            sid.as_mut_ptr().cast(),
            &raw mut sid_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    })?;
    // SAFETY: the call made an identifier in the buffer.
    let sid = unsafe { text_of(sid.as_mut_ptr().cast()) }?;
    Ok((sid, kind))
}

/// The program that the process runs.
pub(super) fn executable_of(pid: u32) -> io::Result<PathBuf> {
    // SAFETY: always sound; 0 makes a handle that no child inherits.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if process.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, is valid, and nobody else has it.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    let mut path = vec![0_u16; LONGEST_PATH];
    let mut length = LONGEST_PATH as u32;
    // SAFETY: the handle is open, the buffer is as long as stated, and both live until the call returns.
    check(unsafe {
        QueryFullProcessImageNameW(
            process.as_raw_handle(),
            PROCESS_NAME_WIN32,
            path.as_mut_ptr(),
            &raw mut length,
        )
    })?;
    path.truncate(length as usize);
    Ok(OsString::from_wide(&path).into())
}
