//! What `#[service]` accepts, what it refuses, and with which words.

use pipe_rpc::__private::{Mount, Request};
use pipe_rpc::{Outcome, Reason};
use rpc_core::codec::Codec;
use rpc_core::message::ServiceId;
use rpc_core::proto::Body;

#[test]
fn bad_traits_are_refused_at_the_token_with_the_remedy() {
    if cargo_runs_here() {
        trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
    }
}

#[test]
fn good_traits_compile_without_a_warning() {
    if cargo_runs_here() {
        trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
    }
}

/// Tests that were built for Windows and run under Wine have no cargo that they could start.
fn cargo_runs_here() -> bool {
    let runs = std::process::Command::new(env!("CARGO"))
        .arg("--version")
        .output()
        .is_ok();
    if !runs {
        eprintln!("skipped: cargo cannot be started from here");
    }
    runs
}

#[pipe_rpc::service]
trait Counter {
    async fn count(&self) -> u64;
}

struct Never;

impl Counter for Never {
    async fn count(&self) -> u64 {
        panic!("the method was entered")
    }
}

#[tokio::test]
async fn an_index_that_is_not_in_the_table_is_refused_and_enters_no_method() {
    let server = CounterServer::new(Never);
    let method = &server.methods()[0];
    let request = Request::new(
        method,
        ServiceId::of(server.name()),
        Codec::Bincode,
        Body::default(),
    );
    let fault = server.call(1, request).await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::Refused, Reason::UnknownMethod)
    );
    assert_eq!(fault.detail(), Some("count"));
}

#[tokio::test]
async fn a_request_that_came_over_no_connection_enters_no_method() {
    let server = CounterServer::new(Never);
    let method = &server.methods()[0];
    let request = Request::new(
        method,
        ServiceId::of(server.name()),
        Codec::Bincode,
        Body::default(),
    );
    let fault = server.call(0, request).await.unwrap_err();
    assert_eq!(fault.outcome(), Outcome::Refused);
}
