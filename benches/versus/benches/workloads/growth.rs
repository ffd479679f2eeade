//! Echoes of 64 bytes, one after the other, while much else is there and idle.

use tokio::runtime::Runtime;

use super::{conns, run, small, turns};
use crate::figure::Figure;
use crate::job::Call;
use crate::load::Load;
use crate::row::Row;
use crate::system;
use crate::turns::{Told, Turns};

/// Files that a process has beside those of its idle connections, and more than enough.
const OTHER_FILES: u64 = 100;

/// Makes the job's load, as far as the system lets it, and then calls on one connection. How large the load has become is
/// told with the figures.
pub(super) fn connect<R: Row>(runtime: Runtime, mut client: R, job: &Call) -> Turns {
    let (client, idle, beside) = match job.serve.load {
        Load::Nothing => (client, Vec::new(), 0),
        Load::Connections(wanted) => {
            let possible = system::raise_file_limit().saturating_sub(OTHER_FILES);
            let count = wanted.min(possible);
            let idle = run(&runtime, conns::idle::<R>(job.serve.place.clone(), count));
            (client, idle, count)
        }
        Load::Calls(count) => {
            let waiting = async move {
                client.leave_waiting(count).await;
                client
            };
            (run(&runtime, waiting), Vec::new(), count)
        }
    };
    let mut turns = turns(runtime, (client, idle), calls);
    turns.figures.push(Figure::new("beside", beside as f64, ""));
    turns
}

async fn calls<R: Row>((client, idle): (R, Vec<R>), calls: u64) -> ((R, Vec<R>), Told) {
    let (client, told) = small::one_by_one(client, calls).await;
    ((client, idle), told)
}
