//! A server of the probe, and what scripted clients ask it.

use pipe_rpc_core::server::{Server, ServerBuilder};
use pipe_rpc_core::testing::frame::{Frame, request};
use pipe_rpc_core::testing::{self, ScriptedPeer};
use pipe_rpc_core::transport::memory::MemoryConnector;

use super::service::{ECHO, Probe, SERVICE};

/// A server of the probe, in a task of the current runtime.
pub fn serve(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (MemoryConnector, Probe) {
    let probe = Probe::default();
    let builder = configure(Server::builder().service(probe.clone()));
    (testing::serve(builder), probe)
}

/// A call of the probe's method, in the first use of a slot or a later one.
pub fn call(call: (u32, u32), method: u32, body: &[u8]) -> Frame {
    let mut frame = request(call, body);
    frame.head[0..4].copy_from_slice(&SERVICE.to_le_bytes());
    frame.head[4..8].copy_from_slice(&method.to_le_bytes());
    frame
}

/// The server still serves: a new client's call comes back.
pub async fn assert_alive(connector: &MemoryConnector) {
    let mut peer = ScriptedPeer::client(connector).await;
    assert_lives(&mut peer, (0, 1)).await;
}

/// The connection still serves: a call in that slot comes back.
pub async fn assert_lives(peer: &mut ScriptedPeer, slot: (u32, u32)) {
    peer.send(call(slot, ECHO, b"still here")).await;
    let frame = peer.frame().await.expect("an answer");
    assert_eq!(
        (frame.kind, &frame.body[..]),
        (2, &b"still here"[..]),
        "not an answer: {frame}"
    );
}
