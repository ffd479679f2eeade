//! Calls from code that is not async.

use std::future::Future;
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// A client with a thread and a runtime of its own, so that its methods block; they work with no runtime around them
/// or inside one. Clones share the thread, which ends with the last of them.
#[derive(Clone, Debug)]
pub struct BlockingClient<C> {
    client: C,
    driving: Arc<Driving>,
}

/// The thread and the runtime that it drives.
#[derive(Debug)]
struct Driving {
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

impl Driving {
    fn wait<F>(&self, future: F) -> F::Output
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
