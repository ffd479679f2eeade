//! What the fuzzers found worth keeping does no harm: each input in `fuzz/corpus` goes through what its target does.
#![allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; the lint does not see that on all systems"
)]

#[path = "../../fuzz/src/lib.rs"]
#[allow(dead_code, unreachable_pub)]
mod fuzz;

use std::cell::Cell;
use std::path::Path;
use std::sync::Once;

thread_local! {
    /// Panics of this thread, where all tasks of its target run; a connection's tasks swallow theirs.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

fn count_panics() -> usize {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            before(panic);
        }));
    });
    PANICS.get()
}

#[track_caller]
fn run_all(target: &str, run: fn(&[u8])) {
    let before = count_panics();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let mut inputs: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for input in inputs {
        // The test's output ends with the input that failed.
        println!("{}", input.display());
        run(&std::fs::read(&input).unwrap());
        assert_eq!(count_panics(), before);
    }
}

#[test]
fn no_greeting_of_the_corpus_does_harm() {
    run_all("hello", fuzz::hello::run);
}

#[test]
fn no_body_of_the_corpus_does_harm() {
    run_all("codec", fuzz::codec::run);
}

#[test]
fn no_frames_of_the_corpus_do_harm() {
    run_all("frames", fuzz::frames::run);
}

#[test]
fn two_ends_withstand_the_corpus() {
    run_all("connection", fuzz::connection::run);
}

#[test]
fn a_server_withstands_the_corpus() {
    run_all("server", fuzz::server::run);
}
