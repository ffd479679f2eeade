//! What a server's task, the engine's thread and whoever accepts share: instances on their way to becoming links.
//!
//! ```text
//!   make ──▶ armed ── a client comes ──▶ connected ── the task ──▶ ready ──▶ accepted
//! ```
//!
//! At most [`QUEUE`] links are ready; past that the task lets clients wait on the instances, and then in their own
//! attempts, which find the pipe busy.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rpc_core::transport::Link;
use tokio::sync::Notify;
use windows_sys::Win32::Foundation::{ERROR_NO_DATA, ERROR_PIPE_CONNECTED};

use super::buffer::Buffer;
use super::file_unsafe::File;
use super::operation_unsafe::{Operation, Outcome, Submitted, Target};
use crate::gauges::Gauges;

/// How many accepted clients may wait for the application.
const QUEUE: usize = 64;

/// How long a close waits for the system to give the instances back. It takes microseconds.
const LONGEST_CLOSE: Duration = Duration::from_secs(1);

/// The instances of a server.
#[derive(Debug)]
pub(super) struct Listening {
    state: Mutex<State>,
    /// Told when a close may have come to its end.
    given_back: Condvar,
    /// Told when the task has something to do.
    work: Notify,
    gauges: Arc<Gauges>,
}

#[derive(Debug, Default)]
struct State {
    /// Instances with their connect under way.
    armed: HashMap<u64, Arc<File>>,
    next_number: u64,
    /// Instances with a client, for the task.
    connected: VecDeque<Arc<File>>,
    /// Links for whoever accepts.
    ready: VecDeque<Link>,
    acceptor: Option<Waker>,
    /// The task holds an instance, of which a close waits for the end.
    at_work: bool,
    /// An instance failed while it waited for a client.
    failed: bool,
    closed: bool,
}

/// What the task is to do.
pub(super) enum Work {
    /// Make a link of this instance, give it to [`Listening::hand_out`], and [`Listening::end_work`].
    Serve(Arc<File>),
    /// Wait in [`Listening::work`].
    Wait,
    /// Stop.
    Stop,
}

/// One armed instance, which its completion takes off the list.
struct Armed {
    listening: Arc<Listening>,
    number: u64,
}

impl Listening {
    pub(super) fn new(gauges: Arc<Gauges>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            given_back: Condvar::new(),
            work: Notify::new(),
            gauges,
        })
    }

    /// Lets a client connect to this instance.
    ///
    /// # Errors
    /// What the system said; the instance is closed.
    pub(super) fn arm(self: &Arc<Self>, instance: File) -> io::Result<()> {
        let instance = Arc::new(instance);
        // Held over the call, so that the completion finds the instance on the list.
        let mut state = self.lock();
        if state.closed {
            return Ok(());
        }
        let number = state.next_number;
        state.next_number += 1;
        let target = Arc::new(Armed {
            listening: Arc::clone(self),
            number,
        });
        match Operation::new(Buffer::Empty).connect(&instance, target) {
            Submitted::Pending(_) => drop(state.armed.insert(number, instance)),
            Submitted::Now(_, outcome) => {
                check_connected(outcome)?;
                state.connected.push_back(instance);
                self.work.notify_one();
            }
        }
        self.gauges.listening.store(state.armed.len(), Relaxed);
        Ok(())
    }

    /// How many instances there are for clients to come and for clients that came. Counting both bounds them while the
    /// queue is full.
    pub(super) fn unserved(&self) -> usize {
        let state = self.lock();
        state.armed.len() + state.connected.len()
    }

    /// What the task is to do next.
    pub(super) fn next_work(&self) -> Work {
        let mut state = self.lock();
        if state.closed {
            return Work::Stop;
        }
        if state.ready.len() >= QUEUE {
            return Work::Wait;
        }
        match state.connected.pop_front() {
            Some(instance) => {
                state.at_work = true;
                Work::Serve(instance)
            }
            None => Work::Wait,
        }
    }

    /// Ready when there may be work.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// Whether the task may make instances now; it says so by [`end_work`](Self::end_work) when it has.
    pub(super) fn begin_work(&self) -> bool {
        let mut state = self.lock();
        state.at_work = !state.closed;
        state.at_work
    }

    /// The task holds no instance any more.
    pub(super) fn end_work(&self) {
        self.lock().at_work = false;
        self.given_back.notify_all();
    }

    /// Whether an instance failed since this was last asked.
    pub(super) fn take_failure(&self) -> bool {
        std::mem::take(&mut self.lock().failed)
    }

    /// Gives a link to whoever accepts; drops it if nobody will.
    pub(super) fn hand_out(&self, link: Link) {
        let mut state = self.lock();
        if state.closed {
            // Not under the lock, which the link's end has no business with.
            drop(state);
            return drop(link);
        }
        state.ready.push_back(link);
        let waker = state.acceptor.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Takes the next link.
    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let mut state = self.lock();
        if let Some(link) = state.ready.pop_front() {
            self.work.notify_one();
            return Poll::Ready(Ok(link));
        }
        if state.closed {
            let text = "the pipe server is closed";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::NotConnected, text)));
        }
        state.acceptor = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Gives up every instance and every client not yet taken, and waits until the system has given them back.
    pub(super) fn close(&self) {
        let (connected, ready, waker) = {
            let mut state = self.lock();
            if state.closed {
                return;
            }
            state.closed = true;
            // Asked, not told: a connect that succeeds nevertheless is closed by its completion.
            state.armed.values().for_each(|instance| instance.cancel_all());
            let (connected, ready) = (
                std::mem::take(&mut state.connected),
                std::mem::take(&mut state.ready),
            );
            (connected, ready, state.acceptor.take())
        };
        drop((connected, ready));
        self.work.notify_one();
        waker.into_iter().for_each(Waker::wake);
        let under_way = |state: &mut State| !state.armed.is_empty() || state.at_work;
        let waited = self
            .given_back
            .wait_timeout_while(self.lock(), LONGEST_CLOSE, under_way);
        if waited.is_ok_and(|(_, waited)| waited.timed_out()) {
            tracing::warn!("the system is slow to give the instances of a closed pipe server back");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target for Armed {
    fn complete(self: Arc<Self>, _operation: Operation, outcome: Outcome) {
        let mut state = self.listening.lock();
        let Some(instance) = state.armed.remove(&self.number) else {
            return;
        };
        self.listening.gauges.listening.store(state.armed.len(), Relaxed);
        match check_connected(outcome) {
            Ok(()) if !state.closed => state.connected.push_back(instance),
            Err(error) if !state.closed => {
                tracing::warn!(%error, "an instance of a pipe failed; another is made");
                state.failed = true;
            }
            // Closed before anybody is told that it was given back.
            Ok(()) | Err(_) => drop(instance),
        }
        drop(state);
        self.listening.work.notify_one();
        self.listening.given_back.notify_all();
    }
}

/// Whether a client is there, or was: one that left at once may have written something, and is served as any other.
fn check_connected(outcome: Outcome) -> io::Result<()> {
    match outcome {
        Outcome::Done(_) | Outcome::More(_) | Outcome::Failed(ERROR_PIPE_CONNECTED | ERROR_NO_DATA) => Ok(()),
        Outcome::Failed(code) => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}
