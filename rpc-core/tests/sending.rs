//! What sending costs, and what it must not keep a connection from.

mod support;

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::available_parallelism;

use bytes::Bytes;
use pipe_rpc_core::client::Stub;
use pipe_rpc_core::testing::ScriptedPeer;
use pipe_rpc_core::testing::frame::{Frame, packet, ping, pong, response, told};
use pipe_rpc_core::transport::{Packet, PacketReceiver, PacketSender, memory};
use support::hooked::{flat, hooked};
use support::peer::{call, serve};
use support::service::{ECHO, TOUCH, method};

const REQUEST: u8 = 1;
const FRAGMENT: u8 = 4;

/// The kind of a packet's first frame; 0 of a greeting.
fn kind(packet: &[u8]) -> u8 {
    match packet {
        [b'p', b'i', b'p', b'e', ..] => 0,
        packet => packet[4],
    }
}

#[tokio::test]
async fn callers_that_are_answered_together_share_their_next_packet() {
    let (channel, mut script) = ScriptedPeer::server().await;
    for _ in 0..2 {
        let stub = Stub::new(channel.clone(), "Probe");
        tokio::spawn(async move {
            loop {
                let echoed = stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None);
                echoed.await.unwrap();
            }
        });
    }
    script.expect("request 0.1").await;
    script.expect("request 1.1").await;
    for generation in 2..=10 {
        let both = [0, 1].map(|slot| response((slot, generation - 1), b""));
        script.send(packet(&both)).await;
        let next = script.recv().await.unwrap();
        // The slots are free again in this order, and the last one is used first.
        let calls = [1, 0].map(|slot| format!("request {slot}.{generation}"));
        assert_eq!(told(&next), calls);
    }
}

/// A sender whose packets are worth four calls.
struct Cheap(Box<dyn PacketSender>);

impl PacketSender for Cheap {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        self.0.try_send(packet)
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn close(&self) {
        self.0.close();
    }

    fn packet_cost(&self) -> usize {
        4
    }
}

#[tokio::test]
async fn calls_gather_until_they_are_worth_a_packet() {
    let (mut ours, theirs) = memory::pair();
    ours.sender = Box::new(Cheap(ours.sender));
    let (channel, mut script) = ScriptedPeer::server_over(ours, theirs).await;
    let stub = Stub::new(channel, "Probe");
    let call = |_| Box::pin(stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None));
    let mut calls: Vec<_> = (0..9).map(call).collect();
    // The driver does not run before this task waits.
    for call in &mut calls {
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
    let several = available_parallelism().is_ok_and(|processors| processors.get() > 1);
    for share in if several { vec![1, 4, 4] } else { vec![1, 8] } {
        assert_eq!(told(&script.recv().await.unwrap()).len(), share);
    }
}

#[tokio::test]
async fn answers_leave_in_shares_where_another_processor_may_take_them() {
    let (connector, _) = serve(|server| server);
    let mut script = ScriptedPeer::client(&connector).await;
    let calls: Vec<_> = (0..40).map(|slot| call((slot, 1), ECHO, b"x")).collect();
    script.send(packet(&calls)).await;
    let several = available_parallelism().is_ok_and(|processors| processors.get() > 1);
    for share in if several { vec![16, 16, 8] } else { vec![40] } {
        assert_eq!(told(&script.recv().await.unwrap()).len(), share);
    }
}

/// What was done: the link `r`eceived, `s`ent, `w`aited; a `c`aller was told.
type Log = Arc<Mutex<String>>;

/// A receiver for which it takes long to begin to wait.
struct SlowToWait {
    inner: Box<dyn PacketReceiver>,
    log: Log,
}

impl PacketReceiver for SlowToWait {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        let polled = self.inner.poll_recv(cx);
        let mut log = self.log.lock().unwrap();
        match polled {
            Poll::Ready(_) => log.push('r'),
            Poll::Pending if log.ends_with('w') => {}
            Poll::Pending => log.push('w'),
        }
        polled
    }

    fn is_slow_to_wait(&self) -> bool {
        true
    }
}

/// A connection to a script over such a link, with so many callers that call again as soon as they are answered; what is done
/// from when all have called for the first time.
async fn calling_over_a_slow_link(callers: u32) -> (ScriptedPeer, Log) {
    let (ours, theirs) = memory::pair();
    let log = Log::default();
    let sent = Arc::clone(&log);
    let hook = move |_: &[IoSlice<'_>]| {
        sent.lock().unwrap().push('s');
        true
    };
    let mut link = hooked(ours, Box::new(hook));
    link.receiver = Box::new(SlowToWait {
        inner: link.receiver,
        log: Arc::clone(&log),
    });
    let (channel, mut script) = ScriptedPeer::server_over(link, theirs).await;
    for slot in 0..callers {
        let stub = Stub::new(channel.clone(), "Probe");
        let told = Arc::clone(&log);
        tokio::spawn(async move {
            loop {
                let echoed = stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None);
                echoed.await.unwrap();
                told.lock().unwrap().push('c');
            }
        });
        script.expect(&*format!("request {slot}.1")).await;
    }
    log.lock().unwrap().clear();
    (script, log)
}

#[tokio::test]
async fn what_a_lone_call_is_about_leaves_before_a_slow_link_is_waited_for() {
    let (mut script, log) = calling_over_a_slow_link(1).await;
    for generation in 1..=5 {
        script.send(response((0, generation), b"")).await;
        script.recv().await.unwrap();
    }
    assert!(log.lock().unwrap().starts_with("rcswrcswrcswrcswrcs"), "{log:?}");
}

#[tokio::test]
async fn among_many_calls_a_slow_link_is_waited_for_at_once() {
    let (mut script, log) = calling_over_a_slow_link(2).await;
    for generation in 1..=5 {
        let both = [0, 1].map(|slot| response((slot, generation), b""));
        script.send(packet(&both)).await;
        script.recv().await.unwrap();
    }
    assert!(
        log.lock().unwrap().starts_with("rwccwsrwccwsrwccwsrwccwsrwccws"),
        "{log:?}"
    );
}

#[tokio::test]
async fn an_answer_leaves_though_the_packet_behind_its_call_wants_none() {
    let (connector, _) = serve(|server| server);
    let mut script = ScriptedPeer::client(&connector).await;
    script.send(call((0, 1), ECHO, b"x")).await;
    script.send(pong(7)).await;
    script.expect(response((0, 1), b"x")).await;
}

#[tokio::test]
async fn a_peer_that_reads_as_fast_as_it_is_written_to_is_heard() {
    let (ours, theirs) = memory::pair();
    let peer = Arc::new(OnceLock::<Box<dyn PacketSender>>::new());
    let (answered, answer) = tokio::sync::oneshot::channel();
    let answered = Mutex::new(Some(answered));
    let (fragments, at_ping) = (AtomicUsize::new(0), Arc::clone(&peer));
    let hook = move |sent: &[IoSlice<'_>]| {
        let sent = &flat(sent)[..];
        if kind(sent) == FRAGMENT && fragments.fetch_add(1, SeqCst) == 8 {
            let ping = ping(7).bytes();
            at_ping.get().unwrap().try_send(&[IoSlice::new(&ping)]).unwrap();
        }
        if sent == pong(7).bytes() {
            let answered = answered.lock().unwrap().take().unwrap();
            answered.send(fragments.load(SeqCst)).unwrap();
        }
        // Taken at once, as by a peer that reads while it is written to.
        matches!(kind(sent), 0 | REQUEST)
    };
    let (channel, script) = ScriptedPeer::server_over(hooked(ours, Box::new(hook)), theirs).await;
    let link = script.into_link();
    assert!(peer.set(link.sender).is_ok());

    let stub = Stub::new(channel.clone(), "Probe");
    let body = Bytes::from(vec![0; 16 << 20]);
    let call = tokio::spawn(async move { stub.call::<_, Bytes>(method(ECHO), body, None).await });

    let fragments = answer.await.unwrap();
    assert!(fragments < 64, "after {fragments} of 256 fragments");
    call.abort();
}

/// A sender whose last packet stays under way until the test says otherwise.
struct LastUnderWay {
    inner: Box<dyn PacketSender>,
    last: fn(&[u8]) -> bool,
    flushing: Arc<Flushing>,
}

#[derive(Default)]
struct Flushing {
    is_under_way: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl PacketSender for LastUnderWay {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let is_last = (self.last)(&flat(packet));
        self.flushing.is_under_way.fetch_or(is_last, SeqCst);
        self.inner.try_send(packet)
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flushing.is_under_way.load(SeqCst) {
            *self.flushing.waker.lock().unwrap() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn close(&self) {
        self.inner.close();
    }
}

#[tokio::test]
async fn a_oneway_call_is_not_over_because_what_was_sent_before_its_end_is_flushed() {
    let (mut ours, theirs) = memory::pair();
    let flushing = Arc::<Flushing>::default();
    ours.sender = Box::new(LastUnderWay {
        inner: ours.sender,
        // What is left of the body behind its whole packets.
        last: |packet| kind(packet) == FRAGMENT && packet.len() < 60_000,
        flushing: Arc::clone(&flushing),
    });
    let (channel, mut script) = ScriptedPeer::server_over(ours, theirs).await;
    let stub = Stub::new(channel, "Probe");
    let mut call = Box::pin(stub.oneway(method(TOUCH), Bytes::from(vec![0; 1 << 20]), None));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(cx).is_pending());
    // All of it is read, in several turns of the driver. The call is told that each but the last is flushed.
    while !flushing.is_under_way.load(SeqCst) {
        script.recv().await.unwrap();
    }
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    assert!(call.as_mut().poll(cx).is_pending());
    flushing.is_under_way.store(false, SeqCst);
    flushing.waker.lock().unwrap().take().unwrap().wake();
    call.await.unwrap();
}

#[test]
fn a_report_waits_for_the_packet_that_is_being_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (ours, theirs) = memory::pair();
    let (sending, is_sending) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let hook = move |sent: &[IoSlice<'_>]| {
        if kind(&flat(sent)) == REQUEST {
            sending.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
        }
        true
    };
    let (channel, mut peer) =
        runtime.block_on(ScriptedPeer::server_over(hooked(ours, Box::new(hook)), theirs));
    let handle = runtime.handle().clone();
    let caller = std::thread::spawn(move || {
        let stub = Stub::new(channel, "Probe");
        handle.block_on(stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None))
    });
    is_sending.recv().unwrap();

    runtime.block_on(async {
        peer.send(&Frame::new(99, 0, (0, 0))).await;
        // The driver takes it in and sees that somebody is sending.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        go_on.send(()).unwrap();
        let report = peer.expect_protocol_error().await;
        assert!(report.contains("99"), "{report}");
    });
    caller.join().unwrap().unwrap_err();
}

#[tokio::test]
async fn a_large_body_is_sent_from_where_it_lies() {
    for size in [4096, 60_000, 1 << 20] {
        let body = Bytes::from(vec![7; size]);
        let place = body.as_ptr() as usize..body.as_ptr() as usize + size;
        let (ours, theirs) = memory::pair();
        // By their place, because a packet that the pipe has no room for is sent again.
        let from_place = Arc::new(Mutex::new(BTreeMap::new()));
        let seen = Arc::clone(&from_place);
        let hook = move |sent: &[IoSlice<'_>]| {
            let parts = sent.iter().map(|slice| (slice.as_ptr() as usize, slice.len()));
            let of_body = parts.filter(|(start, _)| place.contains(start));
            seen.lock().unwrap().extend(of_body);
            true
        };
        let (channel, mut peer) = ScriptedPeer::server_over(hooked(ours, Box::new(hook)), theirs).await;
        let stub = Stub::new(channel, "Probe");
        let call = tokio::spawn(async move { stub.call::<_, Bytes>(method(ECHO), body, None).await });
        let mut arrived = 0;
        while arrived < size {
            arrived += peer.frame().await.unwrap().body.len();
        }
        assert_eq!(from_place.lock().unwrap().values().sum::<usize>(), size);
        call.abort();
    }
}
