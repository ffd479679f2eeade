//! What the driver, the callers and the handlers of one connection share. How it is called is in `calling`.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::ConnectionError;
use super::handshake::Handshake;
use super::leaving::Leave;
use super::ping::Pings;
use super::state::State;
use super::transmit::Share;
use crate::codec::Codec;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{CallId, MetadataError};
use crate::transport::{PacketSender, PeerIdentity};

/// One connection, as its driver, its channels and its handlers see it.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(super) sender: Box<dyn PacketSender>,
    pub(crate) peer: PeerIdentity,
    pub(crate) codec: Codec,
    /// Told when the connection has ended, takes no more calls, or has no open call any more while it drains.
    pub(super) changed: Notify,
    /// Where the connection and what belongs to it runs.
    pub(super) runtime: Handle,
}

impl Shared {
    pub(super) fn new(sender: Box<dyn PacketSender>, peer: PeerIdentity, handshake: Handshake) -> Arc<Self> {
        let Handshake { agreed, codec } = handshake;
        let state = State::new(&agreed, Share::of(&*sender));
        Arc::new(Self {
            state: Mutex::new(state),
            sender,
            peer,
            codec,
            changed: Notify::new(),
            runtime: Handle::current(),
        })
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics on input; what a panic of ours left behind is still whole enough to end with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a call whose handler ran in a task of its own.
    pub(super) fn answer(&self, call: CallId, result: Result<Response, Fault>) {
        self.answer_by(call, |state| state.answer_with_result(call, result));
    }

    /// Answers a call whose handler was dropped before it had ended.
    pub(super) fn answer_interrupted(&self, call: CallId) {
        self.answer_by(call, |state| {
            state.proto.answer_interrupted(call);
            true
        });
    }

    /// Sends the terminal frame of a call of the peer's; `answer` says whether there is one.
    pub(super) fn answer_by(&self, call: CallId, answer: impl FnOnce(&mut State) -> bool) {
        let mut state = self.lock();
        state.forget_handler(call);
        let mut woken = Vec::new();
        state.end_call_of_peer(call, &mut woken);
        if state.end.is_none() && answer(&mut state) {
            state.notify_if_over();
            self.flush_or_gather(state);
        } else {
            drop(state);
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// An entry of what travels beside the result of a call of the peer's.
    pub(crate) fn set_metadata(&self, call: CallId, key: &str, value: &[u8]) -> Result<(), MetadataError> {
        match self.lock().proto.metadata_mut(call) {
            Some(metadata) => metadata.insert(key, value),
            None => Ok(()),
        }
    }

    /// A call's handler begins: what its body was charged goes back to the caller. False: the call has ended, and nobody
    /// is to begin it.
    pub(super) fn begin(&self, call: CallId) -> bool {
        let mut state = self.lock();
        state.proto.begin(call);
        if state.proto.has_output() {
            state.notify_driver();
        }
        state.proto.has_begun(call)
    }

    /// Takes no more calls of depth 0, and makes none.
    pub(crate) fn drain(&self, text: &str) {
        let mut state = self.lock();
        state.proto.drain(text);
        state.notify_driver();
        let wake = state.line.close();
        drop(state);
        wake.into_iter().for_each(Waker::wake);
    }

    /// Waits until a draining connection has no open call, or has ended.
    pub(crate) async fn until_idle(&self) {
        self.until(|shared| shared.is_idle().then_some(())).await;
    }

    /// Waits until the connection has ended, and says why.
    pub(crate) async fn until_ended(&self) -> Arc<ConnectionError> {
        self.until(Self::end_reason).await
    }

    /// Waits until the connection takes no more calls: why, if it has ended.
    pub(crate) async fn until_retired(&self) -> Option<Arc<ConnectionError>> {
        self.until(|shared| (!shared.takes_calls()).then(|| shared.end_reason()))
            .await
    }

    /// Looks now and after each change, until there is something.
    async fn until<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let mut changed = pin!(self.changed.notified());
        loop {
            // Before the look, so that no change is missed.
            changed.as_mut().enable();
            if let Some(found) = look(self) {
                return found;
            }
            changed.as_mut().await;
            changed.set(self.changed.notified());
        }
    }

    /// Whether no call is open, or the connection has ended.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.end.is_some() || state.is_idle()
    }

    /// Makes no more calls of depth 0; ends when the open ones are over, or cut.
    pub(crate) fn leave(&self, how: Leave) {
        let mut state = self.lock();
        state.leave(how);
        let wake = state.line.close();
        drop(state);
        wake.into_iter().for_each(Waker::wake);
    }

    /// Ends every call that waits, and the sender. The first reason counts.
    pub(crate) fn end(&self, reason: ConnectionError) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        let reason = Arc::new(reason);
        state.end = Some(Arc::clone(&reason));
        state.pings = Pings::default();
        let mut wake = state.end_waiting(&reason);
        wake.extend(state.line.close());
        let stop = state.take_handlers();
        let driver = state.driver.take();
        drop(state);
        self.sender.close();
        stop.into_iter().for_each(|task| task.abort());
        wake.into_iter().chain(driver).for_each(Waker::wake);
        self.changed.notify_waiters();
    }

    /// Whether calls of depth 0 may still be sent, as far as is known.
    pub(crate) fn takes_calls(&self) -> bool {
        !self.lock().line.is_closed()
    }

    /// Why a call cannot be sent now.
    pub(crate) fn refusal(&self) -> Fault {
        let state = self.lock();
        match &state.end {
            Some(end) => end.fault(Outcome::NotSent),
            None => match state.check_staying(0) {
                Err(leaving) => leaving,
                Ok(()) => Fault::new(Outcome::NotSent, Reason::Draining),
            },
        }
    }

    /// Why the connection ended, if it has.
    fn end_reason(&self) -> Option<Arc<ConnectionError>> {
        self.lock().end.clone()
    }
}
