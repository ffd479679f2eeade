//! Calls that become tasks: those whose handlers are not done at once, and those that wait before they begin.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::time::Instant;

use super::Ambient;
use super::handler::{HandlerTask, Running, Stack, call_stack, poll_stack};
use super::lines::Lines;
use super::runner::{Runner, arrived};
use super::state::Handler;
use crate::fault::{Fault, Outcome, Reason};
use crate::method::Method;
use crate::proto::{CallId, IncomingCall};
use crate::server::MethodLoad;

/// A call as its task knows it.
pub(super) struct Spawned {
    call: CallId,
    ambient: Ambient,
    oneway: bool,
    method: &'static Method,
    load: Arc<MethodLoad>,
}

impl Spawned {
    pub(super) fn new(call: &IncomingCall, method: &'static Method, load: &Arc<MethodLoad>) -> Self {
        Self {
            call: call.id,
            ambient: Ambient::of(&call.head),
            oneway: call.head.oneway,
            method,
            load: Arc::clone(load),
        }
    }
}

impl Runner {
    /// A task for a handler that has begun and is not done.
    #[inline(never)]
    pub(super) fn go_on(&self, running: Running, spawned: Spawned) {
        // Before there is a task: a runtime that shuts down drops it at once, and it answers as one that has begun.
        self.shared.begin(spawned.call);
        self.spawn(running, spawned);
    }

    /// A task that waits for what the call needs and for the stack, and then calls it.
    #[inline(never)]
    pub(super) fn wait_and_start(
        &self,
        incoming: &mut IncomingCall,
        mut stack: Box<dyn Stack>,
        lines: Lines,
        spawned: Spawned,
    ) {
        let (call, ambient) = (spawned.call, spawned.ambient);
        let request = arrived(&self.shared, spawned.method, incoming, ambient);
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
        let running = Running::with_future(reply, ambient);
        self.spawn(running, spawned);
    }

    fn spawn(&self, running: Running, spawned: Spawned) {
        let Spawned {
            call,
            ambient,
            oneway,
            method,
            load,
        } = spawned;
        let finish = method.finish;
        let task = HandlerTask::new(running, call, &self.shared, load);
        let outliving = self.serving.as_ref().filter(|_| oneway || finish);
        let task = match outliving {
            Some(serving) => serving.outliving.spawn(task).abort_handle(),
            None => tokio::spawn(task).abort_handle(),
        };
        let mut state = self.shared.lock();
        // It may have answered already, on another thread.
        if state.proto.is_running(call) {
            state.arm(ambient.deadline.map(Instant::into_std));
            if let Some(handler) = state.handlers.entry(call.slot) {
                *handler = Some(Handler {
                    task,
                    call,
                    oneway,
                    finish,
                });
            }
        }
    }
}
