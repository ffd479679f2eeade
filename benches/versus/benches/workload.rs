//! What is done in a turn.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The callers that share a connection in [`Workload::Pipe64`].
pub(crate) const CALLERS: u64 = 64;

const MIB: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Workload {
    /// Echoes of 64 bytes, one after the other.
    Rtt64,
    /// Echoes of 64 bytes, 64 of them under way at once on one connection.
    Pipe64,
    /// Echoes of 1 MiB in the fastest type for bytes that the row has, one after the other.
    Bulk1m,
    /// The same with 64 MiB.
    Bulk64m,
    /// Echoes of 1 MiB as a `Vec<u8>`, which each end has anew.
    Vec1m,
}

/// What a rate counts.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) unit: &'static str,
    /// How many of these a call is.
    pub(crate) per_call: f64,
}

impl Workload {
    pub(crate) const ALL: [Self; 5] = [
        Self::Rtt64,
        Self::Pipe64,
        Self::Bulk1m,
        Self::Bulk64m,
        Self::Vec1m,
    ];

    /// As on the command line and in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rtt64 => "rtt64",
            Self::Pipe64 => "pipe64",
            Self::Bulk1m => "bulk1m",
            Self::Bulk64m => "bulk64m",
            Self::Vec1m => "vec1m",
        }
    }

    /// How many bytes an echo carries each way.
    pub(crate) fn body(self) -> usize {
        match self {
            Self::Rtt64 | Self::Pipe64 => 64,
            Self::Bulk1m | Self::Vec1m => MIB,
            Self::Bulk64m => 64 * MIB,
        }
    }

    /// What is told as its rate, beside the time of a call.
    pub(crate) fn rate(self) -> Option<Rate> {
        let rate = |unit, per_call| Some(Rate { unit, per_call });
        match self {
            Self::Rtt64 => None,
            Self::Pipe64 => rate("calls/s", 1.0),
            // One way: that the same bytes come back is not counted.
            Self::Bulk1m | Self::Bulk64m | Self::Vec1m => rate("MiB/s", (self.body() / MIB) as f64),
        }
    }

    /// A turn has a multiple of this many calls.
    pub(crate) fn step(self) -> u64 {
        match self {
            Self::Rtt64 => 16,
            Self::Pipe64 => 16 * CALLERS,
            Self::Bulk1m | Self::Vec1m | Self::Bulk64m => 1,
        }
    }

    /// About how long a turn takes. Short, so that what else the computer does meets all rows.
    pub(crate) fn turn(self) -> Duration {
        Duration::from_millis(20)
    }

    /// How many turns each row has, unless told otherwise.
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Bulk64m => 15,
            _ => 100,
        }
    }
}
