//! What the tests of this crate share.
#![allow(dead_code, unreachable_pub, unused_imports, clippy::unwrap_used)] // each test file uses a part

use std::future::poll_fn;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use pipe_rpc_transport::{Framing, MAX_PACKET, Pipe, PipeServer};

#[cfg(unix)]
pub mod accounts;
#[cfg(windows)]
mod wine_unsafe;
#[cfg(windows)]
pub(crate) use wine_unsafe::skipped_on_wine;

/// This is not Wine.
#[cfg(not(windows))]
pub fn skipped_on_wine(_: &str) -> bool {
    false
}

/// The variable that tells a child process of the test which part to play.
const ROLE: &str = "PIPE_RPC_TEST_ROLE";
const NAME: &str = "PIPE_RPC_TEST_NAME";

/// Every way this system keeps packets apart.
pub fn framings() -> &'static [Framing] {
    if cfg!(unix) {
        &[Framing::Native, Framing::Prefixed]
    } else {
        &[Framing::Native]
    }
}

/// A name that no other test uses.
pub fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test-{}-{count}", std::process::id())
}

/// A server on a name of its own.
pub fn server(framing: Framing) -> (PipeServer, String) {
    let name = unique_name();
    let server = PipeServer::builder(&name).framing(framing).bind().unwrap();
    (server, name)
}

pub async fn connect(name: &str, framing: Framing) -> Pipe {
    Pipe::builder(name)
        .framing(framing)
        .deadline(HANG)
        .connect()
        .await
        .unwrap()
}

/// Two connected pipes: a client's and its server's.
pub async fn pair(framing: Framing) -> (Pipe, Pipe) {
    let (mut server, name) = server(framing);
    let client = connect(&name, framing).await;
    (client, server.accept().await.unwrap())
}

/// After this a test that should have ended hangs.
pub const HANG: Duration = Duration::from_secs(120);

/// Runs the test for each framing; a hang is a failure.
pub fn on_each_transport<F: Future<Output = ()>>(test: impl Fn(Framing) -> F) {
    for framing in framings() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let outcome = runtime.block_on(async { tokio::time::timeout(HANG, test(*framing)).await });
        assert!(outcome.is_ok(), "the test hangs with {framing:?}");
    }
}

/// Polls the future and drops it right after its `polls`-th poll, unless it was ready.
pub async fn drop_at_poll<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|cx| {
        polled += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled >= polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A packet of `len` bytes (at least 4) that tells its number in every byte.
pub fn numbered(number: u32, len: usize) -> Vec<u8> {
    [&number.to_le_bytes(), filler(number, len)].concat()
}

/// The number of a packet made by [`numbered`], checked to its last byte.
pub fn number_of(packet: &[u8]) -> u32 {
    let number = u32::from_le_bytes(packet[..4].try_into().unwrap());
    let whole = packet[4..] == *filler(number, packet.len());
    assert!(whole, "packet {number} of {} bytes is torn", packet.len());
    number
}

/// What follows the number: a cut from bytes that look random, elsewhere for each number.
fn filler(number: u32, len: usize) -> &'static [u8] {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut dice = Dice(7);
        (0..MAX_PACKET + 251).map(|_| dice.below(256) as u8).collect()
    });
    &BYTES[number as usize % 251..][..len - 4]
}

/// A small generator of numbers that look random, the same in each run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// This test program again, running `test` alone, which is to play the part `role` for the pipe `name`.
pub fn child(test: &str, role: &str, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(NAME, name);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// The part and the name, when this process is such a child.
pub fn role() -> Option<(String, String)> {
    Some((std::env::var(ROLE).ok()?, std::env::var(NAME).ok()?))
}

/// The framing that a role's first letter tells.
pub fn framing_of(role: &str) -> Framing {
    if role.starts_with("prefixed") {
        Framing::Prefixed
    } else {
        Framing::Native
    }
}

/// The text that [`framing_of`] understands.
pub fn role_text(framing: Framing) -> &'static str {
    match framing {
        Framing::Prefixed => "prefixed",
        _ => "native",
    }
}
