//! The example of a client that outlives its servers does what it says.

#[path = "support/example.rs"]
mod example;

#[test]
fn the_client_is_answered_by_one_server_after_the_other() {
    let output = example::example("reconnect").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let expected = "server 1 answered\nserver 2 answered\nserver 3 answered\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
