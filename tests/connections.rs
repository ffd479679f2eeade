//! Many connections at once, and many that come and go: all are served, and nothing is left behind.
#![cfg(unix)]

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::Mutex;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::lab::serve;
use support::{HANG, LabClient, link};

const MANY: usize = 1000;

/// The tests of this file count what the whole process has, so that one runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Whether this process may have that many descriptors, once it has asked for as many as it can get.
fn descriptors_allowed(count: u64) -> bool {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let allowed =
        setrlimit(Resource::Nofile, raised).is_ok() && maximum.is_none_or(|maximum| maximum >= count);
    if !allowed {
        eprintln!("skipped: {count} descriptors are more than this system lets a process have");
    }
    allowed
}

/// How many descriptors this process has, where the system tells.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// What there is when the server has begun and nobody has connected.
async fn settled() -> (usize, usize) {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    (descriptors(), tasks())
}

/// Waits until descriptors and tasks are no more than before.
async fn back_to(before: (usize, usize)) {
    let back = async {
        while descriptors() > before.0 || tasks() > before.1 {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(2 * HANG, back).await;
    let now = (descriptors(), tasks());
    assert!(waited.is_ok(), "{now:?} descriptors and tasks, {before:?} before");
}

fn run(test: impl Future<Output = ()>) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_thousand_connections_at_once_are_served_and_leave_nothing_behind() {
    if !descriptors_allowed(4 * MANY as u64) {
        return;
    }
    run(async {
        let lab = serve("connections-many");
        let before = settled().await;
        let connecting: Vec<_> = (0..MANY)
            .map(|_| {
                let (name, gauge) = (lab.name.clone(), lab.gauge.clone());
                let lab = support::lab::Served { name, gauge };
                tokio::spawn(async move { lab.client().await })
            })
            .collect();
        let mut clients = Vec::new();
        for client in connecting {
            clients.push(client.await.unwrap());
        }
        let calls: Vec<_> = clients
            .iter()
            .enumerate()
            .map(|(number, client)| {
                support::lab::start(client, move |client: LabClient| async move {
                    for call in 0..5 {
                        let text = format!("{number}.{call}");
                        assert_eq!(client.echo(text.clone()).await.unwrap(), text);
                    }
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        drop(clients);
        back_to(before).await;
    });
}

#[test]
fn clients_that_come_and_leave_leave_nothing_behind() {
    if !descriptors_allowed(4096) {
        return;
    }
    run(async {
        let lab = serve("connections-leave");
        let before = settled().await;
        for round in 0..MANY {
            match round % 3 {
                // Without a greeting, with one, and with a call under way.
                0 => drop(link::connect(&lab.name).await),
                1 => drop(lab.channel().await),
                _ => {
                    let client = lab.client().await;
                    assert_eq!(support::drop_at_poll(round % 7, client.hold()).await, None);
                }
            }
        }
        back_to(before).await;
        lab.gauge.until_running(0).await;
        assert_eq!(lab.client().await.echo("served".into()).await.unwrap(), "served");
    });
}
