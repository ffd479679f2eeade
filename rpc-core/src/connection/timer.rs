//! The one timer of a connection, for the first of all its deadlines.

use std::pin::Pin;
use std::task::Context;

use tokio::time::{Instant, Sleep, sleep_until};

use super::outcomes::Outcomes;
use super::shared::Shared;

/// Fires at the first deadline of a connection, if it has any.
#[derive(Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Fires at that time in place of the one before, or not at all.
    pub(super) fn set(&mut self, time: Option<std::time::Instant>) {
        self.0 = time.map(|time| Box::pin(sleep_until(Instant::from_std(time))));
    }

    /// Ends the calls whose deadline has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, shared: &Shared, outcomes: &mut Outcomes) {
        while let Some(sleep) = &mut self.0 {
            if sleep.as_mut().poll(cx).is_pending() {
                return;
            }
            let mut state = shared.lock();
            state.proto.handle_timeout(Instant::now().into_std());
            state.armed = state.proto.next_timeout();
            self.set(state.armed);
            state.drain_events(outcomes);
            drop(state);
            outcomes.carry_out();
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}
