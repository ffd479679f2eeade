//! Echoes of 64 bytes.

use tokio::task::JoinSet;

use crate::row::Row;
use crate::turns::Series;
use crate::workload::CALLERS;

pub(crate) async fn one_by_one<R: Row>(mut client: R, calls: u64) -> Series {
    let mut series = Series::start("", calls);
    for call in 0..calls {
        echo(&mut client, call).await;
        series.lap();
    }
    series
}

pub(crate) async fn many<R: Row>(mut client: R, calls: u64) -> R {
    client.many(calls).await;
    client
}

/// Each caller is a task.
pub(crate) async fn side_by_side<R: Row>(client: R, calls: u64) {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let mut client = client.clone();
        callers.spawn(async move {
            for call in 0..calls / CALLERS {
                echo(&mut client, call).await;
            }
        });
    }
    callers.join_all().await;
}

async fn echo<R: Row>(client: &mut R, call: u64) {
    let echoed = client.small([call; 8]).await;
    assert_eq!(echoed, [call; 8]);
}
