//! Connections that live for one call.

use std::marker::PhantomData;

use super::small;
use crate::place::Place;
use crate::row::Row;
use crate::turns::Told;

/// Where to connect to, and with what.
pub(super) struct Target<R> {
    place: Place,
    row: PhantomData<fn() -> R>,
}

impl<R> Target<R> {
    pub(super) fn at(place: Place) -> Self {
        let row = PhantomData;
        Self { place, row }
    }
}

/// One after the other. A client is closed by being dropped, as its users do; what its row does afterwards in tasks of
/// its own counts where it takes time from the next ones.
pub(super) async fn calls<R: Row>(target: Target<R>, calls: u64) -> (Target<R>, Told) {
    for call in 0..calls {
        let mut client = R::connect(target.place.clone()).await;
        small::echo(&mut client, call).await;
    }
    (target, Told::default())
}
