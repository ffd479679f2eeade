//! Which files nobody has counted yet, and what became of the others.

use std::collections::VecDeque;
use std::error::Error;
use std::iter::successors;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipe_rpc::{CallError, Fault};
use tokio::time::error::Elapsed;

use crate::count::{Counts, Piece, Tally, Vocabulary};
use crate::plugin::Unreadable;
use crate::walk::Listed;

/// One of the files, by its place in the list.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) index: usize,
    pub(crate) file: Listed,
}

/// What became of each file, and the words of all.
#[derive(Debug)]
pub(crate) struct Counted {
    /// In the order of the list.
    pub(crate) files: Vec<Outcome>,
    pub(crate) vocabulary: Vocabulary,
}

/// What became of a file.
#[derive(Debug)]
pub(crate) enum Outcome {
    Whole(Counts),
    /// What had come of it when everybody stopped; nothing perhaps.
    Unfinished(Counts),
    Failed(FileError),
}

/// Why a file is missing from the result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The plugin could not read it, or the stream of its pieces broke off.
    #[error(transparent)]
    Call(#[from] CallError<Unreadable>),
    /// The plugin is there, and gets no further with it.
    #[error("nothing came of it for too long; see whether its disk can be read")]
    Stuck(#[from] Elapsed),
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
    files: Vec<File>,
    vocabulary: Vocabulary,
}

#[derive(Debug)]
enum File {
    /// What has come of it.
    Open(Tally),
    Settled(Outcome),
}

impl Board {
    /// All of `files` wait.
    pub(crate) fn new(files: Vec<Listed>) -> Self {
        let open = files.iter().map(|_| File::Open(Tally::default())).collect();
        let jobs = files.into_iter().enumerate();
        Self(Mutex::new(State {
            waiting: jobs.map(|(index, file)| Job { index, file }).collect(),
            files: open,
            vocabulary: Vocabulary::default(),
        }))
    }

    /// Takes the next file that waits.
    pub(crate) fn take(&self) -> Option<Job> {
        self.state().waiting.pop_front()
    }

    /// Lets a file wait again that was taken. What has come of it stays.
    pub(crate) fn put_back(&self, job: Job) {
        self.state().waiting.push_front(job);
    }

    /// How many bytes of a file have been counted.
    pub(crate) fn counted(&self, job: &Job) -> u64 {
        match &self.state().files[job.index] {
            File::Open(tally) => tally.bytes(),
            File::Settled(_) => 0,
        }
    }

    /// Adds the next piece of a file.
    pub(crate) fn add(&self, job: &Job, piece: Piece) {
        if let File::Open(tally) = &mut self.state().files[job.index] {
            tally.append(piece);
        }
    }

    /// Notes that no more comes of a file: all has, or why not. Of one that failed nothing is kept.
    pub(crate) fn settle(&self, job: &Job, end: Result<(), FileError>) {
        let State {
            files, vocabulary, ..
        } = &mut *self.state();
        let File::Open(tally) = &mut files[job.index] else {
            return;
        };
        let outcome = match end {
            Ok(()) => Outcome::Whole(finish(mem::take(tally), vocabulary)),
            Err(error) => Outcome::Failed(error),
        };
        files[job.index] = File::Settled(outcome);
    }

    /// How many files are not settled yet.
    pub(crate) fn unsettled(&self) -> usize {
        let files = &self.state().files;
        files.iter().filter(|file| matches!(file, File::Open(_))).count()
    }

    /// What became of all.
    pub(crate) fn into_counted(self) -> Counted {
        let State {
            files,
            mut vocabulary,
            ..
        } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = |file| match file {
            File::Open(tally) => Outcome::Unfinished(finish(tally, &mut vocabulary)),
            File::Settled(outcome) => outcome,
        };
        let files = files.into_iter().map(outcome).collect();
        Counted { files, vocabulary }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counts of a file, whose words go to those of all.
fn finish(tally: Tally, vocabulary: &mut Vocabulary) -> Counts {
    let (counts, words) = tally.finish();
    vocabulary.merge(words);
    counts
}

/// The error and all that is behind it, in one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let chain = successors(Some(error), |error: &&dyn Error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
