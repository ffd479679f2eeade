//! A layer that knows how often a handler is polled, and drops it.

use tokio::sync::watch;
use tower::Layer;

use super::{Moment, WatchedService};

/// A tower layer for servers that watches one handler at a time, up to the end of the stream it may answer with, and
/// drops its future when it is told to. Clones are the same.
///
/// [`drop_handler_at_every_poll`](super::drop_handler_at_every_poll) and
/// [`cancel_at_every_handler_poll`](super::cancel_at_every_handler_poll) work with it.
#[derive(Clone, Debug)]
pub struct Handlers(watch::Sender<Watch>);

/// What is to become of the next handler, and what became of the one that is watched.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    next: Option<Plan>,
    /// The handler was polled as often as was asked for, and is not polled any more.
    held: bool,
    end: Option<End>,
}

/// What is done with a handler.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plan {
    /// It is dropped then.
    Drop(Moment),
    /// It is held when it was polled that often: not polled any more.
    Hold(usize),
}

/// How a handler came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or dropped by others.
    Over,
    /// Dropped by this layer.
    Dropped,
}

/// A test has dropped the handler: what the layer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a test dropped the handler {0}")]
pub struct HandlerDropped(pub Moment);

impl Default for Handlers {
    fn default() -> Self {
        Self::new()
    }
}

impl Handlers {
    /// Watches none yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::default())
    }

    /// Drops the handler of the next call at that moment, unless it ends before. Its call fails with
    /// [`HandlerDropped`].
    pub fn drop_next(&self, moment: Moment) {
        self.plan(Some(Plan::Drop(moment)));
    }

    /// Holds the handler of the next call in the await that its poll number `polls` leads to, unless it ends before. It
    /// goes on when it is told to by [`release`](Self::release).
    pub fn hold_next(&self, polls: usize) {
        self.plan(Some(Plan::Hold(polls)));
    }

    /// Lets the handler that is held go on, and holds or drops none that comes. Idempotent.
    pub fn release(&self) {
        self.0
            .send_modify(|watch| (watch.next, watch.held) = (None, false));
    }

    /// Waits until the handler that is watched is held.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn until_held(&self) {
        self.until(|watch| watch.held).await;
    }

    /// Waits until the handler that is watched has ended or was dropped; whether it was dropped by this layer.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn until_over(&self) -> bool {
        self.until(|watch| watch.end.is_some()).await.end == Some(End::Dropped)
    }

    fn plan(&self, next: Option<Plan>) {
        self.0.send_replace(Watch {
            next,
            ..Watch::default()
        });
    }

    async fn until(&self, is_so: impl Fn(&Watch) -> bool) -> Watch {
        let mut watch = self.0.subscribe();
        // This handle is a sender, so waiting does not fail.
        let found = watch.wait_for(is_so).await;
        found.map_or_else(|_| Watch::default(), |watch| *watch)
    }

    /// What is done with a handler that begins now.
    pub(super) fn take_plan(&self) -> Option<Plan> {
        let mut plan = None;
        self.0.send_if_modified(|watch| {
            plan = watch.next.take();
            plan.is_some()
        });
        plan
    }

    pub(super) fn tell_held(&self) {
        self.0.send_modify(|watch| watch.held = true);
    }

    pub(super) async fn until_released(self) {
        self.until(|watch| !watch.held).await;
    }

    pub(super) fn tell_end(&self, end: End) {
        self.0.send_modify(|watch| watch.end = Some(end));
    }
}

impl<S> Layer<S> for Handlers {
    type Service = WatchedService<S>;

    fn layer(&self, inner: S) -> WatchedService<S> {
        WatchedService::new(inner, self.clone())
    }
}
