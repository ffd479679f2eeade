//! Running the example.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::example::example;

/// The program under test.
pub(crate) fn plugin_host() -> Command {
    example("plugin_host")
}

/// What a finished run left.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs to the end.
pub(crate) fn run(command: &mut Command) -> Finished {
    let output = command.output().expect("the example can be run");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Finished {
    /// The JSON document that `--json` prints.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// Fails the test unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

/// A run that goes on until it is ended. Its plugins share its standard error, so the end of that is the end of them all.
pub(crate) struct Running {
    pub(crate) host: Child,
    stderr: BufReader<ChildStderr>,
    pub(crate) plugins: Vec<Serving>,
}

/// A plugin that said that it serves.
pub(crate) struct Serving {
    pub(crate) process: u32,
    pub(crate) pipe: String,
}

impl Running {
    /// Starts a host and waits until `plugins` plugins serve.
    pub(crate) fn start(command: &mut Command, plugins: usize) -> Self {
        command
            .arg("--verbose")
            .stderr(Stdio::piped())
            .stdout(Stdio::null());
        let mut host = command.spawn().expect("the example can be run");
        let stderr = host.stderr.take().expect("standard error was asked for");
        let mut running = Self {
            host,
            stderr: BufReader::new(stderr),
            plugins: Vec::new(),
        };
        running.wait_for_plugins(plugins);
        running
    }

    /// Waits until it was said `count` times that a plugin serves.
    pub(crate) fn wait_for_plugins(&mut self, count: usize) {
        while self.plugins.len() < count {
            let line = self.line();
            self.plugins.extend(Serving::told_in(&line));
        }
    }

    /// Waits until no process of this run is left: the host's status, and what was still said.
    pub(crate) fn wait_for_all(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stderr
            .read_to_string(&mut rest)
            .expect("standard error can be read");
        (self.host.wait().expect("the host ended"), rest)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self
            .stderr
            .read_line(&mut line)
            .expect("standard error can be read");
        assert!(read > 0, "the host ended before its plugins served");
        line
    }
}

impl Serving {
    fn told_in(line: &str) -> Option<Self> {
        let (process, pipe) = line
            .split_once("serves (process ")?
            .1
            .trim_end()
            .split_once(", pipe ")?;
        Some(Self {
            process: process.parse().ok()?,
            pipe: pipe.strip_suffix(')')?.to_owned(),
        })
    }
}
