//! Runs the calls that arrive, as far as they get at once. Those that do not get to their end become `tasks`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::Ambient;
use super::handler::{Dispatch, Running, Stack, poll_stack};
use super::lines::{Held, not_its_turn};
use super::ordered::Turns;
use super::outcomes::Arrival;
use super::receiver::ItemsReceiver;
use super::shared::Shared;
use super::state::State;
use super::tasks::Spawned;
use super::transmit::Share;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::proto::{CallId, IncomingCall, Opener, RequestHead, StreamId};
use crate::server::{Context as CallContext, Watch};
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
    pub(super) shared: Arc<Shared>,
    pub(super) serving: Option<Serving>,
    watch: Watch,
    turns: Turns,
    answers: VecDeque<(CallId, Result<Response, Fault>)>,
    share: Share,
}

impl Runner {
    pub(super) fn new(shared: &Arc<Shared>, serving: Option<Serving>) -> Self {
        Self {
            shared: Arc::clone(shared),
            serving,
            watch: Watch::default(),
            turns: Turns::default(),
            answers: VecDeque::new(),
            share: Share::of(&*shared.sender),
        }
    }

    /// Runs the calls that have arrived. Answers leave in shares; the driver sends the last ones with
    /// [`answer_rest`](Self::answer_rest), when it has looked for more.
    pub(super) fn run_all(&mut self, arrivals: &mut Vec<Arrival>) {
        if arrivals.is_empty() {
            return;
        }
        let watched = self.watch.start(arrivals.len());
        // Where they lie: drained, each would be moved twice.
        for arrival in arrivals.iter_mut() {
            match arrival {
                Arrival::Announced(call, head) => self.announce(*call, head),
                Arrival::Withdrawn(call) => self.turns.withdraw(*call),
                Arrival::Call(call) => {
                    if let Some(result) = self.run(call) {
                        push_back(&mut self.answers, (call.id, result));
                    }
                    if self.share.is(self.answers.len()) {
                        self.answer_share();
                    }
                }
            }
        }
        arrivals.clear();
        self.watch.stop(watched);
    }

    /// Whether there are answers that are not queued yet.
    #[inline]
    pub(super) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Queues the answers that there are, and adds whom to wake then.
    #[inline]
    pub(super) fn answer_rest(&mut self, state: &mut State, woken: &mut Vec<Waker>) {
        while let Some((call, result)) = self.answers.pop_front() {
            state.answer_with_result(call, result);
            state.end_call_of_peer(call, woken);
        }
    }

    /// Has the answers that there are leave.
    fn answer_share(&mut self) {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        let mut woken = Vec::new();
        self.answer_rest(&mut state, &mut woken);
        shared.flush_or_gather(state);
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
    #[inline]
    fn run(&mut self, call: &mut IncomingCall) -> Option<Result<Response, Fault>> {
        let Some(serving) = &mut self.serving else {
            return self.refuse(call, serves_nothing());
        };
        let (method, load) = match serving.dispatch.find(&call.head) {
            Ok(found) => found,
            Err(fault) => return self.refuse(call, fault),
        };
        let nested = call.head.depth > 0;
        let turns = method.ordered.then_some(&mut self.turns);
        let held = match Held::take(turns, serving.max_running.as_ref(), call) {
            Ok(held) => held,
            Err(_) if nested => return self.refuse(call, not_its_turn()),
            Err(lines) => {
                let (stack, spawned) = (serving.stack.another(), Spawned::new(call, method, load));
                self.wait_and_start(call, stack, lines, spawned);
                return None;
            }
        };
        match poll_stack(&mut *serving.stack, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(fault)) => return self.refuse(call, fault),
            Poll::Pending if nested => return self.refuse(call, not_ready()),
            Poll::Pending => {
                // The instance that was asked for readiness is the one that is called.
                let another = serving.stack.another();
                let stack = std::mem::replace(&mut serving.stack, another);
                let lines = held.give_place_back(serving.max_running.as_ref());
                let spawned = Spawned::new(call, method, load);
                self.wait_and_start(call, stack, lines, spawned);
                return None;
            }
        }
        let ambient = Ambient::of(&call.head);
        let mut running = Running::new(ambient, held);
        let watch = (!method.spawn && !load.is_slow()).then_some(&self.watch);
        let request = || arrived(&self.shared, method, call, ambient);
        match running.start(&mut *serving.stack, request, watch, load) {
            // A stream outlives its handler, in a task of its own.
            Poll::Ready(Ok(response)) if response.is_stream() => running.return_again(response),
            Poll::Ready(result) => return Some(result),
            Poll::Pending => {}
        }
        let spawned = Spawned::new(call, method, load);
        self.go_on(running, spawned);
        None
    }

    /// A call that nobody is asked about: its items have no reader.
    #[cold]
    fn refuse(&self, call: &IncomingCall, fault: Fault) -> Option<Result<Response, Fault>> {
        if call.head.upload {
            self.shared.close_upload(call.id);
        }
        Some(Err(fault))
    }
}

/// A call of the peer's as the stack gets it.
#[inline]
pub(super) fn arrived(
    shared: &Arc<Shared>,
    method: &'static Method,
    call: &mut IncomingCall,
    ambient: Ambient,
) -> Request {
    let context = CallContext::new(method, shared, call.id, ambient);
    let upload = call.head.upload.then(|| upload_of(shared, call.id));
    Request::arrived(method, shared.codec, call, upload, context)
}

/// The items that follow a request of the peer's.
fn upload_of(shared: &Arc<Shared>, call: CallId) -> Upload {
    let opener = Opener::Peer;
    Upload::new(Items::of(ItemsReceiver::new(shared, StreamId { opener, call })))
}

#[cold]
fn serves_nothing() -> Fault {
    Fault::new(Outcome::Refused, Reason::UnknownService)
        .with_detail("the client offers no services; it does so when it connects")
}

#[cold]
fn not_ready() -> Fault {
    Fault::new(Outcome::Refused, Reason::Overloaded { retry_after: None })
        .with_detail("a layer was not ready, and a nested call does not wait")
}

/// Adds to the end. Most connections never have a second call open, and a queue's own first room is for four.
#[inline]
fn push_back<T>(queue: &mut VecDeque<T>, value: T) {
    if queue.capacity() == 0 {
        queue.reserve_exact(1);
    }
    queue.push_back(value);
}
