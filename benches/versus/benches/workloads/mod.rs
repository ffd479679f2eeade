//! The workloads, for any row.

mod bodies;
mod connect;
mod conns;
mod growth;
mod mixed;
mod small;
mod stream;

pub(crate) use small::side_by_side;

use tokio::runtime::Runtime;

use crate::job::Call;
use crate::row::Row;
use crate::turns::{Told, Turns};
use crate::workload::Workload;

/// Connects a client, and has it do the job's workload.
pub(crate) fn connect<R: Row>(job: &Call) -> Turns {
    let runtime = job.serve.setting.runtime();
    let client = run(&runtime, R::connect(job.serve.place.clone()));
    let workload = job.serve.workload;
    let bytes = || bodies::bytes(workload.body());
    match workload {
        Workload::Rtt64 => turns(runtime, client, small::one_by_one),
        Workload::Pipe64 => turns(runtime, client, small::many),
        Workload::Bulk1m | Workload::Bulk64m => turns(runtime, (client, bytes()), bodies::echo_bytes),
        Workload::Vec1m => turns(runtime, (client, vec![7; workload.body()]), bodies::echo_vecs),
        Workload::Stream64 => turns(runtime, client, stream::items),
        Workload::Mixed => turns(runtime, (client, bytes()), mixed::calls),
        Workload::Conns => conns::connect(runtime, client, job),
        Workload::Connect => {
            let target = connect::Target::<R>::at(job.serve.place.clone());
            turns(runtime, target, connect::calls)
        }
        Workload::Growth => growth::connect(runtime, client, job),
    }
}

/// Turns that hand what they work with on to the next, for rows that keep memory from call to call.
fn turns<S: Send + 'static, F>(runtime: Runtime, state: S, calls: fn(S, u64) -> F) -> Turns
where
    F: Future<Output = (S, Told)> + Send + 'static,
{
    let mut state = Some(state);
    Turns::new(move |count| {
        let before = state.take().expect("each turn gives it back");
        let (after, told) = run(&runtime, calls(before, count));
        state = Some(after);
        told
    })
}

/// Runs in a task, as calls mostly do: tokio looks for events once more before it polls what `block_on` was given.
fn run<F>(runtime: &Runtime, future: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    runtime
        .block_on(runtime.spawn(future))
        .expect("the row does not panic")
}
