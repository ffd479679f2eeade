//! From a stream of the application's into the connection: as much as the other end has room for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::shared::Shared;
use super::streams::Outlet;
use super::{Ambient, panic_text};
use crate::fault::{Fault, Outcome, Reason};
use crate::proto::{Body, Room, cost};
use crate::streaming::{ItemError, Items};

/// How many items are gathered at most before they are sent.
const BATCH: usize = 64;

/// How many batches are sent before others get their turn.
const ROUNDS: usize = 4;

/// Sends the items of one stream.
pub(super) struct Pump {
    shared: Arc<Shared>,
    outlet: Outlet,
    /// `None` once they have ended.
    items: Option<Items>,
    ambient: Option<Ambient>,
    batch: Vec<Body>,
    max_body: u64,
}

/// What became of a stream.
pub(super) enum Pumped {
    /// It ended, and everything before is sent.
    Ended(Result<(), ItemError>),
    /// The other end takes no more.
    Unwanted,
}

enum Gathered {
    Full,
    Pending,
    Ended(Result<(), ItemError>),
}

impl Pump {
    pub(super) fn new(shared: &Arc<Shared>, outlet: Outlet, items: Items, ambient: Option<Ambient>) -> Self {
        Self {
            shared: Arc::clone(shared),
            outlet,
            items: Some(items),
            ambient,
            batch: Vec::new(),
            max_body: shared.max_item(),
        }
    }

    /// Sends what is there; ready when the stream has ended, which is dropped by then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Pumped> {
        for _ in 0..ROUNDS {
            let Room::Open(room) = ready!(self.shared.poll_item_room(self.outlet, cx.waker())) else {
                self.drop_items();
                return Poll::Ready(Pumped::Unwanted);
            };
            let gathered = self.gather(room, cx);
            self.shared.send_items(self.outlet, &mut self.batch);
            match gathered {
                Gathered::Full => {}
                Gathered::Pending => return Poll::Pending,
                Gathered::Ended(end) => {
                    self.drop_items();
                    return Poll::Ready(Pumped::Ended(end));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Asks the stream for as many items as there is room for. A panic of it is its end.
    fn gather(&mut self, room: u64, cx: &mut Context<'_>) -> Gathered {
        let ambient = self.ambient;
        let gathering = AssertUnwindSafe(|| within(ambient, || self.gather_from(room, cx)));
        catch_unwind(gathering).unwrap_or_else(|panic| {
            let fault = Fault::new(Outcome::Ran, Reason::Panicked).with_detail(panic_text(&*panic));
            Gathered::Ended(Err(ItemError::Fault(fault)))
        })
    }

    fn gather_from(&mut self, mut room: u64, cx: &mut Context<'_>) -> Gathered {
        let Some(items) = &mut self.items else {
            return Gathered::Ended(Ok(()));
        };
        while room > 0 && self.batch.len() < BATCH {
            match Pin::new(&mut *items).poll_next(cx) {
                Poll::Pending => return Gathered::Pending,
                Poll::Ready(None) => return Gathered::Ended(Ok(())),
                Poll::Ready(Some(Err(error))) => return Gathered::Ended(Err(error)),
                Poll::Ready(Some(Ok(item))) => {
                    let size = item.len() as u64;
                    if size > self.max_body {
                        return Gathered::Ended(Err(ItemError::Fault(too_large(size, self.max_body))));
                    }
                    room = room.saturating_sub(cost(item.len()));
                    self.batch.push(item);
                    if item_is_large(size) {
                        return Gathered::Full;
                    }
                }
            }
        }
        Gathered::Full
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

/// Whether an item may leave in fragments, if the packets agreed on are the smallest. What follows it then waits, so it is
/// the last of its batch.
fn item_is_large(size: u64) -> bool {
    size >= 4096 - 16
}

fn too_large(size: u64, limit: u64) -> Fault {
    Fault::new(Outcome::Ran, Reason::BodyTooLarge { size, limit })
        .with_detail("an item of a stream; the other end sets the limit, with max_body")
}

fn within<R>(ambient: Option<Ambient>, poll: impl FnOnce() -> R) -> R {
    match ambient {
        Some(ambient) => ambient.scope(poll),
        None => poll(),
    }
}
