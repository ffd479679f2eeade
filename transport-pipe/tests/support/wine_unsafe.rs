//! Whether the tests run on Wine, which lacks some of what they look at.
#![allow(unsafe_code)]

use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};

/// Says so and gives `true` if this is Wine, where `what` cannot be seen.
pub(crate) fn skipped_on_wine(what: &str) -> bool {
    // SAFETY: the name ends in a NUL, and this library is in every process.
    let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr().cast()) };
    // SAFETY: the library stays loaded, and the name ends in a NUL.
    let version = unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()) };
    if version.is_some() {
        eprintln!("SKIPPED on Wine: {what}");
    }
    version.is_some()
}
