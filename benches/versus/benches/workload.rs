//! What is done in a turn.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::load::Load;

/// The callers that share a connection in [`Workload::Pipe64`].
pub(crate) const CALLERS: u64 = 64;

/// The connections of [`Workload::Conns`], and how often each is called at least in a turn.
pub(crate) const CONNECTIONS: u64 = 500;
pub(crate) const CALLS_EACH: u64 = 20;

const MIB: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Workload {
    /// Echoes of 64 bytes, one after the other.
    Rtt64,
    /// Echoes of 64 bytes, 64 of them under way at once on one connection.
    Pipe64,
    /// Echoes of 1 MiB in the fastest type for bytes that the row has, one after the other. The server has the whole body
    /// before it answers, and so has the client in the end; the bare rows put each into the same memory.
    Bulk1m,
    /// The same with 64 MiB.
    Bulk64m,
    /// Echoes of 1 MiB as a `Vec<u8>`, which each end has anew.
    Vec1m,
    /// Items of 64 bytes through one stream from the server; each is counted as a call.
    Stream64,
    /// Echoes of 64 bytes, first alone and then while another task echoes 64 MiB bodies on the same connection.
    Mixed,
    /// Echoes of 64 bytes on 500 connections of one process, one caller for each, 20 calls at least. Before that, how
    /// much memory an idle one takes at either end.
    Conns,
    /// A connection, an echo of 64 bytes, and the end of the connection, one after the other.
    Connect,
    /// Echoes of 64 bytes, one after the other, while more and more idle connections and waiting calls are there.
    Growth,
}

/// What a rate counts.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) unit: &'static str,
    /// How many of these a call is.
    pub(crate) per_call: f64,
}

impl Workload {
    pub(crate) const ALL: [Self; 10] = [
        Self::Rtt64,
        Self::Pipe64,
        Self::Bulk1m,
        Self::Bulk64m,
        Self::Vec1m,
        Self::Stream64,
        Self::Mixed,
        Self::Conns,
        Self::Connect,
        Self::Growth,
    ];

    /// As on the command line and in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rtt64 => "rtt64",
            Self::Pipe64 => "pipe64",
            Self::Bulk1m => "bulk1m",
            Self::Bulk64m => "bulk64m",
            Self::Vec1m => "vec1m",
            Self::Stream64 => "stream64",
            Self::Mixed => "mixed",
            Self::Conns => "conns",
            Self::Connect => "connect",
            Self::Growth => "growth",
        }
    }

    /// How many bytes its largest messages carry.
    pub(crate) fn body(self) -> usize {
        match self {
            Self::Rtt64 | Self::Pipe64 | Self::Stream64 | Self::Conns | Self::Connect | Self::Growth => 64,
            Self::Bulk1m | Self::Vec1m => MIB,
            Self::Bulk64m | Self::Mixed => 64 * MIB,
        }
    }

    /// What is told as its rate, beside the time of a call.
    pub(crate) fn rate(self) -> Option<Rate> {
        let rate = |unit, per_call| Some(Rate { unit, per_call });
        match self {
            Self::Rtt64 | Self::Mixed | Self::Connect | Self::Growth => None,
            Self::Stream64 => rate("items/s", 1.0),
            Self::Pipe64 | Self::Conns => rate("calls/s", 1.0),
            // One way: that the same bytes come back is not counted.
            Self::Bulk1m | Self::Bulk64m | Self::Vec1m => rate("MiB/s", (self.body() / MIB) as f64),
        }
    }

    /// What it is done beside; each has processes of its own.
    pub(crate) fn loads(self) -> &'static [Load] {
        match self {
            Self::Growth => &Load::GROWING,
            _ => &[Load::Nothing],
        }
    }

    /// A turn has a multiple of this many calls.
    pub(crate) fn step(self) -> u64 {
        match self {
            Self::Rtt64 | Self::Growth => 16,
            Self::Pipe64 => 16 * CALLERS,
            Self::Bulk1m | Self::Vec1m | Self::Bulk64m | Self::Connect => 1,
            Self::Stream64 => 1024,
            // Milliseconds: some bodies have to come by.
            Self::Mixed => 400,
            Self::Conns => CONNECTIONS * CALLS_EACH,
        }
    }

    /// About how long a turn takes, unless its step does already take longer. Short, so that what else the computer does
    /// meets all rows.
    pub(crate) fn turn(self) -> Duration {
        Duration::from_millis(20)
    }

    /// How many turns each row has, unless told otherwise.
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Bulk64m | Self::Mixed => 12,
            Self::Conns => 30,
            _ => 100,
        }
    }
}
