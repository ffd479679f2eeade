//! The workloads, for any row.

mod bodies;
mod small;

pub(crate) use small::side_by_side;

use tokio::runtime::Runtime;

use crate::job::Call;
use crate::row::Row;
use crate::turns::{Series, Turns};
use crate::workload::Workload;

/// Connects a client, and has it do the job's workload.
pub(crate) fn connect<R: Row>(job: &Call) -> Turns {
    let runtime = job.serve.setting.runtime();
    let client = run(&runtime, R::connect(job.serve.place.clone()));
    let workload = job.serve.workload;
    match workload {
        Workload::Rtt64 => each(runtime, client, small::one_by_one),
        Workload::Pipe64 => keeping(runtime, client, small::many),
        Workload::Bulk1m | Workload::Bulk64m => {
            let body = bodies::bytes(workload.body());
            keeping(runtime, (client, body), bodies::echo_bytes)
        }
        Workload::Vec1m => {
            let body = vec![7; workload.body()];
            keeping(runtime, (client, body), bodies::echo_vecs)
        }
    }
}

/// Turns that time each call.
fn each<R: Row, F>(runtime: Runtime, client: R, calls: fn(R, u64) -> F) -> Turns
where
    F: Future<Output = Series> + Send + 'static,
{
    Turns::new(move |count| vec![run(&runtime, calls(client.clone(), count))])
}

/// Turns that hand what they work with on to the next, for rows that keep memory from call to call.
fn keeping<S: Send + 'static, F>(runtime: Runtime, state: S, calls: fn(S, u64) -> F) -> Turns
where
    F: Future<Output = S> + Send + 'static,
{
    let mut state = Some(state);
    Turns::new(move |count| {
        state = state.take().map(|state| run(&runtime, calls(state, count)));
        Vec::new()
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
