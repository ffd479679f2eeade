//! Why there is no connection.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::BoxError;
use crate::connection::ConnectError;
use crate::fault::{Fault, Outcome, Reason};

/// What is behind an error; all callers that wait are told the same.
pub(super) type Cause = Arc<dyn Error + Send + Sync>;

/// An attempt to connect that failed, and whether another one may succeed.
#[derive(Clone, Debug)]
pub struct AttemptError {
    pub(super) cause: Cause,
    pub(super) is_lasting: bool,
    pub(super) retry_after: Option<Duration>,
}

impl AttemptError {
    /// A failure that may pass: nobody serves, or not now.
    #[must_use]
    pub fn passing(cause: impl Into<BoxError>) -> Self {
        Self {
            cause: Cause::from(cause.into()),
            is_lasting: false,
            retry_after: None,
        }
    }

    /// A failure that no further attempt can cure: a wrong owner, secret, version or name.
    #[must_use]
    pub fn lasting(cause: impl Into<BoxError>) -> Self {
        Self {
            is_lasting: true,
            ..Self::passing(cause)
        }
    }

    /// The same, of a server that said when to come again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after;
        self
    }
}

impl From<ConnectError> for AttemptError {
    fn from(error: ConnectError) -> Self {
        let after = error.retry_after();
        if error.is_lasting() {
            Self::lasting(error)
        } else {
            Self::passing(error).with_retry_after(after)
        }
    }
}

/// Why a client that reconnects has no connection. The source is the last attempt's error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReconnectError {
    /// An attempt failed by what no further one can cure.
    Lasting(Arc<dyn Error + Send + Sync>),
    /// As many attempts failed as the policy allows.
    GivenUp {
        /// How many in a row.
        attempts: u32,
        /// The last one's error.
        cause: Arc<dyn Error + Send + Sync>,
    },
    /// There was no connection within the policy's `max_wait`; connecting goes on.
    TimedOut {
        /// How long it was waited for.
        after: Duration,
        /// The last attempt's error, if one had failed by then.
        cause: Option<Arc<dyn Error + Send + Sync>>,
    },
    /// The client was closed.
    Closed,
    /// There is no tokio runtime here.
    NoRuntime,
    /// The tokio runtime that drove the client was shut down.
    RuntimeGone,
}

impl ReconnectError {
    /// The fault of a call that waited for a connection.
    pub(super) fn fault(self) -> Fault {
        let reason = match self {
            Self::NoRuntime => return Fault::new(Outcome::NotSent, Reason::NoRuntime),
            _ => Reason::ConnectionLost,
        };
        Fault::new(Outcome::NotSent, reason).with_source(Arc::new(self) as Cause)
    }
}

impl fmt::Display for ReconnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lasting(_) => f.write_str("there is no connection, and trying again cannot help"),
            Self::GivenUp { attempts, .. } => write!(
                f,
                "gave up after {attempts} attempts to connect; see to the server, and make a new client"
            ),
            Self::TimedOut { after, .. } => write!(
                f,
                "there was no connection within {after:?}; is the server up? `max_wait` of the policy waits longer"
            ),
            Self::Closed => f.write_str("this client was closed"),
            Self::NoRuntime => {
                f.write_str("there is no tokio runtime here; connect inside one, or use the blocking client")
            }
            Self::RuntimeGone => f.write_str(
                "the tokio runtime that drove the client was shut down; keep it alive while the client is used",
            ),
        }
    }
}

impl Error for ReconnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = match self {
            Self::Lasting(cause) | Self::GivenUp { cause, .. } => cause,
            Self::TimedOut { cause, .. } => cause.as_ref()?,
            Self::Closed | Self::NoRuntime | Self::RuntimeGone => return None,
        };
        Some(&**cause)
    }
}
