//! One of two ends leaves, or is killed, in the middle of calls and streams of both directions.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
#[path = "../support/mod.rs"]
mod support;

#[expect(unreachable_pub, reason = "as the support")]
mod both;
mod drain;
mod kill;
mod load;

/// What this program does when a test has started it as another process.
#[test]
fn child_role() {
    let Some((role, name)) = support::child::role() else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match role.as_str() {
        "serve" => runtime.block_on(kill::serve_until_killed(&name)),
        "call" => runtime.block_on(kill::call_until_killed(&name)),
        other => panic!("no such role: {other}"),
    }
}
