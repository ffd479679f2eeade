//! Runs the calls that arrive: as far as they get at once, and as tasks from there on.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::Ambient;
use super::faults::answer_of;
use super::handler::{Dispatch, HandlerTask, Running, Stack, call_stack, poll_stack};
use super::receiver::ItemsReceiver;
use super::shared::Shared;
use super::state::Handler;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response, ServiceId};
use crate::proto::{CallId, IncomingCall, Opener, StreamId};
use crate::server::{Context as CallContext, MethodLoad, Watch};
use crate::streaming::{Items, Upload};

/// What one end serves to the other.
pub(crate) struct Serving {
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) stack: Box<dyn Stack>,
    /// One permit for each call of depth 0 that may run.
    pub(crate) max_running: Option<Arc<Semaphore>>,
}

/// Runs the calls that the peer makes on one connection.
pub(super) struct Runner {
    shared: Arc<Shared>,
    serving: Option<Serving>,
    watch: Watch,
    answers: Vec<(CallId, Result<Response, Fault>)>,
}

impl Runner {
    pub(super) fn new(shared: &Arc<Shared>, serving: Option<Serving>) -> Self {
        Self {
            shared: Arc::clone(shared),
            serving,
            watch: Watch::default(),
            answers: Vec::new(),
        }
    }

    /// Runs the calls that have arrived, and queues the answers of those that are done at once.
    pub(super) fn run_all(&mut self, calls: &mut Vec<IncomingCall>) {
        if calls.is_empty() {
            return;
        }
        let watched = self.watch.start(calls.len());
        for call in calls.drain(..) {
            let id = call.id;
            if let Some(result) = self.run(call) {
                self.answers.push((id, result));
            }
        }
        self.watch.stop(watched);
        let mut state = self.shared.lock();
        let max_body = state.proto.max_body();
        let mut readers = Vec::new();
        for (call, result) in self.answers.drain(..) {
            state.proto.answer(call, answer_of(result, max_body));
            readers.extend(state.end_upload_of_peer(call));
        }
        drop(state);
        readers.into_iter().for_each(Waker::wake);
    }

    /// Runs a call as far as it gets at once. `None`: it has become a task and answers for itself.
    fn run(&mut self, call: IncomingCall) -> Option<Result<Response, Fault>> {
        let Some(serving) = &mut self.serving else {
            let fault = Fault::new(Outcome::Refused, Reason::UnknownService);
            return Some(Err(fault.with_detail(
                "the client offers no services; it does so when it connects",
            )));
        };
        let (method, load) = match serving.dispatch.find(&call.head) {
            Ok(found) => found,
            Err(fault) => return Some(Err(fault)),
        };
        let deadline = call.head.deadline.map(Instant::from_std);
        let ambient = Ambient {
            deadline,
            depth: call.head.depth,
        };
        let context = CallContext::new(method, &self.shared, ambient);
        let request = Request::new(method, ServiceId(call.head.service), self.shared.codec, call.body)
            .with_upload((call.head.upload).then(|| upload_of(&self.shared, call.id)))
            .with_deadline(deadline)
            .with_attempt(call.head.attempt)
            .with_depth(call.head.depth)
            .with_context(context);
        let nested = call.head.depth > 0;
        let starting = Starting {
            request,
            ambient,
            call: call.id,
            oneway: call.head.oneway,
            load,
        };
        let permit = match permit(serving.max_running.as_ref().filter(|_| !nested)) {
            Ok(permit) => permit,
            Err(line) => {
                let stack = serving.stack.another();
                return self.wait_and_start(starting, stack, Some(line));
            }
        };
        match poll_stack(&mut *serving.stack, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => self.start(starting, permit),
            Poll::Ready(Err(fault)) => Some(Err(fault)),
            Poll::Pending if nested => Some(Err(Fault::new(
                Outcome::Refused,
                Reason::Overloaded { retry_after: None },
            )
            .with_detail("a layer was not ready, and a nested call does not wait"))),
            Poll::Pending => {
                // The instance that was asked for readiness is the one that is called.
                let another = serving.stack.another();
                let stack = std::mem::replace(&mut serving.stack, another);
                drop(permit);
                let line = serving.max_running.clone();
                self.wait_and_start(starting, stack, line)
            }
        }
    }

    /// Calls the stack, which is ready, and polls the handler once.
    fn start(
        &mut self,
        starting: Starting,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Option<Result<Response, Fault>> {
        let Starting {
            request,
            ambient,
            call,
            oneway,
            load,
        } = starting;
        let serving = self.serving.as_mut()?;
        let method = request.method();
        let future = match call_stack(&mut *serving.stack, request, ambient) {
            Ok(future) => future,
            Err(fault) => return Some(Err(fault)),
        };
        let mut running = Running::new(future, ambient, permit);
        if !method.spawn && !load.is_slow() {
            let mut cx = Context::from_waker(Waker::noop());
            match self.watch.run(&load, || running.poll(&mut cx)) {
                // A stream outlives its handler, in a task of its own.
                Poll::Ready(Ok(response)) if response.is_stream() => running.return_again(response),
                Poll::Ready(result) => return Some(result),
                Poll::Pending => {}
            }
        }
        self.spawn(
            HandlerTask::new(running, call, &self.shared, load),
            call,
            Spawned {
                ambient,
                oneway,
                begun: true,
            },
        );
        None
    }

    /// A task that waits for its turn and for the stack, and then calls it.
    fn wait_and_start(
        &mut self,
        starting: Starting,
        mut stack: Box<dyn Stack>,
        line: Option<Arc<Semaphore>>,
    ) -> Option<Result<Response, Fault>> {
        let Starting {
            request,
            ambient,
            call,
            oneway,
            load,
        } = starting;
        let shared = Arc::clone(&self.shared);
        let reply = Box::pin(async move {
            let _permit = match line {
                Some(line) => line.acquire_owned().await.ok(),
                None => None,
            };
            poll_fn(|cx| poll_stack(&mut *stack, cx)).await?;
            shared.begin(call);
            call_stack(&mut *stack, request, ambient)?.await
        });
        let running = Running::new(reply, ambient, None);
        let task = HandlerTask::new(running, call, &self.shared, load);
        self.spawn(
            task,
            call,
            Spawned {
                ambient,
                oneway,
                begun: false,
            },
        );
        None
    }

    fn spawn(&self, task: HandlerTask, call: CallId, how: Spawned) {
        if how.begun {
            // Before there is a task: a runtime that shuts down drops it at once, and it answers as one that has begun.
            self.shared.begin(call);
        }
        let task = tokio::spawn(task).abort_handle();
        let mut state = self.shared.lock();
        // It may have answered already, on another thread.
        if state.proto.is_running(call) {
            state.arm(how.ambient.deadline.map(Instant::into_std));
            if let Some(handler) = state.handlers.entry(call.slot) {
                *handler = Some(Handler {
                    task,
                    oneway: how.oneway,
                });
            }
        }
    }
}

/// A call on its way to the stack.
struct Starting {
    request: Request,
    ambient: Ambient,
    call: CallId,
    oneway: bool,
    load: Arc<MethodLoad>,
}

/// What is known of a call whose handler is a task.
struct Spawned {
    ambient: Ambient,
    oneway: bool,
    /// The stack was ready and has been called.
    begun: bool,
}

/// The items that follow a request of the peer's.
fn upload_of(shared: &Arc<Shared>, call: CallId) -> Upload {
    let opener = Opener::Peer;
    Upload::new(Items::new(ItemsReceiver::new(shared, StreamId { opener, call })))
}

fn permit(line: Option<&Arc<Semaphore>>) -> Result<Option<OwnedSemaphorePermit>, Arc<Semaphore>> {
    let Some(line) = line else { return Ok(None) };
    Arc::clone(line)
        .try_acquire_owned()
        .map(Some)
        .map_err(|_| Arc::clone(line))
}
