//! The echo over a bare SEQPACKET socket on tokio, as a careful program would write it: registered for reading only,
//! and nothing allocated on the way. What the pipe can do; the measure of what is above it.

use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;

use super::server_process::{ServerProcess, done};
use super::{CALLERS, LARGE, Row, runtime};

pub(super) const ROLE: &str = "bare";

/// The size of the packets that a large echo consists of.
const PACKET: usize = 64 * 1024;

/// How many of them are under way at once. The send buffer has room for them, so that nobody waits to send.
const UNDER_WAY: usize = 4;

/// What the kernel is asked for, and doubles.
const SEND_BUFFER: usize = 212_992;

/// Echoes what comes by standard input, which is a socket, until its end.
pub(super) fn serve() -> ! {
    let stdin = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .expect("a descriptor is free");
    runtime().block_on(async {
        let socket = Socket::new(stdin);
        let mut buffer = vec![0; PACKET];
        loop {
            match socket.recv(&mut buffer).await {
                0 => done(),
                len => socket.send(&buffer[..len]),
            }
        }
    })
}

pub(super) fn one() -> Option<Box<dyn Row>> {
    Some(Box::new(Echoes::start(Shape {
        packet: 64,
        packets: 1,
        calls_in_each: 1,
    })))
}

/// The calls at hand go in one packet.
pub(super) fn many() -> Option<Box<dyn Row>> {
    Some(Box::new(Echoes::start(Shape {
        packet: 64 * CALLERS as usize,
        packets: 1,
        calls_in_each: CALLERS,
    })))
}

pub(super) fn large() -> Option<Box<dyn Row>> {
    Some(Box::new(Echoes::start(Shape {
        packet: PACKET,
        packets: LARGE / PACKET,
        calls_in_each: 1,
    })))
}

/// What one echo consists of.
#[derive(Clone, Copy)]
struct Shape {
    packet: usize,
    packets: usize,
    /// How many calls it stands for.
    calls_in_each: u64,
}

struct Echoes {
    runtime: Runtime,
    socket: Socket,
    buffer: Vec<u8>,
    shape: Shape,
    _server: ServerProcess,
}

impl Echoes {
    fn start(shape: Shape) -> Self {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
        let (ours, theirs) = pair.expect("a pair of sockets");
        let server = ServerProcess::start(ROLE, &[], Stdio::from(theirs));
        let runtime = runtime();
        let socket = runtime.block_on(async { Socket::new(ours) });
        Self {
            runtime,
            socket,
            buffer: vec![7; PACKET],
            shape,
            _server: server,
        }
    }
}

impl Row for Echoes {
    fn run(&mut self, calls: u64) -> Duration {
        let Self {
            runtime,
            socket,
            buffer,
            shape,
            ..
        } = self;
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..calls.div_ceil(shape.calls_in_each) {
                echo(socket, buffer, *shape).await;
            }
            start.elapsed()
        })
    }
}

async fn echo(socket: &Socket, buffer: &mut [u8], shape: Shape) {
    let buffer = &mut buffer[..shape.packet];
    let at_once = shape.packets.min(UNDER_WAY);
    (0..at_once).for_each(|_| socket.send(buffer));
    for received in 1..=shape.packets {
        assert_eq!(socket.recv(buffer).await, shape.packet);
        if received + at_once <= shape.packets {
            socket.send(buffer);
        }
    }
}

struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    #[expect(
        deprecated,
        reason = "its successor is unsafe, for the sake of types that are not owned descriptors"
    )]
    fn new(fd: OwnedFd) -> Self {
        set_socket_send_buffer_size(&fd, SEND_BUFFER).expect("a buffer of the usual size");
        Self(AsyncFd::with_interest(fd, Interest::READABLE).expect("a socket can be polled"))
    }

    fn send(&self, packet: &[u8]) {
        let flags = SendFlags::NOSIGNAL | SendFlags::EOR | SendFlags::DONTWAIT;
        let sent = send(self.0.get_ref(), packet, flags).expect("the peer lives, and there is room");
        assert_eq!(sent, packet.len());
    }

    /// The length of the next packet, 0 at the end.
    async fn recv(&self, buffer: &mut [u8]) -> usize {
        loop {
            let mut ready = self.0.readable().await.expect("the runtime lives");
            match recv(self.0.get_ref(), &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((len, _)) => return len,
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::CONNRESET) => return 0,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
