//! Runs the calls that arrive: as far as they get at once, and as tasks from there on.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::Ambient;
use super::handler::{Dispatch, HandlerTask, Held, Running, Stack, call_stack, poll_stack};
use super::ordered::{Turn, Turns, Waiting};
use super::outcomes::Arrival;
use super::receiver::ItemsReceiver;
use super::shared::Shared;
use super::state::Handler;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::proto::{CallId, IncomingCall, Opener, RequestHead, StreamId, reserve_first};
use crate::server::{Context as CallContext, MethodLoad, Watch};
use crate::streaming::{Items, Upload};

/// What one end serves to the other.
pub(crate) struct Serving {
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) stack: Box<dyn Stack>,
    /// One permit for each call of depth 0 that may run.
    pub(crate) max_running: Option<Arc<Semaphore>>,
    /// The handlers that may outlive their connections.
    pub(crate) outliving: TaskTracker,
}

/// Runs the calls that the peer makes on one connection.
pub(super) struct Runner {
    shared: Arc<Shared>,
    serving: Option<Serving>,
    watch: Watch,
    turns: Turns,
    answers: Vec<(CallId, Result<Response, Fault>)>,
}

impl Runner {
    pub(super) fn new(shared: &Arc<Shared>, serving: Option<Serving>) -> Self {
        Self {
            shared: Arc::clone(shared),
            serving,
            watch: Watch::default(),
            turns: Turns::default(),
            answers: Vec::new(),
        }
    }

    /// Runs the calls that have arrived, and queues the answers of those that are done at once.
    pub(super) fn run_all(&mut self, arrivals: &mut Vec<Arrival>) {
        if arrivals.is_empty() {
            return;
        }
        let watched = self.watch.start(arrivals.len());
        for arrival in arrivals.drain(..) {
            match arrival {
                Arrival::Announced(call, head) => self.announce(call, &head),
                Arrival::Withdrawn(call) => self.turns.withdraw(call),
                Arrival::Call(call) => {
                    let id = call.id;
                    if let Some(result) = self.run(call) {
                        reserve_first(&mut self.answers);
                        self.answers.push((id, result));
                    }
                }
            }
        }
        self.watch.stop(watched);
        let mut state = self.shared.lock();
        let mut woken = Vec::new();
        for (call, result) in self.answers.drain(..) {
            state.answer_with_result(call, result);
            woken.extend(state.end_call_of_peer(call));
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// An ordered call takes its place with its first frame.
    fn announce(&mut self, call: CallId, head: &RequestHead) {
        let found = (self.serving.as_ref()).and_then(|serving| serving.dispatch.find(head).ok());
        if found.is_some_and(|(method, _)| method.ordered) {
            self.turns.announce(call, head.service);
        }
    }

    /// Runs a call as far as it gets at once. `None`: it has become a task and answers for itself.
    fn run(&mut self, call: IncomingCall) -> Option<Result<Response, Fault>> {
        let Some(serving) = &mut self.serving else {
            let fault = Fault::new(Outcome::Refused, Reason::UnknownService);
            return self.refuse(
                &call,
                fault.with_detail("the client offers no services; it does so when it connects"),
            );
        };
        let (method, load) = match serving.dispatch.find(&call.head) {
            Ok(found) => found,
            Err(fault) => return self.refuse(&call, fault),
        };
        let (id, head) = (call.id, call.head);
        let ambient = Ambient {
            deadline: head.deadline.map(Instant::from_std),
            depth: head.depth,
        };
        let context = CallContext::new(method, &self.shared, id, ambient);
        let upload = head.upload.then(|| upload_of(&self.shared, id));
        let starting = Starting {
            request: Request::arrived(method, self.shared.codec, call, upload, context),
            ambient,
            call: id,
            oneway: head.oneway,
            load,
        };
        let nested = head.depth > 0;
        let turn = method.ordered.then(|| self.turns.take(id, head.service));
        let turn = match turn {
            Some(Turn::Later(_)) if nested => return Some(Err(not_its_turn())),
            Some(Turn::Later(waiting)) => {
                let line = serving.max_running.clone().filter(|_| !nested);
                let stack = serving.stack.another();
                return self.wait_and_start(
                    starting,
                    stack,
                    Lines {
                        waiting: Some(waiting),
                        turn: None,
                        line,
                    },
                );
            }
            Some(Turn::Now(turn)) => Some(turn),
            None => None,
        };
        let permit = match permit(serving.max_running.as_ref().filter(|_| !nested)) {
            Ok(permit) => permit,
            Err(line) => {
                let stack = serving.stack.another();
                return self.wait_and_start(
                    starting,
                    stack,
                    Lines {
                        waiting: None,
                        turn,
                        line: Some(line),
                    },
                );
            }
        };
        match poll_stack(&mut *serving.stack, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => self.start(
                starting,
                Held {
                    _running: permit,
                    _turn: turn,
                },
            ),
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
                self.wait_and_start(
                    starting,
                    stack,
                    Lines {
                        waiting: None,
                        turn,
                        line,
                    },
                )
            }
        }
    }

    /// A call that nobody is asked about: its items have no reader.
    fn refuse(&self, call: &IncomingCall, fault: Fault) -> Option<Result<Response, Fault>> {
        if call.head.upload {
            self.shared.close_upload(call.id);
        }
        Some(Err(fault))
    }

    /// Calls the stack, which is ready, and polls the handler once.
    fn start(&mut self, starting: Starting, held: Held) -> Option<Result<Response, Fault>> {
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
        let mut running = Running::new(future, ambient, held);
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
                finish: method.finish,
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
        lines: Lines,
    ) -> Option<Result<Response, Fault>> {
        let Starting {
            request,
            ambient,
            call,
            oneway,
            load,
        } = starting;
        let finish = request.method().finish;
        let shared = Arc::clone(&self.shared);
        let reply = Box::pin(async move {
            let held = lines.wait().await;
            poll_fn(|cx| poll_stack(&mut *stack, cx)).await?;
            if !shared.begin(call) {
                return Err(Fault::new(Outcome::Refused, Reason::Cancelled));
            }
            let response = call_stack(&mut *stack, request, ambient)?.await?;
            // A stream holds them to its end.
            Ok(response.holding(held))
        });
        let running = Running::new(reply, ambient, Held::default());
        let task = HandlerTask::new(running, call, &self.shared, load);
        self.spawn(
            task,
            call,
            Spawned {
                ambient,
                oneway,
                finish,
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
        let outliving = self.serving.as_ref().filter(|_| how.oneway || how.finish);
        let task = match outliving {
            Some(serving) => serving.outliving.spawn(task).abort_handle(),
            None => tokio::spawn(task).abort_handle(),
        };
        let mut state = self.shared.lock();
        // It may have answered already, on another thread.
        if state.proto.is_running(call) {
            state.arm(how.ambient.deadline.map(Instant::into_std));
            if let Some(handler) = state.handlers.entry(call.slot) {
                *handler = Some(Handler {
                    task,
                    call,
                    oneway: how.oneway,
                    finish: how.finish,
                });
            }
        }
    }
}

/// What a call waits for before it may ask the stack.
struct Lines {
    /// Its turn, if its service is ordered and others are before it.
    waiting: Option<Waiting>,
    turn: Option<OwnedSemaphorePermit>,
    /// A place among those that may run.
    line: Option<Arc<Semaphore>>,
}

impl Lines {
    async fn wait(self) -> Held {
        let turn = match self.waiting {
            Some(waiting) => waiting.await,
            None => self.turn,
        };
        let running = match self.line {
            Some(line) => line.acquire_owned().await.ok(),
            None => None,
        };
        Held {
            _running: running,
            _turn: turn,
        }
    }
}

/// A nested call never waits: the one before it may be the one that made it.
fn not_its_turn() -> Fault {
    let text = "calls of an ordered service run one after the other, and a nested call does not wait for its turn: \
                the call before it may be the one that made it";
    Fault::new(Outcome::Refused, Reason::Overloaded { retry_after: None }).with_detail(text)
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
    finish: bool,
    /// The stack was ready and has been called.
    begun: bool,
}

/// The items that follow a request of the peer's.
fn upload_of(shared: &Arc<Shared>, call: CallId) -> Upload {
    let opener = Opener::Peer;
    Upload::new(Items::of(ItemsReceiver::new(shared, StreamId { opener, call })))
}

fn permit(line: Option<&Arc<Semaphore>>) -> Result<Option<OwnedSemaphorePermit>, Arc<Semaphore>> {
    let Some(line) = line else { return Ok(None) };
    Arc::clone(line)
        .try_acquire_owned()
        .map(Some)
        .map_err(|_| Arc::clone(line))
}
