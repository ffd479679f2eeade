//! Whether a method was entered, for good.

use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const ENTERED: u8 = 1;
const SHUT: u8 = 2;

/// What a call passes when its method is entered. A layer that fails the call shuts it; whichever comes first holds, so
/// that "it did not run" stays true even if the request lies in some layer's queue.
#[derive(Debug, Default)]
pub(super) struct Gate(AtomicU8);

impl Gate {
    /// Whether the method may be entered: not after the gate was shut.
    pub(super) fn enter(&self) -> bool {
        self.0
            .compare_exchange(WAITING, ENTERED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
            || self.0.load(Ordering::Acquire) == ENTERED
    }

    /// Whether the method was not entered and never will be.
    pub(super) fn shut(&self) -> bool {
        self.0
            .compare_exchange(WAITING, SHUT, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
            || self.0.load(Ordering::Acquire) == SHUT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_comes_first_holds() {
        let entered = Gate::default();
        assert!(entered.enter());
        assert!(!entered.shut());
        let shut = Gate::default();
        assert!(shut.shut());
        assert!(!shut.enter());
        assert!(shut.shut());
    }
}
