//! How an end leaves: with a farewell when its calls are over, or at its limit, which cuts what is still open.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::ConnectionError;
use super::outcomes::Outcomes;
use super::shared::Shared;
use super::state::State;
use super::turn::run_again;
use crate::fault::{Fault, Outcome, Reason};
use crate::proto::Abandoned;
use crate::streaming::ItemError;

/// How long the acknowledgement of a farewell is waited for, and how long what was cut may take to leave.
pub(crate) const FAREWELL_LIMIT: Duration = Duration::from_secs(1);

/// How long an end without channels stays once nobody waits for a call of its own.
const UNUSED_LIMIT: Duration = Duration::from_secs(10);

/// Whether an end is to leave, and until when its calls may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Leave {
    #[default]
    No,
    /// No channel is left. What somebody still waits for has no limit; the rest has [`UNUSED_LIMIT`].
    Unused,
    /// At that time the open calls are cut; `None` is never.
    By(Option<Instant>),
}

impl Leave {
    /// The stricter of two wishes: whoever says until when means it, and the first limit holds.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, wish) | (wish, Self::No) => wish,
            (Self::By(Some(first)), Self::By(Some(second))) => Self::By(Some(first.min(second))),
            (limit @ Self::By(Some(_)), _) | (_, limit @ Self::By(Some(_))) => limit,
            (Self::By(None), _) | (_, Self::By(None)) => Self::By(None),
            (Self::Unused, Self::Unused) => Self::Unused,
        }
    }
}

/// What the driver knows of this end's leaving.
pub(super) struct Leaving {
    serves: bool,
    /// As the driver's run found it.
    leave: Leave,
    /// When the open calls are cut.
    limit: Option<(Instant, Pin<Box<Sleep>>)>,
    farewell: Option<Pin<Box<Sleep>>>,
    /// The peer has acknowledged the farewell, and sends nothing any more.
    pub(super) acked: bool,
    was_cut: bool,
}

impl Leaving {
    /// Of an end that serves, or does not.
    pub(super) fn new(serves: bool) -> Self {
        Self {
            serves,
            leave: Leave::No,
            limit: None,
            farewell: None,
            acked: false,
            was_cut: false,
        }
    }

    /// Takes note of whether this end is to leave.
    pub(super) fn note(&mut self, state: &State) {
        self.leave = state.leave;
    }

    /// Whether this end is to leave.
    pub(super) fn is_wanted(&self) -> bool {
        self.leave != Leave::No
    }

    /// Cuts the open calls if it is time to, and has them leave.
    #[inline]
    pub(super) fn poll_limit(&mut self, cx: &mut Context<'_>, shared: &Shared, outcomes: &mut Outcomes) {
        if self.farewell.is_some() {
            return;
        }
        let state = shared.lock();
        let limit = state.limit(self.limit.is_some());
        drop(state);
        if let Some(limit) = limit.filter(|limit| self.limit.as_ref().is_none_or(|(known, _)| limit < known))
        {
            self.limit = Some((limit, Box::pin(sleep_until(limit))));
        }
        let Some((_, limit)) = &mut self.limit else {
            return;
        };
        if limit.as_mut().poll(cx).is_pending() {
            return;
        }
        self.was_cut = true;
        shared.lock().cut(outcomes);
        outcomes.carry_out();
        self.farewell = Some(Box::pin(sleep(FAREWELL_LIMIT)));
        run_again(cx);
    }

    /// Says farewell once `is_over`; ready when it is acknowledged and what came before that is answered, or when it has
    /// taken too long.
    #[inline]
    pub(super) fn poll_farewell(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Shared,
        is_over: bool,
    ) -> Poll<ConnectionError> {
        if self.farewell.is_none() {
            if !is_over {
                return Poll::Pending;
            }
            let mut state = shared.lock();
            if !state.is_over() {
                // Another thread's handler has called in the meantime; the end of that call wakes this task.
                return Poll::Pending;
            }
            state.proto.say_farewell();
            drop(shared.transmit(state, cx));
            self.farewell = Some(Box::pin(sleep(FAREWELL_LIMIT)));
        }
        if self.is_heard(cx, shared) && shared.lock().has_sent_all() {
            return Poll::Ready(self.in_good_order());
        }
        let Some(limit) = &mut self.farewell else {
            return Poll::Pending;
        };
        let unheard = if self.was_cut {
            ConnectionError::DrainDeadline
        } else {
            ConnectionError::Unacknowledged
        };
        limit.as_mut().poll(cx).map(|()| unheard)
    }

    /// Whether the farewell was acknowledged, or has left an end where nobody asks for that: nobody there is to be told,
    /// and the other end has nothing to call. Most clients go that way, and need neither wait for a packet nor a timer.
    fn is_heard(&self, cx: &mut Context<'_>, shared: &Shared) -> bool {
        let nobody_asks = self.leave == Leave::Unused && !self.serves && !self.was_cut;
        self.acked || (nobody_asks && shared.sender.poll_flush(cx).is_ready())
    }

    /// Why the connection ends whose farewell was acknowledged.
    pub(super) fn in_good_order(&self) -> ConnectionError {
        if self.was_cut {
            return ConnectionError::DrainDeadline;
        }
        ConnectionError::Closed
    }
}

impl State {
    /// Whether this end wants to leave and no call keeps it.
    pub(super) fn is_over(&self) -> bool {
        self.is_leaving() && self.is_idle()
    }

    /// Whether no call is open in either direction.
    pub(super) fn is_idle(&self) -> bool {
        let calls = self.proto.outgoing_open() + self.proto.incoming_open();
        calls == 0 && self.flushing.is_empty()
    }

    /// Whether this end makes no more calls of depth 0.
    #[inline]
    pub(super) fn is_leaving(&self) -> bool {
        self.leave != Leave::No
    }

    /// This end is to leave; the driver sees to it.
    pub(super) fn leave(&mut self, how: Leave) {
        self.leave = self.leave.or(how);
        self.notify_driver();
    }

    /// Wakes the driver of an end that leaves, or is going to: somebody waits no more.
    #[inline]
    pub(super) fn notify_if_leaving(&mut self) {
        if self.is_leaving() || self.proto.is_draining() {
            self.notify_driver();
        }
    }

    /// When the open calls are cut, as far as that is known; one that is unused is told once.
    fn limit(&self, is_known: bool) -> Option<Instant> {
        match self.leave {
            Leave::No => None,
            Leave::By(limit) => limit,
            Leave::Unused if is_known || self.is_waited_for() => None,
            Leave::Unused => Some(Instant::now() + UNUSED_LIMIT),
        }
    }

    /// Whether somebody waits for a call of this end's, or reads its stream.
    fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty() || self.streams.read_by_this_end().next().is_some()
    }

    /// Ends every call that is still open, with a fault that says why, and has the farewell follow. What has been answered
    /// still leaves, and handlers that finish run on.
    fn cut(&mut self, outcomes: &mut Outcomes) {
        outcomes.stop.extend(self.take_handlers());
        let proto = &mut self.proto;
        outcomes.wake.extend(self.waiting.end_all(|call| {
            let unsent = proto.abandon(call) == Abandoned::Withdrawn;
            cut_off(if unsent {
                Outcome::NotSent
            } else {
                Outcome::MayHaveRun
            })
        }));
        for call in self.streams.read_by_this_end() {
            self.proto.abandon(call);
        }
        let lost = || ItemError::Fault(cut_off(Outcome::MayHaveRun));
        outcomes.wake.extend(self.streams.end_all(lost));
        let flushing = self.flushing.drain(..);
        outcomes.wake.extend(flushing.map(|flushing| flushing.waker));
        for call in self.proto.cut() {
            self.end_call_of_peer(call, &mut outcomes.wake);
        }
        self.drain_events(outcomes);
    }
}

fn cut_off(outcome: Outcome) -> Fault {
    Fault::new(outcome, Reason::Draining).with_detail("this end had to leave: its drain deadline passed")
}
