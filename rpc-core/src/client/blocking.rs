//! Calls from code that is not async.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, mpsc};
use std::task::{Poll, ready};
use std::thread;

use futures_core::Stream;
use futures_util::stream::poll_fn;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::channel;
use tokio::sync::oneshot;

use super::BlockingCaller;
use crate::fault::CallError;
use crate::streaming::{NoError, Streaming};

/// How many items an iterator may be ahead of its stream.
const AHEAD: usize = 16;

/// A client with a thread and a runtime of its own, so that its methods block; they work with no runtime around them
/// or inside one. Clones share the thread, which ends with the last of them.
#[derive(Clone, Debug)]
pub struct BlockingClient<C> {
    client: C,
    driving: Arc<Driving>,
}

/// The thread and the runtime that it drives.
#[derive(Debug)]
pub(super) struct Driving {
    runtime: Handle,
    /// Dropped to end the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl<C: Clone + Send + 'static> BlockingClient<C> {
    /// Starts the thread and connects.
    ///
    /// # Errors
    /// As `connecting` does.
    ///
    /// # Panics
    /// If the system refuses another thread or poller, as [`std::thread::spawn`] does.
    pub fn connect<E: Send + 'static>(
        connecting: impl Future<Output = Result<C, E>> + Send + 'static,
    ) -> Result<Self, E> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the system gives a poller");
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("pipe-rpc-blocking".to_owned());
        let thread = thread
            .spawn(move || drive(&runtime, stopped))
            .expect("the system gives a thread");
        let driving = Driving {
            runtime: handle,
            stop: Some(stop),
            thread: Some(thread),
        };
        let client = driving.wait(connecting)?;
        Ok(Self {
            client,
            driving: Arc::new(driving),
        })
    }

    /// Runs a call on the client's own runtime and blocks until it has ended.
    ///
    /// # Panics
    /// If the call panics.
    pub fn run<F>(&self, call: impl FnOnce(C) -> F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.driving.wait(call(self.client.clone()))
    }
}

impl<C> BlockingClient<C> {
    /// Makes a stream of an iterator, which runs in a thread of its own, so that it may block. A panic of it is one of
    /// the stream.
    ///
    /// # Panics
    /// If the system refuses another thread, as [`std::thread::spawn`] does.
    pub fn stream_of<I>(items: I) -> impl Stream<Item = I::Item> + Send + 'static
    where
        I: IntoIterator<Item: Send + 'static> + Send + 'static,
    {
        let (sender, mut receiver) = channel(AHEAD);
        thread::spawn(move || {
            let feeding = AssertUnwindSafe(|| {
                for item in items {
                    if sender.blocking_send(Ok(item)).is_err() {
                        break;
                    }
                }
            });
            if let Err(panic) = catch_unwind(feeding) {
                // Nobody is left to be told, or the stream tells it.
                let _ = sender.blocking_send(Err(panic));
            }
        });
        poll_fn(move |cx| {
            let item = ready!(receiver.poll_recv(cx));
            Poll::Ready(item.map(|item| item.unwrap_or_else(|panic| resume_unwind(panic))))
        })
    }

    /// What the client calls through, which `of` finds in it.
    pub fn caller<'a, S>(&'a self, of: impl FnOnce(&'a C) -> &'a S) -> BlockingCaller<'a, S> {
        BlockingCaller::new(of(&self.client), &self.driving)
    }

    /// The values of a stream as an iterator, which blocks until the next one is there.
    pub fn iterate<T, E>(&self, stream: Streaming<T, E>) -> BlockingStreaming<T, E> {
        BlockingStreaming {
            stream,
            _driving: Arc::clone(&self.driving),
        }
    }
}

/// The values of a [`Streaming`], one by one; blocks until the next one is there. `Err` is the last item, as there.
#[must_use = "a stream that is dropped tells its sender to stop"]
#[derive(Debug)]
pub struct BlockingStreaming<T, E = NoError> {
    stream: Streaming<T, E>,
    /// The connection is driven for as long as it is read.
    _driving: Arc<Driving>,
}

impl<T, E> Iterator for BlockingStreaming<T, E>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + 'static,
{
    type Item = Result<T, CallError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        pollster::block_on(self.stream.next())
    }
}

impl Driving {
    pub(super) fn wait<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // A plain channel blocks whatever runtime is around; the runtime's own refuse to.
        let (sender, receiver) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            // The receiver waits below, for as long as the task lives.
            let _ = sender.send(future.await);
        });
        receiver.recv().expect("a call that panics ends its caller")
    }
}

/// Drives the runtime until the client is dropped, and then lets the connection say farewell.
fn drive(runtime: &Runtime, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        let _ = stopped.await;
    });
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It ends once its runtime has stopped; a panic in it was reported by the panic hook.
            let _ = thread.join();
        }
    }
}
