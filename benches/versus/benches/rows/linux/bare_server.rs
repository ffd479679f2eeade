//! The server of the bare rows: one task for each connection, which does what the workload wants.

use std::io;

use super::seqpacket::{Listener, PACKET, Socket};
use crate::row::SMALL;
use crate::server::Serving;
use crate::workload::Workload;

/// Serves. A packet of calls has at most so many bytes.
pub(super) async fn serve(serving: Serving, largest: usize) {
    let listener = Listener::bind(serving.job.place.path()).expect("the path is free");
    serving.ready.tell();
    loop {
        let socket = listener.accept().await.expect("the listener lives");
        tokio::spawn(one(socket, serving.job.workload, largest));
    }
}

async fn one(socket: Socket, workload: Workload, largest: usize) {
    let ended = match workload {
        Workload::Rtt64 | Workload::Pipe64 | Workload::Conns | Workload::Connect => {
            echo_packets(&socket, largest).await
        }
        Workload::Bulk1m | Workload::Bulk64m => echo_bodies(&socket, workload.body()).await,
        Workload::Vec1m => echo_vecs(&socket, workload.body()).await,
        Workload::Stream64 => stream_items(&socket).await,
        Workload::Mixed | Workload::Growth => unreachable!("not among what the bare rows have"),
    };
    ended.expect("the client ends between calls");
}

/// A packet is answered as it is, however many calls are in it.
async fn echo_packets(socket: &Socket, largest: usize) -> io::Result<()> {
    let mut buffer = vec![0; largest];
    loop {
        match socket.recv(&mut buffer).await? {
            0 => return Ok(()),
            len => socket.send(&buffer[..len]).await?,
        }
    }
}

/// The whole body is there before it is answered, in memory that the next one is put into as well.
async fn echo_bodies(socket: &Socket, len: usize) -> io::Result<()> {
    let mut body = vec![0; len];
    while socket.recv_body(&mut body).await? == len {
        socket.send_body(&body).await?;
    }
    Ok(())
}

/// The whole body is there before it is answered, each in a `Vec` of its own.
async fn echo_vecs(socket: &Socket, len: usize) -> io::Result<()> {
    loop {
        let mut body = vec![0; len];
        if socket.recv_body(&mut body).await? < len {
            return Ok(());
        }
        socket.send_body(&body).await?;
    }
}

/// Each request is how many items are wanted; they come in packets as large as can be.
async fn stream_items(socket: &Socket) -> io::Result<()> {
    let mut request = [0; size_of::<u64>()];
    let items = vec![7; PACKET];
    while socket.recv(&mut request).await? == request.len() {
        let mut left = u64::from_le_bytes(request) as usize * SMALL;
        while left > 0 {
            let packet = &items[..left.min(PACKET)];
            socket.send(packet).await?;
            left -= packet.len();
        }
    }
    Ok(())
}
