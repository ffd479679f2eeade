//! Why a connection ended, or was never made.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::fault::{Fault, Outcome, Reason};
use crate::proto::{HelloError, ProtocolError, RejectCode};

/// Why a connection ended. It is the source of the faults of the calls that were open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// This end closed it.
    #[error("this end closed the connection")]
    Closed,
    /// This end left at its drain deadline, before all calls were over; those that were not ended with a fault.
    #[error("this end left at its drain deadline, before all calls were over")]
    DrainDeadline,
    /// This end left, and the peer did not acknowledge that in time: whether it had the last answers is not known.
    #[error("this end left, and the other one did not acknowledge that in time; it may hang")]
    Unacknowledged,
    /// The peer said farewell and closed it.
    #[error("the other end closed the connection")]
    PeerClosed,
    /// The peer's end is gone without a word: its process ended or was killed.
    #[error("the other end is gone without a word; its process most likely ended")]
    PeerVanished,
    /// The peer broke the protocol.
    #[error("the other end broke the protocol")]
    Protocol(#[from] ProtocolError),
    /// The peer says that this end broke the protocol.
    #[error("the other end ended the connection: {0}")]
    Reported(Box<str>),
    /// The pipe failed.
    #[error("the pipe failed")]
    Pipe(#[from] io::Error),
    /// The tokio runtime that drove the connection was shut down.
    #[error(
        "the tokio runtime that drove the connection was shut down; keep it alive while the client is used"
    )]
    RuntimeGone,
}

impl ConnectionError {
    /// The fault of a call that was open when the connection ended.
    pub(crate) fn fault(self: &Arc<Self>, outcome: Outcome) -> Fault {
        Fault::new(outcome, Reason::ConnectionLost).with_source(Arc::clone(self) as Arc<_>)
    }
}

/// Why a connection could not be made over a pipe that was connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The other end said nothing in time.
    #[error("the other end did not greet within {0:?}; is it a pipe-rpc server, and is it alive?")]
    HandshakeTimeout(Duration),
    /// The other end's greeting could not be understood.
    #[error("the other end's greeting is of no use")]
    Hello(#[from] HelloError),
    /// The server does not let this client in.
    #[error("the server rejected the connection ({code:?}): {text}")]
    Rejected {
        /// Why.
        code: RejectCode,
        /// When to come again, if the server said so.
        retry_after: Option<Duration>,
        /// What the server says about it.
        text: Box<str>,
    },
    /// Both ends are pipe-rpc, but have nothing in common.
    #[error(
        "the two ends cannot agree ({0:?}); one of the two programs is too old, or offers no codec of the other's"
    )]
    NothingInCommon(RejectCode),
    /// The other end left before it had answered.
    #[error("the other end left during the greeting")]
    Left,
    /// The pipe failed.
    #[error("the pipe failed during the greeting")]
    Pipe(#[from] io::Error),
    /// There is no tokio runtime here.
    #[error("there is no tokio runtime here; connect inside one, or use the blocking client")]
    NoRuntime,
}

impl ConnectError {
    /// Whether no further attempt can cure it, because one of the two ends must be changed first.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::HandshakeTimeout(_) | Self::Left | Self::Pipe(_) => false,
            Self::Rejected {
                code: RejectCode::Unavailable,
                ..
            } => false,
            Self::Rejected {
                code: RejectCode::Other(_),
                retry_after,
                ..
            } => retry_after.is_none(),
            Self::Hello(_) | Self::Rejected { .. } | Self::NothingInCommon(_) | Self::NoRuntime => true,
        }
    }

    /// When to come again, if the server said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
