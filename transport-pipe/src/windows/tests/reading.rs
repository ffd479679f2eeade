//! How many reads a message takes.

use std::io::IoSlice;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use rpc_core::transport::{Landing, PacketReceiver, PeerIdentity};

use super::ends;
use crate::windows::buffer::SMALL;
use crate::windows::link::{Ends, link};
use crate::windows::operation_unsafe::Outcome;
use crate::windows::receiver::Receiver;

const LARGE: usize = 60 * 1024;
const MAX_PACKET: usize = 64 * 1024;

/// What the first read brought of a large message that came while it waited; with a landing for it, or without.
fn first_read(has_landing: bool) -> Outcome {
    let (server, client) = ends();
    let server = link(server, PeerIdentity::in_process(), MAX_PACKET, None);
    let client = Ends::new(client, None);
    let mut receiver = Receiver::new(Arc::clone(&client), MAX_PACKET);
    let cx = &mut Context::from_waker(Waker::noop());
    let polled = if has_landing {
        receiver.poll_recv_landing(cx, &mut Landing::new(Vec::new(), 0, LARGE))
    } else {
        receiver.poll_recv(cx)
    };
    assert!(polled.is_pending());
    server.sender.try_send(&[IoSlice::new(&[3; LARGE])]).unwrap();
    let begun = Instant::now();
    loop {
        if let Some((outcome, _)) = client.reading.lock().take_outcome() {
            return outcome;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "the read is not over");
        thread::yield_now();
    }
}

#[test]
fn an_idle_reader_waits_with_little_memory() {
    assert_eq!(first_read(false), Outcome::More(SMALL));
}

#[test]
fn in_the_middle_of_a_body_a_message_takes_one_read() {
    assert_eq!(first_read(true), Outcome::Done(LARGE));
}
