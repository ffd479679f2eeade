//! `Bytes` and `Vec<u8>` as the whole value are the body.

use bytes::Bytes;
use pipe_rpc_core::codec::Codec;
use pipe_rpc_core::proto::Body;

#[test]
fn a_block_has_nothing_around_it() {
    for len in [0, 1, 100, 119, 4095, 4096, 100_000] {
        let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let shared = Bytes::from(bytes.clone());

        let body = Codec::Bincode.encode(&bytes).unwrap();
        assert_eq!(body.as_ref(), bytes);
        assert_eq!(Codec::Bincode.decode::<Bytes>(body).unwrap(), shared);

        let body = Codec::Bincode.encode(&shared).unwrap();
        assert_eq!(body.as_ref(), bytes);
        assert_eq!(Codec::Bincode.decode::<Vec<u8>>(body).unwrap(), bytes);
    }
}

#[test]
fn bytes_go_out_without_a_copy() {
    let bytes = Bytes::from(vec![7; 200]);
    let body = Codec::Bincode.encode(&bytes).unwrap();
    assert_eq!(body.as_ref().as_ptr(), bytes.as_ptr());
}

#[test]
fn bytes_from_four_kibibytes_on_share_the_memory_of_the_body() {
    let packet = Bytes::from(vec![7; 65_536]);
    let body = Body::from(packet.slice(100..4196));
    let bytes: Bytes = Codec::Bincode.decode(body).unwrap();
    assert_eq!(bytes.as_ptr(), packet[100..].as_ptr());
}

#[test]
fn smaller_bytes_do_not_hold_on_to_the_packet() {
    let packet = Bytes::from(vec![7; 65_536]);
    let body = Body::from(packet.slice(100..4195));
    let _kept: Bytes = Codec::Bincode.decode(body).unwrap();
    assert!(packet.is_unique());
}
