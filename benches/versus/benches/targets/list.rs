//! The targets. Nearly each is a ratio of two medians of one run.

use super::ratio::{At, Ratios};
use super::target::Target;
use crate::load::Load;
use crate::results::Results;
use crate::setting::Setting::{Free, OneCpu, Threads};
use crate::workload::Workload::{Bulk1m, Bulk64m, Conns, Growth, Mixed, Pipe64, Rtt64, Stream64, Vec1m};

const BARE: &str = "bare-tokio";
const PACKED: &str = "bare-packed";

/// How many times as long as ours a sequential call of each peer is to take.
const PEERS: [(&str, f64); 6] = [
    ("tarpc", 1.6),
    ("capnp", 1.7),
    ("zbus", 1.7),
    ("ttrpc", 1.7),
    ("tonic", 3.0),
    ("remoc", 5.0),
];

/// Those whose figures are all there.
pub(super) fn all(results: &Results) -> Vec<Target> {
    let ratios = Ratios(results);
    let sets = [small(&ratios), large(&ratios), together(&ratios), grown(&ratios)];
    sets.into_iter().flatten().flatten().collect()
}

/// Calls of 64 bytes.
fn small(ratios: &Ratios<'_>) -> Vec<Option<Target>> {
    let sequential = At::ours(OneCpu, Rtt64, "p50");
    let many = At::ours(OneCpu, Pipe64, "rate");
    let many_threads = many.setting(Threads);
    let many_cost = many.figure("cpu");
    let mut targets = vec![ratios.of(sequential, sequential.row(BARE)).at_most(1.15)];
    targets.extend(PEERS.map(|(peer, least)| ratios.of(sequential.row(peer), sequential).at_least(least)));
    targets.extend([
        ratios.to_least(At::ours(Free, Rtt64, "cpu")).at_most(1.0),
        ratios.to_most(many).at_least(4.0),
        ratios.to_most(many_threads).at_least(4.0),
        ratios.of(many_threads, many_threads.setting(Free)).at_least(0.8),
        ratios.of(many_cost, many_cost.row(PACKED)).at_most(4.0),
    ]);
    targets
}

/// Large bodies.
fn large(ratios: &Ratios<'_>) -> Vec<Option<Target>> {
    let bulk = [
        (OneCpu, Bulk1m),
        (OneCpu, Bulk64m),
        (Free, Bulk1m),
        (Free, Bulk64m),
    ];
    let mut targets: Vec<Option<Target>> = bulk
        .into_iter()
        .map(|(setting, bulk)| At::ours(setting, bulk, "rate"))
        .flat_map(|bulk| {
            [
                ratios.of(bulk, bulk.row(BARE)).at_least(0.95),
                ratios.to_most(bulk).at_least(1.0),
            ]
        })
        .collect();
    let vec = At::ours(OneCpu, Vec1m, "rate");
    targets.push(ratios.of(vec, vec.row(BARE)).at_least(0.9));
    targets
}

/// Much at a time.
fn together(ratios: &Ratios<'_>) -> Vec<Option<Target>> {
    let items = At::ours(OneCpu, Stream64, "rate");
    let conns = At::ours(Free, Conns, "rate");
    let beside_bodies = At::ours(Free, Mixed, "p99");
    vec![
        ratios.of(items, items.workload(Pipe64)).at_least(3.0),
        ratios
            .of(beside_bodies, beside_bodies.figure("idle_p99"))
            .at_most(4.0),
        ratios.of(conns, conns.row(BARE)).at_least(0.8),
        ratios.itself(conns.figure("client_memory")).at_most(6.5),
        ratios.itself(conns.figure("server_memory")).at_most(6.5),
    ]
}

/// The same call with much and with little beside it.
fn grown(ratios: &Ratios<'_>) -> Vec<Option<Target>> {
    let call = At::ours(OneCpu, Growth, "p50");
    let flat = |much, little| ratios.of(call.load(much), call.load(little)).at_most(1.2);
    vec![
        flat(Load::Connections(100), Load::Connections(1)),
        flat(Load::Connections(10_000), Load::Connections(1)),
        flat(Load::Calls(100), Load::Calls(1)),
        flat(Load::Calls(10_000), Load::Calls(1)),
    ]
}
