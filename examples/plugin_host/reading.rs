//! A file on its way through the plugin: read, reported and counted, one piece at a time.

use std::ffi::OsString;
use std::io::{self, SeekFrom};

use futures_util::stream::{self, Stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::task;

use crate::count::{PIECE, Piece};
use crate::progress::ProgressClient;

/// A file that is read up to somewhere.
pub(crate) struct Reading {
    file: File,
    at: u64,
    job: usize,
    host: ProgressClient,
    /// Where the plugin is to kill itself.
    crash_at: Option<u64>,
}

impl Reading {
    /// Opens the file at byte `from`, and reports to `host` as `job`.
    pub(crate) async fn open(
        path: OsString,
        from: u64,
        job: usize,
        host: ProgressClient,
    ) -> io::Result<Self> {
        let mut file = File::open(path).await?;
        if from > 0 {
            file.seek(SeekFrom::Start(from)).await?;
        }
        Ok(Self {
            file,
            at: from,
            job,
            host,
            crash_at: None,
        })
    }

    /// Kills the process in the middle of the file.
    pub(crate) async fn crashing(mut self) -> io::Result<Self> {
        self.crash_at = Some(self.file.metadata().await?.len() / 2);
        Ok(self)
    }

    /// The pieces up to the end of the file. The next one is read when this one is on its way: a host that is slow, or
    /// has gone, has no file read for nothing.
    pub(crate) fn pieces(self) -> impl Stream<Item = io::Result<Piece>> {
        stream::try_unfold(Some(self), async |reading| match reading {
            Some(reading) => reading.piece().await.map(Some),
            None => Ok(None),
        })
    }

    /// The next piece, and what follows it.
    async fn piece(mut self) -> io::Result<(Piece, Option<Self>)> {
        let mut text = Vec::with_capacity(PIECE);
        (&mut self.file).take(PIECE as u64).read_to_end(&mut text).await?;
        let from = self.at;
        self.at += text.len() as u64;
        // A host that cannot be told reads no pieces either.
        _ = self.host.has_read(self.job, self.at).await;
        if self.crash_at.is_some_and(|at| (from..=self.at).contains(&at)) {
            std::process::abort();
        }
        let piece = task::spawn_blocking(move || Piece::of(&text.into())).await?;
        let rest = (!piece.is_last()).then_some(self);
        Ok((piece, rest))
    }
}
