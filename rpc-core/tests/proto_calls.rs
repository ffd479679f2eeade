//! Calls between two ends of the protocol: how they end, how they are cancelled, and whose slot is whose.

mod support;

use std::time::Duration;

use pipe_rpc_core::proto::{Abandoned, Answer, FaultRecord, Limits, code, ran};
use pipe_rpc_core::testing::frame;
use support::pair::{LIMITS, Pair, body, nested, oneway, refusal};

#[test]
fn a_call_ends_as_it_was_answered() {
    let answers = [
        (Answer::Succeeded(body(3)), "call 0.1 succeeded with 3 bytes"),
        (Answer::Failed(body(4)), "call 0.1 failed with 4 bytes"),
        (
            Answer::Faulted(FaultRecord {
                code: code::PANICKED,
                outcome: ran::RAN,
                ..FaultRecord::default()
            }),
            "call 0.1 faulted: code 11, outcome 3",
        ),
        (
            refusal(code::UNKNOWN_METHOD),
            "call 0.1 faulted: code 6, outcome 1",
        ),
    ];
    for (answer, ending) in answers {
        let mut pair = Pair::new();
        pair.client.call(5);
        pair.settle();
        let call = pair.server.incoming();
        assert_eq!(call.body.as_ref(), body(5).as_ref());
        assert!(pair.server.proto.answer(call.id, answer));
        pair.settle();
        assert_eq!(pair.client.news(), [ending, "call 0.1 is free"]);
        assert_eq!(
            (
                pair.client.proto.outgoing_open(),
                pair.server.proto.incoming_open()
            ),
            (0, 0)
        );
    }
}

#[test]
fn a_refusal_says_that_the_call_did_not_run_whatever_its_record_says() {
    let mut pair = Pair::new();
    pair.client.call(5);
    pair.settle();
    let record = FaultRecord {
        code: code::LAYER,
        outcome: ran::RAN,
        ..FaultRecord::default()
    };
    let call = pair.server.incoming().id;
    pair.server.proto.answer(call, Answer::Refused(record));
    pair.settle();
    assert_eq!(pair.client.news()[0], "call 0.1 faulted: code 13, outcome 1");
}

#[test]
fn a_second_answer_is_none() {
    let mut pair = Pair::new();
    pair.client.call(5);
    pair.settle();
    let call = pair.server.incoming().id;
    assert!(pair.server.succeed(call, 1));
    assert!(!pair.server.succeed(call, 2));
    pair.settle();
    assert!(!pair.server.succeed(call, 3));
    pair.server.proto.answer_interrupted(call);
    pair.settle();
    assert_eq!(
        pair.client.news(),
        ["call 0.1 succeeded with 1 bytes", "call 0.1 is free"]
    );
}

#[test]
fn either_end_may_call_the_other_at_the_same_time() {
    let mut pair = Pair::new();
    pair.client.call(1);
    pair.server.call(2);
    pair.settle();
    assert_eq!(pair.server.news(), ["call 0.1 came with 1 bytes"]);
    let call = pair.client.incoming();
    assert_eq!(call.body.len(), 2);
    pair.client.succeed(call.id, 3);
    pair.settle();
    assert_eq!(
        pair.server.news(),
        ["call 0.1 succeeded with 3 bytes", "call 0.1 is free"]
    );
    assert_eq!(pair.client.proto.outgoing_open(), 1, "the client's own goes on");
}

#[test]
fn one_done_ends_many_oneway_calls() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.client.call_with(oneway(), 1).unwrap();
    }
    pair.settle();
    for _ in 0..3 {
        let call = pair.server.incoming();
        assert!(call.head.oneway);
        pair.server.succeed(call.id, 100);
    }
    let packet = pair.server.take().unwrap();
    assert_eq!(frame::told(&packet), ["done 0.1 1.1 2.1"]);
    pair.client.take_in(&packet);
    assert_eq!(
        pair.client.news(),
        [
            "call 0.1 is done",
            "call 0.1 is free",
            "call 1.1 is done",
            "call 1.1 is free",
            "call 2.1 is done",
            "call 2.1 is free",
        ]
    );
}

#[test]
fn a_refused_oneway_call_says_so() {
    let mut pair = Pair::new();
    pair.client.call_with(oneway(), 1).unwrap();
    pair.settle();
    let call = pair.server.incoming().id;
    pair.server.proto.answer(call, refusal(code::UNKNOWN_SERVICE));
    pair.settle();
    assert_eq!(pair.client.news()[0], "call 0.1 faulted: code 5, outcome 1");
}

#[test]
fn done_is_no_ending_of_a_call_whose_result_is_waited_for() {
    let mut pair = Pair::new();
    pair.client.call(1);
    pair.settle();
    let error = pair.client.hear_frame(&frame::done((0, 1))).unwrap_err();
    assert_eq!(error.to_string(), "call 0.1 was ended without a result");
}

#[test]
fn a_large_body_that_waits_is_taken_back_without_a_trace() {
    let mut pair = Pair::new();
    let call = pair.client.call(20_000);
    assert_eq!(pair.client.abandon(call), Abandoned::Withdrawn);
    assert_eq!(pair.client.news(), ["call 0.1 is free"]);
    assert_eq!(pair.client.take(), None);
    // The window is whole again, and the slot's next call has the number that was taken back.
    pair.client.call(20_000);
    assert_eq!(pair.client.sends(), ["request 0.1 more"]);
}

#[test]
fn a_half_sent_body_ends_by_cancel_and_the_slot_by_its_answer() {
    let mut pair = Pair::new();
    let call = pair.client.call(20_000);
    pair.forth();
    assert_eq!(pair.client.abandon(call), Abandoned::Told);
    assert_eq!(pair.client.sends(), ["cancel 0.1"]);
    assert_eq!(pair.client.take(), None, "nothing more of the body");
    pair.server.hear_frame(&frame::cancel((0, 1))).unwrap();
    assert_eq!(pair.server.news(), [""; 0], "it never ran");
    pair.settle();
    assert_eq!(
        pair.client.news(),
        ["call 0.1 is free"],
        "and nobody waits for its ending"
    );
}

#[test]
fn a_sent_call_is_cancelled_and_its_slot_is_free_when_the_callee_says_so() {
    let mut pair = Pair::new();
    let call = pair.client.call(5);
    pair.settle();
    pair.client.abandon(call);
    assert_eq!(pair.client.abandon(call), Abandoned::Over, "once");
    pair.settle();
    assert_eq!(
        pair.server.news(),
        ["call 0.1 came with 5 bytes", "call 0.1 is to stop"]
    );
    assert_eq!(pair.client.news(), [""; 0]);
    pair.server.proto.answer_interrupted(call);
    pair.settle();
    assert_eq!(pair.client.news(), ["call 0.1 is free"]);
}

#[test]
fn a_cancelled_call_that_succeeds_all_the_same_is_done_in_few_bytes() {
    let mut pair = Pair::new();
    let call = pair.client.call(5);
    pair.settle();
    pair.client.abandon(call);
    pair.settle();
    pair.server.succeed(call, 100_000);
    assert_eq!(pair.server.sends(), ["done 0.1"]);
}

#[test]
fn cancel_and_answer_may_cross() {
    for size in [5, 20_000] {
        let mut pair = Pair::new();
        let call = pair.client.call(5);
        pair.settle();
        pair.server.succeed(call, size);
        pair.client.abandon(call);
        pair.settle();
        assert_eq!(pair.client.news(), ["call 0.1 is free"], "{size} bytes");
        assert_eq!(pair.server.proto.incoming_open(), 0);
        pair.client.call(6);
        pair.settle();
        assert_eq!(pair.server.news().last().unwrap(), "call 0.2 came with 6 bytes");
    }
}

#[test]
fn a_large_request_does_not_overtake_the_cancel_of_its_slots_last_call() {
    let mut pair = Pair::new();
    let call = pair.client.call(5);
    pair.forth();
    pair.server.succeed(call, 1);
    pair.client.abandon(call);
    pair.back();
    pair.client.call(9000);
    assert_eq!(pair.client.sends(), ["cancel 0.1"]);
    assert_eq!(pair.client.sends(), ["request 0.2 more"]);
}

#[test]
fn cancel_takes_the_rest_of_a_large_response_back() {
    let mut pair = Pair::new();
    let call = pair.client.call(5);
    pair.settle();
    pair.server.succeed(call, 100_000);
    pair.back();
    pair.client.abandon(call);
    pair.forth();
    assert_eq!(pair.server.sends(), ["done 0.1"]);
    assert_eq!(pair.server.take(), None);
}

#[test]
fn a_slot_is_used_again_with_the_next_generation_and_only_after_its_answer_has_left() {
    let mut pair = Pair::with(Limits {
        max_calls: 1,
        ..LIMITS
    });
    for generation in 1..=5 {
        let call = pair.client.call(1);
        assert_eq!(call.to_string(), format!("call 0.{generation}"));
        assert!(
            pair.client.call_with(support::pair::head(), 1).is_none(),
            "no credit"
        );
        pair.settle();
        pair.server.succeed(call, 1);
        pair.settle();
    }
    let call = pair.client.call(1);
    pair.settle();
    pair.server.succeed(call, 1);
    let early = frame::request((0, 7), b"early");
    let error = pair.server.hear_frame(&early).unwrap_err();
    assert_eq!(error.to_string(), "call 0.7 was used out of turn");
}

#[test]
fn late_frames_of_a_finished_call_are_ignored() {
    let mut pair = Pair::new();
    let call = pair.client.call(1);
    pair.settle();
    pair.server.succeed(call, 1);
    pair.settle();
    pair.client.news();
    for late in [
        frame::response((0, 1), b"late"),
        frame::refused((0, 1)),
        frame::done((0, 1)),
        frame::response_part((0, 1), true, b"late"),
    ] {
        assert_eq!(pair.client.hear_frame(&late), Ok(()), "{late}");
        assert_eq!(pair.client.news(), [""; 0]);
    }
    assert_eq!(pair.server.hear_frame(&frame::cancel((0, 1))), Ok(()));
}

#[test]
fn nested_calls_have_credit_of_their_own() {
    let mut pair = Pair::new();
    for _ in 0..LIMITS.max_calls {
        pair.client.call(1);
    }
    assert!(pair.client.call_with(support::pair::head(), 1).is_none());
    let first = pair.client.call_with(nested(), 1).unwrap();
    assert_eq!(first.to_string(), "call 4.1");
    assert!(pair.client.proto.is_nested(first));
    pair.client.call_with(nested(), 1).unwrap();
    assert!(pair.client.call_with(nested(), 1).is_none());
    pair.settle();
    assert_eq!(pair.server.news().len(), 6);
    pair.server.succeed(first, 1);
    pair.settle();
    assert!(
        pair.client.call_with(support::pair::head(), 1).is_none(),
        "credit is not lent"
    );
    assert!(pair.client.call_with(nested(), 1).is_some());
}

#[test]
fn a_call_that_the_handler_left_without_an_end_says_whether_it_began() {
    let mut pair = Pair::new();
    let begun = pair.client.call(1);
    let waiting = pair.client.call(1);
    pair.settle();
    pair.server.proto.begin(begun);
    pair.server.proto.answer_interrupted(begun);
    pair.server.proto.answer_interrupted(waiting);
    pair.settle();
    let news = pair.client.news();
    assert_eq!(news[0], "call 0.1 faulted: code 3, outcome 2");
    assert_eq!(news[2], "call 1.1 faulted: code 3, outcome 1");
}

#[test]
fn a_deadline_travels_as_the_time_that_is_left_when_the_packet_leaves() {
    let mut pair = Pair::new();
    pair.client.call_within(Duration::from_millis(10), 1);
    pair.client.pass(Duration::from_millis(4));
    pair.forth();
    let deadline = pair.server.incoming().head.deadline.unwrap();
    assert_eq!(deadline - pair.server.now(), Duration::from_millis(6));
}
