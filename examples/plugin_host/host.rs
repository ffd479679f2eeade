//! The host's role: it has two plugins count the files, and knows what became of each.

use std::ffi::OsString;

use futures_util::future::{BoxFuture, Shared, join_all};

use crate::board::{Board, Counted};
use crate::keeper::Keeper;
use crate::progress::Display;
use crate::walk::Listed;

/// How many plugins there are.
const PLUGINS: usize = 2;

/// How many files each plugin counts at once.
pub(crate) const IN_FLIGHT: usize = 4;

/// Completes when the user wants it all to end.
pub(crate) type Interrupt = Shared<BoxFuture<'static, ()>>;

/// What the host goes by.
pub(crate) struct Host {
    /// Handed on to the plugins.
    pub(crate) crash_on: Option<OsString>,
    pub(crate) verbose: bool,
    pub(crate) display: Display,
    pub(crate) interrupt: Interrupt,
}

impl Host {
    /// Counts `files`. An interrupt ends it early, with what there is by then; either way no plugin is left behind.
    pub(crate) async fn count(&self, files: Vec<Listed>) -> Counted {
        let board = Board::new(files);
        let keepers = (1..=PLUGINS).map(|number| Keeper::new(self, &board, number).run());
        join_all(keepers).await;
        board.into_counted()
    }
}
