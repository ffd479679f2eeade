//! Which files nobody has counted yet, and what became of the others.

use std::collections::VecDeque;
use std::error::Error;
use std::iter::successors;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipe_rpc::{CallError, Fault};

use crate::count::{Counts, Tally, Vocabulary};
use crate::plugin::Unreadable;
use crate::walk::Listed;

/// One of the files, by its place in the list.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    index: usize,
    pub(crate) file: Listed,
}

/// What became of each file, and the words of all.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// In the order of the list; `None` where nobody came to count the file.
    pub(crate) files: Vec<Option<Result<Counts, FileError>>>,
    pub(crate) vocabulary: Vocabulary,
}

/// Why a file is missing from the result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The plugin could not read it, or the call ended without a result.
    #[error("{}", with_causes(.0))]
    Call(CallError<Unreadable>),
    /// The plugin ended again while it counted this file and no other.
    #[error("{}; plugin {plugin} ended again, by this file alone ({ended})", with_causes(.fault))]
    EndsThePlugin {
        fault: Fault,
        plugin: usize,
        ended: String,
    },
}

/// The list that the plugins' keepers work off together.
#[derive(Debug)]
pub(crate) struct Board(Mutex<State>);

#[derive(Debug)]
struct State {
    waiting: VecDeque<Job>,
    counted: Counted,
}

impl Board {
    /// All of `files` wait.
    pub(crate) fn new(files: Vec<Listed>) -> Self {
        let counted = Counted {
            files: files.iter().map(|_| None).collect(),
            vocabulary: Vocabulary::default(),
        };
        let jobs = files.into_iter().enumerate();
        let waiting = jobs.map(|(index, file)| Job { index, file }).collect();
        Self(Mutex::new(State { waiting, counted }))
    }

    /// Takes the next file that waits.
    pub(crate) fn take(&self) -> Option<Job> {
        self.state().waiting.pop_front()
    }

    /// Lets a file wait again that was taken and surely not counted.
    pub(crate) fn put_back(&self, job: Job) {
        self.state().waiting.push_front(job);
    }

    /// Notes what became of a file.
    pub(crate) fn settle(&self, job: &Job, result: Result<Tally, FileError>) {
        let mut state = self.state();
        let counts = result.map(|tally| {
            let (counts, vocabulary) = tally.finish();
            state.counted.vocabulary.merge(vocabulary);
            counts
        });
        state.counted.files[job.index] = Some(counts);
    }

    /// How many files nothing is known of yet.
    pub(crate) fn unsettled(&self) -> usize {
        let state = self.state();
        state.counted.files.iter().filter(|file| file.is_none()).count()
    }

    /// What became of all.
    pub(crate) fn into_counted(self) -> Counted {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .counted
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error and all that is behind it, in one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let chain = successors(Some(error), |error: &&dyn Error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
