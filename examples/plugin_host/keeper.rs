//! Keeps one plugin at work: starts it, gives it files, and starts it again when it ends early.
//!
//! When it ends early, the calls that were open may have run. Counting is idempotent, so what did not come of their files
//! is asked for again, one file at a time. That finds the file that ends the plugin, and that one is given up.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use pipe_rpc::{CallError, Fault, Reason};
use tokio::time;

use crate::board::{Board, FileError, Job, with_causes};
use crate::host::{Host, IN_FLIGHT};
use crate::process::{Counters, Ended, Launch, Plugin, StartError};

/// How often in a row a plugin may end without getting any further; then it is not started again.
const STARTS_IN_VAIN: usize = 3;

/// How long the next piece of a file may take; a disk that had to wake up is no fault.
const PIECE_WITHIN: Duration = Duration::from_secs(60);

/// Keeps one plugin at work.
pub(crate) struct Keeper<'a> {
    host: &'a Host,
    board: &'a Board,
    number: usize,
    launch: Launch,
    /// Files whose calls were lost: each is counted alone.
    suspects: VecDeque<Lost>,
}

/// A call that was lost together with the plugin.
struct Lost {
    job: Job,
    fault: Fault,
}

/// How the plugin's time ended.
enum Round {
    /// Nothing is left to do, or the user wants no more.
    Done,
    /// It was gone, and with it these calls.
    Lost(Vec<Lost>),
    /// It was gone, and with it the only call there was.
    LostAlone(Lost),
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(host: &'a Host, board: &'a Board, number: usize) -> Self {
        Self {
            host,
            board,
            number,
            launch: Launch::new(number, host.crash_on.clone()),
            suspects: VecDeque::new(),
        }
    }

    /// Goes on until no file is left. A plugin that ended early is started again even then: the new one takes over the
    /// name of the old one's pipe, and removes it from the file system when it ends in order.
    pub(crate) async fn run(mut self) {
        let mut in_vain = 0;
        while in_vain < STARTS_IN_VAIN {
            let before = self.board.unsettled();
            match self.round().await {
                Ok((Round::Done, _)) => return,
                Ok((Round::Lost(calls), ended)) => self.suspect(calls, &ended),
                Ok((Round::LostAlone(call), ended)) => self.give_up(call, &ended),
                Err(error) => self.say(&format!("cannot be used: {}", with_causes(&error))),
            }
            let is_further = self.board.unsettled() < before;
            in_vain = if is_further { 0 } else { in_vain + 1 };
        }
        self.say("ended too often, it is not started again");
        for lost in std::mem::take(&mut self.suspects) {
            let error = FileError::Call(lost.fault.into());
            self.board.settle(&lost.job, Err(error));
        }
    }

    /// The life of one process.
    async fn round(&mut self) -> Result<(Round, Ended), StartError> {
        let mut plugin = Plugin::spawn(&self.launch)?;
        let interrupt = self.host.interrupt.clone();
        let round = tokio::select! {
            round = self.work(&mut plugin) => round,
            () = interrupt => Ok(Round::Done),
        };
        let ended = plugin.stop().await;
        if let Ended::Killed(_) = ended {
            self.say("did not end when it was told to, and was killed");
        }
        round.map(|round| (round, ended))
    }

    async fn work(&mut self, plugin: &mut Plugin) -> Result<Round, StartError> {
        let counters = plugin.connect(&self.host.display).await?;
        if self.host.verbose {
            self.say(&format!("serves ({})", plugin.description()));
        }
        while let Some(suspect) = self.suspects.pop_front() {
            if let Err(lost) = self.count(&counters, suspect.job).await {
                return Ok(Round::LostAlone(lost));
            }
        }
        let lost = self.count_waiting(&counters).await;
        Ok(if lost.is_empty() {
            Round::Done
        } else {
            Round::Lost(lost)
        })
    }

    /// Counts files as long as some wait and the plugin is there.
    async fn count_waiting(&self, counters: &Counters) -> Vec<Lost> {
        let mut open = FuturesUnordered::new();
        let mut lost = Vec::new();
        loop {
            while lost.is_empty() && open.len() < IN_FLIGHT {
                let Some(job) = self.board.take() else { break };
                open.push(self.count(counters, job));
            }
            match open.next().await {
                Some(counted) => lost.extend(counted.err()),
                None => return lost,
            }
        }
    }

    /// Counts one file, from where it was left.
    async fn count(&self, counters: &Counters, job: Job) -> Result<(), Lost> {
        match self.add_pieces(counters, &job).await {
            Err(FileError::Call(CallError::Fault(fault))) if is_end_of_plugin(&fault) => {
                Err(Lost { job, fault })
            }
            result => {
                self.board.settle(&job, result);
                Ok(())
            }
        }
    }

    /// Adds what comes of a file. Dropped, it drops the stream, which stops the plugin's counting.
    async fn add_pieces(&self, counters: &Counters, job: &Job) -> Result<(), FileError> {
        let (file, from) = (job.file.path.clone(), self.board.counted(job));
        let mut pieces = counters.count(job.index, file.into(), from).await?;
        // The end is an end only if the plugin says so: if it dies before that, the last thing to come is an `Err`.
        while let Some(piece) = time::timeout(PIECE_WITHIN, pieces.next()).await? {
            self.board.add(job, piece?);
        }
        Ok(())
    }

    /// Calls that surely did not run are made again as if nothing had been; the others are suspects.
    fn suspect(&mut self, calls: Vec<Lost>, ended: &Ended) {
        let (unsent, open): (Vec<_>, Vec<_>) = calls.into_iter().partition(Lost::did_not_run);
        unsent.into_iter().for_each(|lost| self.board.put_back(lost.job));
        let names: Vec<_> = open.iter().map(Lost::to_string).collect();
        self.say(&match &names[..] {
            [] => format!("ended ({ended}); it is started again"),
            names => format!(
                "ended ({ended}); it is started again and asked once more, one file at a time, for\n{}",
                names.join("\n")
            ),
        });
        self.suspects.extend(open);
    }

    fn give_up(&mut self, call: Lost, ended: &Ended) {
        if call.did_not_run() {
            self.say(&format!("ended ({ended}); it is started again"));
            self.suspects.push_front(call);
            return;
        }
        self.say(&format!("ended again ({ended}); it is started again\n{call}"));
        let error = FileError::EndsThePlugin {
            fault: call.fault,
            plugin: self.number,
            ended: ended.to_string(),
        };
        self.board.settle(&call.job, Err(error));
    }

    fn say(&self, text: &str) {
        self.host.display.say(&format!("plugin {} {text}", self.number));
    }
}

/// Whether the plugin is gone, or about to be.
fn is_end_of_plugin(fault: &Fault) -> bool {
    matches!(fault.reason(), Reason::ConnectionLost | Reason::Draining)
}

impl Lost {
    fn did_not_run(&self) -> bool {
        self.fault.outcome().is_safe_to_retry()
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.job.file.path.display();
        write!(f, "  count({path}): {}", with_causes(&self.fault))
    }
}
