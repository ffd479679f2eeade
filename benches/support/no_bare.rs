//! There are no bare rows where the system has no SEQPACKET sockets to write them with.

use super::Row;
use super::server_process::done;

pub(super) const ROLE: &str = "bare";

pub(super) fn serve() -> ! {
    done()
}

pub(super) fn one() -> Option<Box<dyn Row>> {
    None
}

pub(super) fn many() -> Option<Box<dyn Row>> {
    None
}

pub(super) fn large() -> Option<Box<dyn Row>> {
    None
}
