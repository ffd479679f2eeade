//! Credit in bytes: for request bodies larger than a packet, and for the items of a stream. PROTOCOL.md section 9.

/// Bytes granted and bytes charged, as totals since the connection began. Only this type adds and subtracts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    granted: u64,
    charged: u64,
}

impl Window {
    pub(super) fn new(initial: u64) -> Self {
        Self {
            granted: initial,
            charged: 0,
        }
    }

    /// Charges a body, unless nothing is left. The last body may go beyond what is left.
    pub(super) fn charge(&mut self, total: u64) -> bool {
        if !self.is_open() {
            return false;
        }
        self.charged = self.charged.saturating_add(total);
        true
    }

    /// Undoes the charge of a body that never left.
    pub(super) fn take_back(&mut self, total: u64) {
        self.charged = self.charged.saturating_sub(total);
    }

    /// Returns what a body was charged; the new total granted is told to the peer.
    pub(super) fn give_back(&mut self, total: u64) {
        self.granted = self.granted.saturating_add(total);
    }

    /// The peer told its total. Totals only grow, so a late one changes nothing.
    pub(super) fn raise(&mut self, granted: u64) {
        self.granted = self.granted.max(granted);
    }

    /// How much of what was granted is not charged.
    pub(super) fn left(self) -> u64 {
        self.granted.saturating_sub(self.charged)
    }

    pub(super) fn is_open(self) -> bool {
        self.charged < self.granted
    }

    pub(super) fn granted(self) -> u64 {
        self.granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_body_may_go_beyond_and_then_nothing_until_credit_returns() {
        let mut window = Window::new(10);
        assert!(window.charge(100));
        assert!(!window.charge(1));
        window.raise(100);
        assert!(!window.is_open());
        window.raise(101);
        assert!(window.charge(1));
        window.raise(50);
        assert_eq!(window.granted(), 101);
    }

    #[test]
    fn totals_out_of_this_world_stop_at_the_largest_number() {
        let mut window = Window::new(10);
        assert!(window.charge(u64::MAX));
        window.give_back(u64::MAX);
        assert_eq!(window.granted(), u64::MAX);
        assert!(!window.charge(1), "all that can be counted is charged");
        window.take_back(u64::MAX);
        assert!(window.charge(u64::MAX));
    }
}
