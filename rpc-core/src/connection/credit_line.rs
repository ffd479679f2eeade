//! Who may make the next calls of depth 0: the credit for them, and the line of those who wait for it.
//!
//! It is counted under the connection's lock, which every call takes anyway. A semaphore beside it has a lock of its own, and
//! was a hundred instructions of each call.

use std::collections::VecDeque;
use std::task::{Poll, Waker};

/// A caller's place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u64);

/// The credit for calls of depth 0, and the line for it. First come, first served.
pub(super) struct CreditLine {
    /// The slots that are free and nobody has reserved. None while somebody waits.
    free: usize,
    /// In the order in which they came. Who is not in it any more has credit for one call.
    waiting: VecDeque<(Place, Waker)>,
    next: Place,
    /// The connection takes no more calls.
    closed: bool,
}

impl CreditLine {
    pub(super) fn new(credit: u32) -> Self {
        Self {
            free: credit as usize,
            waiting: VecDeque::new(),
            next: Place(0),
            closed: false,
        }
    }

    /// Takes the credit for one call, if there is some.
    #[inline]
    pub(super) fn take(&mut self) -> bool {
        let taken = self.free > 0 && !self.closed;
        self.free -= usize::from(taken);
        taken
    }

    /// Waits behind those who wait already.
    pub(super) fn join(&mut self, waker: &Waker) -> Place {
        let place = self.next;
        self.next = Place(place.0 + 1);
        self.waiting.push_back((place, waker.clone()));
        place
    }

    /// Ready with whether who stands there has credit for one call now. If not, the connection takes no more calls.
    pub(super) fn poll(&mut self, place: Place, waker: &Waker) -> Poll<bool> {
        let Some(at) = self.position(place) else {
            return Poll::Ready(true);
        };
        if self.closed {
            self.waiting.remove(at);
            return Poll::Ready(false);
        }
        self.waiting[at].1.clone_from(waker);
        Poll::Pending
    }

    /// Who stands there waits no more, whether or not there is credit by now. Whom to wake.
    pub(super) fn leave(&mut self, place: Place) -> Option<Waker> {
        match self.position(place) {
            Some(at) => {
                self.waiting.remove(at);
                None
            }
            None => self.give(),
        }
    }

    /// The credit for one call is back: it is the next one's. Whom to wake.
    #[inline]
    pub(super) fn give(&mut self) -> Option<Waker> {
        if !self.waiting.is_empty() && !self.closed {
            return self.waiting.pop_front().map(|(_, waker)| waker);
        }
        self.free += 1;
        None
    }

    /// The connection takes no more calls. Whom to wake.
    pub(super) fn close(&mut self) -> Vec<Waker> {
        if std::mem::replace(&mut self.closed, true) {
            return Vec::new();
        }
        self.waiting.iter().map(|(_, waker)| waker.clone()).collect()
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many calls may begin now.
    #[cfg(feature = "testing")]
    pub(super) fn free(&self) -> usize {
        self.free
    }

    fn position(&self, place: Place) -> Option<usize> {
        self.waiting
            .binary_search_by_key(&place, |(place, _)| *place)
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(line: &mut CreditLine, place: Place) -> Poll<bool> {
        line.poll(place, Waker::noop())
    }

    #[test]
    fn who_waits_comes_before_who_comes_later() {
        let mut line = CreditLine::new(1);
        assert!(line.take());
        assert!(!line.take());
        let (first, second) = (line.join(Waker::noop()), line.join(Waker::noop()));
        assert!(line.give().is_some());
        assert!(!line.take());
        assert_eq!(poll(&mut line, second), Poll::Pending);
        assert_eq!(poll(&mut line, first), Poll::Ready(true));
        assert!(line.give().is_some());
        assert_eq!(poll(&mut line, second), Poll::Ready(true));
        assert!(line.give().is_none());
        assert!(line.take());
    }

    #[test]
    fn who_leaves_the_line_takes_nothing_along() {
        let mut line = CreditLine::new(0);
        let [first, second, third] = [(); 3].map(|()| line.join(Waker::noop()));
        assert!(line.leave(second).is_none());
        assert!(line.give().is_some());
        // What the first one was given goes to the third.
        assert!(line.leave(first).is_some());
        assert_eq!(poll(&mut line, third), Poll::Ready(true));
        assert!(line.leave(third).is_none());
        assert!(line.take());
    }

    #[test]
    fn a_closed_line_lets_nobody_in_but_who_had_credit() {
        let mut line = CreditLine::new(0);
        let (given, waiting) = (line.join(Waker::noop()), line.join(Waker::noop()));
        assert!(line.give().is_some());
        assert_eq!(line.close().len(), 1);
        assert!(line.close().is_empty());
        assert!(line.give().is_none());
        assert!(!line.take());
        assert_eq!(poll(&mut line, given), Poll::Ready(true));
        assert_eq!(poll(&mut line, waiting), Poll::Ready(false));
    }
}
