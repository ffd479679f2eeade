//! Calls and streams of every kind at once, until one fails.

use std::future::Future;

use bytes::Bytes;
use futures_util::stream;
use pipe_rpc::{CallError, Channel, Client, Fault};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::both::HostClient;
use crate::support::LabClient;
use crate::support::streams::{MillClient, read_all};

/// Tasks that call again and again; each gives the fault that ended it.
pub(crate) struct Load {
    pub(crate) tasks: JoinSet<Fault>,
    done: watch::Sender<u64>,
}

impl Load {
    pub(crate) fn start(channel: &Channel) -> Self {
        let mut load = Self {
            tasks: JoinSet::new(),
            done: watch::Sender::new(0),
        };
        let lab = LabClient::over(channel.clone());
        let mill = MillClient::over(channel.clone());
        let host = HostClient::over(channel.clone());
        for size in [10, 5_000, 100_000] {
            load.repeat(&lab, move |lab| async move {
                let taken = lab.take(Bytes::from(vec![7; size])).await?;
                assert_eq!(taken, size as u64);
                Ok(())
            });
        }
        load.repeat(&mill, |mill| async move {
            let blocks = mill.blocks(10_000, 50).await?;
            whole(read_all(blocks).await, 50)
        });
        load.repeat(&mill, |mill| async move {
            let numbers = mill.double(stream::iter(0..500)).await?;
            whole(read_all(numbers).await, 500)
        });
        load.repeat(&mill, |mill| async move {
            match mill.sum(stream::iter(0..500)).await {
                Ok(sum) => {
                    assert_eq!(sum, 499 * 500 / 2);
                    Ok(())
                }
                // The server's handler read half of it: that it was half is told.
                Err(CallError::Failed(refusal)) => panic!("half an upload was answered: {refusal:?}"),
                Err(CallError::Fault(fault)) => Err(fault),
            }
        });
        load.repeat(&host, |host| async move {
            called_back(host.echo_at_caller("back".into()).await).map(drop)
        });
        load.repeat(&host, |host| async move {
            called_back(host.count_at_caller(300).await).map(|count| assert_eq!(count, 300))
        });
        load
    }

    fn repeat<C, F>(&mut self, client: &C, call: impl Fn(C) -> F + Send + Sync + 'static)
    where
        C: Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), Fault>> + Send,
    {
        let (client, done) = (client.clone(), self.done.clone());
        self.tasks.spawn(async move {
            loop {
                if let Err(fault) = call(client.clone()).await {
                    return fault;
                }
                done.send_modify(|done| *done += 1);
            }
        });
    }

    /// Waits until that many calls have ended well.
    pub(crate) async fn until_done(&self, count: u64) {
        let mut done = self.done.subscribe();
        done.wait_for(|done| *done >= count).await.unwrap();
    }
}

/// A stream is whole, or its only error is the fault of a lost connection.
fn whole<T, E: std::fmt::Debug>(
    (items, error): (Vec<T>, Option<CallError<E>>),
    count: usize,
) -> Result<(), Fault> {
    match error {
        None => {
            assert_eq!(items.len(), count, "half a stream looks whole");
            Ok(())
        }
        Some(CallError::Fault(fault)) => Err(fault),
        Some(CallError::Failed(error)) => panic!("it does not fail by itself: {error:?}"),
    }
}

fn called_back<T>(result: Result<T, CallError<String>>) -> Result<T, Fault> {
    match result {
        Ok(value) => Ok(value),
        Err(CallError::Fault(fault)) => Err(fault),
        Err(CallError::Failed(error)) => panic!("this end is there and answers: {error}"),
    }
}
