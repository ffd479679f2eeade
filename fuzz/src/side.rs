//! One end of the protocol with what must hold of it, whatever the other end does.

mod events;

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pipe_rpc_core::proto::{
    Agreed, Answer, Body, CallId, Connection, Limits, MethodLimits, Opener, ProtocolError, RequestHead,
    StreamId,
};
use pipe_rpc_core::testing::frame::{Frame, told};
use pipe_rpc_core::transport::{Landing, Packet};

/// The packet limits: the smallest that may be agreed on, and one that most large bodies fit into.
pub const MAX_PACKET: [usize; 2] = [4096, 64 << 10];
/// The service and the methods there are.
pub const SERVICE: u32 = 1;
pub const METHODS: [u32; 3] = [1, 2, SMALL];
/// A method with a limit of its own.
pub const SMALL: u32 = 3;
const SMALL_LIMIT: u64 = 100;
const PONG: u8 = 11;

/// What every body begins with: not a byte may be wrong.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| {
    let part: Vec<_> = (0..251).map(|i: u32| (i * 31 % 251) as u8).collect();
    part.repeat(VERY_LARGE / part.len() + 1).into()
});

/// The largest body: just more than what is kept in any case of the memory of bodies.
pub const VERY_LARGE: usize = (4 << 20) + 1;

/// A body of that many bytes.
pub fn body(size: usize) -> Body {
    PATTERN.slice(..size).into()
}

/// A call of this end's that somebody waits for.
pub struct Waiting {
    pub call: CallId,
    buffer: u16,
    /// Items may still follow the request.
    pub upload: bool,
    streaming: bool,
}

/// A call of the peer's that is with its handler.
pub struct Running {
    pub call: CallId,
    pub interrupted: bool,
    pub oneway: bool,
    pub streaming: bool,
}

/// A stream that this end reads.
pub struct Inbox {
    pub id: StreamId,
    /// What it began with.
    credit: u64,
    /// What came and was not taken.
    pub held: u64,
    items: u32,
}

pub struct Side {
    pub proto: Connection,
    pub max_packet: usize,
    /// The transport receives in pieces.
    lands: bool,
    /// Lent for the next packet.
    landing: Option<Landing>,
    pub now: Instant,
    pub granted: Limits,
    /// The other end keeps to the protocol.
    pub peer_is_honest: bool,
    pub waiting: Vec<Waiting>,
    /// Calls of this end's whose slots are taken.
    pub taken: Vec<CallId>,
    announced: Vec<CallId>,
    pub running: Vec<Running>,
    pub inboxes: Vec<Inbox>,
    /// How many items went into each stream of this end's.
    pub sent: HashMap<StreamId, u32>,
    /// Streams that came whole since the last time somebody looked, and their items.
    pub complete: Vec<(StreamId, u32)>,
    /// The peer broke the protocol: only packets may still be taken.
    is_over: bool,
    pub peer_left: bool,
    pub acknowledged: bool,
    /// The most that this end may have sent and may still have to send, in bytes.
    pub owed: usize,
    pub sent_bytes: usize,
    sent_packets: usize,
    sent_pongs: usize,
}

impl Side {
    /// An end with one of the packet limits, and a transport that receives in pieces or does not, as `how` says.
    pub fn new(granted: Limits, received: Limits, how: u8) -> Self {
        let max_packet = MAX_PACKET[usize::from(how & 1)];
        let mut proto = Connection::new(Agreed {
            version: 1,
            codec: 1,
            max_packet,
            granted,
            received,
        });
        proto.set_method_limits(MethodLimits::from_iter([(SERVICE, SMALL, SMALL_LIMIT)]));
        Self {
            proto,
            max_packet,
            lands: how & 2 == 0,
            landing: None,
            now: Instant::now(),
            granted,
            peer_is_honest: true,
            waiting: Vec::new(),
            taken: Vec::new(),
            announced: Vec::new(),
            running: Vec::new(),
            inboxes: Vec::new(),
            sent: HashMap::new(),
            complete: Vec::new(),
            is_over: false,
            peer_left: false,
            acknowledged: false,
            owed: 0,
            sent_bytes: 0,
            sent_packets: 0,
            sent_pongs: 0,
        }
    }

    /// Takes in a packet. What stands before the fault in a wrong one counts.
    pub fn hear(&mut self, packet: &[u8]) -> Result<(), ProtocolError> {
        let mut received = Packet::copy_from(packet);
        let handled = match self.landing.take() {
            Some(mut landing) => {
                if self.lands {
                    landing.land(&mut received);
                }
                self.proto.handle_landed(received, landing, || self.now)
            }
            None => self.proto.handle_packet(received, || self.now),
        };
        self.landing = self.proto.lend_landing();
        if self.peer_is_honest {
            assert_eq!(handled, Ok(()), "an honest end sent {:?}", told(packet));
        }
        self.is_over = handled.is_err();
        self.note_events();
        handled
    }

    /// The bytes of the next packet, whose size and frames are right.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let has_output = self.proto.has_output();
        let packet = self.proto.take_packet(|| self.now);
        assert_eq!(packet.is_some(), has_output);
        let packet = packet?;
        let [head, tail] = packet.slices();
        let bytes = [&*head, &*tail].concat();
        self.proto.recycle(packet);
        assert!(
            (1..=self.max_packet).contains(&bytes.len()),
            "{} bytes",
            bytes.len()
        );
        let frames = Frame::all_of(&bytes);
        self.sent_packets += 1;
        self.sent_pongs += frames.iter().filter(|frame| frame.kind == PONG).count();
        assert!(
            self.sent_pongs <= self.sent_packets,
            "one pong waits for a packet to leave"
        );
        self.sent_bytes += bytes.len();
        self.note_events();
        Some(bytes)
    }

    /// Lets time pass. One look at the deadlines is enough.
    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        if self.proto.next_timeout().is_some_and(|at| at <= self.now) {
            self.proto.handle_timeout(self.now);
            assert!(self.proto.next_timeout().is_none_or(|at| at > self.now));
        }
        self.note_events();
    }

    pub fn call(&mut self, head: RequestHead, call: Option<CallId>) {
        let Some(call) = call else { return };
        self.waiting.push(Waiting {
            call,
            buffer: head.buffer,
            upload: head.upload,
            streaming: false,
        });
        self.taken.push(call);
        // A call that was taken back leaves its number to the next one.
        self.sent.remove(&own(call));
        self.note_events();
    }

    /// Nobody waits for the call any more.
    pub fn abandon(&mut self, call: CallId) {
        self.waiting.retain(|waiting| waiting.call != call);
        self.inboxes.retain(|inbox| inbox.id != own(call));
        self.proto.abandon(call);
        self.note_events();
    }

    /// Answers the call at that place of those that run.
    pub fn answer(&mut self, at: usize, answer: Answer) {
        let call = self.running.remove(at).call;
        self.inboxes.retain(|inbox| inbox.id != peers(call));
        assert!(self.proto.answer(call, answer), "{call} was running");
        self.note_events();
    }

    /// The end that a call without a result has.
    pub fn answer_interrupted(&mut self, at: usize) {
        let call = self.running.remove(at).call;
        self.inboxes.retain(|inbox| inbox.id != peers(call));
        self.proto.answer_interrupted(call);
        self.note_events();
    }
}

/// The stream of a call of this end's.
pub fn own(call: CallId) -> StreamId {
    StreamId {
        opener: Opener::ThisEnd,
        call,
    }
}

/// The stream of a call of the peer's.
pub fn peers(call: CallId) -> StreamId {
    StreamId {
        opener: Opener::Peer,
        call,
    }
}
