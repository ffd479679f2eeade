//! Every state of a call and every frame that may meet it, as PROTOCOL.md section 7 has it.
//!
//! `-` is ignored, `error` ends the connection, anything else is what comes of it.

mod support;

use std::time::Duration;

use pipe_rpc_core::testing::frame::{
    Frame, cancel, done, large_request, large_response, refused, request, request_part, response,
    response_part,
};
use support::pair::{End, oneway};
use support::table::{check, end, heard};

const FIRST: (u32, u32) = (0, 1);
const SECOND: (u32, u32) = (0, 2);

fn running() -> (End, pipe_rpc_core::proto::CallId) {
    let mut end = heard(&[request(FIRST, b"args")]);
    let call = end.incoming().id;
    (end, call)
}

fn answered(size: usize) -> End {
    let (mut end, call) = running();
    end.succeed(call, size);
    end
}

#[test]
fn the_callees_states() {
    let frames = [
        request(FIRST, b"x"),
        request(SECOND, b"x"),
        large_request(SECOND, 10, b"x"),
        request_part(FIRST, true, b"x"),
        request_part(FIRST, false, b"123456789"),
        cancel(FIRST),
        cancel(SECOND),
    ];
    let begun = || heard(&[large_request(FIRST, 10, b"0")]);
    let nothing = |mut end: End| {
        end.news();
        end
    };
    let credit = |bytes: u64| format!("credit {}", (1 << 20) + bytes);

    #[rustfmt::skip]
    check("never used", end, &frames, &[
        "call 0.1 came with 1 bytes", "error", "error", "error", "error", "error", "error",
    ]);
    #[rustfmt::skip]
    check("receiving", begun, &frames, &[
        "error", "error", "error", "-", "call 0.1 came with 10 bytes", &format!("done 0.1, {}", credit(10)), "error",
    ]);
    #[rustfmt::skip]
    check("running", || running().0, &frames, &[
        "error", "error", "error", "error", "error", "call 0.1 is to stop", "error",
    ]);
    let interrupted = || {
        let (mut end, _) = running();
        end.hear_frame(&cancel(FIRST)).unwrap();
        nothing(end)
    };
    #[rustfmt::skip]
    check("running, interrupted", interrupted, &frames, &[
        "error", "error", "error", "error", "error", "-", "error",
    ]);
    #[rustfmt::skip]
    check("answered, queued", || answered(1), &frames, &[
        "error", "error", "error", "error", "error", "-", "error",
    ]);
    let closed = || {
        let mut end = answered(1);
        end.frames();
        end
    };
    #[rustfmt::skip]
    check("closed", closed, &frames, &[
        "error", "call 0.2 came with 1 bytes", "-", "error", "error", "-", "error",
    ]);
    let late = || {
        let mut begun = large_request(FIRST, 10, b"0");
        begun.head[16..24].copy_from_slice(&1000u64.to_le_bytes());
        let mut end = heard(&[begun]);
        end.pass(Duration::from_secs(1));
        end.frames();
        nothing(end)
    };
    #[rustfmt::skip]
    check("closed before its body was whole", late, &frames, &[
        "error", "call 0.2 came with 1 bytes", "-", "-", "-", "-", "error",
    ]);
    let cancelled = || {
        let mut end = heard(&[large_request(FIRST, 10, b"0"), cancel(FIRST)]);
        end.frames();
        end
    };
    #[rustfmt::skip]
    check("cancelled before its body was whole", cancelled, &frames, &[
        "error", "call 0.2 came with 1 bytes", "-", "-", "-", "-", "error",
    ]);
}

#[test]
fn the_callees_large_answers() {
    let half_answered = || {
        let mut end = answered(20_000);
        end.take();
        end
    };
    let meets = |frame: &Frame| {
        let mut end = half_answered();
        end.hear_frame(frame).map(|()| end.sends())
    };
    for wrong in [
        request(FIRST, b"x"),
        request(SECOND, b"x"),
        request_part(FIRST, false, b"x"),
        cancel(SECOND),
    ] {
        assert!(meets(&wrong).is_err(), "{wrong}");
    }
    assert_eq!(meets(&cancel(FIRST)).unwrap(), ["done 0.1"]);
}

#[test]
fn a_last_late_fragment_is_the_last() {
    let mut end = heard(&[large_request(FIRST, 10, b"0"), cancel(FIRST)]);
    end.hear_frame(&request_part(FIRST, true, b"late")).unwrap();
    end.hear_frame(&request_part(FIRST, false, b"late")).unwrap();
    assert!(end.hear_frame(&request_part(FIRST, false, b"later")).is_err());
}

#[test]
fn the_callers_states() {
    let frames = [
        response(FIRST, b"x"),
        large_response(FIRST, 10, b"x"),
        response_part(FIRST, true, b"x"),
        response_part(FIRST, false, b"123456789"),
        refused(FIRST),
        done(FIRST),
        response(SECOND, b"x"),
        response((0, 0), b"x"),
    ];
    let open = || {
        let mut end = end();
        end.call(1);
        end
    };
    let free = "call 0.1 is free";
    let took = |what: &str| format!("call 0.1 {what}, {free}");
    #[rustfmt::skip]
    check("never used", end, &frames, &[
        "error", "error", "error", "error", "error", "error", "error", "error",
    ]);
    #[rustfmt::skip]
    check("open", open, &frames, &[
        &took("succeeded with 1 bytes"), "-", "error", "error", &took("faulted: code 1, outcome 1"), "error", "error", "error",
    ]);
    let open_oneway = || {
        let mut end = end();
        end.call_with(oneway(), 1);
        end
    };
    #[rustfmt::skip]
    check("open, oneway", open_oneway, &frames, &[
        &took("succeeded with 1 bytes"), "-", "error", "error", &took("faulted: code 1, outcome 1"), &took("is done"), "error",
        "error",
    ]);
    let half_answered = || {
        let mut end = open();
        end.hear_frame(&large_response(FIRST, 10, b"0")).unwrap();
        end
    };
    #[rustfmt::skip]
    check("open, its response arriving", half_answered, &frames, &[
        &took("succeeded with 1 bytes"), "error", "-", &took("succeeded with 10 bytes"), &took("faulted: code 1, outcome 1"),
        "error", "error", "error",
    ]);
    let abandoned = |mut end: End, call| {
        end.frames();
        end.abandon(call);
        end
    };
    let cancelled = || {
        let mut end = end();
        let call = end.call(1);
        abandoned(end, call)
    };
    #[rustfmt::skip]
    check("abandoned", cancelled, &frames, &[
        free, "-", "-", free, free, free, "error", "error",
    ]);
    let finished = || {
        let mut end = open();
        end.hear_frame(&response(FIRST, b"x")).unwrap();
        end.news();
        end
    };
    #[rustfmt::skip]
    check("finished", finished, &frames, &[
        "-", "-", "-", "-", "-", "-", "error", "error",
    ]);
}

#[test]
fn an_answer_to_half_a_request_keeps_the_rest_back() {
    for answer in [response(FIRST, b"x"), refused(FIRST)] {
        let mut end = end();
        end.call(20_000);
        end.take();
        end.hear_frame(&answer).unwrap();
        assert_eq!(end.take(), None, "{answer}");
        assert_eq!(end.news().last().unwrap(), "call 0.1 is free");
    }
}
