//! One direction of a link: what has come through it, and what happens to the next packet.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use tokio::sync::watch;

use super::{Change, Faults};
use crate::testing::Frame;
use crate::transport::PacketSender;

/// A handle on one direction of a link with [`Faults`]: stalls and cuts it while it is in use, and tells what came
/// through. It keeps a copy of every packet.
#[derive(Clone)]
pub struct Lane(Arc<Shared>);

impl Lane {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }

    /// From now on nothing gets through; a sender has to wait. Idempotent.
    pub fn stall(&self) {
        self.0.lock().stalled = true;
    }

    /// Lets through what waited, and what comes. Idempotent.
    pub fn resume(&self) {
        let mut state = self.0.lock();
        state.stalled = false;
        let wake = std::mem::take(&mut state.waiting);
        drop(state);
        wake.into_iter().for_each(Waker::wake);
    }

    /// The end that the faults are in vanishes, without a word. Idempotent.
    pub fn cut(&self) {
        self.0.cut();
    }

    /// How many packets have come through.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.0.lock().packets.len()
    }

    /// Waits until that many packets have come through.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn until_passed(&self, packets: usize) {
        // The sender is in what this handle shares, so waiting does not fail.
        let _ = self
            .0
            .passed
            .subscribe()
            .wait_for(|passed| *passed >= packets)
            .await;
    }

    /// Waits until the sender has been told to wait at least once, because the lane is stalled or full. Only of a lane
    /// that goes out.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn until_full(&self) {
        let _ = self.0.full.subscribe().wait_for(|full| *full).await;
    }

    /// The packets that have come through, as they arrived.
    #[must_use]
    pub fn packets(&self) -> Vec<Vec<u8>> {
        self.0.lock().packets.clone()
    }

    /// The frames that have come through; greetings and what is torn are left out.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        let mut frames = Vec::new();
        for packet in self.packets() {
            let mut rest = &packet[..];
            while let Some((frame, next)) =
                Frame::split_first(rest).filter(|_| !packet.starts_with(b"pipe-r"))
            {
                frames.push(frame);
                rest = next;
            }
        }
        frames
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Lane")
            .field("passed", &state.packets.len())
            .field("stalled", &state.stalled)
            .field("cut", &state.cut)
            .finish_non_exhaustive()
    }
}

/// A lane, as its handle and the half of the link that it runs through see it.
pub(super) struct Shared {
    state: Mutex<State>,
    change: Option<Change>,
    cut_after: Option<usize>,
    torn: Option<usize>,
    passed: watch::Sender<usize>,
    full: watch::Sender<bool>,
    /// What closes the link.
    sender: Weak<PlainInner>,
}

/// The sender beneath.
pub(super) type PlainInner = Box<dyn PacketSender>;

struct State {
    stalled: bool,
    cut: bool,
    packets: Vec<Vec<u8>>,
    /// Whoever waits for the lane to open.
    waiting: Vec<Waker>,
}

impl Shared {
    pub(super) fn new(faults: Faults, sender: &Arc<PlainInner>) -> Arc<Self> {
        let state = State {
            stalled: faults.stalled,
            cut: false,
            packets: Vec::new(),
            waiting: Vec::new(),
        };
        let shared = Arc::new(Self {
            state: Mutex::new(state),
            change: faults.change,
            cut_after: faults.cut_after,
            torn: faults.torn,
            passed: watch::Sender::new(0),
            full: watch::Sender::new(false),
            sender: Arc::downgrade(sender),
        });
        if shared.cut_after == Some(0) {
            shared.cut();
        }
        shared
    }

    /// The next packet as it is to arrive.
    pub(super) fn shape(&self, mut packet: Vec<u8>) -> Vec<u8> {
        if let Some(change) = &self.change {
            change(&mut packet);
        }
        if self.torn == Some(self.lock().packets.len() + 1) {
            packet.truncate((packet.len() / 2).max(1));
        }
        packet
    }

    /// The packet has come through; the link is cut if it was the last that may.
    pub(super) fn on_passed(&self, packet: Vec<u8>) {
        let mut state = self.lock();
        state.packets.push(packet);
        let passed = state.packets.len();
        drop(state);
        if self.cut_after == Some(passed) {
            self.cut();
        }
        self.passed.send_replace(passed);
    }

    /// The sender was told to wait.
    pub(super) fn on_full(&self) {
        self.full.send_replace(true);
    }

    pub(super) fn cut(&self) {
        let mut state = self.lock();
        state.cut = true;
        let wake = std::mem::take(&mut state.waiting);
        drop(state);
        if let Some(sender) = self.sender.upgrade() {
            sender.close();
        }
        wake.into_iter().for_each(Waker::wake);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.lock().cut
    }

    pub(super) fn is_stalled(&self) -> bool {
        let state = self.lock();
        state.stalled && !state.cut
    }

    /// Ready when the lane is not stalled, or cut.
    pub(super) fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.stalled || state.cut {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Wakes whoever waits for the lane to open, to look again.
    pub(super) fn wake(&self) {
        let wake = std::mem::take(&mut self.lock().waiting);
        wake.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
