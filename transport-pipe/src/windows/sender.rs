//! The sending half: one write at a time, from memory of its own, never cancelled while the pipe lives.
//!
//! A packet that was taken reaches the peer unless the pipe breaks: the kernel has it at once when it fits the pipe's
//! quota, and else the write stays under way until the peer has read enough. Cancelling it would tear the message.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use rpc_core::transport::PacketSender;

use super::fate::Fate;
use super::link::Ends;
use super::operation_unsafe::Outcome;
use super::slot::{State, Turn};

/// The sending half of a pipe.
pub(super) struct Sender {
    ends: Arc<Ends>,
    max_packet: usize,
}

impl Sender {
    pub(super) fn new(ends: Arc<Ends>, max_packet: usize) -> Self {
        Self { ends, max_packet }
    }

    fn check_length(&self, len: usize) -> io::Result<()> {
        if (1..=self.max_packet).contains(&len) {
            return Ok(());
        }
        let text = format!(
            "a packet on this pipe has 1 to {} bytes, not {len}",
            self.max_packet
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }

    /// Ready once the last write is over: both to send again and to know that all is with the system.
    fn poll_idle(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.ends.writing.lock();
        settle(&mut state);
        match state.turn() {
            Turn::Idle(_) => Poll::Ready(Ok(())),
            Turn::Over(fate) => Poll::Ready(Err(fate.error())),
            Turn::Pending => {
                state.wait(cx.waker());
                Poll::Pending
            }
        }
    }
}

impl PacketSender for Sender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let len = packet.iter().map(|slice| slice.len()).sum();
        self.check_length(len)?;
        let slot = &self.ends.writing;
        let mut state = slot.lock();
        settle(&mut state);
        match state.turn() {
            Turn::Idle(idle) => idle.submit(Arc::clone(slot) as _, |mut operation, file, target| {
                operation.buffer().load(packet, len);
                operation.write(len, file, target)
            }),
            Turn::Pending => return Err(io::ErrorKind::WouldBlock.into()),
            Turn::Over(fate) => return Err(fate.error()),
        }
        settle(&mut state);
        match state.turn() {
            Turn::Over(fate) => Err(fate.error()),
            Turn::Idle(_) | Turn::Pending => Ok(()),
        }
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_idle(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_idle(cx)
    }

    fn close(&self) {
        self.ends.close();
    }

    /// Each packet is handed over twice: the system tells the engine's thread of it, and that one the runtime's. Under Wine
    /// 64 callers make two thirds more calls a second with 64 than with 16.
    fn packet_cost(&self) -> usize {
        64
    }
}

/// Takes note of how the last write ended.
fn settle(state: &mut State) {
    match state.take_outcome() {
        Some((Outcome::Failed(code), _)) => state.end(Fate::of_write(code)),
        Some((Outcome::Done(_) | Outcome::More(_), buffer)) => buffer.trim(),
        None => {}
    }
}
