//! The service that both ends of the storm have.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use pipe_rpc::{Channel, Context, Streaming};
use serde::{Deserialize, Serialize};

use super::random::Random;
use super::support::Gauge;

/// An item, which tells its stream and its place.
pub(crate) type Item = (u64, Bytes);

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

#[pipe_rpc::service]
pub(crate) trait Gale {
    /// Keeps a channel to the caller.
    async fn meet(&self, cx: &Context);
    /// So many items, made from the seed.
    async fn items(&self, seed: u64, count: u64) -> impl Stream<Item = Item>;
    /// The same, of which little is under way.
    #[rpc(buffer = "1KiB")]
    async fn few_items(&self, seed: u64, count: u64) -> impl Stream<Item = Item>;
    /// Adds items up, whose order is checked; reads `most` of them.
    async fn sum(&self, seed: u64, most: u64, items: Streaming<Item>) -> Result<Sum, String>;
    /// Gives items back.
    async fn mirror(&self, seed: u64, items: Streaming<Item>) -> impl Stream<Item = Result<Item, String>>;
    /// Gives a number back after so many turns of others.
    async fn echo(&self, number: u64, turns: u64) -> u64;
}

/// One end's handlers.
#[derive(Clone, Default)]
pub(crate) struct Blowing {
    gauge: Gauge,
    met: Arc<Mutex<Option<Channel>>>,
}

impl Blowing {
    /// The channel to who called `meet`.
    pub(crate) fn met(&self) -> Channel {
        self.met.lock().unwrap().clone().expect("somebody has met it")
    }

    /// Waits until no handler runs.
    pub(crate) async fn at_rest(&self) {
        self.gauge.until_running(0).await;
    }
}

/// The items of a stream: mostly small, some larger than a packet.
pub(crate) fn items(seed: u64, count: u64) -> impl Stream<Item = Item> + Send + 'static {
    let mut random = Random::new(seed);
    stream::iter((0..count).map(move |index| {
        let size = match random.below(200) {
            0 => 60_000 + random.below(20_000),
            1..5 => random.below(10_000),
            _ => random.below(100),
        };
        let mark = (seed ^ index) as u8;
        (index, Bytes::from(vec![mark; usize::try_from(size).unwrap()]))
    }))
}

/// Checks items as they come.
pub(crate) struct Check {
    wanted: std::pin::Pin<Box<dyn Stream<Item = Item> + Send>>,
}

impl Check {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            wanted: Box::pin(items(seed, u64::MAX)),
        }
    }

    /// Whether it is the next one.
    pub(crate) async fn check(&mut self, item: &Item) -> Result<(), String> {
        let wanted = self.wanted.next().await.expect("there is no last one");
        if wanted == *item {
            return Ok(());
        }
        let size = |item: &Item| item.1.len();
        Err(format!(
            "item {} of {} bytes in place of {} of {}",
            item.0,
            size(item),
            wanted.0,
            size(&wanted)
        ))
    }
}

impl Gale for Blowing {
    async fn meet(&self, cx: &Context) {
        *self.met.lock().unwrap() = Some(cx.peer_channel());
    }

    async fn items(&self, seed: u64, count: u64) -> impl Stream<Item = Item> {
        let here = self.gauge.enter();
        items(seed, count).inspect(move |_| {
            let _ = &here;
        })
    }

    async fn few_items(&self, seed: u64, count: u64) -> impl Stream<Item = Item> {
        Self::items(self, seed, count).await
    }

    async fn sum(&self, seed: u64, most: u64, mut numbers: Streaming<Item>) -> Result<Sum, String> {
        let _here = self.gauge.enter();
        let mut check = Check::new(seed);
        let mut sum = Sum { count: 0, bytes: 0 };
        while sum.count < most
            && let Some(item) = numbers.next().await
        {
            let item = item.map_err(|fault| fault.to_string())?;
            check.check(&item).await?;
            sum.count += 1;
            sum.bytes += item.1.len() as u64;
        }
        Ok(sum)
    }

    async fn mirror(&self, seed: u64, items: Streaming<Item>) -> impl Stream<Item = Result<Item, String>> {
        let here = self.gauge.enter();
        stream::unfold(
            (Check::new(seed), items, here),
            |(mut check, mut items, here)| async move {
                let item = match items.next().await? {
                    Ok(item) => check.check(&item).await.map(|()| item),
                    Err(fault) => Err(fault.to_string()),
                };
                Some((item, (check, items, here)))
            },
        )
    }

    async fn echo(&self, number: u64, turns: u64) -> u64 {
        let _here = self.gauge.enter();
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        number
    }
}
