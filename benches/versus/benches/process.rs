//! A child of this process that does a job. Standard input and output are the line between the two.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::job::{Job, VARIABLE};

/// What a child says first.
const READY: &str = "ready";

/// Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this program once more, and waits until it is ready.
    pub(crate) fn start(job: &Job) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(VARIABLE, job.to_text())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (Some(to), Some(from)) = (to, from) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let from = BufReader::new(from).lines();
        let mut process = Self { child, to, from };
        match process.answer()?.as_str() {
            READY => Ok(process),
            other => Err(io::Error::other(format!("the child said {other:?}"))),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says something to the child, and waits for what it says to that.
    pub(crate) fn ask(&mut self, question: &str) -> io::Result<String> {
        writeln!(self.to, "{question}")?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<String> {
        self.from.next().ok_or(io::ErrorKind::UnexpectedEof)?
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails only if the child has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Said by a child, to its parent.
pub(crate) fn tell_ready() {
    tell(READY);
}

/// Said by a child, to its parent; without one there is nothing to do any more.
pub(crate) fn tell(line: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
