//! Access tokens: the user and the groups of this process, and of who opened the client's end of a pipe.
#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::{
    GetTokenInformation, RevertToSelf, SID_AND_ATTRIBUTES, TOKEN_GROUPS, TOKEN_INFORMATION_CLASS,
    TOKEN_QUERY, TOKEN_USER, TokenGroups, TokenUser,
};
use windows_sys::Win32::System::Pipes::ImpersonateNamedPipeClient;
use windows_sys::Win32::System::SystemServices::{
    SE_GROUP_ENABLED, SE_GROUP_LOGON_ID, SE_GROUP_USE_FOR_DENY_ONLY,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentThread, OpenProcessToken, OpenThreadToken,
};

use super::security_unsafe::{check, text_of};

/// What a process may do, and in whose name.
#[derive(Debug)]
pub(super) struct Token(OwnedHandle);

impl Token {
    /// This process'.
    pub(super) fn of_process() -> io::Result<Self> {
        let mut token = null_mut();
        // SAFETY: the pseudo handle is always good and the pointer lives until the call returns.
        check(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) })?;
        // SAFETY: it was just opened.
        Ok(unsafe { Self::own(token) })
    }

    /// That with which the client's end of this pipe was opened.
    pub(super) fn of_client(pipe: BorrowedHandle<'_>) -> io::Result<Self> {
        let _until_here = Impersonation::begin(pipe)?;
        let mut token = null_mut();
        // SAFETY: the pseudo handle is always good and the pointer lives until the call returns. The process' own
        // rights open it (1), as those of a client that only let itself be identified would not do.
        check(unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &raw mut token) })?;
        // SAFETY: it was just opened.
        Ok(unsafe { Self::own(token) })
    }

    /// # Safety
    /// The handle is open, and nobody else has it.
    unsafe fn own(token: HANDLE) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { OwnedHandle::from_raw_handle(token) })
    }

    /// The identifier of its account.
    pub(super) fn user(&self) -> io::Result<String> {
        let information = self.information(TokenUser)?;
        // SAFETY: the buffer is aligned enough, and holds this structure.
        let sid = unsafe { (*information.as_ptr().cast::<TOKEN_USER>()).User.Sid };
        // SAFETY: it points to an identifier in the buffer, which lives until the end of this function.
        unsafe { text_of(sid) }
    }

    /// The identifiers of the groups that let it do something; not those that only keep it from something.
    pub(super) fn groups(&self) -> io::Result<Vec<String>> {
        self.groups_where(|attributes| {
            attributes & SE_GROUP_ENABLED as u32 != 0 && attributes & SE_GROUP_USE_FOR_DENY_ONLY as u32 == 0
        })
    }

    /// The identifier of its logon session, if it has one.
    pub(super) fn logon(&self) -> io::Result<Option<String>> {
        const LOGON: u32 = SE_GROUP_LOGON_ID as u32;
        let found = self.groups_where(|attributes| attributes & LOGON == LOGON)?;
        Ok(found.into_iter().next())
    }

    fn groups_where(&self, wanted: impl Fn(u32) -> bool) -> io::Result<Vec<String>> {
        let information = self.information(TokenGroups)?;
        let groups = information.as_ptr().cast::<TOKEN_GROUPS>();
        // SAFETY: the buffer is aligned enough, and holds this structure.
        let count = unsafe { (*groups).GroupCount } as usize;
        // SAFETY: the structure is in the buffer; no reference is made to its array, which is longer than declared.
        let first = unsafe { &raw const (*groups).Groups }.cast::<SID_AND_ATTRIBUTES>();
        // SAFETY: the system put that many behind each other into the buffer, which lives until the end of this
        // function.
        let groups = unsafe { std::slice::from_raw_parts(first, count) };
        groups
            .iter()
            .filter(|group| wanted(group.Attributes))
            // SAFETY: it points to an identifier in the buffer.
            .map(|group| unsafe { text_of(group.Sid) })
            .collect()
    }

    /// What the system tells of this class: a structure, and what it points to. u64 for its alignment.
    fn information(&self, class: TOKEN_INFORMATION_CLASS) -> io::Result<Vec<u64>> {
        let mut length = 0;
        // SAFETY: the token is open, and an empty buffer asks for the length.
        unsafe { GetTokenInformation(self.0.as_raw_handle(), class, null_mut(), 0, &raw mut length) };
        let mut buffer = vec![0_u64; (length as usize).div_ceil(size_of::<u64>())];
        // SAFETY: the token is open, and the buffer has at least as many bytes as are stated.
        check(unsafe {
            GetTokenInformation(
                self.0.as_raw_handle(),
                class,
                buffer.as_mut_ptr().cast(),
                length,
                &raw mut length,
            )
        })?;
        Ok(buffer)
    }
}

/// While it lives, this thread has the client's identity.
struct Impersonation;

impl Impersonation {
    fn begin(pipe: BorrowedHandle<'_>) -> io::Result<Self> {
        // SAFETY: the handle is open for the length of the call.
        check(unsafe { ImpersonateNamedPipeClient(pipe.as_raw_handle()) })?;
        Ok(Self)
    }
}

impl Drop for Impersonation {
    fn drop(&mut self) {
        // SAFETY: always sound; it gives the thread its own identity back.
        if unsafe { RevertToSelf() } == 0 {
            // Whatever ran next on this thread would run as somebody else.
            std::process::abort();
        }
    }
}
