//! Services whose calls run one after the other, in the order in which they began to arrive.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::proto::CallId;

/// The lines of one connection: one for each ordered service.
#[derive(Default)]
pub(super) struct Turns {
    lines: HashMap<u32, Arc<Semaphore>>,
    /// The places of calls whose bodies are still arriving.
    arriving: HashMap<CallId, Turn>,
}

/// A call's place in its service's line.
pub(super) enum Turn {
    /// Nobody is before it.
    Now(OwnedSemaphorePermit),
    /// It is in line; the future gives the turn.
    Later(Waiting),
}

/// Resolves when it is the call's turn, which ends when the permit is dropped.
pub(super) type Waiting = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

impl Turns {
    /// A call takes its place with its first frame.
    pub(super) fn announce(&mut self, call: CallId, service: u32) {
        let turn = self.enter(service);
        self.arriving.insert(call, turn);
    }

    /// A call that was announced has ended before it was whole.
    pub(super) fn withdraw(&mut self, call: CallId) {
        self.arriving.remove(&call);
    }

    /// The place of a call that is whole now.
    pub(super) fn take(&mut self, call: CallId, service: u32) -> Turn {
        match self.arriving.remove(&call) {
            Some(Turn::Later(mut waiting)) => match poll_once(&mut waiting) {
                Some(turn) => Turn::Now(turn),
                None => Turn::Later(waiting),
            },
            Some(turn) => turn,
            None => self.enter(service),
        }
    }

    /// Joins the line at its end.
    fn enter(&mut self, service: u32) -> Turn {
        let line = self
            .lines
            .entry(service)
            .or_insert_with(|| Arc::new(Semaphore::new(1)));
        let line = Arc::clone(line);
        // The semaphore is fair: whoever asked first is served first, from the first poll on.
        let mut waiting: Waiting = Box::pin(async move { line.acquire_owned().await.ok() });
        match poll_once(&mut waiting) {
            Some(turn) => Turn::Now(turn),
            None => Turn::Later(waiting),
        }
    }
}

fn poll_once(waiting: &mut Waiting) -> Option<OwnedSemaphorePermit> {
    match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(turn) => turn,
        Poll::Pending => None,
    }
}
