//! Whatever two honest ends do in whatever order: every call ends once at both ends, and no credit is lost or invented.

mod support;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use pipe_rpc_core::proto::{Answer, CallId, Event, Limits, RequestHead, code};
use proptest::prelude::*;
use support::pair::{End, LIMITS, body, head, refusal};

const SMALL: Limits = Limits {
    max_calls: 2,
    max_nested: 1,
    window: 40_000,
    ..LIMITS
};

/// What one end does next; calls are chosen among those there are.
#[derive(Clone, Debug)]
enum Step {
    Call {
        size: usize,
        oneway: bool,
        nested: bool,
        deadline: Option<u64>,
    },
    Cancel(usize),
    Begin(usize),
    Answer(usize, usize),
    Fail(usize),
    Refuse(usize),
    Interrupt(usize),
    Ping,
    Pass(u64),
    /// Puts packets on the way.
    Send(usize),
    /// Takes packets in that are on the way.
    Receive(usize),
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..200usize, 2 => 4000..4200usize, 2 => 0..20_000usize, 1 => 0..300_000usize]
}

fn step() -> impl Strategy<Value = Step> {
    let deadline = proptest::option::weighted(0.3, 1..50u64);
    prop_oneof![
        6 => (size(), any::<bool>(), any::<bool>(), deadline)
            .prop_map(|(size, oneway, nested, deadline)| Step::Call { size, oneway, nested, deadline }),
        2 => any::<usize>().prop_map(Step::Cancel),
        2 => any::<usize>().prop_map(Step::Begin),
        3 => (any::<usize>(), size()).prop_map(|(call, size)| Step::Answer(call, size)),
        1 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Refuse),
        2 => any::<usize>().prop_map(Step::Interrupt),
        1 => Just(Step::Ping),
        1 => (0..20u64).prop_map(Step::Pass),
        6 => (1..20usize).prop_map(Step::Send),
        6 => (1..20usize).prop_map(Step::Receive),
    ]
}

/// The steps in which a slot's uses follow each other closely.
fn close_step() -> impl Strategy<Value = Step> {
    let call = |size| Step::Call {
        size,
        oneway: false,
        nested: false,
        deadline: None,
    };
    prop_oneof![
        1 => prop::sample::select(vec![1, 5000]).prop_map(call),
        1 => Just(Step::Cancel(0)),
        1 => Just(Step::Answer(0, 1)),
        1 => Just(Step::Answer(0, 5000)),
        1 => Just(Step::Interrupt(0)),
        2 => Just(Step::Send(1)),
        2 => Just(Step::Receive(1)),
    ]
}

/// One end, and what must hold of it.
struct Side {
    end: End,
    limits: Limits,
    /// Packets of the other end's on their way here.
    arriving: VecDeque<Vec<u8>>,
    /// Calls of this end's that somebody waits for.
    waiting: Vec<CallId>,
    /// Calls of this end's whose slots are taken.
    taken: Vec<CallId>,
    /// Calls of the other end's that are with their handlers; true: to be stopped.
    running: HashMap<CallId, bool>,
}

impl Side {
    fn new() -> Self {
        Self::with(SMALL)
    }

    fn with(limits: Limits) -> Self {
        Self {
            end: End::new(limits, std::time::Instant::now()),
            limits,
            arriving: VecDeque::new(),
            waiting: Vec::new(),
            taken: Vec::new(),
            running: HashMap::new(),
        }
    }

    fn act(&mut self, step: &Step, other: &mut Self) {
        match *step {
            Step::Call {
                size,
                oneway,
                nested,
                deadline,
            } => self.call(size, oneway, nested, deadline),
            Step::Cancel(which) => {
                if let Some(call) = pick(&self.waiting, which) {
                    self.waiting.retain(|waiting| *waiting != call);
                    self.end.abandon(call);
                }
            }
            Step::Begin(which) => {
                if let Some(call) = self.pick_running(which) {
                    self.end.proto.begin(call);
                }
            }
            Step::Answer(which, size) => self.answer(which, Answer::Succeeded(body(size))),
            Step::Fail(which) => self.answer(which, Answer::Failed(body(10))),
            Step::Refuse(which) => self.answer(which, refusal(code::OVERLOADED)),
            Step::Interrupt(which) => {
                if let Some(call) = self.pick_running(which).filter(|call| self.running[call]) {
                    self.running.remove(&call);
                    self.end.proto.answer_interrupted(call);
                }
            }
            Step::Ping => self.end.proto.ping(1),
            Step::Pass(millis) => self.end.pass(Duration::from_millis(millis)),
            Step::Send(count) => {
                let packets = std::iter::from_fn(|| self.end.take()).take(count);
                other.arriving.extend(packets);
            }
            Step::Receive(count) => {
                for _ in 0..count {
                    let Some(packet) = self.arriving.pop_front() else {
                        break;
                    };
                    self.end.take_in(&packet);
                }
            }
        }
        self.note_events();
    }

    fn call(&mut self, size: usize, oneway: bool, nested: bool, deadline: Option<u64>) {
        let head = RequestHead {
            oneway,
            depth: u8::from(nested),
            deadline: deadline.map(|millis| self.end.now() + Duration::from_millis(millis)),
            ..head()
        };
        let limit = if nested {
            self.limits.max_nested
        } else {
            self.limits.max_calls
        };
        let proto = &self.end.proto;
        let taken = self
            .taken
            .iter()
            .filter(|call| proto.is_nested(**call) == nested)
            .count();
        let call = self.end.call_with(head, size);
        assert_eq!(
            call.is_some(),
            taken < limit as usize,
            "a free slot is credit, and nothing else is"
        );
        self.waiting.extend(call);
        self.taken.extend(call);
    }

    fn answer(&mut self, which: usize, answer: Answer) {
        if let Some(call) = self.pick_running(which) {
            self.running.remove(&call);
            assert!(self.end.proto.answer(call, answer));
        }
    }

    fn pick_running(&self, which: usize) -> Option<CallId> {
        let mut calls: Vec<_> = self.running.keys().copied().collect();
        calls.sort();
        pick(&calls, which)
    }

    fn note_events(&mut self) {
        while let Some(event) = self.end.event() {
            match event {
                Event::Incoming(call) => {
                    assert_eq!(
                        call.body.as_ref(),
                        body(call.body.len()).as_ref(),
                        "not a byte is wrong"
                    );
                    assert!(
                        self.running.insert(call.id, false).is_none(),
                        "{} came twice",
                        call.id
                    );
                }
                Event::Interrupted(call) => {
                    let stopped = self.running.insert(call, true);
                    assert_eq!(stopped, Some(false), "{call} is stopped once, while it runs");
                }
                Event::Ended(call, _) => remove(&mut self.waiting, call),
                Event::Freed(call) => remove(&mut self.taken, call),
                Event::Pong(_) | Event::BodyDeadline(_) => {}
                other => panic!("{other:?} out of nothing"),
            }
        }
        assert_eq!(self.end.proto.outgoing_open(), self.taken.len());
    }

    /// Answers all, stops what is to be stopped.
    fn finish(&mut self, other: &mut Self) {
        while let Some(call) = self.pick_running(0) {
            let step = if self.running[&call] {
                Step::Interrupt(0)
            } else {
                Step::Answer(0, 10)
            };
            self.act(&step, other);
        }
        self.act(&Step::Send(usize::MAX), other);
        self.act(&Step::Receive(usize::MAX), other);
    }

    fn is_idle(&self) -> bool {
        let proto = &self.end.proto;
        self.arriving.is_empty() && !proto.has_output() && proto.outgoing_open() + proto.incoming_open() == 0
    }

    /// As many calls as were granted may be made, and a body of the whole window may be begun.
    fn assert_whole(&mut self) {
        for _ in 0..SMALL.max_calls {
            self.end.call(1);
        }
        for _ in 0..SMALL.max_nested {
            assert!(self.end.call_with(support::pair::nested(), 1).is_some());
        }
        self.end.frames();
    }

    fn assert_window_whole(&mut self) {
        let window = SMALL.window as usize;
        self.end.call(window - 1);
        self.end.call(5000);
        self.end.call_with(support::pair::nested(), 5000);
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

fn pick(calls: &[CallId], which: usize) -> Option<CallId> {
    (!calls.is_empty()).then(|| calls[which % calls.len()])
}

fn remove(calls: &mut Vec<CallId>, call: CallId) {
    let at = calls.iter().position(|known| *known == call);
    calls.remove(at.unwrap_or_else(|| panic!("{call} ended twice")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_once_and_all_credit_returns(steps in prop::collection::vec((any::<bool>(), step()), 1..200)) {
        let (mut left, mut right) = (Side::new(), Side::new());
        for (is_left, step) in &steps {
            if *is_left {
                left.act(step, &mut right);
            } else {
                right.act(step, &mut left);
            }
        }
        let mut rounds = 0;
        while !(left.is_idle() && right.is_idle()) {
            left.finish(&mut right);
            right.finish(&mut left);
            rounds += 1;
            prop_assert!(rounds < 100, "it comes to rest");
        }
        for side in [&mut left, &mut right] {
            prop_assert!(side.waiting.is_empty() && side.taken.is_empty());
            side.assert_window_whole();
        }
    }

    #[test]
    fn the_uses_of_a_slot_keep_apart(steps in prop::collection::vec((prop::bool::weighted(0.6), close_step()), 1..300)) {
        let one = Limits { max_calls: 1, max_nested: 0, ..SMALL };
        let (mut left, mut right) = (Side::with(one), Side::with(one));
        for (is_left, step) in &steps {
            if *is_left {
                left.act(step, &mut right);
            } else if !matches!(step, Step::Call { .. }) {
                right.act(step, &mut left);
            }
        }
        while !(left.is_idle() && right.is_idle()) {
            left.finish(&mut right);
            right.finish(&mut left);
        }
    }

    #[test]
    fn all_slots_are_free_at_the_end(steps in prop::collection::vec((any::<bool>(), step()), 1..60)) {
        let (mut left, mut right) = (Side::new(), Side::new());
        for (is_left, step) in &steps {
            if *is_left {
                left.act(step, &mut right);
            } else {
                right.act(step, &mut left);
            }
        }
        while !(left.is_idle() && right.is_idle()) {
            left.finish(&mut right);
            right.finish(&mut left);
        }
        left.assert_whole();
        right.assert_whole();
    }
}
