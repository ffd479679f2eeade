//! Handlers that ask whether anybody still waits for them.
#![allow(
    clippy::box_collection,
    reason = "each call looks at it, and few handlers ask: one word of the state in place of six"
)]

use std::collections::HashMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use super::shared::Shared;
use crate::proto::CallId;

/// Whom to wake when a call of the peer's is cancelled, or is over.
#[derive(Default)]
pub(super) struct Cancels {
    /// Nothing before the first: each call looks here, and few handlers ask.
    known: Option<Box<HashMap<CallId, Vec<Waker>>>>,
}

impl Cancels {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.known.as_ref().is_none_or(|known| known.is_empty())
    }

    pub(super) fn take(&mut self, call: CallId) -> Vec<Waker> {
        let known = self.known.as_mut();
        known.and_then(|known| known.remove(&call)).unwrap_or_default()
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Waker> {
        let known = self.known.take().unwrap_or_default();
        known.into_values().flatten()
    }

    fn wait(&mut self, call: CallId, waker: &Waker) {
        let wakers = self.known.get_or_insert_default().entry(call).or_default();
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
