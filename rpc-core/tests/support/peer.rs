//! A peer by script: it sends what it likes over an in-memory link, to a real server or a real channel.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use pipe_rpc_core::client::Channel;
use pipe_rpc_core::connection::Config;
use pipe_rpc_core::proto::{Hello, HelloAnswer};
use pipe_rpc_core::server::{Server, ServerBuilder};
use pipe_rpc_core::transport::Link;
use pipe_rpc_core::transport::memory::{self, MemoryConnector};

use super::frames::{Frame, packet, request};
use super::service::{ECHO, Probe, SERVICE};

/// One end of a link, by script.
pub struct Peer {
    link: Link,
    /// Frames that came in one packet with those that were asked for.
    ahead: std::collections::VecDeque<Frame>,
}

/// The greeting of an honest client or server of the defaults.
pub fn hello() -> Hello {
    Hello {
        lowest: 1,
        highest: 1,
        features: 0,
        codecs: vec![1],
        max_packet: 65_536,
        max_calls: 16,
        max_nested: 4,
        window: 1 << 20,
        stream: 256 << 10,
        max_body: 1 << 24,
        secret: None,
        product: "a script".to_owned(),
        services: Vec::new(),
    }
}

/// A server of the probe, in a task of the current runtime.
pub fn serve(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (MemoryConnector, Probe) {
    let (listener, connector) = memory::listener();
    let probe = Probe::default();
    let builder = configure(Server::builder().service(probe.clone()));
    tokio::spawn(builder.serve(listener));
    (connector, probe)
}

/// A channel whose server is a script.
pub async fn channel() -> (Channel, Peer) {
    let (ours, theirs) = memory::pair();
    channel_over(ours, theirs).await
}

/// The same, over these two ends of a link.
pub async fn channel_over(ours: Link, theirs: Link) -> (Channel, Peer) {
    let mut peer = Peer::new(theirs);
    let greet = async {
        peer.recv().await.expect("the client speaks first");
        peer.send(&hello().encode()).await;
    };
    let config = Config::default();
    let (channel, ()) = tokio::join!(Channel::open(ours, &config), greet);
    (channel.unwrap(), peer)
}

impl Peer {
    pub fn new(link: Link) -> Self {
        Self {
            link,
            ahead: Default::default(),
        }
    }

    /// Connects and says nothing.
    pub async fn connect(connector: &MemoryConnector) -> Self {
        Self::new(connector.connect().await.unwrap())
    }

    /// Connects and comes in.
    pub async fn greet(connector: &MemoryConnector) -> Self {
        let mut peer = Self::connect(connector).await;
        peer.send(&hello().encode()).await;
        let answer = peer.recv().await.expect("an answer");
        assert!(matches!(HelloAnswer::decode(&answer), Ok(HelloAnswer::Hello(_))));
        peer
    }

    pub async fn send(&mut self, packet: &[u8]) {
        assert!(self.try_send(packet).await.is_ok(), "the other end is gone");
    }

    /// Sends a packet, unless the other end has closed.
    pub async fn try_send(&mut self, packet: &[u8]) -> io::Result<()> {
        loop {
            poll_fn(|cx| self.link.sender.poll_ready(cx)).await?;
            match self.link.sender.try_send(&[IoSlice::new(packet)]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    pub async fn send_frame(&mut self, frame: &Frame) {
        self.send(&packet(std::slice::from_ref(frame))).await;
    }

    pub async fn recv(&mut self) -> Option<Vec<u8>> {
        let packet = poll_fn(|cx| self.link.receiver.poll_recv(cx)).await;
        packet
            .expect("memory links do not fail")
            .map(|packet| packet.to_vec())
    }

    /// What has come so far, without waiting.
    pub fn has_come(&mut self) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        let mut count = 0;
        while let Poll::Ready(Ok(Some(_))) = self.link.receiver.poll_recv(&mut cx) {
            count += 1;
        }
        count
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Option<Frame> {
        if self.ahead.is_empty() {
            let packet = self.recv().await?;
            self.ahead.extend(Frame::all_of(&packet));
        }
        self.ahead.pop_front()
    }

    /// The next frame, in short.
    pub async fn told(&mut self) -> String {
        self.frame()
            .await
            .map_or("the end".to_owned(), |frame| frame.to_string())
    }

    /// All frames up to the end of the pipe.
    pub async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.frame().await {
            frames.push(frame);
        }
        frames
    }

    /// Waits for the end; before it comes the report of a protocol error: its text.
    pub async fn reported(&mut self) -> String {
        let frames = self.rest().await;
        let report = frames.into_iter().find(|frame| frame.kind == 12);
        let report = report.expect("a Goaway before the end");
        assert_eq!(report.head, [1, 0], "for a protocol error");
        String::from_utf8(report.body).unwrap()
    }

    /// The end of the link, for what a script cannot do.
    pub fn into_link(self) -> Link {
        self.link
    }

    pub fn close(&self) {
        self.link.sender.close();
    }
}

/// A call of the probe's method, in the first use of a slot or a later one.
pub fn call(call: (u32, u32), method: u32, body: &[u8]) -> Frame {
    let mut frame = request(call, body);
    frame.head[0..4].copy_from_slice(&SERVICE.to_le_bytes());
    frame.head[4..8].copy_from_slice(&method.to_le_bytes());
    frame
}

/// The server still serves: a new client's call comes back.
pub async fn assert_alive(connector: &MemoryConnector) {
    let mut peer = Peer::greet(connector).await;
    assert_lives(&mut peer, (0, 1)).await;
}

/// The connection still serves: a call in that slot comes back.
pub async fn assert_lives(peer: &mut Peer, slot: (u32, u32)) {
    peer.send_frame(&call(slot, ECHO, b"still here")).await;
    let frame = peer.frame().await.expect("an answer");
    assert_eq!(
        (frame.kind, &frame.body[..]),
        (2, &b"still here"[..]),
        "not an answer: {frame}"
    );
}
