//! Items on their way into the connection: encoded one behind the other, and sent together.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::ItemError;
use crate::codec::Codec;
use crate::fault::{Fault, Outcome, Reason};
use crate::proto::{Body, Pack, cost};
use crate::server::{encode, encode_into};

/// How many items a batch has at most.
const MAX_ITEMS: usize = 512;

/// How many are gathered between two looks at the clock.
const UNTIMED: usize = 64;

/// How long items are gathered, where each takes its time to be made.
const MAX_TIME: Duration = Duration::from_micros(100);

/// Items that are sent together. One that is not small is the last: it may leave in fragments, and what follows waits.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) small: Pack,
    pub(crate) last: Option<Body>,
    /// The credit that is left.
    room: u64,
    max_items: usize,
    /// The largest item that the other end takes.
    max_body: u64,
    begun: Option<Instant>,
}

impl Batch {
    /// An empty batch, for items of `max_body` bytes at most.
    pub(crate) fn new(max_body: u64) -> Self {
        Self {
            max_items: MAX_ITEMS,
            max_body,
            ..Self::default()
        }
    }

    /// A batch of one item of whatever size.
    pub(crate) fn of_one() -> Self {
        Self {
            room: 1,
            max_items: 1,
            max_body: u64::MAX,
            ..Self::default()
        }
    }

    /// Empty again, for as many items as that credit is for.
    pub(crate) fn begin(&mut self, room: u64) {
        self.clear();
        self.room = room;
        self.begun = Some(Instant::now());
    }

    /// Forgets the items and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.small.clear();
        self.last = None;
    }

    /// Gives the memory back, while nothing is to be sent.
    pub(crate) fn free(&mut self) {
        self.small = Pack::default();
    }

    /// Adds an item that is encoded.
    pub(crate) fn push(&mut self, item: Body) -> Result<(), ItemError> {
        check_size(item.len(), self.max_body)?;
        self.room = self.room.saturating_sub(cost(item.len()));
        if item.len() < Pack::MAX_ITEM {
            self.small.push(item.as_ref());
        } else {
            self.last = Some(item);
        }
        Ok(())
    }

    /// Adds a value.
    #[inline]
    pub(crate) fn add<T: Serialize + 'static>(
        &mut self,
        codec: Codec,
        mut value: T,
    ) -> Result<(), ItemError> {
        if let Some(block) = Codec::take_block(&mut value) {
            return self.push(block);
        }
        let (max_body, mut size) = (self.max_body, 0);
        let large = self.small.push_with(|bytes| {
            let start = bytes.len();
            encode_into(codec, &value, bytes, Outcome::Ran).map_err(ItemError::Fault)?;
            size = bytes.len() - start;
            check_size(size, max_body)
        })?;
        self.last = large.map(Body::from);
        self.room = self.room.saturating_sub(cost(size));
        Ok(())
    }

    /// Adds a value, unless it is the error that ends its stream.
    pub(crate) fn add_result<T, E>(&mut self, codec: Codec, item: Result<T, E>) -> Result<(), ItemError>
    where
        T: Serialize + 'static,
        E: Serialize + 'static,
    {
        let error = match item {
            Ok(value) => return self.add(codec, value),
            Err(error) => error,
        };
        let encoded = encode(codec, error, Outcome::Ran);
        Err(encoded.map_or_else(ItemError::Fault, ItemError::Failed))
    }

    /// Whether it is time to send what is there.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        let items = self.small.len();
        let is_full = self.room == 0 || items >= self.max_items || self.last.is_some();
        is_full || (items.is_multiple_of(UNTIMED) && items > 0 && self.is_late())
    }

    /// The only item.
    pub(crate) fn into_one(mut self) -> Option<Body> {
        let last = self.last.take();
        last.or_else(|| self.small.pop().map(Body::copy_from))
    }

    fn is_late(&self) -> bool {
        self.begun.is_some_and(|begun| begun.elapsed() > MAX_TIME)
    }
}

#[inline]
fn check_size(size: usize, limit: u64) -> Result<(), ItemError> {
    let size = size as u64;
    if size <= limit {
        return Ok(());
    }
    let fault = Fault::new(Outcome::Ran, Reason::BodyTooLarge { size, limit })
        .with_detail("an item of a stream; the other end sets the limit, with max_body");
    Err(ItemError::Fault(fault))
}
