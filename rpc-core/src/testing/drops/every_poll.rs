//! Scenarios that are run again and again, with a future dropped at another moment each time.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use super::{Handlers, Moment, drop_at};

/// After this time, of tokio's, a scenario hangs.
const HANG: Duration = Duration::from_secs(600);

/// A future that is polled more often than this does not end.
const MAX_POLLS: usize = 10_000;

/// Runs a scenario again and again, dropping the future under test at a later [`Moment`] each time, until it ends before
/// that; how many polls it then took.
///
/// The scenario makes two futures: the one under test, and a check that runs when that one was dropped or has ended.
/// What the check does not find right, it panics with; the moment is told beside it.
///
/// ```
/// use std::sync::Arc;
/// use tokio::sync::Semaphore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let permits = Arc::new(Semaphore::new(1));
/// let polls = pipe_rpc_core::testing::drop_at_every_poll(async || {
///     let (used, whole) = (permits.clone(), permits.clone());
///     let under_test = async move {
///         let _permit = used.acquire().await;
///         tokio::task::yield_now().await;
///     };
///     let check = async move { assert_eq!(whole.available_permits(), 1) };
///     (under_test, check)
/// })
/// .await;
/// assert_eq!(polls, 2);
/// # }
/// ```
///
/// # Panics
/// If the future under test is polled 10,000 times, or does not end within 10 minutes of tokio's time, or the check does
/// not. The check's own panics are passed on.
///
/// # Cancel safety
/// Dropping the future drops the scenario that runs.
pub async fn drop_at_every_poll<F, C>(mut scenario: impl AsyncFnMut() -> (F, C)) -> usize
where
    F: Future,
    C: Future<Output = ()>,
{
    for moment in moments() {
        let _told = Told(moment);
        let (under_test, check) = scenario().await;
        let mut running = drop_at(moment, under_test);
        let ended = soon("the future under test", &mut running).await.is_some();
        let polls = running.polls();
        soon("the check", check).await;
        if ended {
            return polls;
        }
    }
    panic!("the future under test has not ended after {MAX_POLLS} polls")
}

/// As [`drop_at_every_poll`], with the handler's future dropped at the server in place of the call's at the client: a
/// server with the layer `handlers` watches the first call that the future under test makes. How often the handler was
/// polled when it was not dropped.
///
/// ```
/// # use pipe_rpc_core::fault::{Outcome, Reason};
/// # use pipe_rpc_core::message::{Request, Response};
/// # use pipe_rpc_core::method::Method;
/// # use pipe_rpc_core::server::{Mount, Reply};
/// # static SYNONYMS: Method = Method::new("Thesaurus", "synonyms", "()");
/// # struct ThesaurusServer;
/// # impl Mount for ThesaurusServer {
/// #     fn name(&self) -> &'static str { "Thesaurus" }
/// #     fn methods(&self) -> &'static [Method] { std::slice::from_ref(&SYNONYMS) }
/// #     fn call(&self, _: usize, _: Request) -> Reply {
/// #         Box::pin(async { tokio::task::yield_now().await; Ok(Response::ok(Vec::new().into())) })
/// #     }
/// # }
/// use pipe_rpc_core::client::Stub;
/// use pipe_rpc_core::server::Server;
/// use pipe_rpc_core::testing::{Handlers, assert_whole, connect, drop_handler_at_every_poll};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let handlers = Handlers::new();
/// let server = Server::builder().service(ThesaurusServer).layer(handlers.clone());
/// let channel = connect(server).await;
/// let thesaurus = Stub::new(channel.clone(), "Thesaurus");
///
/// drop_handler_at_every_poll(&handlers, async || {
///     let call = thesaurus.call::<(), ()>(&SYNONYMS, (), None);
///     let check = async { assert_whole(&channel).await };
///     (call, check)
/// })
/// .await;
/// # }
/// ```
///
/// # Panics
/// As [`drop_at_every_poll`]; also if no call comes to the server.
///
/// # Cancel safety
/// As [`drop_at_every_poll`].
pub async fn drop_handler_at_every_poll<F, C>(
    handlers: &Handlers,
    mut scenario: impl AsyncFnMut() -> (F, C),
) -> usize
where
    F: Future,
    C: Future<Output = ()>,
{
    for moment in moments() {
        let _told = Told(moment);
        let (under_test, check) = scenario().await;
        handlers.drop_next(moment);
        soon("the future under test", under_test).await;
        let dropped = soon("the handler", handlers.until_over()).await;
        handlers.release();
        soon("the check", check).await;
        if !dropped {
            return moment.polls();
        }
    }
    panic!("the handler has not ended after {MAX_POLLS} polls")
}

/// As [`drop_at_every_poll`], with the call dropped at the client when the handler at the server has been polled once,
/// twice and so on: its cancellation finds the handler in each of its awaits, where it is held. How many there are.
///
/// # Panics
/// As [`drop_handler_at_every_poll`].
///
/// # Cancel safety
/// As [`drop_at_every_poll`].
pub async fn cancel_at_every_handler_poll<F, C>(
    handlers: &Handlers,
    mut scenario: impl AsyncFnMut() -> (F, C),
) -> usize
where
    F: Future,
    C: Future<Output = ()>,
{
    for polls in 1..=MAX_POLLS {
        let _told = Told(Moment::After(polls));
        let (under_test, check) = scenario().await;
        handlers.hold_next(polls);
        let cancelled = soon("the future under test", cancel_when_held(handlers, under_test)).await;
        if !cancelled {
            handlers.release();
        }
        soon("the handler", handlers.until_over()).await;
        soon("the check", check).await;
        if !cancelled {
            return polls - 1;
        }
    }
    panic!("the handler has not ended after {MAX_POLLS} polls")
}

/// Drops the future when the handler that is watched is held. Whether it was.
async fn cancel_when_held(handlers: &Handlers, under_test: impl Future) -> bool {
    let under_test = pin!(under_test);
    tokio::select! {
        biased;
        () = handlers.until_held() => true,
        _ = under_test => false,
    }
}

fn moments() -> impl Iterator<Item = Moment> {
    Moment::all().take_while(|moment| moment.polls() <= MAX_POLLS)
}

async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(HANG, future)
        .await
        .unwrap_or_else(|_| panic!("{what} hangs"))
}

/// Says at which moment a scenario was when it panicked.
struct Told(Moment);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the future under test was dropped {}, or was to be", self.0);
        }
    }
}
