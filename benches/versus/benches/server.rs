//! The child that serves. It ends with its parent.

use std::io;
use std::process::ExitCode;

use crate::job::Serve;
use crate::process::tell_ready;
use crate::rows;
use crate::system;

/// What a row's server is given.
pub(crate) struct Serving {
    pub(crate) job: Serve,
    /// To be told when clients can connect.
    pub(crate) ready: Ready,
}

/// Tells the parent that clients can connect.
pub(crate) struct Ready(());

impl Ready {
    pub(crate) fn tell(self) {
        tell_ready();
    }
}

pub(crate) fn run(job: &Serve) -> ExitCode {
    job.setting.take_effect();
    system::raise_file_limit();
    std::thread::spawn(|| {
        // Its end is the parent's.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0)
    });
    let row = rows::find(&job.row).expect("the parent knows the rows");
    (row.serve)(Serving {
        job: job.clone(),
        ready: Ready(()),
    });
    ExitCode::SUCCESS
}
