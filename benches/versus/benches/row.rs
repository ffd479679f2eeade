//! What a row implements: a client and its server, and the calls that are measured.
//!
//! The workloads are generic over it, and compiled for each row anew: nothing stands between a measured loop and the
//! row's own call.

use bytes::Bytes;

use crate::place::Place;
use crate::server::Serving;
use crate::workload::Workload;
use crate::workloads;

/// 64 bytes in a type that allocates nothing. A row that knows only bytes sends these.
pub(crate) type Small = [u64; 8];

/// How many bytes that is.
pub(crate) const SMALL: usize = size_of::<Small>();

/// A client with one connection, which its clones share. Each caller has a clone.
pub(crate) trait Row: Clone + Send + Sync + 'static {
    /// What it can do. The methods of what it lacks are never called.
    const HAS: &'static [Workload];

    /// Serves at the job's place, until the process ends. Runs as the root of the runtime, so connections are to have
    /// tasks of their own.
    fn serve(serving: Serving) -> impl Future<Output = ()>;

    /// A connection of its own to the server, which listens by now.
    fn connect(place: Place) -> impl Future<Output = Self> + Send;

    /// Echoes 64 bytes.
    fn small(&mut self, value: Small) -> impl Future<Output = Small> + Send;

    /// Echoes the body in the fastest type for bytes there is, and says how much came back.
    fn bytes(&mut self, _body: Bytes) -> impl Future<Output = usize> + Send {
        async { unreachable!("not among what the row has") }
    }

    /// Echoes the body as a `Vec<u8>`.
    fn vec(&mut self, _body: Vec<u8>) -> impl Future<Output = Vec<u8>> + Send {
        async { unreachable!("not among what the row has") }
    }

    /// Reads a stream of that many items of 64 bytes from the server to its end, and says how many came.
    fn stream(&mut self, _items: u64) -> impl Future<Output = u64> + Send {
        async { unreachable!("not among what the row has") }
    }

    /// Makes that many calls on this connection that wait for as long as the runtime is there. Returns when all of them
    /// wait at the server.
    fn leave_waiting(&mut self, _calls: u64) -> impl Future<Output = ()> + Send {
        async { unreachable!("not among what the row has") }
    }

    /// Makes that many calls of 64 bytes, a multiple of [`CALLERS`](crate::workload::CALLERS), which is how many are to
    /// be under way at once.
    fn many(&mut self, calls: u64) -> impl Future<Output = ()> + Send {
        workloads::side_by_side(self.clone(), calls)
    }
}

/// For rows that know only bytes.
pub(crate) fn to_bytes(value: Small) -> [u8; SMALL] {
    let mut bytes = [0; SMALL];
    for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(value) {
        *place = word.to_le_bytes();
    }
    bytes
}

/// The way back. What is missing is 0.
pub(crate) fn from_bytes(bytes: &[u8]) -> Small {
    let mut value = Small::default();
    for (word, bytes) in value.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    value
}
