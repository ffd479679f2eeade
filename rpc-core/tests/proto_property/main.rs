//! Whatever two honest ends do in whatever order, and wherever their pipe breaks: every call ends once at both ends, no
//! credit is lost or invented, and items arrive in order, all of them before the end.

#![allow(unreachable_pub, reason = "the modules of a test are reached by nobody else")]

mod side;
mod step;
mod streams;
#[path = "../support/mod.rs"]
mod support;

use pipe_rpc_core::proto::Limits;
use proptest::prelude::*;
use side::{SMALL, Side};
use step::{Step, close_step, cut_script, large_step, step};

/// Both ends do the steps.
fn run(limits: Limits, steps: &[(bool, Step)]) -> (Side, Side) {
    let (mut left, mut right) = (Side::with(limits), Side::with(limits));
    for (is_left, step) in steps {
        if *is_left {
            left.act(step, &mut right);
        } else {
            right.act(step, &mut left);
        }
    }
    (left, right)
}

/// Lets everything arrive and be read that is under way.
fn read_all(left: &mut Side, right: &mut Side) {
    let mut rounds = 0;
    while left.read_all(right) | right.read_all(left) {
        rounds += 1;
        assert!(rounds < 1000, "it comes to rest");
    }
}

/// Ends all that is open.
fn finish(left: &mut Side, right: &mut Side) {
    let mut rounds = 0;
    while !(left.is_idle() && right.is_idle()) {
        left.finish(right);
        right.finish(left);
        rounds += 1;
        assert!(rounds < 100, "it comes to rest");
    }
    for side in [left, right] {
        assert!(side.waiting.is_empty() && side.taken.is_empty());
        assert!(side.streams.sending.is_empty() && side.streams.reading.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_call_ends_once_and_all_credit_returns(steps in prop::collection::vec((any::<bool>(), step()), 1..200)) {
        let (mut left, mut right) = run(SMALL, &steps);
        finish(&mut left, &mut right);
        left.assert_window_whole();
        right.assert_window_whole();
    }

    #[test]
    fn all_slots_are_free_at_the_end(steps in prop::collection::vec((any::<bool>(), step()), 1..60)) {
        let (mut left, mut right) = run(SMALL, &steps);
        finish(&mut left, &mut right);
        left.assert_slots_whole();
        right.assert_slots_whole();
    }

    #[test]
    fn what_was_read_comes_back_as_credit_of_its_stream(
        steps in prop::collection::vec((any::<bool>(), step()), 1..100),
    ) {
        let (mut left, mut right) = run(SMALL, &steps);
        read_all(&mut left, &mut right);
        left.streams.check_credit(&mut left.end, &right.streams);
        right.streams.check_credit(&mut right.end, &left.streams);
        finish(&mut left, &mut right);
    }

    #[test]
    fn no_more_large_items_are_under_way_than_the_window_lets(
        window in prop::sample::select(vec![1, 20_000]),
        steps in prop::collection::vec((any::<bool>(), large_step()), 1..300),
    ) {
        // The other end says so when it is not so.
        let (mut left, mut right) = run(Limits { window, ..SMALL }, &steps);
        finish(&mut left, &mut right);
    }

    #[test]
    fn what_a_cut_leaves_behind_is_whole_or_not_there(steps in cut_script()) {
        let (mut left, mut right) = run(SMALL, &steps);
        // What is on the way is still read.
        left.act(&Step::Receive(usize::MAX), &mut right);
        right.act(&Step::Receive(usize::MAX), &mut left);
        left.assert_outcomes(&right);
        right.assert_outcomes(&left);
    }

    #[test]
    fn the_uses_of_a_slot_keep_apart(steps in prop::collection::vec((prop::bool::weighted(0.6), close_step()), 1..300)) {
        let one = Limits { max_calls: 1, max_nested: 0, ..SMALL };
        let calls = |(is_left, step): &(bool, Step)| *is_left || !matches!(step, Step::Call(_));
        let steps: Vec<_> = steps.into_iter().filter(calls).collect();
        let (mut left, mut right) = run(one, &steps);
        finish(&mut left, &mut right);
    }
}
