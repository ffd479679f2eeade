//! The shapes of methods: arguments, results and streams, and bytes that are the whole of one.

use bytes::Bytes;
use pipe_rpc_core::schema::MethodShape;

use super::is;
use super::named::Kinds;

#[test]
fn bytes_are_one_block_alone_and_a_sequence_inside() {
    is::<Bytes>("Vec<u8>");
    is::<Vec<u8>>("Vec<u8>");
    is::<Option<Bytes>>("Option<Vec<u8>>");
    let both = [
        MethodShape::new().argument::<Bytes>("value").returns::<Vec<u8>>(),
        MethodShape::new().argument::<Vec<u8>>("value").returns::<Bytes>(),
    ];
    for shape in both {
        assert_eq!(shape.text(), "(Bytes) -> Bytes");
    }
    let result = MethodShape::new().returns_result::<Bytes, Vec<u8>>();
    assert_eq!(result.text(), "() -> Result<Bytes, Bytes>");
}

#[test]
fn results_and_streams_of_a_method() {
    let shape = MethodShape::new().returns_result::<u8, Kinds>();
    assert!(shape.text().starts_with("() -> Result<u8, Kinds>; enum Kinds {"));
    type Alias = Result<u8, String>;
    let text = |shape: MethodShape| shape.text();
    assert_eq!(
        text(MethodShape::new().returns::<Alias>()),
        "() -> (Result<u8, String>)"
    );
    assert_eq!(
        text(MethodShape::new().returns::<Vec<Alias>>()),
        "() -> Vec<Result<u8, String>>"
    );
    assert_eq!(text(MethodShape::new().returns::<()>()), "()");
    let stream = MethodShape::new()
        .argument_stream::<u8>("items")
        .argument::<Bytes>("head");
    assert_eq!(
        text(stream.returns_stream_result::<Bytes, u8>()),
        "(Streaming<u8>, Bytes) -> Streaming<Bytes, u8>"
    );
    let stream = MethodShape::new()
        .argument_stream_result::<u8, u16>("items")
        .returns_stream::<u8>();
    assert_eq!(text(stream.clone()), "(Streaming<u8, u16>) -> Streaming<u8>");
    assert_eq!(
        text(stream.or_error::<String>()),
        "(Streaming<u8, u16>) -> Result<Streaming<u8>, String>"
    );
}
