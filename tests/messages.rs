//! Bad use is told in words that help: the texts themselves.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::error::Error;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[cfg(unix)]
use pipe_rpc::Owner;
use pipe_rpc::{Channel, Connect, Outcome, PipeServer, Reason, Server};
use support::lab::{LabServer, Laboratory, serve, serve_few, serve_with, start};
use support::{LabClient, skipped_on_wine, soon, unique_name};

/// What a person reads: the error and all that is behind it.
fn text(error: &(dyn Error + 'static)) -> String {
    let sources = std::iter::successors(error.source(), |error| (*error).source());
    let texts = std::iter::once(error.to_string()).chain(sources.map(ToString::to_string));
    texts.collect::<Vec<_>>().join(": ")
}

/// The name as the system knows it, of a pipe that nobody serves.
fn full_name(name: &str) -> String {
    let listener = PipeServer::bind(name).unwrap();
    listener.local_name().to_owned()
}

#[tokio::test]
async fn no_server_names_the_pipe_and_says_how_to_wait_for_one() {
    let name = unique_name("messages-none");
    let full = full_name(&name);
    let error = LabClient::connect(&name).await.unwrap_err();
    let expected = format!(
        "no server listens on `{full}`: start it first, or wait for it with `.wait_for_server(true)`"
    );
    assert_eq!(text(&error), expected);
    let waiting = Connect::to(name.as_str()).wait_for_server(true);
    let error = waiting
        .deadline(Duration::from_millis(20))
        .open()
        .await
        .unwrap_err();
    let expected = format!(
        "`{full}` could not be connected within 20ms: no server came; a later `.deadline(..)` waits longer"
    );
    assert_eq!(text(&error), expected);
}

#[cfg(unix)]
#[tokio::test]
async fn another_users_server_names_both_owners_and_the_call_that_allows_it() {
    let name = unique_name("messages-owner");
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let ours = rustix::process::geteuid().as_raw();
    let connect = Connect::to(name.as_str()).expect_owner(Owner::Uid(ours + 4321));
    let error = connect.open().await.unwrap_err();
    let expected = format!(
        "the server on `{}` runs as uid {ours}, and uid {} was expected: if that is right, say so with \
         `.expect_owner(..)`",
        listener.local_name(),
        ours + 4321
    );
    assert_eq!(text(&error), expected);
}

#[tokio::test]
async fn a_name_that_cannot_be_says_why() {
    let long = "x".repeat(300);
    let error = text(&LabClient::connect(&long).await.unwrap_err());
    let (unit, limit) = if cfg!(windows) {
        ("characters", 256)
    } else {
        ("bytes", 106)
    };
    let limit = if cfg!(any(windows, target_os = "linux")) {
        limit
    } else {
        102
    };
    let expected = format!("{unit}, and a pipe's full name has at most {limit}: shorten it");
    assert!(error.ends_with(&expected), "{error}");
    assert_eq!(text(&PipeServer::bind(long).unwrap_err()), error);
    let error = text(&LabClient::connect("").await.unwrap_err());
    assert_eq!(
        error,
        "the pipe's name is empty: give it one, like `com.example.app`"
    );
    let error = text(&LabClient::connect(r"a\b").await.unwrap_err());
    assert_eq!(
        error,
        r"`\` cannot stand in the pipe's name `a\b`: use `.` or `-`, or give a full native path"
    );
}

#[tokio::test]
async fn a_second_server_on_a_name_is_told_so() {
    if skipped_on_wine("that a name has one server") {
        return;
    }
    let name = unique_name("messages-taken");
    let first = PipeServer::bind(name.as_str()).unwrap();
    let error = PipeServer::bind(name.as_str()).unwrap_err();
    let expected = format!(
        "another server listens on `{}` already: stop it, or choose another name",
        first.local_name()
    );
    assert_eq!(text(&error), expected);
}

/// What the client was built with.
mod newer {
    #[pipe_rpc::service(name = "Words")]
    pub(super) trait Words {
        async fn look_up(&self, word: String, language: u32) -> Vec<String>;
        async fn forget(&self, word: String);
        async fn count(&self) -> u32;
    }
}

/// What the server was built with.
mod older {
    #[pipe_rpc::service(name = "Words")]
    pub(super) trait Words {
        async fn look_up(&self, word: String) -> Vec<String>;
        async fn count(&self) -> u32;
    }
}

struct OldWords;

impl older::Words for OldWords {
    async fn look_up(&self, _word: String) -> Vec<String> {
        Vec::new()
    }
    async fn count(&self) -> u32 {
        7
    }
}

#[tokio::test]
async fn two_versions_of_a_service_say_what_differs_and_do_the_rest() {
    let name = unique_name("messages-versions");
    let server = Server::builder().service(older::WordsServer::new(OldWords));
    tokio::spawn(server.serve(PipeServer::bind(name.as_str()).unwrap()));
    let channel = Connect::to(name).open().await.unwrap();
    let client = newer::WordsClient::new(channel.clone());

    let fault = client.look_up("pipe".into(), 1).await.unwrap_err();
    assert_eq!(
        text(&fault),
        "the call was refused before it ran: the method has another signature at the server: the server has \
         look_up(String) -> Vec<String>; this client has look_up(String, u32) -> Vec<String>"
    );
    let fault = client.forget("pipe".into()).await.unwrap_err();
    let fault = text(&fault);
    let (start, end) = (
        "the call was refused before it ran: the service has no such method: Words has look_up, count, and none with id",
        "; this client has forget(String)",
    );
    assert!(fault.starts_with(start) && fault.ends_with(end), "{fault}");
    let fault = LabClient::new(channel).echo("x".into()).await.unwrap_err();
    assert_eq!(
        text(&fault),
        "the call was refused before it ran: the server has no such service: it serves Words"
    );
    assert_eq!(client.count().await, Ok(7));
}

#[tokio::test]
async fn a_body_over_the_limit_says_both_sizes_and_where_to_raise_it() {
    let lab = serve_with("messages-size", |server| server.max_body(1000));
    let client = lab.client().await;
    let fault = client.take(vec![7; 2000].into()).await.unwrap_err();
    assert_eq!(
        text(&fault),
        "the call was not sent: its body of 2000 bytes is over the limit of 1000: a request; the other end sets the \
         limit, with max_body"
    );
    let lab = serve("messages-size-back");
    let connect = Connect::to(lab.name.as_str()).max_body(1000);
    let client = LabClient::new(connect.open().await.unwrap());
    let fault = client.give(2000).await.unwrap_err();
    assert_eq!(
        text(&fault),
        "the call ran: its body of 2000 bytes is over the limit of 1000: a response; the caller's end sets the limit, \
         with max_body"
    );
    assert_eq!(client.give(1000).await.unwrap().len(), 1000);
}

/// Polls the future once on a thread without a runtime.
fn poll_outside<F: Future + Send>(future: F) -> Poll<F::Output>
where
    F::Output: Send,
{
    let poll = || pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    std::thread::scope(|scope| scope.spawn(poll).join().unwrap())
}

#[tokio::test]
async fn outside_a_runtime_connecting_and_waiting_say_what_to_do() {
    let lab = serve_few("messages-runtime", 1);
    let Poll::Ready(connected) = poll_outside(LabClient::connect(&lab.name)) else {
        panic!("it waits for what never comes");
    };
    assert_eq!(
        text(&connected.unwrap_err()),
        "pipes need a tokio runtime: call this from within one, as `#[tokio::main]` makes it"
    );
    let bound = std::thread::spawn(|| PipeServer::bind("messages-runtime").unwrap_err());
    assert_eq!(
        text(&bound.join().unwrap()),
        "pipes need a tokio runtime: call this from within one, as `#[tokio::main]` makes it"
    );

    let client = lab.client().await;
    let holding = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let patient = client.clone().with_timeout(Duration::from_secs(1));
    let Poll::Ready(called) = poll_outside(patient.hold()) else {
        panic!("it waits for what never comes");
    };
    let fault = called.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::NotSent, Reason::NoRuntime)
    );
    assert_eq!(
        text(&fault),
        "the call was not sent: there is no tokio runtime here; call it inside one, or use the blocking client"
    );
    lab.gauge.release();
    assert_eq!(soon(holding).await.unwrap(), Ok(42));
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_lets_nobody_in() {
    let lab = serve_with("messages-secret", |server| server.secret("open sesame"));
    let expected = "the server rejected the connection (Secret): the secret is missing or wrong; give the server's \
                    secret";
    for secret in ["", "open", "open sesamE", "open sesame "] {
        let connect = Connect::to(lab.name.as_str()).secret(secret);
        assert_eq!(text(&connect.open().await.unwrap_err()), expected);
    }
    assert_eq!(text(&LabClient::connect(&lab.name).await.unwrap_err()), expected);
    let connect = Connect::to(lab.name.as_str()).secret("open sesame");
    let client = LabClient::new(connect.open().await.unwrap());
    assert_eq!(client.echo("in".into()).await.unwrap(), "in");
}

#[tokio::test]
async fn two_services_of_one_name_are_refused_before_anything_is_served() {
    let (one, two) = (Laboratory::default(), Laboratory::default());
    let (one, two) = (LabServer::new(one), LabServer::new(two));
    let server = Server::builder().service(one).service(two);
    let listener = PipeServer::bind(unique_name("messages-twice")).unwrap();
    assert_eq!(
        text(&server.serve(listener).await.unwrap_err()),
        "two services are mounted as \"Lab\"; give one of them another name with service_as"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_told_apart_from_a_busy_one() {
    let name = unique_name("messages-mute");
    let _mute = PipeServer::bind(name.as_str()).unwrap();
    let connect = Connect::to(name.as_str()).handshake_timeout(Duration::from_millis(50));
    let error: Result<Channel, _> = connect.open().await;
    assert_eq!(
        text(&error.unwrap_err()),
        "the other end did not greet within 50ms; is it a pipe-rpc server, and is it alive?"
    );
}
