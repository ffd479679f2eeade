//! The order in which calls begin, and services whose calls run one after the other.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use pipe_rpc::{Connect, Context, Outcome, PipeServer, Reason, Server};
use support::{Gauge, poll_once, soon, unique_name};

/// Tells in which order its methods began.
#[pipe_rpc::service]
pub trait Journal {
    /// Writes a number.
    async fn note(&self, number: u32);
    /// The same, of a call that is large.
    async fn note_large(&self, number: u32, bytes: Bytes);
    /// What was written.
    async fn noted(&self) -> Vec<u32>;
}

/// Its calls run one after the other.
#[pipe_rpc::service]
pub trait Ledger {
    /// Runs until the test releases it.
    #[rpc(ordered)]
    async fn post(&self, number: u32, bytes: Bytes) -> u32;
    /// The same, as a stream of one.
    #[rpc(ordered)]
    async fn posts(&self, number: u32) -> impl Stream<Item = u32>;
    /// Calls back into its caller, which calls `post`.
    #[rpc(ordered)]
    async fn post_by_way_of_the_caller(&self, cx: &Context) -> String;
    /// Is not ordered.
    async fn posted(&self) -> Vec<u32>;
}

/// Is called by the ledger.
#[pipe_rpc::service]
pub trait Clerk {
    /// Posts, and tells why it could not.
    async fn post_again(&self, cx: &Context) -> String;
}

#[derive(Clone, Default)]
struct Book {
    gauge: Gauge,
    numbers: Arc<Mutex<Vec<u32>>>,
}

impl Book {
    fn write(&self, number: u32) {
        self.numbers.lock().unwrap().push(number);
    }

    fn read(&self) -> Vec<u32> {
        self.numbers.lock().unwrap().clone()
    }
}

impl Journal for Book {
    async fn note(&self, number: u32) {
        self.write(number);
    }
    async fn note_large(&self, number: u32, _: Bytes) {
        self.write(number);
    }
    async fn noted(&self) -> Vec<u32> {
        self.read()
    }
}

impl Ledger for Book {
    async fn post(&self, number: u32, _: Bytes) -> u32 {
        let here = self.gauge.enter();
        self.write(number);
        self.gauge.released().await;
        drop(here);
        number
    }
    async fn posts(&self, number: u32) -> impl Stream<Item = u32> {
        self.write(number);
        let here = self.gauge.enter();
        stream::once(async move {
            let _here = here;
            self.gauge.released().await;
            number
        })
    }
    async fn post_by_way_of_the_caller(&self, cx: &Context) -> String {
        cx.peer::<ClerkClient>().post_again().await.unwrap()
    }
    async fn posted(&self) -> Vec<u32> {
        self.read()
    }
}

struct OfficeClerk;

impl Clerk for OfficeClerk {
    async fn post_again(&self, cx: &Context) -> String {
        let ledger = cx.peer::<LedgerClient>();
        let fault = ledger.post(1, Bytes::new()).await.unwrap_err();
        assert_eq!(fault.outcome(), Outcome::Refused);
        assert!(matches!(fault.reason(), Reason::Overloaded { .. }));
        fault.to_string()
    }
}

fn serve(test: &str, book: &Book) -> String {
    let name = unique_name(test);
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let server = Server::builder()
        .service(JournalServer::new(book.clone()))
        .service(LedgerServer::new(book.clone()));
    tokio::spawn(server.serve(listener));
    name
}

#[tokio::test]
async fn small_calls_of_one_caller_begin_in_the_order_sent() {
    let book = Book::default();
    let journal = JournalClient::connect(serve("order-small", &book).as_str())
        .await
        .unwrap();
    let mut calls: Vec<_> = (0..500).map(|number| Box::pin(journal.note(number))).collect();
    for call in &mut calls {
        // The first poll sends.
        assert!(poll_once(call).await.is_none());
    }
    for call in calls {
        soon(call).await.unwrap();
    }
    assert_eq!(book.read(), Vec::from_iter(0..500));
}

#[tokio::test]
async fn a_call_begins_when_its_last_frame_has_arrived() {
    let book = Book::default();
    let journal = JournalClient::connect(serve("order-large", &book).as_str())
        .await
        .unwrap();
    let mut large = Box::pin(journal.note_large(1, vec![0; 8 << 20].into()));
    assert!(poll_once(&mut large).await.is_none());
    soon(journal.note(2)).await.unwrap();
    soon(large).await.unwrap();
    assert_eq!(book.read(), [2, 1]);
}

#[tokio::test]
async fn ordered_calls_run_one_after_the_other_by_their_first_frame() {
    let book = Book::default();
    let ledger = LedgerClient::connect(serve("order-ordered", &book).as_str())
        .await
        .unwrap();
    let mut calls = Vec::new();
    for number in 0..6_u32 {
        let ledger = ledger.clone();
        // The first frame of the first one leaves at once, its last one after all the others.
        let bytes = Bytes::from(vec![0; if number == 0 { 8 << 20 } else { 0 }]);
        let mut call = Box::pin(async move { ledger.post(number, bytes).await });
        assert!(poll_once(&mut call).await.is_none());
        calls.push(tokio::spawn(call));
    }
    assert!(
        soon(ledger.posted()).await.unwrap().is_empty(),
        "nobody passes the first"
    );
    soon(book.gauge.until_begun(1)).await;
    assert_eq!(
        soon(ledger.posted()).await.unwrap(),
        [0],
        "others are not held up"
    );
    book.gauge.release();
    for (number, call) in (0..).zip(calls) {
        assert_eq!(soon(call).await.unwrap(), Ok(number));
    }
    assert_eq!(book.read(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(book.gauge.most(), 1, "one at a time");
}

#[tokio::test]
async fn an_ordered_stream_has_its_turn_to_its_end() {
    let book = Book::default();
    let ledger = LedgerClient::connect(serve("order-stream", &book).as_str())
        .await
        .unwrap();
    let mut first = soon(ledger.posts(1)).await.unwrap();
    let second = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.post(2, Bytes::new()).await }
    });
    for _ in 0..10 {
        assert_eq!(soon(ledger.posted()).await.unwrap(), [1]);
    }
    book.gauge.release();
    assert_eq!(soon(first.next()).await, Some(Ok(1)));
    assert_eq!(soon(first.next()).await, None);
    assert_eq!(soon(second).await.unwrap(), Ok(2));
}

#[tokio::test]
async fn a_cancelled_call_leaves_the_line_wherever_it_is() {
    let book = Book::default();
    let ledger = LedgerClient::connect(serve("order-cancel", &book).as_str())
        .await
        .unwrap();
    let start = |number: u32, size: usize| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.post(number, vec![0; size].into()).await })
    };
    let first = start(1, 0);
    soon(book.gauge.until_begun(1)).await;
    // In line; and announced, with a body that waits for the window or is still arriving.
    let (waiting, arriving) = (start(2, 0), start(3, 8 << 20));
    soon(ledger.posted()).await.unwrap();
    arriving.abort();
    waiting.abort();
    let last = start(4, 0);
    soon(ledger.posted()).await.unwrap();
    first.abort();
    soon(book.gauge.until_begun(2)).await;
    book.gauge.release();
    assert_eq!(soon(last).await.unwrap(), Ok(4));
    assert_eq!(book.read(), [1, 4]);
}

#[tokio::test]
async fn a_nested_call_does_not_wait_for_its_own_ancestor() {
    let book = Book::default();
    let name = serve("order-nested", &book);
    let offers = Server::builder().service(ClerkServer::new(OfficeClerk));
    let ledger = LedgerClient::connect(Connect::to(name.as_str()).serving(offers))
        .await
        .unwrap();
    let told = soon(ledger.post_by_way_of_the_caller()).await.unwrap();
    assert!(told.contains("does not wait for its turn"), "{told}");
    assert!(book.read().is_empty());
}
