//! Two directions make a link.

use std::sync::Arc;

use rpc_core::transport::{Link, PeerIdentity};

use super::buffer::Buffer;
use super::file_unsafe::File;
use super::receiver::Receiver;
use super::sender::Sender;
use super::slot::Slot;
use crate::gauges::Connected;

/// Both directions of one end of a pipe; the halves share it.
///
/// The handle is closed when no direction holds it any more: after [`close`](Self::close), or after both halves were
/// dropped and the last packet was taken by the peer, for which it gets [`LINGER`](super::engine::LINGER). (A handle
/// closed with a write under way keeps the packet on Windows and loses it on Wine.)
pub(super) struct Ends {
    pub(super) reading: Arc<Slot>,
    pub(super) writing: Arc<Slot>,
    _connected: Option<Connected>,
}

/// The link over a connected file.
pub(super) fn link(
    file: Arc<File>,
    peer: PeerIdentity,
    max_packet: usize,
    connected: Option<Connected>,
) -> Link {
    let ends = Ends::new(file, connected);
    Link {
        sender: Box::new(Sender::new(Arc::clone(&ends), max_packet)),
        receiver: Box::new(Receiver::new(ends, max_packet)),
        peer,
        max_packet,
    }
}

impl Ends {
    pub(super) fn new(file: Arc<File>, connected: Option<Connected>) -> Arc<Self> {
        Arc::new(Self {
            reading: Slot::new(Arc::clone(&file), Buffer::Empty),
            writing: Slot::new(file, Buffer::Empty),
            _connected: connected,
        })
    }

    /// Gives up what is under way and closes the pipe. What was flushed stays readable.
    pub(super) fn close(&self) {
        self.writing.abort();
        self.reading.abort();
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.writing.finish();
    }
}
