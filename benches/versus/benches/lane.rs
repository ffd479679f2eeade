//! The two processes of a row, and what came out of their turns.

use std::io;

use crate::figure::Figure;
use crate::job::{Call, Job, Serve};
use crate::process::Process;

pub(crate) struct Lane {
    job: Serve,
    /// Dropped before the server: a client whose server is gone might complain.
    client: Process,
    _server: Process,
    turns: Vec<Vec<Figure>>,
}

impl Lane {
    /// Starts both processes, and connects them.
    pub(crate) fn start(job: Serve) -> io::Result<Self> {
        let server = Process::start(&Job::Serve(job.clone()))?;
        let call = Call {
            serve: job.clone(),
            server: server.id(),
        };
        let client = Process::start(&Job::Call(call))?;
        Ok(Self {
            job,
            client,
            _server: server,
            turns: Vec::new(),
        })
    }

    /// Has the client take a turn.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        let told = self.client.ask("")?;
        self.turns.push(serde_json::from_str(&told)?);
        Ok(())
    }

    pub(crate) fn label(&self) -> String {
        self.job.label()
    }

    /// The figures of each turn.
    pub(crate) fn turns(&self) -> &[Vec<Figure>] {
        &self.turns
    }
}
