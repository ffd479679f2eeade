//! A table of states and frames: what each state makes of each frame.
//!
//! `-` is ignored, `error` ends the connection, anything else is what comes of it.

use pipe_rpc_core::proto::Limits;
use pipe_rpc_core::testing::frame::Frame;

use super::pair::{End, LIMITS};

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

pub fn check(state: &str, prepare: impl Fn() -> End, frames: &[Frame], expected: &[&str]) {
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

pub fn end() -> End {
    End::new(
        Limits {
            window: 1 << 20,
            ..LIMITS
        },
        std::time::Instant::now(),
    )
}

/// An end that has heard the frames and told its news and packets.
pub fn heard(frames: &[Frame]) -> End {
    let mut end = end();
    for frame in frames {
        end.hear_frame(frame).unwrap();
    }
    end
}
