//! Many connections in one process.

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{run, small, turns};
use crate::figure::Figure;
use crate::job::Call;
use crate::place::Place;
use crate::row::Row;
use crate::system;
use crate::turns::{Told, Turns};
use crate::workload::{CALLS_EACH, CONNECTIONS};

/// Connects, finds out what that costs of memory, and then has all connections called at the same time.
pub(super) fn connect<R: Row>(runtime: Runtime, client: R, job: &Call) -> Turns {
    // What is there once for all connections is there by then.
    let first = run(&runtime, called(client));
    let memory = Memory::now(job.server);
    let clients = run(&runtime, idle::<R>(job.serve.place.clone(), CONNECTIONS));
    let figures = memory.and_then(|before| Some(before.growth(&Memory::now(job.server)?)));
    let mut turns = turns(runtime, (first, clients), calls);
    turns.figures.extend(figures.into_iter().flatten());
    turns
}

/// Connections that were called once: the server has accepted each.
pub(super) async fn idle<R: Row>(place: Place, count: u64) -> Vec<R> {
    let mut clients = Vec::with_capacity(count as usize);
    for _ in 0..count {
        clients.push(called(R::connect(place.clone()).await).await);
    }
    clients
}

async fn called<R: Row>(mut client: R) -> R {
    small::echo(&mut client, 0).await;
    client
}

/// One caller for each connection; the first one stays idle.
async fn calls<R: Row>((first, clients): (R, Vec<R>), calls: u64) -> ((R, Vec<R>), Told) {
    let rounds = calls / (CONNECTIONS * CALLS_EACH);
    let mut callers = JoinSet::new();
    for client in &clients {
        callers.spawn(small::some(client.clone(), rounds * CALLS_EACH));
    }
    callers.join_all().await;
    ((first, clients), Told::default())
}

/// What is resident of both processes.
struct Memory {
    client: u64,
    server: u64,
}

impl Memory {
    /// If the system tells it.
    fn now(server: u32) -> Option<Self> {
        Some(Self {
            client: system::resident_memory(std::process::id())?,
            server: system::resident_memory(server)?,
        })
    }

    /// For each connection that was made since.
    fn growth(&self, after: &Self) -> [Figure; 2] {
        let each = |name, before: u64, after: u64| {
            let bytes = after.saturating_sub(before) as f64 / CONNECTIONS as f64;
            Figure::new(name, bytes / 1024.0, "KiB")
        };
        [
            each("client_memory", self.client, after.client),
            each("server_memory", self.server, after.server),
        ]
    }
}
