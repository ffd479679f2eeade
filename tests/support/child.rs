//! The test program again, as another process with a part to play.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// The variables that tell a child process which part to play, and on which pipe.
const ROLE: &str = "PIPE_RPC_TEST_ROLE";
const NAME: &str = "PIPE_RPC_TEST_NAME";

/// What lines meant for the parent begin with.
const MARK: &str = "TO-PARENT ";

/// The part and the pipe's name, when this process is such a child.
pub fn role() -> Option<(String, String)> {
    Some((std::env::var(ROLE).ok()?, std::env::var(NAME).ok()?))
}

/// Tells the parent a line.
pub fn tell(line: &str) {
    println!("\n{MARK}{line}");
    std::io::stdout().flush().unwrap();
}

/// Blocks until the parent says go on, or has gone.
pub fn wait_for_parent() {
    let _ = std::io::stdin().read(&mut [0]);
}

/// Ends this process, without any clean-up, when its parent has gone.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(3);
    });
}

/// A child process. It is killed when this is dropped.
pub struct Role {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// Starts this test program again, to run the test `child_role` alone and to play a part in it.
pub fn start(role: &str, name: &str) -> Role {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child_role", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(NAME, name);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdin = child.stdin.take();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    Role { child, stdin, stdout }
}

impl Role {
    /// Blocks until the child tells something.
    pub fn told(&mut self) -> String {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).unwrap() > 0 {
            if let Some(told) = line.trim_end().strip_prefix(MARK) {
                return told.to_owned();
            }
            line.clear();
        }
        panic!("the child ended without a word: {:?}", self.child.wait());
    }

    /// Lets a child go on that waits for its parent.
    pub fn go_on(&mut self) {
        self.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Blocks until the child has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
