//! A plugin as its host sees it: a process and the client of what it serves.

use std::ffi::OsString;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use pipe_rpc::{Channel, Connect, ConnectError, Server};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time;
use tower::ServiceBuilder;
use tower::timeout::Timeout;

use crate::plugin::CounterClient;
use crate::progress::{Display, ProgressServer};

/// How long a plugin may take until it serves.
const START: Duration = Duration::from_secs(30);

/// How long a file may take to be opened; a disk that had to wake up is no fault.
const OPEN: Duration = Duration::from_secs(60);

/// How long a plugin may take to end when it is told to; then it is killed.
const STOP: Duration = Duration::from_secs(10);

/// Calls of a plugin: each has its answer, or begins to have it, within a limited time.
pub(crate) type Counters = CounterClient<Timeout<Channel>>;

/// A plugin's process.
pub(crate) struct Plugin {
    child: Child,
    /// The sign that the host is there; it carries nothing. Kept apart because waiting for a child closes its input.
    presence: Option<ChildStdin>,
    pipe: String,
}

/// A plugin could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("its process cannot be started")]
    Spawn(#[source] io::Error),
    #[error("it ended before it served ({0})")]
    Ended(ExitStatus),
    #[error("cannot connect to it")]
    Connect(#[source] ConnectError),
}

/// How a plugin's process ended.
#[derive(Debug)]
pub(crate) enum Ended {
    ByItself(io::Result<ExitStatus>),
    /// It did not end when it was told to.
    Killed(io::Result<()>),
}

/// How to start a plugin: this program again, in its other role.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The pipe between the host and this plugin. It stays the same when the plugin is started again.
    pub(crate) pipe: String,
    pub(crate) crash_on: Option<OsString>,
}

impl Launch {
    /// A launch with a pipe that nobody else knows of.
    pub(crate) fn new(number: usize, crash_on: Option<OsString>) -> Self {
        let (host, nonce) = (std::process::id(), RandomState::new().hash_one(number));
        let pipe = format!("plugin_host-{host}-{number}-{nonce:016x}");
        Self { pipe, crash_on }
    }
}

impl Plugin {
    /// Starts the process.
    pub(crate) fn spawn(launch: &Launch) -> Result<Self, StartError> {
        let program = std::env::current_exe().map_err(StartError::Spawn)?;
        let mut command = Command::new(program);
        command.arg("--plugin").arg(&launch.pipe);
        if let Some(name) = &launch.crash_on {
            command.arg("--crash-on").arg(name);
        }
        command.stdin(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(StartError::Spawn)?;
        let presence = child.stdin.take();
        let pipe = launch.pipe.clone();
        Ok(Self {
            child,
            presence,
            pipe,
        })
    }

    /// Connects to it once it serves, and serves it the display in turn.
    pub(crate) async fn connect(&mut self, display: &Display) -> Result<Counters, StartError> {
        let connect = Connect::to(self.pipe.as_str())
            .wait_for_server(true)
            .deadline(START)
            .serving(Server::builder().service(ProgressServer::new(display.clone())));
        let channel = tokio::select! {
            channel = connect.open() => channel.map_err(StartError::Connect)?,
            ended = self.child.wait() => return Err(ended.map_or_else(StartError::Spawn, StartError::Ended)),
        };
        let layers = ServiceBuilder::new().timeout(OPEN);
        Ok(CounterClient::new(layers.service(channel)))
    }

    /// Ends the process, in order if it can, and says how it ended.
    pub(crate) async fn stop(mut self) -> Ended {
        drop(self.presence.take());
        if let Ok(ended) = time::timeout(STOP, self.child.wait()).await {
            return Ended::ByItself(ended);
        }
        Ended::Killed(self.child.kill().await)
    }

    /// What to say about it with `--verbose`.
    pub(crate) fn description(&self) -> String {
        let process = self.child.id().unwrap_or_default();
        format!("process {process}, pipe {}", self.pipe)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByItself(Ok(status)) => status.fmt(f),
            Self::Killed(Ok(())) => f.write_str("killed by its host"),
            Self::ByItself(Err(error)) | Self::Killed(Err(error)) => error.fmt(f),
        }
    }
}
