//! How long an echo between two processes takes, over pipe-rpc and over a bare socket.
//!
//! On one processor, so that none has to be woken up: `taskset -c 0 cargo bench --bench echo`.

mod support;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};

fn main() {
    support::serve_if_told();
    let mut criterion = Criterion::default().configure_from_args();
    support::groups()
        .into_iter()
        .for_each(|group| measure(&mut criterion, group));
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, group: support::Group) {
    let mut measured = criterion.benchmark_group(group.name);
    measured
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(4))
        .sample_size(50)
        .throughput(Throughput::Bytes(group.bytes as u64));
    for (name, mut row) in group.rows {
        measured.bench_function(name, |bencher| bencher.iter_custom(|calls| row.run(calls)));
    }
    measured.finish();
}
