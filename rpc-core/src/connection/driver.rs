//! The one task of a connection: it alone reads, runs what arrives, and sends what has gathered.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

use super::faults::answer_of;
use super::handler::{Dispatch, HandlerTask, Running, Stack, call_stack, poll_stack};
use super::handshake::Handshake;
use super::outcomes::Outcomes;
use super::shared::Shared;
use super::state::{Handler, State};
use super::{Ambient, ConnectionError};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response, ServiceId};
use crate::proto::{CallId, IncomingCall};
use crate::server::{Context as CallContext, MethodLoad, Watch};
use crate::transport::{Link, Packet, PacketReceiver};

/// How many packets are taken in before what came of them is sent.
const BATCH: usize = 16;

/// How long the acknowledgement of a farewell is waited for.
const FAREWELL_LIMIT: Duration = Duration::from_secs(1);

/// What one end serves to the other.
pub(crate) struct Serving {
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) stack: Box<dyn Stack>,
    /// One permit for each call of depth 0 that may run.
    pub(crate) max_running: Option<Arc<Semaphore>>,
}

/// Drives one connection until it ends. Dropped before that, it ends the connection.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    receiver: Box<dyn PacketReceiver>,
    serving: Option<Serving>,
    timer: Option<Pin<Box<Sleep>>>,
    farewell: Option<Pin<Box<Sleep>>>,
    peer_left: bool,
    /// The peer has acknowledged the farewell, and sends nothing any more.
    acked: bool,
    watch: Watch,
    outcomes: Outcomes,
    answers: Vec<(CallId, Result<Response, Fault>)>,
}

impl Driver {
    pub(crate) fn new(link: Link, handshake: Handshake, serving: Option<Serving>) -> Self {
        let Link {
            sender,
            receiver,
            peer,
            ..
        } = link;
        Self {
            shared: Shared::new(sender, peer, handshake),
            receiver,
            serving,
            timer: None,
            farewell: None,
            peer_left: false,
            acked: false,
            watch: Watch::default(),
            outcomes: Outcomes::default(),
            answers: Vec::new(),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Takes in what has arrived. Ready when the connection is over.
    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionError> {
        for _ in 0..BATCH {
            match ready!(self.receiver.poll_recv(cx)) {
                Ok(Some(packet)) => {
                    if let Err(end) = self.handle_packet(packet) {
                        return Poll::Ready(end);
                    }
                }
                Ok(None) if self.acked => return Poll::Ready(ConnectionError::Closed),
                Ok(None) if self.peer_left => return Poll::Ready(ConnectionError::PeerClosed),
                Ok(None) => return Poll::Ready(ConnectionError::PeerVanished),
                Err(error) => return Poll::Ready(error.into()),
            }
        }
        // More may be there; others get their turn first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn handle_packet(&mut self, packet: Packet) -> Result<(), ConnectionError> {
        let mut state = self.shared.lock();
        let handled = state.proto.handle_packet(packet, || Instant::now().into_std());
        if let Err(error) = &handled {
            state.proto.report(error);
        }
        state.drain_events(&mut self.outcomes);
        drop(state);
        self.outcomes.carry_out(&self.shared);
        self.run_incoming();
        handled?;
        self.note_goodbyes()
    }

    /// Runs the calls that have arrived, and queues the answers of those that are done at once.
    fn run_incoming(&mut self) {
        if self.outcomes.incoming.is_empty() {
            return;
        }
        let mut calls = std::mem::take(&mut self.outcomes.incoming);
        let watched = self.watch.start(calls.len());
        for call in calls.drain(..) {
            let id = call.id;
            if let Some(result) = self.run(call) {
                self.answers.push((id, result));
            }
        }
        self.watch.stop(watched);
        self.outcomes.incoming = calls;
        let mut state = self.shared.lock();
        let max_body = state.proto.max_body();
        for (call, result) in self.answers.drain(..) {
            state.proto.answer(call, answer_of(result, max_body));
        }
    }

    /// Runs a call as far as it gets at once. `None`: it has become a task and answers for itself.
    fn run(&mut self, call: IncomingCall) -> Option<Result<Response, Fault>> {
        let Some(serving) = &mut self.serving else {
            return Some(Err(Fault::new(Outcome::Refused, Reason::UnknownService)));
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
            if let Poll::Ready(result) = self.watch.run(&load, || running.poll(&mut cx)) {
                return Some(result);
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
        let task = tokio::spawn(task).abort_handle();
        let mut state = self.shared.lock();
        if how.begun {
            state.proto.begin(call);
        }
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

    fn note_goodbyes(&mut self) -> Result<(), ConnectionError> {
        if std::mem::take(&mut self.outcomes.peer_drains) {
            self.shared.stop_calling();
        }
        if std::mem::take(&mut self.outcomes.peer_left) {
            self.peer_left = true;
            self.shared.stop_calling();
        }
        if let Some(text) = self.outcomes.reported.take() {
            return Err(ConnectionError::Reported(text));
        }
        self.acked |= std::mem::take(&mut self.outcomes.farewell_acked);
        Ok(())
    }

    /// Ends the calls whose deadline has passed.
    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        while let Some(timer) = &mut self.timer {
            if timer.as_mut().poll(cx).is_pending() {
                return;
            }
            let mut state = self.shared.lock();
            state.proto.handle_timeout(Instant::now().into_std());
            state.armed = state.proto.next_timeout();
            self.timer = state.armed.map(timer_at);
            state.drain_events(&mut self.outcomes);
            drop(state);
            self.outcomes.carry_out(&self.shared);
        }
    }

    /// Says farewell once `is_over`; ready when it is acknowledged and what came before that is answered, or when it has
    /// taken too long.
    fn poll_farewell(&mut self, cx: &mut Context<'_>, is_over: bool) -> Poll<ConnectionError> {
        if self.farewell.is_none() {
            if !is_over {
                return Poll::Pending;
            }
            self.shared.lock().proto.say_farewell();
            drop(self.shared.transmit(cx));
            self.farewell = Some(Box::pin(tokio::time::sleep(FAREWELL_LIMIT)));
        }
        let Some(limit) = &mut self.farewell else {
            return Poll::Pending;
        };
        if self.acked && self.shared.lock().has_sent_all() {
            return Poll::Ready(ConnectionError::Closed);
        }
        limit.as_mut().poll(cx).map(|()| ConnectionError::Closed)
    }

    /// From here on the driver is to be woken again. False: the connection has ended.
    fn start_run(&mut self, cx: &Context<'_>) -> bool {
        let mut state = self.shared.lock();
        if state.end.is_some() {
            return false;
        }
        state.driver_notified = false;
        if !state
            .driver
            .as_ref()
            .is_some_and(|driver| driver.will_wake(cx.waker()))
        {
            state.driver = Some(cx.waker().clone());
        }
        if std::mem::take(&mut state.rearm) {
            self.timer = state.armed.map(timer_at);
        }
        true
    }

    /// Sends what has gathered; callers may send for themselves again. Whether nothing keeps this end any more.
    fn end_run(&self, cx: &mut Context<'_>) -> bool {
        let mut state = self.shared.transmit(cx);
        if state.is_to_flush() {
            drop(state);
            self.shared.poll_flushing(cx);
            state = self.shared.lock();
        }
        state.sent_since_driver_ran = false;
        let idle = state.transmitting || state.sender_broken || state.unsent.is_some();
        if state.proto.has_output() && !idle {
            state.notify_driver();
        }
        state.is_over()
    }
}

fn timer_at(time: std::time::Instant) -> Pin<Box<Sleep>> {
    Box::pin(sleep_until(Instant::from_std(time)))
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

fn permit(line: Option<&Arc<Semaphore>>) -> Result<Option<OwnedSemaphorePermit>, Arc<Semaphore>> {
    let Some(line) = line else { return Ok(None) };
    Arc::clone(line)
        .try_acquire_owned()
        .map(Some)
        .map_err(|_| Arc::clone(line))
}

impl State {
    /// Whether this end wants to leave and nothing keeps it.
    pub(super) fn is_over(&self) -> bool {
        let calls = self.proto.outgoing_open() + self.proto.incoming_open();
        self.leaving && calls == 0 && self.flushing.is_empty()
    }

    /// Whether everything is with the pipe.
    fn has_sent_all(&self) -> bool {
        let sending = self.transmitting || self.unsent.is_some();
        self.sender_broken || (!sending && !self.proto.has_output())
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.start_run(cx) {
            return Poll::Ready(());
        }
        let received = this.receive(cx);
        this.poll_timer(cx);
        let is_over = this.end_run(cx);
        let ended = match received {
            Poll::Pending => this.poll_farewell(cx, is_over),
            ended => ended,
        };
        let reason = ready!(ended);
        this.shared.end(reason);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(ConnectionError::RuntimeGone);
    }
}
