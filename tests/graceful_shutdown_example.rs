//! The example of a server that is told to stop does what it says.

#[path = "support/example.rs"]
mod example;

#[test]
fn a_server_told_to_stop_ends_the_running_call_and_refuses_a_new_one() {
    let output = example::example("graceful_shutdown").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let expected = "\
written: the first line
a new call: the connection is being shut down
written: the last line
the server ended in good order: true
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
