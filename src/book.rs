//! Has every snippet of the README and of the book compiled, and run unless it says `no_run`, as documentation tests.
//! `tests/book.rs` sees to it that no chapter is missing.

#[doc = include_str!("../README.md")]
mod readme {}

#[doc = include_str!("../book/src/start.md")]
mod start {}

#[doc = include_str!("../book/src/services.md")]
mod services {}

#[doc = include_str!("../book/src/streams.md")]
mod streams {}

#[doc = include_str!("../book/src/callbacks.md")]
mod callbacks {}

#[doc = include_str!("../book/src/deadlines.md")]
mod deadlines {}

#[doc = include_str!("../book/src/pipes.md")]
mod pipes {}

#[doc = include_str!("../book/src/access.md")]
mod access {}

#[doc = include_str!("../book/src/layers.md")]
mod layers {}

#[doc = include_str!("../book/src/reconnecting.md")]
mod reconnecting {}

#[doc = include_str!("../book/src/breaks.md")]
mod breaks {}

#[doc = include_str!("../book/src/evolving.md")]
mod evolving {}

#[doc = include_str!("../book/src/json.md")]
mod json {}

// Its snippets need the feature.
#[cfg(feature = "testing")]
#[doc = include_str!("../book/src/testing.md")]
mod testing {}

#[doc = include_str!("../book/src/speed.md")]
mod speed {}

#[doc = include_str!("../book/src/figures.md")]
mod figures {}
