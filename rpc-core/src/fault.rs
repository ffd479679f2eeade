//! Why a call did not end with a result, and whether it ran.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a call ended that did not succeed: the method's own error, or a fault on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError<E> {
    /// The method ran and returned this error.
    Failed(E),
    /// The method's result did not arrive.
    Fault(Fault),
}

impl<E> CallError<E> {
    /// The fault, unless the method itself failed.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Failed(_) => None,
            Self::Fault(fault) => Some(fault),
        }
    }
}

impl<E> From<Fault> for CallError<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl<E: Error> Error for CallError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Fault(fault) => fault.source(),
        }
    }
}

/// A call that ended without the method's result: whether it ran, and why.
#[derive(Clone)]
pub struct Fault {
    /// In a box, so that results that are no faults are small: a call passes a dozen of them on.
    what: Box<What>,
}

#[derive(Clone)]
struct What {
    outcome: Outcome,
    reason: Reason,
    detail: Option<Arc<str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Whether a call that did not succeed ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It never left this process. Asking again is safe.
    NotSent,
    /// The server refused it before the method was entered. Asking again is safe.
    Refused,
    /// It was sent, and nobody can say whether the method ran.
    MayHaveRun,
    /// The method ran to an end, but not to a result.
    Ran,
}

impl Outcome {
    /// Whether the method surely was not entered, so that asking again cannot do anything twice.
    #[must_use]
    pub const fn is_safe_to_retry(self) -> bool {
        matches!(self, Self::NotSent | Self::Refused)
    }
}

/// Why a call ended without the method's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Too many calls at once, or a layer shed it.
    Overloaded {
        /// When the server expects to take calls again, if it said so.
        retry_after: Option<Duration>,
    },
    /// The deadline passed.
    DeadlineExceeded,
    /// It was cancelled.
    Cancelled,
    /// No new calls are taken, because the server, or this end, is about to leave.
    Draining,
    /// The server has no service of that name.
    UnknownService,
    /// The server's service has no such method.
    UnknownMethod,
    /// Both ends have the method, with different signatures.
    SignatureMismatch,
    /// The body of the request or of the response is over the limit.
    BodyTooLarge {
        /// The body's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The arguments or the result could not be encoded.
    Encode,
    /// The arguments or the result could not be decoded.
    Decode,
    /// The request is in another codec than the connection's.
    WrongCodec,
    /// The method panicked.
    Panicked,
    /// Calls are nested too deeply.
    TooDeep,
    /// The connection ended; the source says why.
    ConnectionLost,
    /// A layer failed the call; the source or the text says why.
    Layer,
    /// The server does not allow this caller to make it; the text says what is required.
    Forbidden,
    /// The call needs a tokio runtime and there is none.
    NoRuntime,
    /// The peer gave a reason that this version does not know.
    Other,
}

impl Fault {
    /// A fault without further detail.
    #[must_use]
    pub fn new(outcome: Outcome, reason: Reason) -> Self {
        let what = What {
            outcome,
            reason,
            detail: None,
            source: None,
        };
        Self { what: Box::new(what) }
    }

    /// Adds a text for people.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Arc<str>>) -> Self {
        self.what.detail = Some(detail.into());
        self
    }

    /// Adds the error that is behind this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Arc<dyn Error + Send + Sync>>) -> Self {
        self.what.source = Some(source.into());
        self
    }

    /// The same with another outcome, for whoever knows better whether the call ran.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.what.outcome = outcome;
        self
    }

    /// Whether the call ran.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.what.outcome
    }

    /// Why it has no result.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.what.reason
    }

    /// More about it, as text.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.what.detail.as_deref()
    }
}

impl PartialEq for Fault {
    /// Equal in outcome, reason and detail; sources are not compared.
    fn eq(&self, other: &Self) -> bool {
        (self.what.outcome, self.what.reason, &self.what.detail)
            == (other.what.outcome, other.what.reason, &other.what.detail)
    }
}

impl Eq for Fault {}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Fault");
        debug
            .field("outcome", &self.what.outcome)
            .field("reason", &self.what.reason);
        if let Some(detail) = &self.what.detail {
            debug.field("detail", detail);
        }
        if let Some(source) = &self.what.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what.outcome, self.what.reason)?;
        match &self.what.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.what.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "the call was not sent",
            Self::Refused => "the call was refused before it ran",
            Self::MayHaveRun => "the call may have run",
            Self::Ran => "the call ran",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded { retry_after: None } => write!(f, "overloaded"),
            Self::Overloaded {
                retry_after: Some(after),
            } => write!(f, "overloaded, try again after {after:?}"),
            Self::DeadlineExceeded => write!(f, "its deadline passed"),
            Self::Cancelled => write!(f, "it was cancelled"),
            Self::Draining => write!(f, "the connection is being shut down"),
            Self::UnknownService => write!(f, "the server has no such service"),
            Self::UnknownMethod => write!(f, "the service has no such method"),
            Self::SignatureMismatch => write!(f, "the method has another signature at the server"),
            Self::BodyTooLarge { size, limit } => {
                write!(f, "its body of {size} bytes is over the limit of {limit}")
            }
            Self::Encode => write!(f, "a value could not be encoded"),
            Self::Decode => write!(f, "a value could not be decoded"),
            Self::WrongCodec => write!(f, "the connection speaks another codec"),
            Self::Panicked => write!(f, "the method panicked"),
            Self::TooDeep => write!(f, "calls are nested too deeply"),
            Self::ConnectionLost => write!(f, "the connection was lost"),
            Self::Layer => write!(f, "a layer failed it"),
            Self::Forbidden => write!(f, "the server does not allow it to this caller"),
            Self::NoRuntime => {
                write!(
                    f,
                    "there is no tokio runtime here; call it inside one, or use the blocking client"
                )
            }
            Self::Other => write!(f, "for a reason this version does not know"),
        }
    }
}
