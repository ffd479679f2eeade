//! Real pipes' links, as they are and with what they send counted.

use pipe_rpc::transport::Link;
use pipe_rpc::{Channel, PipeName};
use rpc_core::testing::{Faults, Lane};
use transport_pipe::{ConnectOptions, connect_link};

/// A real pipe's link, not greeted yet.
pub async fn connect(name: &str) -> Link {
    let name = PipeName::new(name).unwrap();
    connect_link(&name, &ConnectOptions::default()).await.unwrap()
}

/// A channel over a real pipe, and what it sends.
pub async fn counted_channel(name: &str) -> (Channel, Lane) {
    let (link, sent) = Faults::new().outgoing(connect(name).await);
    let channel = Channel::open(link, &pipe_rpc::Config::default()).await.unwrap();
    (channel, sent)
}
