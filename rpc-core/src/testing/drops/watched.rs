//! The service of the layer that watches handlers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tower::Service;

use super::handlers::{End, Plan};
use super::{HandlerDropped, Handlers, Moment};
use crate::client::BoxError;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::proto::Body;
use crate::streaming::{ItemError, Items};

/// A service under [`Handlers`].
#[derive(Clone, Debug)]
pub struct WatchedService<S> {
    inner: S,
    handlers: Handlers,
}

impl<S> WatchedService<S> {
    pub(super) fn new(inner: S, handlers: Handlers) -> Self {
        Self { inner, handlers }
    }
}

impl<S> Service<Request> for WatchedService<S>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let handler = self.inner.call(request);
        let Some(plan) = self.handlers.take_plan() else {
            return Box::pin(async move { handler.await.map_err(Into::into) });
        };
        Box::pin(WatchedHandler {
            handler: Some(Box::pin(handler)),
            watcher: Some(Watcher::new(plan, self.handlers.clone())),
        })
    }
}

/// Counts the polls of one handler, and says when it is to be dropped.
struct Watcher {
    plan: Plan,
    polls: usize,
    /// Ready when the handler may go on.
    hold: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    end: End,
    handlers: Handlers,
}

/// Told to what waits for the end of the handler, whatever that is.
impl Drop for Watcher {
    fn drop(&mut self) {
        self.handlers.tell_end(self.end);
    }
}

impl Watcher {
    fn new(plan: Plan, handlers: Handlers) -> Self {
        Self {
            plan,
            polls: 0,
            hold: None,
            end: End::Over,
            handlers,
        }
    }

    /// Polls the handler, unless it is held; `Err` when it is to be dropped now.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Result<Poll<T>, HandlerDropped> {
        // It is woken, or asked for the next item after a poll that gave one.
        if let Some(moment) = self.due() {
            return Err(self.drop_now(moment));
        }
        if self.poll_hold(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        self.polls += 1;
        let polled = poll(cx);
        if polled.is_ready() {
            return Ok(polled);
        }
        if let Some(moment @ Moment::After(_)) = self.due() {
            return Err(self.drop_now(moment));
        }
        // Released at once or not: the handler has a waker of its own.
        let _ = self.poll_hold(cx);
        Ok(polled)
    }

    /// The moment, if the handler is to be dropped and was polled as often.
    fn due(&self) -> Option<Moment> {
        match self.plan {
            Plan::Drop(moment) if moment.polls() == self.polls => Some(moment),
            Plan::Drop(_) | Plan::Hold(_) => None,
        }
    }

    /// Pending while the handler is held.
    fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.plan, Plan::Hold(polls) if polls == self.polls) && self.hold.is_none() {
            self.handlers.tell_held();
            self.hold = Some(Box::pin(self.handlers.clone().until_released()));
        }
        let Some(hold) = &mut self.hold else {
            return Poll::Ready(());
        };
        ready!(hold.as_mut().poll(cx));
        self.hold = None;
        // Held once.
        self.plan = Plan::Hold(usize::MAX);
        Poll::Ready(())
    }

    fn drop_now(&mut self, moment: Moment) -> HandlerDropped {
        self.end = End::Dropped;
        HandlerDropped(moment)
    }
}

/// A handler up to its response.
struct WatchedHandler<F> {
    handler: Option<Pin<Box<F>>>,
    watcher: Option<Watcher>,
}

impl<F, E> Future for WatchedHandler<F>
where
    F: Future<Output = Result<Response, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { handler, watcher } = &mut *self;
        let (Some(future), Some(watching)) = (handler.as_mut(), watcher.as_mut()) else {
            return Poll::Pending;
        };
        let result = match watching.poll(cx, |cx| future.as_mut().poll(cx)) {
            Ok(polled) => ready!(polled).map_err(Into::into),
            Err(dropped) => Err(dropped.into()),
        };
        *handler = None;
        let watcher = watcher.take();
        let result = result.map(|response| {
            if response.is_stream() {
                watched(response, watcher)
            } else {
                response
            }
        });
        Poll::Ready(result)
    }
}

/// A response whose items are the rest of the handler.
fn watched(response: Response, watcher: Option<Watcher>) -> Response {
    match (response.into_items(), watcher) {
        (Some(items), Some(watcher)) => Response::stream(Items::new(WatchedItems {
            items: Some(items),
            watcher: Some(watcher),
        })),
        (items, _) => items.map_or_else(|| Response::ok(Body::new()), Response::stream),
    }
}

/// A handler that yields items.
struct WatchedItems {
    items: Option<Items>,
    watcher: Option<Watcher>,
}

impl Stream for WatchedItems {
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { items, watcher } = &mut *self;
        let (Some(stream), Some(watching)) = (items.as_mut(), watcher.as_mut()) else {
            return Poll::Ready(None);
        };
        match watching.poll(cx, |cx| Pin::new(stream).poll_next(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Some(Ok(item)))) => Poll::Ready(Some(Ok(item))),
            Ok(Poll::Ready(last)) => {
                (*items, *watcher) = (None, None);
                Poll::Ready(last)
            }
            Err(dropped) => {
                (*items, *watcher) = (None, None);
                let fault =
                    Fault::new(Outcome::MayHaveRun, Reason::Layer).with_source(Arc::new(dropped) as Arc<_>);
                Poll::Ready(Some(Err(ItemError::Fault(fault))))
            }
        }
    }
}
