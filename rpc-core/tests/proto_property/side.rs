//! One end, and what must hold of it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use pipe_rpc_core::proto::{
    Answer, CallId, Ending, Event, FaultRecord, IncomingCall, ItemsEnd, Limits, RequestHead, code,
};

use super::step::{NewCall, Step};
use super::streams::{Key, Streams, key, status_of_end, status_of_ending};
use super::support::pair::{self, End, LIMITS, body, head, refusal};

pub const SMALL: Limits = Limits {
    max_calls: 2,
    max_nested: 1,
    window: 40_000,
    ..LIMITS
};

pub struct Side {
    pub end: End,
    limits: Limits,
    /// Packets of the other end's on their way here.
    arriving: VecDeque<Vec<u8>>,
    /// Calls of this end's that somebody waits for, and the buffer that each asked for.
    pub waiting: Vec<(CallId, u16)>,
    /// Calls of this end's whose slots are taken.
    pub taken: Vec<CallId>,
    /// The calls of this end's, and the sizes of their bodies.
    made: HashMap<CallId, usize>,
    /// Calls of the other end's that are with their handlers.
    running: HashMap<CallId, Handler>,
    /// All that ever were.
    came: HashSet<CallId>,
    /// What handlers answered with a body, and its size.
    answered: HashMap<CallId, usize>,
    /// The pipe is broken: what this end sends arrives nowhere.
    cut: bool,
    pub streams: Streams,
}

struct Handler {
    to_be_stopped: bool,
    oneway: bool,
    buffer: u16,
}

impl Side {
    pub fn with(limits: Limits) -> Self {
        Self {
            end: End::new(limits, std::time::Instant::now()),
            limits,
            arriving: VecDeque::new(),
            waiting: Vec::new(),
            taken: Vec::new(),
            made: HashMap::new(),
            running: HashMap::new(),
            came: HashSet::new(),
            answered: HashMap::new(),
            cut: false,
            streams: Streams::default(),
        }
    }

    pub fn act(&mut self, step: &Step, other: &mut Self) {
        match step {
            Step::Call(new) => self.call(*new),
            Step::Cancel(which) => self.cancel(*which),
            Step::Begin(which) => {
                if let Some(call) = self.pick_running(*which) {
                    self.end.proto.begin(call);
                }
            }
            Step::Answer(which, size) => self.answer(*which, Answer::Succeeded(body(*size))),
            Step::Fail(which) => self.answer(*which, Answer::Failed(body(10))),
            Step::Refuse(which) => self.answer(*which, refusal(code::OVERLOADED)),
            Step::Interrupt(which) => self.interrupt(*which),
            Step::Open(which) => self.open(*which),
            Step::Items(which, sizes) => {
                if let Some(key) = pick(self.streams.sending.keys().copied(), *which) {
                    self.streams.send(&mut self.end, key, sizes, &other.streams);
                }
            }
            Step::End(which, status) => self.end_stream(*which, *status),
            Step::Take(which, count) => {
                if let Some(key) = pick(self.streams.reading.keys().copied(), *which) {
                    self.streams.take(&mut self.end, key, *count);
                }
            }
            Step::Stop(which) => {
                let keys = self.streams.reading.keys().filter(|(ours, _)| !ours);
                if let Some((ours, call)) = pick(keys.copied(), *which) {
                    self.streams.reading.remove(&(ours, call));
                    self.end.proto.stop_items(call);
                }
            }
            Step::Ping => self.end.proto.ping(1),
            Step::Pass(millis) => self.end.pass(Duration::from_millis(*millis)),
            Step::Send(count) => {
                let packets = std::iter::from_fn(|| self.end.take()).take(*count);
                let packets = packets.collect::<Vec<_>>();
                if !self.cut {
                    other.arriving.extend(packets);
                }
            }
            Step::Receive(count) => {
                for _ in 0..*count {
                    let Some(packet) = self.arriving.pop_front() else {
                        break;
                    };
                    self.end.take_in(&packet);
                }
            }
            Step::Cut([here, there]) => {
                for (side, kept) in [(self, here), (other, there)] {
                    side.cut = true;
                    side.arriving.truncate(*kept);
                }
                return;
            }
        }
        self.note_events(other);
    }

    fn call(&mut self, new: NewCall) {
        let head = RequestHead {
            oneway: new.oneway,
            depth: u8::from(new.nested),
            deadline: new
                .deadline
                .map(|millis| self.end.now() + Duration::from_millis(millis)),
            upload: new.upload,
            buffer: new.buffer,
            ..head()
        };
        let limit = if new.nested {
            self.limits.max_nested
        } else {
            self.limits.max_calls
        };
        let proto = &self.end.proto;
        let nested = |call: &&CallId| proto.is_nested(**call) == new.nested;
        let taken = self.taken.iter().filter(nested).count();
        let call = self.end.call_with(head, new.size);
        assert_eq!(
            call.is_some(),
            taken < limit as usize,
            "a free slot is credit, and nothing else is"
        );
        let Some(call) = call else { return };
        self.made.insert(call, new.size);
        self.waiting.push((call, new.buffer));
        self.taken.push(call);
        if new.upload {
            self.streams.send_from((true, call), credit(new.buffer));
        }
    }

    fn cancel(&mut self, which: usize) {
        let waiting = self.waiting.iter().map(|(call, _)| *call);
        let Some(call) = pick(waiting, which) else { return };
        self.waiting.retain(|(waiting, _)| *waiting != call);
        self.streams.forget((true, call));
        self.end.abandon(call);
    }

    fn answer(&mut self, which: usize, answer: Answer) {
        let Some(call) = self.pick_running(which) else {
            return;
        };
        self.running.remove(&call);
        let status = match &answer {
            Answer::Succeeded(_) | Answer::StreamEnded => 0,
            Answer::Failed(_) => 1,
            _ => 2,
        };
        if let Answer::Succeeded(body) | Answer::Failed(body) = &answer {
            self.answered.insert(call, body.len());
        }
        self.leave(call, status);
        assert!(self.end.proto.answer(call, answer));
    }

    fn interrupt(&mut self, which: usize) {
        let to_be_stopped = |call: &CallId| self.running[call].to_be_stopped;
        let Some(call) = self.pick_running(which).filter(to_be_stopped) else {
            return;
        };
        self.running.remove(&call);
        self.leave(call, 2);
        self.end.proto.answer_interrupted(call);
    }

    /// The handler of a call has ended.
    fn leave(&mut self, call: CallId, status: u8) {
        self.streams.end((false, call), status);
        self.streams.forget((false, call));
    }

    fn open(&mut self, which: usize) {
        let Some(call) = self.pick_running(which) else {
            return;
        };
        let handler = &self.running[&call];
        let may =
            !handler.oneway && !handler.to_be_stopped && !self.streams.sending.contains_key(&(false, call));
        let credit = credit(handler.buffer);
        assert_eq!(self.end.proto.open_stream(call), may, "{call}");
        if may {
            self.streams.send_from((false, call), credit);
        }
    }

    fn end_stream(&mut self, which: usize, status: u8) {
        let Some((ours, call)) = pick(self.streams.sending.keys().copied(), which) else {
            return;
        };
        let record = FaultRecord {
            code: code::PANICKED,
            ..FaultRecord::default()
        };
        if ours {
            let end = match status {
                0 => ItemsEnd::Complete,
                1 => ItemsEnd::Failed(body(10)),
                _ => ItemsEnd::Faulted(record),
            };
            self.streams.end((true, call), status);
            assert!(self.end.proto.end_upload(call, end));
        } else {
            let answer = match status {
                0 => Answer::StreamEnded,
                1 => Answer::Failed(body(10)),
                _ => Answer::Faulted(record),
            };
            self.running.remove(&call);
            self.leave(call, status);
            assert!(self.end.proto.answer(call, answer));
        }
    }

    fn pick_running(&self, which: usize) -> Option<CallId> {
        let mut calls: Vec<_> = self.running.keys().copied().collect();
        calls.sort();
        pick(calls.into_iter(), which)
    }

    fn note_events(&mut self, other: &Self) {
        while let Some(event) = self.end.event() {
            self.note(event, other);
        }
        self.streams.check_room(&mut self.end);
        assert_eq!(self.end.proto.outgoing_open(), self.taken.len());
    }

    fn note(&mut self, event: Event, other: &Self) {
        match event {
            Event::Incoming(call) => self.note_call(&call, other),
            Event::Interrupted(call) => {
                let handler = self.running.get_mut(&call).expect("it runs");
                assert!(!handler.to_be_stopped, "{call} is stopped once");
                handler.to_be_stopped = true;
                self.streams.full.remove(&(false, call));
            }
            Event::Ended {
                call,
                ending,
                is_free,
            } => {
                if is_free {
                    remove(&mut self.taken, |taken| *taken == call);
                }
                remove(&mut self.waiting, |(waiting, _)| *waiting == call);
                if let Ending::Succeeded(result) = &ending {
                    assert_eq!(other.answered.get(&call), Some(&result.len()), "{call}");
                    assert!(result.as_ref() == body(result.len()).as_ref(), "{call}");
                }
                if self.streams.reading.contains_key(&(true, call))
                    && let Some(status) = status_of_ending(&ending)
                {
                    self.streams.on_end((true, call), status, &other.streams);
                }
                self.streams.forget((true, call));
            }
            Event::Freed(call) => remove(&mut self.taken, |taken| *taken == call),
            Event::Streaming(call) => {
                let asked = self.waiting.iter().find(|(waiting, _)| *waiting == call);
                let (_, buffer) = asked.expect("somebody waits for it");
                self.streams.read_from((true, call), credit(*buffer));
            }
            Event::Item(id, item) => self.streams.on_item(key(id), &item),
            Event::UploadEnded(call, end) => {
                self.streams
                    .on_end((false, call), status_of_end(&end), &other.streams);
            }
            Event::Room(id) => drop(self.streams.full.remove(&key(id))),
            Event::UploadStopped(call) => drop(self.streams.full.remove(&(true, call))),
            Event::Pong(_) | Event::Timeout(_) => {}
            other => panic!("{other:?} out of nothing"),
        }
    }

    fn note_call(&mut self, call: &IncomingCall, other: &Self) {
        assert_eq!(
            other.made.get(&call.id),
            Some(&call.body.len()),
            "{} is whole",
            call.id
        );
        assert!(
            call.body.as_ref() == body(call.body.len()).as_ref(),
            "not a byte is wrong"
        );
        let handler = Handler {
            to_be_stopped: false,
            oneway: call.head.oneway,
            buffer: call.head.buffer,
        };
        assert!(
            self.running.insert(call.id, handler).is_none(),
            "{} came twice",
            call.id
        );
        self.came.insert(call.id);
        if call.head.upload {
            self.streams.read_from((false, call.id), credit(call.head.buffer));
        }
    }

    /// Begins all that came, reads all there is, and puts all on the way. Whether anything moved.
    pub fn read_all(&mut self, other: &mut Self) -> bool {
        let calls: Vec<CallId> = self.running.keys().copied().collect();
        calls.into_iter().for_each(|call| self.end.proto.begin(call));
        let keys: Vec<Key> = self.streams.reading.keys().copied().collect();
        for key in keys {
            self.streams.take(&mut self.end, key, usize::MAX);
        }
        let moves = self.end.proto.has_output() || !self.arriving.is_empty();
        self.act(&Step::Send(usize::MAX), other);
        self.act(&Step::Receive(usize::MAX), other);
        moves
    }

    /// Ends all streams, answers all, stops what is to be stopped.
    pub fn finish(&mut self, other: &mut Self) {
        while !self.streams.sending.is_empty() {
            self.act(&Step::End(0, 0), other);
        }
        while let Some(call) = self.pick_running(0) {
            let step = if self.running[&call].to_be_stopped {
                Step::Interrupt(0)
            } else {
                Step::Answer(0, 10)
            };
            self.act(&step, other);
        }
        self.read_all(other);
    }

    /// Whoever still waits when the connection is lost is told whether the call may have run.
    pub fn assert_outcomes(&mut self, other: &Self) {
        for (call, _) in &self.waiting {
            let may_have_run = self.end.proto.has_left(*call);
            assert!(
                may_have_run || !other.came.contains(call),
                "{call} ran, and had not left"
            );
        }
    }

    pub fn is_idle(&self) -> bool {
        let proto = &self.end.proto;
        self.arriving.is_empty() && !proto.has_output() && proto.outgoing_open() + proto.incoming_open() == 0
    }

    /// As many calls as were granted may be made, and a body of the whole window may be begun.
    pub fn assert_slots_whole(&mut self) {
        for _ in 0..SMALL.max_calls {
            self.end.call(1);
        }
        for _ in 0..SMALL.max_nested {
            assert!(self.end.call_with(pair::nested(), 1).is_some());
        }
        self.end.frames();
    }

    pub fn assert_window_whole(&mut self) {
        let window = SMALL.window as usize;
        self.end.call(window - 1);
        self.end.call(5000);
        self.end.call_with(pair::nested(), 5000);
        let begun = self.end.frames();
        let begins = |slot: usize| {
            begun
                .iter()
                .any(|frame| frame.kind == 1 && frame.slot as usize == slot)
        };
        let slots: Vec<_> = (0..3).filter(|slot| begins(*slot)).collect();
        assert_eq!(
            slots.len(),
            2,
            "the window has room for one and goes negative by one"
        );
    }
}

/// What a stream begins with.
fn credit(buffer: u16) -> u64 {
    match buffer {
        0 => SMALL.stream,
        kib => SMALL.stream.min(u64::from(kib) * 1024),
    }
}

fn pick<T>(items: impl Iterator<Item = T>, which: usize) -> Option<T> {
    let mut items: Vec<T> = items.collect();
    (!items.is_empty()).then(|| items.swap_remove(which % items.len()))
}

fn remove<T>(items: &mut Vec<T>, which: impl Fn(&T) -> bool) {
    let at = items.iter().position(which);
    items.remove(at.expect("it ends once"));
}
