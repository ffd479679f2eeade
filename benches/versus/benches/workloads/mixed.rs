//! Echoes of 64 bytes, first alone and then while a task moves 64 MiB bodies on the same connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::small;
use crate::figure::Figure;
use crate::row::Row;
use crate::turns::{Series, Told};

/// Room for the times of a turn.
const CALLS: u64 = 1 << 16;

/// For a quarter of the time alone, and then for all of it beside the bodies. Their rate is told as well: small calls are
/// quick where the large ones stand still.
pub(crate) async fn calls<R: Row>((mut client, body): (R, Bytes), millis: u64) -> ((R, Bytes), Told) {
    let time = Duration::from_millis(millis);
    let idle = series(&mut client, "idle_", time / 4).await;
    let done = Arc::new(AtomicBool::new(false));
    let moving = tokio::spawn(move_bodies(client.clone(), body.clone(), Arc::clone(&done)));
    let busy = series(&mut client, "", time).await;
    done.store(true, Ordering::Relaxed);
    let rate = moving.await.expect("the row does not panic");
    let told = Told::from(vec![idle, busy]).with(Figure::new("rate", rate, "MiB/s"));
    ((client, body), told)
}

/// How long calls take, made for so long. How many that are differs a hundredfold between rows.
async fn series<R: Row>(client: &mut R, prefix: &'static str, time: Duration) -> Series {
    let start = Instant::now();
    let mut series = Series::start(prefix, CALLS);
    while start.elapsed() < time {
        small::echo(client, series.calls()).await;
        series.lap();
    }
    series
}

/// How many MiB went each way in a second. The last body is moved to its end.
async fn move_bodies<R: Row>(mut client: R, body: Bytes, done: Arc<AtomicBool>) -> f64 {
    let start = Instant::now();
    let mut moved = 0;
    while !done.load(Ordering::Relaxed) {
        moved += client.bytes(body.clone()).await;
    }
    moved as f64 / f64::from(1 << 20) / start.elapsed().as_secs_f64()
}
