//! Every state of a call and every frame that may meet it, as PROTOCOL.md section 7 has it.
//!
//! `-` is ignored, `error` ends the connection, anything else is what comes of it.

mod support;

use std::time::Duration;

use pipe_rpc_core::proto::Limits;
use pipe_rpc_core::testing::frame::{
    self, Frame, cancel, done, end_failed, item, item_part, large_item, large_request, large_response,
    refused, request, request_part, response, response_part, stream, stream_credit,
};
use support::pair::{End, LIMITS, oneway};
use support::streaming::upload;

const FIRST: (u32, u32) = (0, 1);
const SECOND: (u32, u32) = (0, 2);

/// What comes of the frame: the error, or the news and the frames it causes.
fn outcome(end: &mut End, frame: &Frame) -> String {
    let quiet = (end.frames(), end.news());
    assert!(quiet.1.is_empty(), "the state was prepared in full: {quiet:?}");
    if end.hear_frame(frame).is_err() {
        return "error".to_owned();
    }
    let mut all = end.news();
    all.extend(end.frames().iter().map(Frame::to_string));
    if all.is_empty() {
        "-".to_owned()
    } else {
        all.join(", ")
    }
}

fn check(state: &str, prepare: impl Fn() -> End, frames: &[Frame], expected: &[&str]) {
    assert_eq!(frames.len(), expected.len());
    for (frame, expected) in frames.iter().zip(expected) {
        let mut end = prepare();
        // What an answered state has queued must stay queued until the frame has come.
        let got = if state.ends_with("queued") {
            let ended = end.hear_frame(frame).is_err();
            if ended { "error".to_owned() } else { "-".to_owned() }
        } else {
            outcome(&mut end, frame)
        };
        assert_eq!(&got, expected, "{state}: {frame}");
    }
}

fn end() -> End {
    End::new(
        Limits {
            window: 1 << 20,
            ..LIMITS
        },
        std::time::Instant::now(),
    )
}

/// An end that has heard the frames and told its news and packets.
fn heard(frames: &[Frame]) -> End {
    let mut end = end();
    for frame in frames {
        end.hear_frame(frame).unwrap();
    }
    end
}

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

/// The frames about a request's items, and what the callee makes of them.
#[test]
fn the_callees_states_and_items() {
    let frames = [
        request(FIRST, b"x").upload(),
        request(SECOND, b"x").upload(),
        item(FIRST, b"x").by_caller(),
        large_item(FIRST, 10, b"x").by_caller(),
        request_part(FIRST, true, b"x"),
        request_part(FIRST, false, b"123456789"),
        frame::end(FIRST).by_caller(),
        end_failed(FIRST, b"x").by_caller(),
        stream_credit(FIRST, 5000).by_caller(),
        item(SECOND, b"x").by_caller(),
        stream_credit(SECOND, 5000).by_caller(),
        cancel(FIRST),
    ];
    let after = |first: &[Frame], more: &[Frame]| {
        let mut end = heard(first);
        let call = end.incoming().id;
        more.iter().for_each(|frame| end.hear_frame(frame).unwrap());
        end.news();
        (end, call)
    };
    let call = [request(FIRST, b"args").upload()];
    let running = || after(&call, &[]);
    #[rustfmt::skip]
    check("never used", end, &frames, &[
        "call 0.1 came with 1 bytes", "error", "error", "error", "error", "error", "error", "error", "error",
        "error", "error", "error",
    ]);
    #[rustfmt::skip]
    check("receiving", || heard(&[large_request(FIRST, 10, b"0").upload()]), &frames, &[
        "error", "error", "error", "error", "-", "call 0.1 came with 10 bytes", "error", "error", "-", "error",
        "error", "done 0.1, credit 1048586",
    ]);
    #[rustfmt::skip]
    check("running", || running().0, &frames, &[
        "error", "error", "call 0.1 has an item of 1 bytes", "-", "error", "error",
        "the items of call 0.1 are complete", "the items of call 0.1 failed with 1 bytes", "-", "error",
        "error", "call 0.1 is to stop",
    ]);
    let in_an_item = || after(&call, &[large_item(FIRST, 10, b"0").by_caller()]).0;
    #[rustfmt::skip]
    check("running, an item arriving", in_an_item, &frames, &[
        "error", "error", "error", "error", "-", "call 0.1 has an item of 10 bytes", "error",
        "the items of call 0.1 failed with 1 bytes", "-", "error", "error", "call 0.1 is to stop",
    ]);
    let ended = || after(&call, &[frame::end(FIRST).by_caller()]).0;
    #[rustfmt::skip]
    check("running, its items ended", ended, &frames, &[
        "error", "error", "error", "error", "error", "error", "error", "error", "-", "error", "error",
        "call 0.1 is to stop",
    ]);
    let stopped = || {
        let (mut end, call) = running();
        end.proto.stop_items(call);
        end
    };
    #[rustfmt::skip]
    check("running, its items not wanted", stopped, &frames, &[
        "error", "error", "-", "-", "error", "error", "-", "-", "-", "error", "error", "call 0.1 is to stop",
    ]);
    let interrupted = || after(&call, &[cancel(FIRST)]).0;
    #[rustfmt::skip]
    check("running, interrupted", interrupted, &frames, &[
        "error", "error", "call 0.1 has an item of 1 bytes", "-", "error", "error",
        "the items of call 0.1 are complete", "the items of call 0.1 failed with 1 bytes", "-", "error",
        "error", "-",
    ]);
    let streaming = || {
        let (mut end, call) = running();
        assert!(end.proto.open_stream(call));
        end
    };
    #[rustfmt::skip]
    check("running, answered by a stream", streaming, &frames, &[
        "error", "error", "call 0.1 has an item of 1 bytes", "-", "error", "error",
        "the items of call 0.1 are complete", "the items of call 0.1 failed with 1 bytes", "call 0.1 has room",
        "error", "error", "call 0.1 is to stop",
    ]);
    let without = || after(&[request(FIRST, b"args")], &[]).0;
    #[rustfmt::skip]
    check("running, without items", without, &frames, &[
        "error", "error", "error", "error", "error", "error", "error", "error", "-", "error", "error",
        "call 0.1 is to stop",
    ]);
    let queued = || {
        let (mut end, call) = running();
        end.succeed(call, 1);
        end
    };
    #[rustfmt::skip]
    check("answered, queued", queued, &frames, &[
        "error", "error", "-", "-", "error", "error", "-", "-", "-", "error", "error", "-",
    ]);
    let closed = || {
        let mut end = queued();
        end.frames();
        end
    };
    #[rustfmt::skip]
    check("closed", closed, &frames, &[
        "error", "call 0.2 came with 1 bytes", "-", "-", "error", "error", "-", "-", "-", "error", "error",
        "-",
    ]);
    let closed_in_an_item = || {
        let (mut end, call) = after(&call, &[large_item(FIRST, 10, b"0").by_caller()]);
        end.succeed(call, 1);
        end.frames();
        end
    };
    #[rustfmt::skip]
    check("closed, an item arriving", closed_in_an_item, &frames, &[
        "error", "call 0.2 came with 1 bytes", "error", "error", "-", "-", "error", "-", "-", "error", "error",
        "-",
    ]);
}

/// The frames about a response's items, and what the caller makes of them.
#[test]
fn the_callers_states_and_items() {
    let frames = [
        stream(FIRST),
        item(FIRST, b"x"),
        large_item(FIRST, 10, b"x"),
        item_part(FIRST, true, b"x"),
        item_part(FIRST, false, b"123456789"),
        frame::end(FIRST),
        end_failed(FIRST, b"x"),
        response(FIRST, b"x"),
        large_response(FIRST, 10, b"x"),
        refused(FIRST),
        done(FIRST),
        stream_credit(FIRST, 5000),
        stream(SECOND),
        item(SECOND, b"x"),
        stream_credit(SECOND, 5000),
    ];
    let open = || {
        let mut end = end();
        end.call(1);
        end
    };
    let after = |frames: &[Frame]| {
        let mut end = open();
        frames.iter().for_each(|frame| end.hear_frame(frame).unwrap());
        end.news();
        end
    };
    #[rustfmt::skip]
    check("never used", end, &frames, &[
        "error", "error", "error", "error", "error", "error", "error", "error", "error", "error", "error",
        "error", "error", "error", "error",
    ]);
    #[rustfmt::skip]
    check("open", open, &frames, &[
        "call 0.1 is answered by a stream", "error", "error", "error", "error", "error", "error",
        "call 0.1 succeeded with 1 bytes, call 0.1 is free", "-",
        "call 0.1 faulted: code 1, outcome 1, call 0.1 is free", "error", "-", "error", "error", "error",
    ]);
    let uploading = || {
        let mut end = end();
        end.call_with(upload(), 1);
        end
    };
    #[rustfmt::skip]
    check("open, with items", uploading, &frames, &[
        "call 0.1 is answered by a stream", "error", "error", "error", "error", "error", "error",
        "call 0.1 succeeded with 1 bytes, call 0.1 is free", "-",
        "call 0.1 faulted: code 1, outcome 1, call 0.1 is free", "error", "call 0.1 has room", "error",
        "error", "error",
    ]);
    let half_answered = || after(&[large_response(FIRST, 10, b"0")]);
    #[rustfmt::skip]
    check("open, its response arriving", half_answered, &frames, &[
        "error", "error", "error", "-", "call 0.1 succeeded with 10 bytes, call 0.1 is free", "error", "error",
        "call 0.1 succeeded with 1 bytes, call 0.1 is free", "error",
        "call 0.1 faulted: code 1, outcome 1, call 0.1 is free", "error", "-", "error", "error", "error",
    ]);
    let streaming = || after(&[stream(FIRST)]);
    #[rustfmt::skip]
    check("streaming", streaming, &frames, &[
        "error", "call 0.1 has an item of 1 bytes", "-", "error", "error",
        "call 0.1 has its whole stream, call 0.1 is free", "call 0.1 failed with 1 bytes, call 0.1 is free",
        "error", "error", "error", "error", "-", "error", "error", "error",
    ]);
    let in_an_item = || after(&[stream(FIRST), large_item(FIRST, 10, b"0")]);
    #[rustfmt::skip]
    check("streaming, an item arriving", in_an_item, &frames, &[
        "error", "error", "error", "-", "call 0.1 has an item of 10 bytes", "error",
        "call 0.1 failed with 1 bytes, call 0.1 is free", "error", "error", "error", "error", "-", "error",
        "error", "error",
    ]);
    let abandon = |mut end: End, call| {
        end.frames();
        end.abandon(call);
        end
    };
    let abandoned = || {
        let mut end = end();
        let call = end.call(1);
        abandon(end, call)
    };
    #[rustfmt::skip]
    check("abandoned", abandoned, &frames, &[
        "-", "error", "error", "-", "call 0.1 is free", "error", "error", "call 0.1 is free", "-",
        "call 0.1 is free", "call 0.1 is free", "-", "error", "error", "error",
    ]);
    let abandoned_streaming = || {
        let mut end = end();
        let call = end.call(1);
        end.hear_frame(&stream(FIRST)).unwrap();
        end.news();
        abandon(end, call)
    };
    #[rustfmt::skip]
    check("abandoned while streaming", abandoned_streaming, &frames, &[
        "error", "-", "-", "error", "error", "call 0.1 is free", "call 0.1 is free", "error", "error", "error",
        "call 0.1 is free", "-", "error", "error", "error",
    ]);
    let finished = || after(&[stream(FIRST), frame::end(FIRST)]);
    #[rustfmt::skip]
    check("finished", finished, &frames, &[
        "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "error", "error", "error",
    ]);
}
