//! A bare SEQPACKET socket on tokio; what is at hand goes into one packet.

use std::sync::Arc;

use super::bare_server;
use super::seqpacket::Socket;
use crate::place::Place;
use crate::row::{Row, SMALL, Small, from_bytes, to_bytes};
use crate::server::Serving;
use crate::workload::{CALLERS, Workload};

/// A packet in which each caller has a call.
const FULL: usize = CALLERS as usize * SMALL;

#[derive(Clone)]
pub(crate) struct BarePacked(Arc<Socket>);

impl Row for BarePacked {
    const HAS: &'static [Workload] = &[Workload::Rtt64, Workload::Pipe64];

    async fn serve(serving: Serving) {
        bare_server::serve(serving, FULL).await;
    }

    async fn connect(place: Place) -> Self {
        Self(Arc::new(Socket::connect(place.path()).expect("a server listens")))
    }

    async fn small(&mut self, value: Small) -> Small {
        let mut packet = to_bytes(value);
        self.echo(&mut packet).await;
        from_bytes(&packet)
    }

    /// What is measured is the pipe alone: nobody looks into the packets.
    async fn many(&mut self, calls: u64) {
        let mut packet = [7; FULL];
        for _ in 0..calls / CALLERS {
            self.echo(&mut packet).await;
        }
    }
}

impl BarePacked {
    async fn echo(&self, packet: &mut [u8]) {
        self.0.send(packet).await.expect("the server lives");
        let len = self.0.recv(packet).await.expect("the server lives");
        assert_eq!(len, packet.len());
    }
}
