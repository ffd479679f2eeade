//! From a stream of the application's into the connection: as much as the other end has room for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::shared::Shared;
use super::streams::Outlet;
use super::{Ambient, panic_text};
use crate::fault::{Fault, Outcome, Reason};
use crate::proto::Room;
use crate::streaming::{Batch, Filled, ItemError, Items, Source};

/// How many batches are sent before others get their turn.
const ROUNDS: usize = 4;

/// Sends the items of one stream.
pub(super) struct Pump {
    shared: Arc<Shared>,
    outlet: Outlet,
    /// `None` once they have ended.
    items: Option<Items>,
    ambient: Option<Ambient>,
    batch: Batch,
}

/// What became of a stream.
pub(super) enum Pumped {
    /// It ended, and everything before is sent.
    Ended(Result<(), ItemError>),
    /// The other end takes no more.
    Unwanted,
}

impl Pump {
    pub(super) fn new(shared: &Arc<Shared>, outlet: Outlet, items: Items, ambient: Option<Ambient>) -> Self {
        Self {
            shared: Arc::clone(shared),
            outlet,
            items: Some(items),
            ambient,
            batch: Batch::new(shared.max_item()),
        }
    }

    /// Sends what is there; ready when the stream has ended, which is dropped by then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Pumped> {
        let pumped = self.poll_batches(cx);
        // A stream that waits has no memory for what it does not have.
        self.batch.free();
        pumped
    }

    fn poll_batches(&mut self, cx: &mut Context<'_>) -> Poll<Pumped> {
        for _ in 0..ROUNDS {
            let Room::Open(room) = ready!(self.shared.poll_item_room(self.outlet, cx.waker())) else {
                self.drop_items();
                return Poll::Ready(Pumped::Unwanted);
            };
            self.batch.begin(room);
            let filled = self.fill(cx);
            self.shared.send_items(self.outlet, &mut self.batch);
            match filled {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Filled::Full) => {}
                Poll::Ready(Filled::Ended(end)) => {
                    self.drop_items();
                    return Poll::Ready(Pumped::Ended(end));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Asks the stream for as many items as there is room for. A panic of it is its end.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<Filled> {
        let Some(items) = &mut self.items else {
            return Poll::Ready(Filled::Ended(Ok(())));
        };
        let batch = &mut self.batch;
        let filling = || Pin::new(items).poll_fill(cx, batch);
        let filled = catch_unwind(AssertUnwindSafe(|| within(self.ambient, filling)));
        filled.unwrap_or_else(|panic| {
            let fault = Fault::new(Outcome::Ran, Reason::Panicked).with_detail(panic_text(&*panic));
            Poll::Ready(Filled::Ended(Err(ItemError::Fault(fault))))
        })
    }

    fn drop_items(&mut self) {
        let Some(items) = self.items.take() else { return };
        let ambient = self.ambient;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| within(ambient, || drop(items)))) {
            tracing::error!(
                panic = panic_text(&*panic),
                "a stream panicked while it was dropped"
            );
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.drop_items();
    }
}

fn within<R>(ambient: Option<Ambient>, poll: impl FnOnce() -> R) -> R {
    match ambient {
        Some(ambient) => ambient.scope(poll),
        None => poll(),
    }
}
