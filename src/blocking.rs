//! Clients without async: `__blocking!` lets them through, [`BlockingClient`] runs them.

use std::future::Future;

/// Expands to what it is given: the feature `blocking` is on.
#[doc(hidden)]
#[macro_export]
macro_rules! __blocking {
    ($($items:tt)*) => { $($items)* };
}

/// Placeholder for what runs an async client where there is no async.
#[derive(Clone, Debug)]
pub struct BlockingClient<C> {
    client: C,
}

impl<C: Clone + Send + 'static> BlockingClient<C> {
    /// Waits for the connection.
    ///
    /// # Errors
    /// Those of `connecting`.
    pub fn connect<E>(connecting: impl Future<Output = Result<C, E>> + Send + 'static) -> Result<Self, E>
    where
        E: Send + 'static,
    {
        wait(connecting).map(|client| Self { client })
    }

    /// Runs one call to its end.
    pub fn run<F, R>(&self, call: impl FnOnce(C) -> F) -> R
    where
        F: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        wait(call(self.client.clone()))
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        std::thread::yield_now();
    }
}
