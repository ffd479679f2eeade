//! What all instances of a server's pipe have in common, and the making of one.

use std::io;
use std::os::windows::ffi::OsStrExt;

use super::file_unsafe::{File, Place};
use super::security::{self, DescriptorError};
use super::security_unsafe::Descriptor;
use crate::name::NativeName;
use crate::options::ServerOptions;

/// The least that a pipe may hold of what its reader has not taken, in bytes.
const MIN_QUOTA: usize = 64 * 1024;

/// What the instances of one pipe are made from.
#[derive(Debug)]
pub(super) struct Blueprint {
    name: Vec<u16>,
    descriptor: Descriptor,
    quota: u32,
}

impl Blueprint {
    pub(super) fn new(name: &NativeName, options: &ServerOptions) -> Result<Self, DescriptorError> {
        Ok(Self {
            name: system_name(name),
            descriptor: security::descriptor(&options.access)?,
            quota: quota(options.max_packet),
        })
    }

    /// Makes an instance.
    pub(super) fn make(&self, place: Place) -> io::Result<File> {
        File::create(&self.name, place, self.quota, &self.descriptor)
    }
}

/// The name as system calls take it, with a NUL at its end.
pub(super) fn system_name(name: &NativeName) -> Vec<u16> {
    name.as_path().as_os_str().encode_wide().chain([0]).collect()
}

/// Two packets: while the reader is at one, the next lies ready and its writer goes on. The system takes the memory
/// only for what is really under way.
fn quota(max_packet: usize) -> u32 {
    u32::try_from(max_packet.saturating_mul(2).max(MIN_QUOTA)).unwrap_or(u32::MAX)
}
