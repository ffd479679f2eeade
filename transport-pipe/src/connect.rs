//! Connecting: attempts with pauses between them, under a deadline that always exists.

use std::io::ErrorKind;
use std::time::Duration;

use rpc_core::transport::Link;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::backoff::Backoff;
use crate::error::{AttemptError, ConnectError, NameError, Obstacle};
use crate::expect::Owner;
use crate::name::{NativeName, PipeName};
use crate::options::{ConnectOptions, Framing};
use crate::pipe::Pipe;
use crate::sys;

/// A deadline beyond this is as good as none, and adding it to the clock cannot overflow.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// A pipe yet to be connected; [`Pipe::builder`] begins one.
#[derive(Debug)]
#[must_use = "a builder connects only once `connect` is called"]
pub struct PipeBuilder {
    name: Result<PipeName, NameError>,
    options: ConnectOptions,
}

impl PipeBuilder {
    pub(crate) fn new<N>(name: N) -> Self
    where
        N: TryInto<PipeName>,
        NameError: From<N::Error>,
    {
        Self {
            name: name.try_into().map_err(NameError::from),
            options: ConnectOptions::default(),
        }
    }

    /// How long connecting may take in all; 5 seconds by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// Whether to wait, within the deadline, for a server that is not there yet; no by default.
    pub fn wait_for_server(mut self, wait: bool) -> Self {
        self.options.wait_for_server = wait;
        self
    }

    /// Whose server it must be; the same user's by default.
    pub fn expect_owner(mut self, owner: Owner) -> Self {
        self.options.expect_owner = owner;
        self
    }

    /// The largest packet in bytes, from 1 to [`MAX_PACKET`](crate::MAX_PACKET); 98,304 by default on Linux and
    /// 65,536 elsewhere.
    pub fn max_packet(mut self, bytes: usize) -> Self {
        self.options.max_packet = bytes;
        self
    }

    /// How packets keep their boundaries; the server must use the same.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.options.framing = framing;
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing was sent.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing is connected and nothing was sent.
    ///
    /// # Panics
    /// If the current tokio runtime has no I/O or no time driver.
    pub async fn connect(self) -> Result<Pipe, ConnectError> {
        let link = connect_link(&self.name?, &self.options).await?;
        Ok(Pipe::from(link))
    }
}

/// Connects to the server of that name and gives the link for a connection to run over.
///
/// # Errors
/// [`ConnectError`]; nothing was sent.
///
/// # Cancel safety
/// Dropped before it is ready, nothing is connected and nothing was sent.
///
/// # Panics
/// If the current tokio runtime has no I/O or no time driver.
pub async fn connect_link(name: &PipeName, options: &ConnectOptions) -> Result<Link, ConnectError> {
    Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    let native = name.resolve()?;
    let options = options.clone().within_limits();
    let deadline = Instant::now() + options.deadline.min(LONGEST_WAIT);
    let mut backoff = Backoff::new();
    let mut obstacle = Obstacle::NoAnswer;
    loop {
        match timeout_at(deadline, sys::connect_once(&native, &options)).await {
            Ok(Ok(link)) => return Ok(link),
            Ok(Err(error)) => obstacle = passing_obstacle(error, &native, &options)?,
            Err(_) => return Err(timed_out(&native, &options, obstacle)),
        }
        let pause = tokio::time::sleep(backoff.next_pause());
        if timeout_at(deadline, pause).await.is_err() {
            return Err(timed_out(&native, &options, obstacle));
        }
    }
}

fn timed_out(native: &NativeName, options: &ConnectOptions, obstacle: Obstacle) -> ConnectError {
    ConnectError::TimedOut {
        name: native.to_string(),
        after: options.deadline,
        obstacle,
    }
}

/// What an attempt failed by, if another may succeed.
fn passing_obstacle(
    error: AttemptError,
    native: &NativeName,
    options: &ConnectOptions,
) -> Result<Obstacle, ConnectError> {
    let name = native.to_string();
    match error {
        AttemptError::Busy => Ok(Obstacle::Busy),
        AttemptError::NotFound if options.wait_for_server => Ok(Obstacle::NoServer),
        AttemptError::NotFound => Err(ConnectError::NotFound { name }),
        AttemptError::WrongOwner { expected, found } => Err(ConnectError::WrongOwner {
            name,
            expected,
            found,
        }),
        AttemptError::Failed(source) if source.kind() == ErrorKind::PermissionDenied => {
            Err(ConnectError::Denied { name, source })
        }
        AttemptError::Failed(source) => Err(ConnectError::Io { name, source }),
    }
}
