//! The example of streams between two processes does what it says.

#[path = "support/example.rs"]
mod example;

#[test]
fn streams_go_to_the_client_to_the_server_and_both_ways() {
    let output = example::example("streams").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let expected = "\
prime 2
prime 3
prime 5
prime 7
prime 11
sum 5000050000
square 9
square 16
square 25
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
