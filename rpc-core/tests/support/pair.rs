//! Two ends of the protocol, stepped against each other with a simulated clock.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use pipe_rpc_core::proto::{
    Agreed, Answer, Body, CallId, Connection, Ending, Event, FaultRecord, IncomingCall, ItemsEnd, Limits,
    ProtocolError, RequestHead,
};

use pipe_rpc_core::testing::frame::{Frame, packet, told};
use pipe_rpc_core::transport::{Landing, Packet};

/// Small limits, so that scripts reach them.
pub const LIMITS: Limits = Limits {
    max_calls: 4,
    max_nested: 2,
    window: 10_000,
    max_body: 1 << 20,
    stream: 2000,
};

/// The packet limit of pairs: the smallest that may be agreed on.
pub const MAX_PACKET: usize = 4096;

/// One end, and what it has to tell.
pub struct End {
    pub proto: Connection,
    landing: Option<Landing>,
    now: Instant,
    events: VecDeque<Event>,
}

/// Two ends.
pub struct Pair {
    pub client: End,
    pub server: End,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(LIMITS)
    }

    /// Both ends grant the same.
    pub fn with(limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            client: End::new(limits, now),
            server: End::new(limits, now),
        }
    }

    /// Carries packets both ways until none is left.
    pub fn settle(&mut self) {
        while self.forth() | self.back() {}
    }

    /// Carries one packet of the client's, if it has one.
    pub fn forth(&mut self) -> bool {
        self.client
            .take()
            .map(|packet| self.server.take_in(&packet))
            .is_some()
    }

    /// Carries one packet of the server's, if it has one.
    pub fn back(&mut self) -> bool {
        self.server
            .take()
            .map(|packet| self.client.take_in(&packet))
            .is_some()
    }

    /// Lets time pass at both ends, and wakes whichever has a deadline in it.
    pub fn pass(&mut self, time: Duration) {
        self.client.pass(time);
        self.server.pass(time);
    }
}

impl End {
    pub fn new(limits: Limits, now: Instant) -> Self {
        let agreed = Agreed {
            version: 1,
            codec: 1,
            max_packet: MAX_PACKET,
            granted: limits,
            received: limits,
        };
        Self {
            proto: Connection::new(agreed),
            landing: None,
            now,
            events: VecDeque::new(),
        }
    }

    /// The bytes of the next packet, whose limit and frames are checked.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let packet = self.proto.take_packet(|| self.now)?;
        let bytes = packet.slices().map(|slice| slice.to_vec()).concat();
        self.proto.recycle(packet);
        self.gather();
        assert!((1..=MAX_PACKET).contains(&bytes.len()), "{} bytes", bytes.len());
        Some(bytes)
    }

    /// What the next packet holds, in short; nothing if there is none.
    pub fn sends(&mut self) -> Vec<String> {
        self.take().map(|packet| told(&packet)).unwrap_or_default()
    }

    /// The frames of all packets there are.
    pub fn frames(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.take())
            .flat_map(|packet| Frame::all_of(&packet))
            .collect()
    }

    /// Takes in a packet of an honest end.
    pub fn take_in(&mut self, packet: &[u8]) {
        let taken = self.hear(packet);
        assert_eq!(taken, Ok(()), "{:?}", told(packet));
    }

    /// Takes in a packet of anybody.
    pub fn hear(&mut self, packet: &[u8]) -> Result<(), ProtocolError> {
        let mut packet = Packet::copy_from(packet);
        let handled = match self.landing.take() {
            Some(mut landing) => {
                landing.land(&mut packet);
                self.proto.handle_landed(packet, landing, || self.now)
            }
            None => self.proto.handle_packet(packet, || self.now),
        };
        self.landing = self.proto.lend_landing();
        self.gather();
        handled
    }

    /// Takes in one frame of anybody.
    pub fn hear_frame(&mut self, frame: &Frame) -> Result<(), ProtocolError> {
        self.hear(&packet(std::slice::from_ref(frame)))
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        if self.proto.next_timeout().is_some_and(|at| at <= self.now) {
            self.proto.handle_timeout(self.now);
        }
        self.gather();
    }

    /// Makes a call with a body of that many bytes.
    pub fn call(&mut self, size: usize) -> CallId {
        self.call_with(head(), size).expect("credit is left")
    }

    pub fn call_with(&mut self, head: RequestHead, size: usize) -> Option<CallId> {
        let call = self.proto.send_request(head, body(size));
        self.gather();
        call
    }

    pub fn call_within(&mut self, time: Duration, size: usize) -> CallId {
        let deadline = Some(self.now + time);
        let head = RequestHead { deadline, ..head() };
        self.call_with(head, size).expect("credit is left")
    }

    pub fn abandon(&mut self, call: CallId) -> pipe_rpc_core::proto::Abandoned {
        let abandoned = self.proto.abandon(call);
        self.gather();
        abandoned
    }

    pub fn succeed(&mut self, call: CallId, size: usize) -> bool {
        self.proto.answer(call, Answer::Succeeded(body(size)))
    }

    /// The next call that came.
    pub fn incoming(&mut self) -> IncomingCall {
        match self.events.pop_front() {
            Some(Event::Incoming(call)) => call,
            other => panic!("not a call but {other:?}"),
        }
    }

    /// All that happened since the last time, in short.
    pub fn news(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| say(&event)).collect()
    }

    /// The next thing that happened.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn gather(&mut self) {
        let events = std::iter::from_fn(|| self.proto.poll_event()).flat_map(each_one);
        // Deadlines of bodies, and what is announced, are for drivers; here `pass` asks for the next one itself.
        let for_drivers = |event: &Event| {
            matches!(
                event,
                Event::Timeout(_) | Event::Announced(..) | Event::Withdrawn(_)
            )
        };
        self.events.extend(events.filter(|event| !for_drivers(event)));
    }
}

/// The same event, or one for each thing that it tells.
fn each_one(event: Event) -> Vec<Event> {
    let (id, mut items) = match event {
        Event::Items(id, items) => (id, items),
        Event::Ended {
            call,
            ending,
            is_free: true,
        } => {
            let is_free = false;
            return vec![
                Event::Ended {
                    call,
                    ending,
                    is_free,
                },
                Event::Freed(call),
            ];
        }
        event => return vec![event],
    };
    let mut events = Vec::new();
    while let Some(item) = items.pop() {
        events.push(Event::Item(id, Body::copy_from(item)));
    }
    events
}

/// The head of a request with nothing special.
pub fn head() -> RequestHead {
    RequestHead {
        service: 1,
        method: 2,
        fingerprint: 3,
        depth: 0,
        attempt: 0,
        oneway: false,
        upload: false,
        buffer: 0,
        deadline: None,
    }
}

pub fn oneway() -> RequestHead {
    RequestHead {
        oneway: true,
        ..head()
    }
}

pub fn nested() -> RequestHead {
    RequestHead { depth: 1, ..head() }
}

/// Bytes that tell their place.
pub fn body(size: usize) -> Body {
    bytes(size).into()
}

pub fn bytes(size: usize) -> Vec<u8> {
    pattern(0, size).to_vec()
}

/// Bytes that tell their place and where they start, for up to a MiB.
pub fn pattern(start: usize, size: usize) -> &'static [u8] {
    const PERIOD: usize = 251;
    static PATTERN: LazyLock<Vec<u8>> =
        LazyLock::new(|| (0..(1 << 20) + PERIOD).map(|i| (i * 31 % PERIOD) as u8).collect());
    &PATTERN[start % PERIOD..][..size]
}

pub fn refusal(code: u16) -> Answer {
    Answer::Refused(FaultRecord {
        code,
        outcome: 1,
        ..FaultRecord::default()
    })
}

/// An event in short: `call 0.1 succeeded with 3 bytes`.
pub fn say(event: &Event) -> String {
    match event {
        Event::Incoming(call) => format!("{} came with {} bytes", call.id, call.body.len()),
        Event::Announced(call, _) => format!("{call} begins to come"),
        Event::Withdrawn(call) => format!("{call} is withdrawn"),
        Event::Metadata(call, metadata) => format!("{call} brings {metadata:?}"),
        Event::Timeout(_) => "to be woken in time".to_owned(),
        Event::Interrupted(call) => format!("{call} is to stop"),
        Event::Ended { call, ending, .. } => format!("{call} {}", say_ending(ending)),
        Event::Freed(call) => format!("{call} is free"),
        Event::Streaming(call) => format!("{call} is answered by a stream"),
        Event::Items(id, items) => format!("{} has {} small items", id.call, items.len()),
        Event::Item(id, item) => format!("{} has an item of {} bytes", id.call, item.len()),
        Event::UploadEnded(call, end) => format!("the items of {call} {}", say_items_end(end)),
        Event::Room(id) => format!("{} has room", id.call),
        Event::UploadStopped(call) => format!("{call} wants no more items"),
        Event::Pong(payload) => format!("pong {payload}"),
        Event::Goaway(goaway) if goaway.is_protocol_error => {
            format!("goaway, protocol error: {}", goaway.text)
        }
        Event::Goaway(goaway) => format!("goaway: {}", goaway.text),
        Event::Farewell => "farewell".to_owned(),
        Event::FarewellAcked => "farewell acknowledged".to_owned(),
    }
}

fn say_items_end(end: &ItemsEnd) -> String {
    match end {
        ItemsEnd::Complete => "are complete".to_owned(),
        ItemsEnd::Failed(body) => format!("failed with {} bytes", body.len()),
        ItemsEnd::Faulted(record) => format!("broke off: code {}", record.code),
    }
}

fn say_ending(ending: &Ending) -> String {
    match ending {
        Ending::Succeeded(body) => format!("succeeded with {} bytes", body.len()),
        Ending::Failed(body) => format!("failed with {} bytes", body.len()),
        Ending::Faulted(record) => format!("faulted: code {}, outcome {}", record.code, record.outcome),
        Ending::Done => "is done".to_owned(),
        Ending::StreamEnded => "has its whole stream".to_owned(),
        Ending::DeadlinePassed { unsent: true } => "is late, unsent".to_owned(),
        Ending::DeadlinePassed { unsent: false } => "is late".to_owned(),
    }
}
