//! One direction of a pipe: its one operation, wherever that is.
//!
//! ```text
//!   Idle ── submit, pending ──▶ Pending ── on the engine's thread ──▶ Completed
//!    │ ▲ └─ submit, over at once ───────────────────────────────────────▲ │
//!    │ └──────────────────────── take_outcome ────────────────────────────┘
//! ```

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::engine;
use super::fate::Fate;
use super::file_unsafe::File;
use super::operation_unsafe::{Operation, OperationId, Outcome, Submitted, Target};

/// How long a recall waits for the system to give an operation back. It takes microseconds.
const LONGEST_RECALL: Duration = Duration::from_secs(1);

/// One direction of a pipe. Its lock is held while an operation is submitted, so that whoever closes knows that none
/// follows.
pub(super) struct Slot(Mutex<State>);

pub(super) struct State {
    /// The file as long as operations may be started on it.
    file: Result<Arc<File>, Fate>,
    stage: Stage,
    waker: Option<Waker>,
}

enum Stage {
    Idle(Operation),
    Pending(OperationId),
    Completed(Operation, Outcome),
    /// While the operation is taken out of one stage and put into another.
    Moving,
}

/// What can be done with a slot whose outcomes were taken.
pub(super) enum Turn<'a> {
    /// The operation may be started.
    Idle(Idle<'a>),
    /// It is under way.
    Pending,
    /// None is started any more.
    Over(Fate),
}

/// A slot whose operation may be started.
pub(super) struct Idle<'a> {
    file: &'a Arc<File>,
    stage: &'a mut Stage,
}

impl Slot {
    pub(super) fn new(file: Arc<File>, buffer: Buffer) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            file: Ok(file),
            stage: Stage::Idle(Operation::new(buffer)),
            waker: None,
        })))
    }

    /// Closes this direction at once: no operation follows, and one under way is given up.
    pub(super) fn abort(&self) {
        let mut state = self.lock();
        if let (Ok(file), Stage::Pending(id)) = (&state.file, &state.stage) {
            // The completion needs the lock, so the operation is still this one; it wakes who waits.
            file.cancel(*id);
        }
        state.end(Fate::Closed);
    }

    /// Closes this direction: no operation follows, and one under way has [`engine::LINGER`] to end.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        if let (Ok(file), Stage::Pending(_)) = (&state.file, &state.stage) {
            engine::linger(Arc::downgrade(file));
        }
        state.end(Fate::Closed);
    }

    /// Takes the file out, so that no operation follows, once the one under way, which is given up, has come back.
    ///
    /// # Errors
    /// If this direction is closed, or the operation does not come back.
    pub(super) fn recall(&self) -> io::Result<Arc<File>> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let begun = Instant::now();
        loop {
            let mut state = self.lock();
            let file = state.file.clone().map_err(Fate::error)?;
            let Stage::Pending(id) = state.stage else {
                state.end(Fate::Closed);
                return Ok(file);
            };
            file.cancel(id);
            state.wait(&waker);
            drop(state);
            if begun.elapsed() > LONGEST_RECALL {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::park_timeout(LONGEST_RECALL);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What came of the operation, once, and its buffer.
    pub(super) fn take_outcome(&mut self) -> Option<(Outcome, &mut Buffer)> {
        let (operation, outcome) = match std::mem::replace(&mut self.stage, Stage::Moving) {
            Stage::Completed(operation, outcome) => (operation, outcome),
            other => {
                self.stage = other;
                return None;
            }
        };
        self.stage = Stage::Idle(operation);
        match &mut self.stage {
            Stage::Idle(operation) => Some((outcome, operation.buffer())),
            _ => None,
        }
    }

    /// What can be done now.
    pub(super) fn turn(&mut self) -> Turn<'_> {
        match (&self.file, &mut self.stage) {
            (_, Stage::Pending(_)) => Turn::Pending,
            (Ok(file), stage) => Turn::Idle(Idle { file, stage }),
            (Err(fate), _) => Turn::Over(*fate),
        }
    }

    /// Remembers whom the completion is to wake; the last one is woken.
    pub(super) fn wait(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Lets no operation be started any more. The first fate stays.
    pub(super) fn end(&mut self, fate: Fate) {
        if self.file.is_ok() {
            self.file = Err(fate);
        }
    }
}

impl Idle<'_> {
    /// Starts the operation on behalf of `slot`, whose lock the caller holds.
    pub(super) fn submit(
        self,
        slot: Arc<Slot>,
        start: impl FnOnce(Operation, &Arc<File>, Arc<dyn Target>) -> Submitted,
    ) {
        let operation = match std::mem::replace(self.stage, Stage::Moving) {
            Stage::Idle(operation) | Stage::Completed(operation, _) => operation,
            Stage::Pending(_) | Stage::Moving => unreachable!("`turn` gives no `Idle` for these"),
        };
        *self.stage = match start(operation, self.file, slot) {
            Submitted::Now(operation, outcome) => Stage::Completed(operation, outcome),
            // The completion may be here already, waiting for the lock.
            Submitted::Pending(id) => Stage::Pending(id),
        };
    }
}

/// Wakes a thread that waits without a runtime.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Target for Slot {
    fn complete(self: Arc<Self>, operation: Operation, outcome: Outcome) {
        let waker = {
            let mut state = self.lock();
            state.stage = Stage::Completed(operation, outcome);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}
