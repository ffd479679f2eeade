//! The least that calls between tasks take on a SEQPACKET socket on tokio: how quick an RPC framework of this kind could be
//! that had nothing else to do.
//!
//! A caller encodes its argument with bincode, sends it and waits; a driver, a task of its own, reads the answers and wakes
//! the callers; at the other end the task that reads a call decodes it and answers it. Calls gather into packets as those of
//! pipe-rpc do. There are no methods, limits, errors, deadlines or cancellation, nothing is checked, and whoever is
//! dropped in the middle of a call has lost it.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread::available_parallelism;

use bincode::config;
use bincode::serde::{decode_from_slice, encode_into_slice};
use slab::Slab;

use super::seqpacket::{Listener, Socket};
use crate::place::Place;
use crate::row::{Row, SMALL, Small};
use crate::server::Serving;
use crate::workload::{CALLERS, Workload};

/// The caller's number before the value.
const HEADER: usize = size_of::<u64>();
const CALL: usize = HEADER + SMALL;

/// A packet in which each caller has a call.
const FULL: usize = CALLERS as usize * CALL;

/// A caller on a connection.
pub(crate) struct BareCalls {
    shared: Arc<Shared>,
    number: usize,
}

struct Shared {
    socket: Socket,
    /// How many bytes leave without waiting for more.
    share: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    callers: Slab<Caller>,
    gathered: Vec<u8>,
    driver: Option<Waker>,
    /// The driver has been woken and has not run since.
    notified: bool,
    /// A packet left since the driver last ran; what comes now gathers.
    sent: bool,
}

#[derive(Default)]
struct Caller {
    waker: Option<Waker>,
    answer: Option<[u8; SMALL]>,
}

impl Row for BareCalls {
    const HAS: &'static [Workload] = &[Workload::Rtt64, Workload::Pipe64, Workload::Conns];

    async fn serve(serving: Serving) {
        let listener = Listener::bind(serving.job.place.path()).expect("the path is free");
        serving.ready.tell();
        loop {
            let socket = listener.accept().await.expect("the listener lives");
            tokio::spawn(async move { answer(&socket).await.expect("the client ends between calls") });
        }
    }

    async fn connect(place: Place) -> Self {
        let socket = Socket::connect(place.path()).expect("a server listens");
        let shared = Arc::new(Shared {
            socket,
            share: share(),
            state: Mutex::default(),
        });
        tokio::spawn(drive(Arc::clone(&shared)));
        Self::on(shared)
    }

    async fn small(&mut self, value: Small) -> Small {
        self.shared.send(self.number, value);
        poll_fn(|cx| self.poll_answer(cx)).await
    }
}

impl BareCalls {
    fn on(shared: Arc<Shared>) -> Self {
        let number = shared.lock().callers.insert(Caller::default());
        Self { shared, number }
    }

    fn poll_answer(&self, cx: &Context<'_>) -> Poll<Small> {
        let mut state = self.shared.lock();
        let caller = &mut state.callers[self.number];
        let Some(answer) = caller.answer.take() else {
            caller.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        drop(state);
        Poll::Ready(decoded(&answer))
    }
}

impl Clone for BareCalls {
    fn clone(&self) -> Self {
        Self::on(Arc::clone(&self.shared))
    }
}

impl Drop for BareCalls {
    fn drop(&mut self) {
        self.shared.lock().callers.remove(self.number);
    }
}

impl Shared {
    /// The first call since the driver last ran leaves at once, as does a share of calls; others are left to the driver.
    fn send(&self, number: usize, value: Small) {
        let mut state = self.lock();
        push(&mut state.gathered, number as u64, value);
        if state.sent && state.gathered.len() < self.share {
            return state.notify_driver();
        }
        state.sent = true;
        self.flush(&mut state);
    }

    fn flush(&self, state: &mut State) {
        if !state.gathered.is_empty() {
            self.socket
                .try_send(&state.gathered)
                .expect("the server reads on");
            state.gathered.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }
}

impl State {
    fn notify_driver(&mut self) {
        if !mem::replace(&mut self.notified, true)
            && let Some(driver) = &self.driver
        {
            driver.wake_by_ref();
        }
    }

    /// Hands the answers of a packet to their callers. Who is to be woken.
    fn take_in(&mut self, packet: &[u8], wake: &mut Vec<Waker>) {
        for (number, answer) in calls(packet) {
            let caller = &mut self.callers[number as usize];
            caller.answer = Some(*answer);
            wake.extend(caller.waker.take());
        }
    }
}

/// Reads what comes and sends what has gathered, until the server ends.
async fn drive(shared: Arc<Shared>) {
    let mut packet = vec![0; FULL];
    let mut wake = Vec::new();
    let driven = poll_fn(|cx| {
        let mut state = shared.lock();
        state.notified = false;
        if state.driver.is_none() {
            state.driver = Some(cx.waker().clone());
        }
        drop(state);
        let mut gathers = false;
        while let Poll::Ready(received) = shared.socket.poll_recv(cx, &mut packet)? {
            if received == 0 {
                return Poll::Ready(io::Result::Ok(()));
            }
            let mut state = shared.lock();
            state.take_in(&packet[..received], &mut wake);
            // Those that one packet wakes call again together.
            gathers |= wake.len() > 1;
            state.sent |= gathers;
            drop(state);
            wake.drain(..).for_each(Waker::wake);
        }
        let mut state = shared.lock();
        shared.flush(&mut state);
        state.sent = gathers;
        if gathers {
            state.notify_driver();
        }
        Poll::Pending
    });
    driven.await.expect("the server lives");
}

/// Answers each call where it is read.
async fn answer(socket: &Socket) -> io::Result<()> {
    let (mut packet, mut answers, share) = (vec![0; FULL], Vec::with_capacity(FULL), share());
    loop {
        let received = socket.recv(&mut packet).await?;
        if received == 0 {
            return Ok(());
        }
        for (number, value) in calls(&packet[..received]) {
            push(&mut answers, number, decoded(value));
            if answers.len() >= share {
                socket.send(&answers).await?;
                answers.clear();
            }
        }
        if !answers.is_empty() {
            socket.send(&answers).await?;
            answers.clear();
        }
    }
}

/// As many calls as pipe-rpc lets go without waiting for more: 16, where there are several processors.
fn share() -> usize {
    match available_parallelism() {
        Ok(processors) if processors.get() == 1 => usize::MAX,
        _ => 16 * CALL,
    }
}

fn calls(packet: &[u8]) -> impl Iterator<Item = (u64, &[u8; SMALL])> {
    packet.as_chunks::<CALL>().0.iter().map(|call| {
        let (number, value) = call.split_first_chunk().expect("longer than a number");
        (
            u64::from_le_bytes(*number),
            value.try_into().expect("the rest is a value"),
        )
    })
}

fn push(packet: &mut Vec<u8>, number: u64, value: Small) {
    packet.extend_from_slice(&number.to_le_bytes());
    let mut encoded = [0; SMALL];
    encode_into_slice(value, &mut encoded, fixed()).expect("it has 64 bytes");
    packet.extend_from_slice(&encoded);
}

fn decoded(value: &[u8; SMALL]) -> Small {
    let (value, _) = decode_from_slice(value, fixed()).expect("it has 64 bytes");
    value
}

fn fixed() -> impl config::Config {
    config::standard().with_fixed_int_encoding()
}
