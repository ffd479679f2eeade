//! Streams between the two ends of a pair.

use pipe_rpc_core::proto::{CallId, FaultRecord, ItemsEnd, Opener, RequestHead, Room, StreamId, code};

use super::pair::{End, Pair, body, head};

pub fn ours(call: CallId) -> StreamId {
    let opener = Opener::ThisEnd;
    StreamId { opener, call }
}

pub fn theirs(call: CallId) -> StreamId {
    let opener = Opener::Peer;
    StreamId { opener, call }
}

/// The head of a request that items follow.
pub fn upload() -> RequestHead {
    RequestHead {
        upload: true,
        ..head()
    }
}

/// A call of the client's that the server is answering by a stream.
pub fn downloading() -> (Pair, CallId) {
    streaming(head())
}

/// A call of the client's that items follow; its handler runs.
pub fn uploading() -> (Pair, CallId) {
    let mut pair = Pair::new();
    let call = pair.client.call_with(upload(), 1).expect("credit is left");
    pair.settle();
    pair.server.incoming();
    (pair, call)
}

pub fn streaming(head: RequestHead) -> (Pair, CallId) {
    let mut pair = Pair::new();
    let call = pair.client.call_with(head, 1).expect("credit is left");
    pair.settle();
    let id = pair.server.incoming().id;
    assert!(pair.server.proto.open_stream(id));
    pair.settle();
    assert_eq!(pair.client.news(), ["call 0.1 is answered by a stream"]);
    (pair, call)
}

impl End {
    /// Sends an item for which there is room.
    pub fn send_item(&mut self, id: StreamId, size: usize) {
        assert!(matches!(self.proto.room(id), Room::Open(_)), "no room");
        assert!(self.proto.send_item(id, body(size)));
    }

    /// Sends items of that size until there is no room. How many there were.
    pub fn fill(&mut self, id: StreamId, size: usize) -> usize {
        let mut count = 0;
        while let Room::Open(_) = self.proto.room(id) {
            self.send_item(id, size);
            count += 1;
        }
        count
    }
}

pub fn fault() -> FaultRecord {
    FaultRecord {
        code: code::PANICKED,
        outcome: 3,
        ..FaultRecord::default()
    }
}

pub fn faulted() -> ItemsEnd {
    ItemsEnd::Faulted(fault())
}
