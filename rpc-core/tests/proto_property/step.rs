//! What an end does next.

use proptest::prelude::*;

/// What one end does next; calls and streams are chosen among those there are.
#[derive(Clone, Debug)]
pub enum Step {
    Call(NewCall),
    Cancel(usize),
    Begin(usize),
    Answer(usize, usize),
    Fail(usize),
    Refuse(usize),
    Interrupt(usize),
    /// Answers a call by a stream.
    Open(usize),
    /// Sends items of those sizes, as far as there is room.
    Items(usize, Vec<usize>),
    /// Ends a stream; the status.
    End(usize, u8),
    /// Reads that many items.
    Take(usize, usize),
    /// Reads a request's items no further.
    Stop(usize),
    Ping,
    Pass(u64),
    /// Puts packets on the way.
    Send(usize),
    /// Takes packets in that are on the way.
    Receive(usize),
    /// The pipe breaks: of the packets on the way to this end and to the other so many still arrive.
    Cut([usize; 2]),
}

/// A call to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewCall {
    pub size: usize,
    pub oneway: bool,
    pub nested: bool,
    pub upload: bool,
    /// In KiB.
    pub buffer: u16,
    /// In milliseconds.
    pub deadline: Option<u64>,
}

impl NewCall {
    pub fn of(size: usize) -> Self {
        Self {
            size,
            oneway: false,
            nested: false,
            upload: false,
            buffer: 0,
            deadline: None,
        }
    }
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..200usize, 2 => 4000..4200usize, 2 => 0..20_000usize, 1 => 0..300_000usize]
}

/// Around the packet limit of 4096 bytes, the credit of 2000 or 1024, and the window of 40,000.
fn item_sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![4 => 0..100usize, 2 => 900..2000usize, 2 => 4060..4100usize, 2 => 0..60_000usize];
    prop::collection::vec(size, 1..12)
}

fn new_call() -> impl Strategy<Value = NewCall> {
    let deadline = proptest::option::weighted(0.3, 1..50u64);
    let kind = prop_oneof![2 => Just((false, false)), 1 => Just((true, false)), 3 => Just((false, true))];
    let buffer = prop::sample::select(vec![0u16, 1, 63]);
    (size(), kind, any::<bool>(), buffer, deadline).prop_map(
        |(size, (oneway, upload), nested, buffer, deadline)| NewCall {
            size,
            oneway,
            nested,
            upload,
            buffer,
            deadline,
        },
    )
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => new_call().prop_map(Step::Call),
        2 => any::<usize>().prop_map(Step::Cancel),
        2 => any::<usize>().prop_map(Step::Begin),
        2 => (any::<usize>(), size()).prop_map(|(call, size)| Step::Answer(call, size)),
        1 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Refuse),
        2 => any::<usize>().prop_map(Step::Interrupt),
        4 => any::<usize>().prop_map(Step::Open),
        8 => (any::<usize>(), item_sizes()).prop_map(|(stream, sizes)| Step::Items(stream, sizes)),
        2 => (any::<usize>(), 0..3u8).prop_map(|(stream, status)| Step::End(stream, status)),
        5 => (any::<usize>(), 1..20usize).prop_map(|(stream, count)| Step::Take(stream, count)),
        1 => any::<usize>().prop_map(Step::Stop),
        1 => Just(Step::Ping),
        1 => (0..20u64).prop_map(Step::Pass),
        6 => (1..20usize).prop_map(Step::Send),
        6 => (1..20usize).prop_map(Step::Receive),
    ]
}

/// A connection that breaks in the middle: the ends go on until they notice.
pub fn cut_script() -> impl Strategy<Value = Vec<(bool, Step)>> {
    let steps = |most| prop::collection::vec((any::<bool>(), step()), 1..most);
    let cut = prop_oneof![
        1 => Just([0, 0]),
        2 => [0..5usize, 0..5usize],
        1 => Just([usize::MAX, usize::MAX]),
    ];
    let script = (steps(150), cut, steps(30));
    script.prop_map(|(before, kept, after)| {
        let cut = (true, Step::Cut(kept));
        before.into_iter().chain([cut]).chain(after).collect()
    })
}

/// The steps in which large items of many streams meet, half sent.
pub fn large_step() -> impl Strategy<Value = Step> {
    let call = |upload| {
        Step::Call(NewCall {
            upload,
            ..NewCall::of(1)
        })
    };
    let item = |(stream, size)| Step::Items(stream, vec![size]);
    prop_oneof![
        3 => any::<bool>().prop_map(call),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => any::<usize>().prop_map(|call| Step::Answer(call, 1)),
        1 => any::<usize>().prop_map(Step::Interrupt),
        3 => any::<usize>().prop_map(Step::Open),
        1 => any::<usize>().prop_map(Step::Stop),
        6 => (any::<usize>(), prop_oneof![Just(1), 5000..30_000usize]).prop_map(item),
        1 => (any::<usize>(), 0..3u8).prop_map(|(stream, status)| Step::End(stream, status)),
        2 => any::<usize>().prop_map(|stream| Step::Take(stream, 9)),
        6 => (1..5usize).prop_map(Step::Send),
        6 => (1..5usize).prop_map(Step::Receive),
    ]
}

/// The steps in which a slot's uses follow each other closely.
pub fn close_step() -> impl Strategy<Value = Step> {
    let call = |(size, upload)| {
        Step::Call(NewCall {
            upload,
            ..NewCall::of(size)
        })
    };
    prop_oneof![
        2 => (prop::sample::select(vec![1, 5000]), any::<bool>()).prop_map(call),
        1 => Just(Step::Cancel(0)),
        1 => Just(Step::Answer(0, 1)),
        1 => Just(Step::Answer(0, 5000)),
        1 => Just(Step::Interrupt(0)),
        1 => Just(Step::Open(0)),
        2 => any::<usize>().prop_map(|stream| Step::Items(stream, vec![1, 5000])),
        1 => (any::<usize>(), 0..3u8).prop_map(|(stream, status)| Step::End(stream, status)),
        1 => any::<usize>().prop_map(|stream| Step::Take(stream, 1)),
        3 => Just(Step::Send(1)),
        3 => Just(Step::Receive(1)),
    ]
}
