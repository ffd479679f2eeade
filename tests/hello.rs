//! The smallest example does what the book says of it.

#[path = "support/example.rs"]
mod example;

#[test]
fn hello_greets_over_a_pipe() {
    let output = example::example("hello").arg("you").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Good day, you.\n");
}
