//! Handlers that ask whether anybody still waits for them.

use std::collections::HashMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use super::shared::Shared;
use crate::proto::CallId;

/// Whom to wake when a call of the peer's is cancelled, or is over.
#[derive(Default)]
pub(super) struct Cancels(HashMap<CallId, Vec<Waker>>);

impl Cancels {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, call: CallId) -> Vec<Waker> {
        if self.is_empty() {
            return Vec::new();
        }
        self.0.remove(&call).unwrap_or_default()
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Waker> {
        self.0.drain().flat_map(|(_, wakers)| wakers)
    }

    fn wait(&mut self, call: CallId, waker: &Waker) {
        let wakers = self.0.entry(call).or_default();
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }
}

impl Shared {
    /// Resolves when nobody waits for the call any more: it was cancelled, its deadline passed, its connection was lost,
    /// or it has its answer.
    pub(crate) async fn cancelled(&self, call: CallId) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.end.is_some() || !state.proto.is_running(call) {
                return Poll::Ready(());
            }
            state.cancels.wait(call, cx.waker());
            Poll::Pending
        })
        .await;
    }

    /// Whether nobody waits for the call any more.
    pub(crate) fn is_cancelled(&self, call: CallId) -> bool {
        let mut state = self.lock();
        state.end.is_some() || !state.proto.is_running(call)
    }
}
