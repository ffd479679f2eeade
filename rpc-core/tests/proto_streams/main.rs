//! Streams of items as PROTOCOL.md section 7.1 has them: what begins them, their order, their ends, and their credit.

mod credit;
mod ends;
mod order;
#[path = "../support/mod.rs"]
mod support;

use support::pair::{End, LIMITS};

const FIRST: (u32, u32) = (0, 1);

fn alone() -> End {
    End::new(LIMITS, std::time::Instant::now())
}
