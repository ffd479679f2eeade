//! Echoes of large bodies, one after the other.

use bytes::Bytes;

use crate::row::Row;
use crate::turns::Told;

/// What is sent. It is made once; each call has a handle on it.
pub(crate) fn bytes(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

pub(crate) async fn echo_bytes<R: Row>((mut client, body): (R, Bytes), calls: u64) -> ((R, Bytes), Told) {
    for _ in 0..calls {
        assert_eq!(client.bytes(body.clone()).await, body.len());
    }
    ((client, body), Told::default())
}

/// What comes back is what is sent next, so that only the row allocates.
pub(crate) async fn echo_vecs<R: Row>(
    (mut client, mut body): (R, Vec<u8>),
    calls: u64,
) -> ((R, Vec<u8>), Told) {
    let len = body.len();
    for _ in 0..calls {
        body = client.vec(body).await;
        assert_eq!(body.len(), len);
    }
    ((client, body), Told::default())
}
