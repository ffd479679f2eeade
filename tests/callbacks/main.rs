//! Both ends of a connection serve and call.

mod back_and_forth;
#[cfg(feature = "blocking")]
mod blocking;
mod breaks;
mod drain;
mod ends;
mod limits;
mod on_connect;
#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
#[path = "../support/mod.rs"]
mod support;
mod vanish;

/// What another process does that a test of this file starts.
#[test]
fn child_role() {
    if let Some((role, name)) = support::child::role() {
        vanish::play(&role, &name);
    }
}
