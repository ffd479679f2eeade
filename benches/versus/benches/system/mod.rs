//! What is asked of the operating system about processes.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{CpuClock, pin_to_first_cpu, place_path, raise_file_limit, resident_memory};
#[cfg(windows)]
pub(crate) use windows::{CpuClock, pin_to_first_cpu, place_path, raise_file_limit, resident_memory};
