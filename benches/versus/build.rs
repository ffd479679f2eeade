//! The generated code of the rows that want some. All generators are pure Rust: no `protoc` is needed.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        tonic();
    }
}

/// What `tonic-prost-build` would make of a `.proto` file; the messages are structs in the row's file.
fn tonic() {
    let method = |name, route, message| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(message)
            .output_type(message)
            .codec_path("tonic_prost::ProstCodec")
    };
    let echo = Service::builder()
        .package("versus")
        .name("Echo")
        .method(method("bytes", "Bytes", "super::super::Block").build())
        .method(method("vec", "Vec", "super::super::Owned").build())
        .build();
    Builder::new().compile(&[echo]);
}
