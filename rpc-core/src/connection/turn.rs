//! How much the driver sends, or takes in, before it is the other direction's turn.

use std::pin::pin;
use std::task::Context;

/// How many packets a turn has.
const PACKETS: usize = 16;

/// How many bytes after which it is over, in any case: four fragments of large bodies, with the usual limit for packets.
const BYTES: usize = 256 * 1024;

/// The driver's turn in one direction.
#[derive(Default)]
pub(super) struct Turn {
    packets: usize,
    bytes: usize,
}

impl Turn {
    /// A packet of that many bytes has had its time.
    pub(super) fn add(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes;
    }

    pub(super) fn has_begun(&self) -> bool {
        self.packets > 0
    }

    pub(super) fn is_over(&self) -> bool {
        self.packets >= PACKETS || self.bytes >= BYTES
    }
}

/// Has the driver run again when others had their turn and the runtime has looked what the system has to tell. Merely
/// woken, a driver that always has something to do would hear of new arrivals once in 61 turns.
pub(super) fn run_again(cx: &mut Context<'_>) {
    // It is the poll that sees to it.
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}
