//! Handlers of incoming calls: polled once where they arrive, and made tasks of their own if they are not done.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::faults::fault_of_layer_panic;
use super::lines::Held;
use super::pump::Pump;
use super::streams::Outlet;
use super::{Ambient, Shared, panic_text};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::proto::{CallId, MethodLimits, RequestHead};
use crate::server::{MethodLoad, Reply, Watch};

/// The tower stack in front of the services, as the connection sees it.
pub(crate) trait Stack: Send {
    /// As [`tower::Service::poll_ready`].
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>>;
    /// As [`tower::Service::call`].
    fn call(&mut self, request: Request) -> Reply;
    /// Another instance of the same stack.
    fn another(&self) -> Box<dyn Stack>;
}

/// Finds what an incoming call is for.
pub(crate) trait Dispatch: Send + Sync {
    /// The method that is called and how it has behaved, or why there is none.
    fn find(&self, head: &RequestHead) -> Result<(&'static Method, &Arc<MethodLoad>), Fault>;
    /// The methods that have limits of their own for the size of bodies.
    fn method_limits(&self) -> MethodLimits;
}

/// A running handler. Its panics, also those of its drop, are results.
pub(super) struct Running {
    future: Option<Reply>,
    ambient: Ambient,
    _held: Held,
}

type Polled = Poll<Result<Response, Fault>>;

impl Running {
    /// Of a call that is to be [started](Self::start).
    #[inline]
    pub(super) fn new(ambient: Ambient, held: Held) -> Self {
        Self {
            future: None,
            ambient,
            _held: held,
        }
    }

    pub(super) fn with_future(future: Reply, ambient: Ambient) -> Self {
        Self {
            future: Some(future),
            ambient,
            _held: Held::default(),
        }
    }

    /// Calls the stack, which is ready, and polls the handler once if there is a `watch`. The `request` is made where it is
    /// handed over, which spares it two moves.
    #[inline]
    pub(super) fn start(
        &mut self,
        stack: &mut dyn Stack,
        request: impl FnOnce() -> Request,
        watch: Option<&Watch>,
        load: &MethodLoad,
    ) -> Polled {
        self.step(|future| {
            let handler = future.insert(stack.call(request()));
            let Some(watch) = watch else { return Poll::Pending };
            watch.run(load, || {
                handler.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            })
        })
    }

    /// Polls the handler; once it is done it is dropped.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        self.step(|future| match future {
            Some(handler) => handler.as_mut().poll(cx),
            None => Poll::Pending,
        })
    }

    /// One for all that the handler does at once, its drop included: most do no more than that.
    #[inline]
    fn step(&mut self, step: impl FnOnce(&mut Option<Reply>) -> Polled) -> Polled {
        let mut polled = Poll::Pending;
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _entered = self.ambient.enter();
            polled = step(&mut self.future);
            if polled.is_ready() {
                drop(self.future.take());
            }
        }));
        match caught {
            Ok(()) => polled,
            Err(panic) if polled.is_ready() => {
                log_panic_of_drop(&*panic);
                polled
            }
            Err(panic) => {
                self.drop_future();
                Poll::Ready(Err(panicked(&*panic)))
            }
        }
    }

    /// Makes the response what the next poll returns.
    pub(super) fn return_again(&mut self, response: Response) {
        self.future = Some(Box::pin(std::future::ready(Ok(response))));
    }

    pub(super) fn ambient(&self) -> Ambient {
        self.ambient
    }

    fn drop_future(&mut self) {
        let future = self.future.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.ambient.scope(|| drop(future)))) {
            log_panic_of_drop(&*panic);
        }
    }
}

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        if self.future.is_some() {
            self.drop_future();
        }
    }
}

/// A handler in a task of its own. Whatever happens to it, its call gets exactly one answer.
pub(super) struct HandlerTask {
    running: Running,
    /// The items of the response, once the handler has returned a stream.
    pump: Option<Pump>,
    call: CallId,
    shared: Arc<Shared>,
    load: Arc<MethodLoad>,
    polled: bool,
    answered: bool,
}

impl HandlerTask {
    pub(super) fn new(running: Running, call: CallId, shared: &Arc<Shared>, load: Arc<MethodLoad>) -> Self {
        Self {
            running,
            pump: None,
            call,
            shared: Arc::clone(shared),
            load,
            polled: false,
            answered: false,
        }
    }
}

impl Future for HandlerTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.pump.is_none() {
            ready!(this.poll_handler(cx));
        }
        if let Some(pump) = &mut this.pump {
            let end = ready!(pump.poll(cx));
            this.answered = true;
            this.shared.end_stream(this.call, end);
        }
        Poll::Ready(())
    }
}

impl HandlerTask {
    /// Ready when the handler has ended: its result was sent, or its items are to be.
    fn poll_handler(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let this = self;
        let running = &mut this.running;
        let polled = if this.polled {
            running.poll(cx)
        } else {
            this.load.watch_first_poll(|| running.poll(cx))
        };
        this.polled = true;
        let Poll::Ready(result) = polled else {
            return Poll::Pending;
        };
        let response = match result {
            Ok(response) if response.is_stream() => response,
            result => {
                this.answered = true;
                this.shared.answer(this.call, result);
                return Poll::Ready(());
            }
        };
        match this.shared.open_stream(this.call, &response) {
            Ok(true) => {
                let outlet = Outlet::of_answer(this.call);
                let items = response.into_items();
                let ambient = this.running.ambient();
                this.pump = items.map(|items| Pump::new(&this.shared, outlet, items, Some(ambient)));
            }
            Ok(false) => {}
            Err(fault) => {
                this.answered = true;
                drop(response);
                this.shared.answer(this.call, Err(fault));
            }
        }
        Poll::Ready(())
    }
}

impl Drop for HandlerTask {
    fn drop(&mut self) {
        if !self.answered {
            self.running.drop_future();
            self.pump = None;
            self.shared.answer_interrupted(self.call);
        }
    }
}

/// Calls the stack, and makes a panic of it a result.
pub(super) fn call_stack(stack: &mut dyn Stack, request: Request, ambient: Ambient) -> Result<Reply, Fault> {
    let called = catch_unwind(AssertUnwindSafe(|| ambient.scope(|| stack.call(request))));
    called.map_err(|panic| panicked(&*panic))
}

/// Asks the stack for readiness, and makes a panic of it an error.
pub(super) fn poll_stack(stack: &mut dyn Stack, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
    catch_unwind(AssertUnwindSafe(|| stack.poll_ready(cx)))
        .unwrap_or_else(|panic| Poll::Ready(Err(fault_of_layer_panic(&*panic))))
}

fn log_panic_of_drop(panic: &(dyn Any + Send)) {
    tracing::error!(
        panic = panic_text(panic),
        "a handler panicked while it was dropped"
    );
}

fn panicked(panic: &(dyn Any + Send)) -> Fault {
    Fault::new(Outcome::Ran, Reason::Panicked).with_detail(panic_text(panic))
}
