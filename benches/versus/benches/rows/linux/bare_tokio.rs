//! A bare SEQPACKET socket on tokio, one packet for each message.
//!
//! A large body goes in packets of 64 KiB. Both ends store the whole of it before they go on: `bytes` in memory that is
//! used again for the next one, `vec` in a new `Vec` each time.

use std::sync::Arc;

use bytes::Bytes;

use super::bare_server;
use super::seqpacket::Socket;
use crate::place::Place;
use crate::row::{Row, SMALL, Small, from_bytes, to_bytes};
use crate::server::Serving;
use crate::workload::{CALLERS, Workload};

pub(crate) struct BareTokio {
    socket: Arc<Socket>,
    /// For the large bodies that come back.
    memory: Vec<u8>,
}

impl Row for BareTokio {
    const HAS: &'static [Workload] = &[
        Workload::Rtt64,
        Workload::Pipe64,
        Workload::Bulk1m,
        Workload::Bulk64m,
        Workload::Vec1m,
        Workload::Conns,
        Workload::Connect,
    ];

    async fn serve(serving: Serving) {
        bare_server::serve(serving, SMALL).await;
    }

    async fn connect(place: Place) -> Self {
        let socket = Socket::connect(place.path()).expect("a server listens");
        Self {
            socket: Arc::new(socket),
            memory: Vec::new(),
        }
    }

    async fn small(&mut self, value: Small) -> Small {
        self.send(value).await;
        self.recv().await
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        self.memory.resize(body.len(), 0);
        self.socket.send_body(&body).await.expect("the server lives");
        self.socket
            .recv_body(&mut self.memory)
            .await
            .expect("the server lives")
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.socket.send_body(&body).await.expect("the server lives");
        let mut echoed = vec![0; body.len()];
        let len = self
            .socket
            .recv_body(&mut echoed)
            .await
            .expect("the server lives");
        echoed.truncate(len);
        echoed
    }

    /// One task sends the next call when an answer has come: there are no callers to be woken up.
    async fn many(&mut self, calls: u64) {
        for call in 0..CALLERS {
            self.send([call; 8]).await;
        }
        for call in 0..calls {
            assert_eq!(self.recv().await, [call; 8]);
            if call + CALLERS < calls {
                self.send([call + CALLERS; 8]).await;
            }
        }
    }
}

impl BareTokio {
    async fn send(&self, value: Small) {
        self.socket
            .send(&to_bytes(value))
            .await
            .expect("the server lives");
    }

    async fn recv(&self) -> Small {
        let mut packet = [0; SMALL];
        let len = self.socket.recv(&mut packet).await.expect("the server lives");
        assert_eq!(len, packet.len());
        from_bytes(&packet)
    }
}

impl Clone for BareTokio {
    fn clone(&self) -> Self {
        Self {
            socket: Arc::clone(&self.socket),
            memory: Vec::new(),
        }
    }
}
