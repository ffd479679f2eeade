//! Examples as processes.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The example of that name. Cargo builds examples before it runs tests, and puts them beside the tests' folder.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("a test knows its own path");
    let target = test.ancestors().nth(2).expect("tests are in target/…/deps");
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let program: PathBuf = [target.as_os_str(), "examples".as_ref(), file.as_ref()]
        .iter()
        .collect();
    assert!(
        program.exists(),
        "{} is missing: `cargo build --examples` makes it",
        program.display()
    );
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}
