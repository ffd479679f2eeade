//! The example of a host and a plugin that call each other does what it says.

#[path = "support/example.rs"]
mod example;

#[test]
fn a_host_and_its_plugin_each_have_their_half() {
    let output = example::example("callbacks").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let expected = "host: here is one that counts words\nhost: it says 4\n\
                    plugin: the other end closed the connection\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
