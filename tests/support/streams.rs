//! A service with streams of every kind, whose handlers the test controls.

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use pipe_rpc::{CallError, Channel, Connect, Context, PipeServer, Server, ServerBuilder, Streaming};
use serde::{Deserialize, Serialize};

use super::{Gauge, unique_name};

/// An error of the service's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub after: u64,
}

#[pipe_rpc::service]
pub trait Mill {
    /// The numbers below `end`.
    async fn count(&self, end: u64) -> impl Stream<Item = u64>;
    /// Numbers without end, and a gauge that tells when they are dropped.
    async fn forever(&self, cx: &Context) -> impl Stream<Item = u64>;
    /// One number, and then nothing until the test releases it.
    async fn one_then_hold(&self) -> impl Stream<Item = u64>;
    /// The numbers below `end`, and then an error.
    async fn fail_after(&self, end: u64) -> impl Stream<Item = Result<u64, Refusal>>;
    /// The numbers below `end`, and then a panic.
    async fn panic_after(&self, end: u64) -> impl Stream<Item = u64>;
    /// A stream, or no stream at all.
    async fn perhaps(&self, open: bool) -> Result<impl Stream<Item = Result<u64, Refusal>>, Refusal>;
    /// Blocks of that many bytes.
    async fn blocks(&self, size: u64, times: u64) -> impl Stream<Item = Bytes>;
    /// The same, of which little is under way.
    #[rpc(buffer = "1KiB")]
    async fn few_blocks(&self, size: u64, times: u64) -> impl Stream<Item = Bytes>;
    /// The sum of what comes, or how far it came.
    async fn sum(&self, numbers: Streaming<u64>) -> Result<u64, Refusal>;
    /// As `sum`, of a stream that may fail.
    async fn sum_fallible(&self, first: u64, numbers: Streaming<u64, Refusal>) -> Result<u64, Refusal>;
    /// The sum of the first few; the rest is not read.
    async fn sum_first(&self, few: u64, numbers: Streaming<u64>) -> u64;
    /// Takes the stream and reads nothing of it until the test releases it.
    async fn keep(&self, numbers: Streaming<Bytes>) -> u64;
    /// Each number twice as large, as it comes.
    async fn double(&self, numbers: Streaming<u64>) -> impl Stream<Item = Result<u64, Refusal>>;
    /// A unary call beside the others.
    async fn echo(&self, text: String) -> String;
}

/// The mill's handlers.
#[derive(Clone, Default)]
pub struct Miller(pub Gauge);

impl Mill for Miller {
    async fn count(&self, end: u64) -> impl Stream<Item = u64> {
        stream::iter(0..end)
    }
    async fn forever(&self, _cx: &Context) -> impl Stream<Item = u64> {
        let here = self.0.enter();
        stream::iter(0..).inspect(move |_| {
            let _ = &here;
        })
    }
    async fn one_then_hold(&self) -> impl Stream<Item = u64> {
        let here = self.0.enter();
        stream::iter([1]).chain(stream::once(async move {
            let _here = here;
            self.0.released().await;
            2
        }))
    }
    async fn fail_after(&self, end: u64) -> impl Stream<Item = Result<u64, Refusal>> {
        let error = Err(Refusal { after: end });
        // What comes after an error is never asked for.
        stream::iter(0..end).map(Ok).chain(stream::iter([error, Ok(77)]))
    }
    async fn panic_after(&self, end: u64) -> impl Stream<Item = u64> {
        stream::iter(0..).inspect(move |n| assert!(*n < end, "on purpose, at {end}"))
    }
    async fn perhaps(&self, open: bool) -> Result<impl Stream<Item = Result<u64, Refusal>>, Refusal> {
        if open {
            Ok(stream::iter([Ok(1), Ok(2)]))
        } else {
            Err(Refusal { after: 0 })
        }
    }
    async fn blocks(&self, size: u64, times: u64) -> impl Stream<Item = Bytes> {
        let block = Bytes::from(vec![7; usize::try_from(size).unwrap()]);
        let here = self.0.clone();
        stream::iter(0..times).map(move |_| {
            drop(here.enter());
            block.clone()
        })
    }
    async fn few_blocks(&self, size: u64, times: u64) -> impl Stream<Item = Bytes> {
        Self::blocks(self, size, times).await
    }
    async fn sum(&self, mut numbers: Streaming<u64>) -> Result<u64, Refusal> {
        let _here = self.0.enter();
        let (mut sum, mut after) = (0, 0);
        while let Some(number) = numbers.next().await {
            sum += number.map_err(|_| Refusal { after })?;
            after += 1;
        }
        Ok(sum)
    }
    async fn sum_fallible(&self, first: u64, mut numbers: Streaming<u64, Refusal>) -> Result<u64, Refusal> {
        let mut sum = first;
        while let Some(number) = numbers.next().await {
            match number {
                Ok(number) => sum += number,
                Err(CallError::Failed(refusal)) => return Err(refusal),
                Err(CallError::Fault(fault)) => panic!("{fault}"),
            }
        }
        assert!(numbers.next().await.is_none(), "it stays at its end");
        Ok(sum)
    }
    async fn sum_first(&self, few: u64, mut numbers: Streaming<u64>) -> u64 {
        let mut sum = 0;
        for _ in 0..few {
            sum += numbers.next().await.unwrap().unwrap();
        }
        drop(numbers);
        self.0.enter();
        self.0.released().await;
        sum
    }
    async fn keep(&self, mut numbers: Streaming<Bytes>) -> u64 {
        let _here = self.0.enter();
        self.0.released().await;
        let mut size = 0;
        while let Some(block) = numbers.next().await {
            size += block.unwrap().len() as u64;
        }
        size
    }
    async fn double(&self, numbers: Streaming<u64>) -> impl Stream<Item = Result<u64, Refusal>> {
        let here = self.0.enter();
        numbers.map(move |number| {
            let _ = &here;
            number.map(|number| 2 * number).map_err(|_| Refusal { after: 0 })
        })
    }
    async fn echo(&self, text: String) -> String {
        text
    }
}

/// A mill that is served on a pipe of its own, by a task of the current runtime.
pub struct Served {
    pub name: String,
    pub gauge: Gauge,
    pub serving: tokio::task::JoinHandle<()>,
}

/// Serves a mill.
pub fn serve(test: &str) -> Served {
    serve_with(test, |builder| builder)
}

/// Serves a mill as `configure` says.
pub fn serve_with(test: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Served {
    let (name, gauge) = (unique_name(test), Gauge::default());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let server = configure(Server::builder().service(MillServer::new(Miller(gauge.clone()))));
    let serving = tokio::spawn(async move { server.serve(listener).await.unwrap() });
    Served { name, gauge, serving }
}

impl Served {
    pub async fn channel(&self) -> Channel {
        let connect = Connect::to(self.name.as_str()).deadline(super::HANG);
        connect.handshake_timeout(super::HANG).open().await.unwrap()
    }

    pub async fn client(&self) -> MillClient {
        MillClient::new(self.channel().await)
    }
}

/// Reads a stream to its end.
pub async fn read_all<T, E>(mut stream: Streaming<T, E>) -> (Vec<T>, Option<CallError<E>>)
where
    T: serde::de::DeserializeOwned + 'static,
    E: serde::de::DeserializeOwned + 'static,
{
    let mut values = Vec::new();
    while let Some(item) = super::soon(stream.next()).await {
        match item {
            Ok(value) => values.push(value),
            Err(error) => {
                assert!(stream.next().await.is_none(), "an error is the last item");
                return (values, Some(error));
            }
        }
    }
    assert!(stream.next().await.is_none(), "the end stays");
    (values, None)
}
