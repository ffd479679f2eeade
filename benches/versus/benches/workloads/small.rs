//! Echoes of 64 bytes.

use tokio::task::JoinSet;

use crate::row::Row;
use crate::turns::{Series, Told};
use crate::workload::CALLERS;

pub(crate) async fn one_by_one<R: Row>(mut client: R, calls: u64) -> (R, Told) {
    let mut series = Series::start("", calls);
    for call in 0..calls {
        echo(&mut client, call).await;
        series.lap();
    }
    (client, series.into())
}

pub(crate) async fn many<R: Row>(mut client: R, calls: u64) -> (R, Told) {
    client.many(calls).await;
    (client, Told::default())
}

/// Each caller is a task.
pub(crate) async fn side_by_side<R: Row>(client: R, calls: u64) {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(some(client.clone(), calls / CALLERS));
    }
    callers.join_all().await;
}

/// Calls of one caller.
pub(super) async fn some<R: Row>(mut client: R, calls: u64) {
    for call in 0..calls {
        echo(&mut client, call).await;
    }
}

pub(super) async fn echo<R: Row>(client: &mut R, call: u64) {
    let echoed = client.small([call; 8]).await;
    assert_eq!(echoed, [call; 8]);
}
