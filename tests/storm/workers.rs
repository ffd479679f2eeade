//! Who calls in the storm: each worker makes one call after the other, and checks what comes of it.

use std::ops::AddAssign;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use pipe_rpc::{CallError, Fault, Reason, Streaming};
use tokio::time::Instant;

use super::gale::{Check, GaleClient, Item, Sum, items};
use super::random::Random;
use super::support::{drop_at_poll, soon};

pub(crate) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

pub(crate) struct Worker {
    pub(crate) client: GaleClient,
    pub(crate) random: Random,
    pub(crate) until: Instant,
}

/// What workers have done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// Streams that were read, or sent, to their end.
    pub(crate) streams: u64,
    pub(crate) items: u64,
    pub(crate) calls: u64,
    /// What was given up on the way.
    pub(crate) dropped: u64,
    pub(crate) late: u64,
}

impl AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.streams += other.streams;
        self.items += other.items;
        self.calls += other.calls;
        self.dropped += other.dropped;
        self.late += other.late;
    }
}

impl Worker {
    /// Works until the storm is over.
    async fn work(mut self, once: impl AsyncFn(GaleClient, &mut Random) -> Done) -> Done {
        let mut all = Done::default();
        while Instant::now() < self.until {
            let client = self.client.clone();
            let client = if self.random.once_in(8) {
                client.with_timeout(Duration::from_micros(self.random.below(20_000)))
            } else {
                client
            };
            all += soon(once(client, &mut self.random)).await;
        }
        all
    }
}

/// Nothing but a deadline may end a call.
fn late(fault: &Fault) -> Done {
    assert_eq!(fault.reason(), Reason::DeadlineExceeded, "{fault}");
    Done {
        late: 1,
        ..Done::default()
    }
}

const DROPPED: Done = Done {
    streams: 0,
    items: 0,
    calls: 0,
    dropped: 1,
    late: 0,
};

/// Reads streams of the other end: some to their end, some not.
pub(crate) fn downloads(worker: Worker) -> Work {
    Box::pin(worker.work(async |client, random| {
        let (seed, count) = (random.next(), random.below(1000));
        let opened = if random.once_in(3) {
            client.few_items(seed, count).await
        } else {
            client.items(seed, count).await
        };
        match opened {
            Ok(items) => read(items, seed, count, random).await,
            Err(fault) => late(&fault),
        }
    }))
}

async fn read(mut items: Streaming<Item>, seed: u64, count: u64, random: &mut Random) -> Done {
    let stop = random.once_in(3).then(|| random.below(count));
    let slow = random.once_in(4);
    let mut check = Check::new(seed);
    let mut done = Done::default();
    while let Some(item) = items.next().await {
        match item {
            Ok(item) => check.check(&item).await.unwrap(),
            Err(CallError::Fault(fault)) => return late(&fault),
            Err(CallError::Failed(never)) => match never {},
        }
        done.items += 1;
        if stop == Some(done.items) {
            return DROPPED;
        }
        if slow {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(done.items, count, "half a stream never looks whole");
    done.streams = 1;
    done
}

/// Sends streams to the other end, which reads some of them only in part; gives some up.
pub(crate) fn uploads(worker: Worker) -> Work {
    Box::pin(worker.work(async |client, random| {
        let (seed, count) = (random.next(), random.below(1000));
        let most = if random.once_in(4) {
            random.below(count)
        } else {
            u64::MAX
        };
        let call = client.sum(seed, most, items(seed, count));
        let polls = random.once_in(4).then(|| random.below(30));
        let polls = polls.map_or(usize::MAX, |polls| polls as usize);
        let summed = if polls == usize::MAX {
            Some(call.await)
        } else {
            drop_at_poll(polls, call).await
        };
        match summed {
            None => DROPPED,
            Some(Err(CallError::Fault(fault))) => late(&fault),
            // Its deadline ended the stream before it ended the handler.
            Some(Err(CallError::Failed(text))) if text.contains("deadline") => DROPPED,
            Some(Err(CallError::Failed(text))) => panic!("{text}"),
            Some(Ok(sum)) => {
                assert_eq!(sum, sum_of(seed, count.min(most)).await);
                Done {
                    streams: 1,
                    items: sum.count,
                    ..Done::default()
                }
            }
        }
    }))
}

async fn sum_of(seed: u64, count: u64) -> Sum {
    let sum = Sum { count: 0, bytes: 0 };
    let add = async |sum: Sum, (_, bytes): Item| Sum {
        count: sum.count + 1,
        bytes: sum.bytes + bytes.len() as u64,
    };
    items(seed, count).fold(sum, add).await
}

/// Has streams mirrored.
pub(crate) fn both_ways(worker: Worker) -> Work {
    Box::pin(worker.work(async |client, random| {
        let (seed, count) = (random.next(), random.below(1000));
        let mut mirrored = match client.mirror(seed, items(seed, count)).await {
            Ok(mirrored) => mirrored,
            Err(fault) => return late(&fault),
        };
        let stop = random.once_in(3).then(|| random.below(count));
        let mut check = Check::new(seed);
        let mut done = Done::default();
        while let Some(item) = mirrored.next().await {
            match item {
                Ok(item) => check.check(&item).await.unwrap(),
                Err(CallError::Fault(fault)) => return late(&fault),
                Err(CallError::Failed(text)) if text.contains("deadline") => return DROPPED,
                Err(CallError::Failed(text)) => panic!("{text}"),
            }
            done.items += 1;
            if stop == Some(done.items) {
                return DROPPED;
            }
        }
        assert_eq!(done.items, count);
        done.streams = 2;
        done
    }))
}

/// Makes unary calls, and gives some of them up.
pub(crate) fn calls(worker: Worker) -> Work {
    Box::pin(worker.work(async |client, random| {
        let number = random.next();
        let turns = random.below(20);
        let polls = if random.once_in(3) {
            random.below(10)
        } else {
            u64::MAX
        };
        let polls = usize::try_from(polls).unwrap_or(usize::MAX);
        let call = client.echo(number, turns);
        let answered = if polls == usize::MAX {
            Some(call.await)
        } else {
            drop_at_poll(polls, call).await
        };
        match answered {
            None => DROPPED,
            Some(Err(fault)) => late(&fault),
            Some(Ok(echoed)) => {
                assert_eq!(echoed, number);
                Done {
                    calls: 1,
                    ..Done::default()
                }
            }
        }
    }))
}

/// Reads a stream until the connection is lost.
pub(crate) async fn download_without_end(client: GaleClient, mut random: Random) -> Fault {
    let seed = random.next();
    let mut check = Check::new(seed);
    let mut items = match client.items(seed, u64::MAX).await {
        Ok(items) => items,
        Err(fault) => return fault,
    };
    loop {
        match items.next().await.expect("a lost connection is no end") {
            Ok(item) => check.check(&item).await.unwrap(),
            Err(CallError::Fault(fault)) => {
                assert!(items.next().await.is_none());
                return fault;
            }
            Err(CallError::Failed(never)) => match never {},
        }
    }
}

/// Sends a stream until the connection is lost.
pub(crate) async fn upload_without_end(client: GaleClient, mut random: Random) -> Fault {
    let seed = random.next();
    match client.sum(seed, u64::MAX, items(seed, u64::MAX)).await {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// Calls until the connection is lost.
pub(crate) async fn calls_without_end(client: GaleClient, mut random: Random) -> Fault {
    loop {
        let number = random.next();
        match client.echo(number, random.below(20)).await {
            Ok(echoed) => assert_eq!(echoed, number),
            Err(fault) => return fault,
        }
    }
}
