//! A bare SEQPACKET socket on tokio; what is at hand goes into one packet.
//!
//! Of a stream that is 64 KiB. What is measured is the pipe alone: nobody looks into the packets of `pipe64` and
//! `stream64`.

use std::sync::Arc;

use super::bare_server;
use super::seqpacket::{PACKET, Socket};
use crate::place::Place;
use crate::row::{Row, SMALL, Small, from_bytes, to_bytes};
use crate::server::Serving;
use crate::workload::{CALLERS, Workload};

/// A packet in which each caller has a call.
const FULL: usize = CALLERS as usize * SMALL;

#[derive(Clone)]
pub(crate) struct BarePacked {
    socket: Arc<Socket>,
    /// For the items that come.
    memory: Vec<u8>,
}

impl Row for BarePacked {
    const HAS: &'static [Workload] = &[Workload::Rtt64, Workload::Pipe64, Workload::Stream64];

    async fn serve(serving: Serving) {
        bare_server::serve(serving, FULL).await;
    }

    async fn connect(place: Place) -> Self {
        let socket = Socket::connect(place.path()).expect("a server listens");
        Self {
            socket: Arc::new(socket),
            memory: Vec::new(),
        }
    }

    async fn small(&mut self, value: Small) -> Small {
        let mut packet = to_bytes(value);
        self.echo(&mut packet).await;
        from_bytes(&packet)
    }

    async fn stream(&mut self, items: u64) -> u64 {
        self.socket
            .send(&items.to_le_bytes())
            .await
            .expect("the server lives");
        self.memory.resize(PACKET, 0);
        let mut count = 0;
        while count < items {
            let len = self
                .socket
                .recv(&mut self.memory)
                .await
                .expect("the server lives");
            assert_ne!(len, 0, "the stream is cut short");
            count += (len / SMALL) as u64;
        }
        count
    }

    async fn many(&mut self, calls: u64) {
        let mut packet = [7; FULL];
        for _ in 0..calls / CALLERS {
            self.echo(&mut packet).await;
        }
    }
}

impl BarePacked {
    async fn echo(&self, packet: &mut [u8]) {
        self.socket.send(packet).await.expect("the server lives");
        let len = self.socket.recv(packet).await.expect("the server lives");
        assert_eq!(len, packet.len());
    }
}
