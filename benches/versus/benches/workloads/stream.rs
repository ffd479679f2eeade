//! Items of 64 bytes through one stream from the server.

use crate::row::Row;
use crate::turns::Told;

/// A turn is one stream.
pub(crate) async fn items<R: Row>(mut client: R, items: u64) -> (R, Told) {
    assert_eq!(client.stream(items).await, items);
    (client, Told::default())
}
