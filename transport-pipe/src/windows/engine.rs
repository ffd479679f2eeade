//! The process' one completion port and the thread that serves it, from the first pipe to the end of the process.
//!
//! Not part of any runtime: pipes outlive the runtime they were made in, and their operations must come back.

use std::collections::HashSet;
use std::io;
use std::os::windows::io::OwnedHandle;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::file_unsafe::File;
use super::port_unsafe::Port;

/// How long a pipe that was dropped with a packet still under way stays open for its peer to take it.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// Makes operations on the file complete on the engine's thread.
pub(super) fn attach(file: &OwnedHandle) -> io::Result<Key> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let key = Key(NEXT.fetch_add(1, Relaxed));
    engine()?.port.attach(file, key.0)?;
    Ok(key)
}

/// Ignores what completes on this file from now on: it is somebody else's, who keeps other records of operations than
/// ours. The system lets no file leave its port.
pub(super) fn let_go(key: Key) {
    if let Some(engine) = ENGINE.get() {
        lock(&engine.let_go).insert(key.0);
        engine.any_let_go.store(true, Release);
    }
}

/// What completions on a file are known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(usize);

/// Gives up what is under way on this file, unless it has ended within [`LINGER`].
pub(super) fn linger(file: Weak<File>) {
    let Some(engine) = ENGINE.get() else { return };
    let give_up = {
        // Under the lock, which keeps the list in order.
        let mut lingering = lock(&engine.lingering);
        let give_up = Instant::now() + LINGER;
        lingering.push((give_up, file));
        give_up
    };
    if engine.port.wake().is_err() {
        // The thread would not learn of it, and nothing else would ever close the pipe.
        engine.end_lingering(give_up);
    }
}

struct Engine {
    port: Port,
    /// In the order of their times.
    lingering: Mutex<Vec<(Instant, Weak<File>)>>,
    let_go: Mutex<HashSet<usize>>,
    /// Spares the thread a lock in programs that never hand a pipe over, which is most.
    any_let_go: AtomicBool,
}

static ENGINE: OnceLock<Engine> = OnceLock::new();

fn engine() -> io::Result<&'static Engine> {
    static START: Mutex<()> = Mutex::new(());
    if let Some(engine) = ENGINE.get() {
        return Ok(engine);
    }
    let _one_at_a_time = lock(&START);
    if let Some(engine) = ENGINE.get() {
        return Ok(engine);
    }
    let port = Port::new()?;
    let (ready, go) = std::sync::mpsc::channel::<&'static Engine>();
    let run = move || go.iter().for_each(Engine::run);
    thread::Builder::new().name("pipe-rpc-io".to_owned()).spawn(run)?;
    let engine = ENGINE.get_or_init(|| Engine {
        port,
        lingering: Mutex::default(),
        let_go: Mutex::default(),
        any_let_go: AtomicBool::new(false),
    });
    ready
        .send(engine)
        .expect("the thread was started and waits for this");
    Ok(engine)
}

impl Engine {
    fn run(&self) {
        loop {
            let timeout = self.end_lingering(Instant::now());
            if let Err(error) = self.port.run_once(timeout, |key| self.is_ours(key)) {
                // Nothing is known to cause it; if the system is out of something, it needs time.
                tracing::error!(%error, "the completion port could not be read");
                thread::sleep(Duration::from_millis(50));
            }
        }
    }

    fn is_ours(&self, key: usize) -> bool {
        !self.any_let_go.load(Acquire) || !lock(&self.let_go).contains(&key)
    }

    /// Gives up what has lingered long enough, and says how long the next may.
    fn end_lingering(&self, now: Instant) -> Option<Duration> {
        let mut lingering = lock(&self.lingering);
        lingering.retain(|(_, file)| file.strong_count() > 0);
        let over = lingering.partition_point(|(give_up, _)| *give_up <= now);
        let over: Vec<_> = lingering.drain(..over).collect();
        let next = lingering
            .first()
            .map(|(give_up, _)| give_up.saturating_duration_since(now));
        drop(lingering);
        over.iter()
            .filter_map(|(_, file)| file.upgrade())
            .for_each(|file| file.cancel_all());
        next
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
