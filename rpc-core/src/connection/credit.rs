//! What credit this end has, for tests that ask whether all of it is back.

use super::shared::Shared;
use crate::proto::Limits;

/// What this end may begin now, and what it was granted at the handshake.
pub(crate) struct Credit {
    /// Calls that are not over, abandoned ones included.
    pub(crate) open: usize,
    /// Calls of depth 0 that may begin.
    pub(crate) calls: usize,
    /// Bytes of large request bodies that may be sent.
    pub(crate) window: u64,
    pub(crate) granted: Limits,
    /// Streams that something is still kept for.
    pub(crate) streams: usize,
}

impl Shared {
    pub(crate) fn credit(&self) -> Credit {
        let state = self.lock();
        Credit {
            open: state.proto.outgoing_open(),
            calls: state.line.free(),
            window: state.proto.window_left(),
            granted: *state.proto.received(),
            streams: state.streams.len(),
        }
    }
}
