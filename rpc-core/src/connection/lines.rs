//! What a call waits for before it may run: its turn in an ordered service, and a place among those that may run.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ordered::{Turn, Turns, Waiting};
use crate::fault::{Fault, Outcome, Reason};
use crate::proto::IncomingCall;

/// What a call holds while it runs.
#[derive(Default)]
pub(super) struct Held {
    /// A place among those that may run.
    _place: Option<OwnedSemaphorePermit>,
    /// The turn of its ordered service.
    turn: Option<OwnedSemaphorePermit>,
}

/// What a call still waits for.
pub(super) struct Lines {
    /// Its turn, if its service is ordered and others are before it.
    waiting: Option<Waiting>,
    turn: Option<OwnedSemaphorePermit>,
    /// A place among those that may run.
    places: Option<Arc<Semaphore>>,
}

impl Held {
    /// Takes what the call needs, or its place in the lines for that; `turns` for a call of an ordered service. A nested
    /// call needs no place among those that may run.
    #[inline]
    pub(super) fn take(
        turns: Option<&mut Turns>,
        places: Option<&Arc<Semaphore>>,
        call: &IncomingCall,
    ) -> Result<Self, Lines> {
        let places = places.filter(|_| call.head.depth == 0);
        let turn = match turns.map(|turns| turns.take(call.id, call.head.service)) {
            Some(Turn::Later(waiting)) => {
                return Err(Lines {
                    waiting: Some(waiting),
                    turn: None,
                    places: places.cloned(),
                });
            }
            Some(Turn::Now(turn)) => Some(turn),
            None => None,
        };
        let Some(places) = places else {
            return Ok(Self { _place: None, turn });
        };
        match Arc::clone(places).try_acquire_owned() {
            Ok(place) => Ok(Self {
                _place: Some(place),
                turn,
            }),
            Err(_) => Err(Lines {
                waiting: None,
                turn,
                places: Some(Arc::clone(places)),
            }),
        }
    }

    /// Leaves its place to others while the stack is not ready, and waits for one again after.
    pub(super) fn give_place_back(self, places: Option<&Arc<Semaphore>>) -> Lines {
        Lines {
            waiting: None,
            turn: self.turn,
            places: places.cloned(),
        }
    }
}

impl Lines {
    pub(super) async fn wait(self) -> Held {
        let turn = match self.waiting {
            Some(waiting) => waiting.await,
            None => self.turn,
        };
        let place = match self.places {
            Some(places) => places.acquire_owned().await.ok(),
            None => None,
        };
        Held { _place: place, turn }
    }
}

/// A nested call never waits: the one before it may be the one that made it.
pub(super) fn not_its_turn() -> Fault {
    let text = "calls of an ordered service run one after the other, and a nested call does not wait for its turn: \
                the call before it may be the one that made it";
    Fault::new(Outcome::Refused, Reason::Overloaded { retry_after: None }).with_detail(text)
}
