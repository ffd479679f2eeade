//! Every state of a call and every frame of streams that may meet it, as PROTOCOL.md sections 7 and 7.1 have it.

mod support;

use pipe_rpc_core::testing::frame::{
    self, Frame, cancel, done, end_failed, item, item_part, large_item, large_request, large_response,
    refused, request, request_part, response, stream, stream_credit,
};
use support::pair::End;
use support::streaming::upload;
use support::table::{check, end, heard};

const FIRST: (u32, u32) = (0, 1);
const SECOND: (u32, u32) = (0, 2);

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
        "error", "error", "-", "-", "error", "error", "-", "-", "-", "error", "error", "-",
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
