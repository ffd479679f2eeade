//! A peer by script: it sends what it likes, and says what has to come.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::panic::Location;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::expected::Expected;
use super::frame::IntoPacket;
use super::transcript::Transcript;
use super::{Frame, Hello, HelloAnswer, hello};
use crate::client::Channel;
use crate::connection::Config;
use crate::transport::Link;
use crate::transport::memory::{self, MemoryConnector};

/// How long a script waits for what has to come, unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// One end of a link, by script: a server or a client that does right or wrong as the test says.
///
/// What is expected is a [`Frame`], which has to be the same in every byte, or what a frame is in short. A script that
/// goes wrong panics with what was expected, what came instead, and the last packets of both sides.
///
/// ```
/// use pipe_rpc_core::client::Stub;
/// use pipe_rpc_core::fault::Outcome;
/// use pipe_rpc_core::method::Method;
/// use pipe_rpc_core::testing::{ScriptedPeer, frame};
///
/// static SYNONYMS: Method = Method::new("Thesaurus", "synonyms", "(String) -> Vec<String>");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (channel, mut server) = ScriptedPeer::server().await;
/// let thesaurus = Stub::new(channel, "Thesaurus");
/// let call = tokio::spawn(async move {
///     thesaurus.call::<_, Vec<String>>(&SYNONYMS, "pipe".to_owned(), None).await
/// });
///
/// server.expect("request 0.1").await;
/// server.send(frame::refused((0, 1))).await;
///
/// assert_eq!(call.await.unwrap().unwrap_err().outcome(), Outcome::Refused);
/// server.expect("farewell").await;
/// # }
/// ```
pub struct ScriptedPeer {
    link: Link,
    /// Frames that came in one packet with those that were asked for.
    ahead: VecDeque<Frame>,
    transcript: Transcript,
    patience: Duration,
}

impl ScriptedPeer {
    /// One end of any link, that has said nothing yet.
    #[must_use]
    pub fn new(link: Link) -> Self {
        Self {
            link,
            ahead: VecDeque::new(),
            transcript: Transcript::default(),
            patience: PATIENCE,
        }
    }

    /// A server by script that has let a client in, and the client.
    ///
    /// # Panics
    /// If there is no tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future closes the link.
    pub async fn server() -> (Channel, Self) {
        let (ours, theirs) = memory::pair();
        Self::server_over(ours, theirs).await
    }

    /// The same over the two ends of a link: the client has `ours`.
    ///
    /// # Panics
    /// If there is no tokio runtime, or the two do not come together.
    ///
    /// # Cancel safety
    /// Dropping the future closes the link.
    pub async fn server_over(ours: Link, theirs: Link) -> (Channel, Self) {
        let mut peer = Self::new(theirs);
        let config = Config::default();
        let (channel, _) = tokio::join!(Channel::open(ours, &config), peer.welcome(&hello()));
        let channel = channel.unwrap_or_else(|error| panic!("the client does not come in: {error}"));
        (channel, peer)
    }

    /// A client by script that the server has let in.
    ///
    /// # Panics
    /// If the server does not let it in.
    ///
    /// # Cancel safety
    /// Dropping the future closes the link.
    pub async fn client(connector: &MemoryConnector) -> Self {
        let mut peer = Self::connect(connector).await;
        match peer.greet(&hello()).await {
            HelloAnswer::Hello(_) => peer,
            HelloAnswer::Reject(reject) => panic!("the server does not let the script in: {}", reject.text),
        }
    }

    /// A client by script that is connected and has said nothing yet.
    ///
    /// # Panics
    /// If nobody listens.
    ///
    /// # Cancel safety
    /// Dropping the future closes the link.
    pub async fn connect(connector: &MemoryConnector) -> Self {
        let link = connector.connect().await;
        Self::new(link.unwrap_or_else(|error| panic!("the script cannot connect: {error}")))
    }

    /// The same, giving up on what has to come after `limit` of tokio's time; 60 s unless set.
    #[must_use]
    pub fn with_patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// Greets as a client, and gives the answer.
    ///
    /// # Panics
    /// If the answer is neither a Hello nor a Reject.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the greeting may have been sent, and a later [`recv`](Self::recv) gives the answer.
    #[track_caller]
    pub fn greet<'a>(&'a mut self, hello: &Hello) -> impl Future<Output = HelloAnswer> + use<'a> {
        let place = Location::caller();
        let packet = hello.encode();
        async move {
            self.send_from(place, packet).await;
            let answer = self.recv_from(place).await.unwrap_or_default();
            HelloAnswer::decode(&answer)
                .unwrap_or_else(|error| self.fail(place, "an answer to the greeting", &error.to_string()))
        }
    }

    /// Lets a client in as a server would, and gives the client's greeting.
    ///
    /// # Panics
    /// If the client does not greet.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the client's greeting may be lost.
    #[track_caller]
    pub fn welcome<'a>(&'a mut self, hello: &Hello) -> impl Future<Output = Hello> + use<'a> {
        let place = Location::caller();
        let packet = hello.encode();
        async move {
            let greeting = self.recv_from(place).await.unwrap_or_default();
            let greeting = Hello::decode(&greeting)
                .unwrap_or_else(|error| self.fail(place, "a client's greeting", &error.to_string()));
            self.send_from(place, packet).await;
            greeting
        }
    }

    /// Sends one packet: a frame, several frames, or any bytes.
    ///
    /// # Panics
    /// If the other end has closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing was sent.
    #[track_caller]
    pub fn send(&mut self, packet: impl IntoPacket) -> impl Future<Output = ()> {
        self.send_from(Location::caller(), packet.into_packet())
    }

    /// As [`send`](Self::send), for an end that may have closed.
    ///
    /// # Errors
    /// The link's, once it is closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing was sent.
    pub async fn try_send(&mut self, packet: impl IntoPacket) -> io::Result<()> {
        let packet = packet.into_packet();
        loop {
            poll_fn(|cx| self.link.sender.poll_ready(cx)).await?;
            match self.link.sender.try_send(&[IoSlice::new(&packet)]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => {
                    self.transcript.sent(&packet);
                    return result;
                }
            }
        }
    }

    /// Takes the next frame, which has to be this one: a [`Frame`] or what it is in short, `"request 0.1"`.
    ///
    /// # Panics
    /// If another comes, or none.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no frame is lost.
    #[track_caller]
    pub fn expect<E: Into<Expected>>(&mut self, frame: E) -> impl Future<Output = Frame> + use<'_, E> {
        let place = Location::caller();
        let expected = frame.into();
        async move {
            match self.frame_from(place).await {
                Some(frame) if expected.is(&frame) => frame,
                Some(frame) => self.fail(place, &expected.in_full(), &frame.in_full()),
                None => self.fail(place, &expected.in_full(), "the end"),
            }
        }
    }

    /// Waits for the other end to close, which has to be the next that comes.
    ///
    /// # Panics
    /// If a frame comes.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing is lost.
    #[track_caller]
    pub fn expect_end(&mut self) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            if let Some(frame) = self.frame_from(place).await {
                self.fail(place, "the end", &frame.in_full());
            }
        }
    }

    /// Waits for the end, before which the other end has to report that this one broke the protocol: the report.
    ///
    /// # Panics
    /// If the end comes without a report.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, frames may be lost.
    #[track_caller]
    pub fn expect_protocol_error(&mut self) -> impl Future<Output = String> {
        let place = Location::caller();
        async move {
            let mut report = None;
            while let Some(frame) = self.frame_from(place).await {
                report = report.or(Some(frame).filter(|frame| frame.kind == 12 && frame.head == [1, 0]));
            }
            match report {
                Some(report) => String::from_utf8_lossy(&report.body).into_owned(),
                None => self.fail(place, "goaway, for a protocol error", "the end"),
            }
        }
    }

    /// The next frame; `None` is the end.
    ///
    /// # Panics
    /// If a packet is torn, or nothing comes.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no frame is lost.
    #[track_caller]
    pub fn frame(&mut self) -> impl Future<Output = Option<Frame>> {
        self.frame_from(Location::caller())
    }

    /// All frames up to the end.
    ///
    /// # Panics
    /// If a packet is torn, or the end does not come.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, frames are lost.
    #[track_caller]
    pub fn rest(&mut self) -> impl Future<Output = Vec<Frame>> {
        let place = Location::caller();
        async move {
            let mut frames = Vec::new();
            while let Some(frame) = self.frame_from(place).await {
                frames.push(frame);
            }
            frames
        }
    }

    /// The next packet, whatever it is; `None` is the end.
    ///
    /// # Panics
    /// If the link fails, or nothing comes.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no packet is lost.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Option<Vec<u8>>> {
        self.recv_from(Location::caller())
    }

    /// Throws away the packets that have come so far, without waiting: how many there were.
    pub fn skip_arrived(&mut self) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        let mut count = 0;
        while let Poll::Ready(Ok(Some(packet))) = self.link.receiver.poll_recv(&mut cx) {
            self.transcript.received(&packet);
            count += 1;
        }
        count
    }

    /// The link, for what a script cannot do.
    #[must_use]
    pub fn into_link(self) -> Link {
        self.link
    }

    /// Closes the link at once.
    pub fn close(&self) {
        self.link.sender.close();
    }

    async fn send_from(&mut self, place: &Location<'_>, packet: Vec<u8>) {
        if let Err(error) = self.try_send(packet).await {
            self.fail(place, "to send a packet", &error.to_string());
        }
    }

    async fn frame_from(&mut self, place: &Location<'_>) -> Option<Frame> {
        while self.ahead.is_empty() {
            let packet = self.recv_from(place).await?;
            match Frame::split(&packet) {
                Ok(frames) => self.ahead.extend(frames),
                Err(torn) => self.fail(place, "frames", &torn.to_string()),
            }
        }
        self.ahead.pop_front()
    }

    async fn recv_from(&mut self, place: &Location<'_>) -> Option<Vec<u8>> {
        let next = poll_fn(|cx| self.link.receiver.poll_recv(cx));
        match tokio::time::timeout(self.patience, next).await {
            Ok(Ok(packet)) => {
                let packet = packet.map(|packet| packet.to_vec());
                packet.iter().for_each(|packet| self.transcript.received(packet));
                packet
            }
            Ok(Err(error)) => self.fail(place, "a packet", &error.to_string()),
            Err(_) => self.fail(place, "a packet", &format!("nothing within {:?}", self.patience)),
        }
    }

    fn fail(&self, place: &Location<'_>, expected: &str, came: &str) -> ! {
        panic!(
            "the script at {place} expected\n    {expected}\nand there came\n    {came}\nafter it had{}",
            self.transcript
        )
    }
}

impl std::fmt::Debug for ScriptedPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedPeer")
            .field("link", &self.link)
            .field("ahead", &self.ahead)
            .finish_non_exhaustive()
    }
}
