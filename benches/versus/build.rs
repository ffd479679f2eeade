//! The generated code of the rows that want some. Neither `protoc` nor anything else has to be installed.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        tonic();
    }
}

/// What `tonic-prost-build` would make of a `.proto` file; the messages are structs in the row's file.
fn tonic() {
    let method = |name, route, asked, told| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("super::super::{asked}"))
            .output_type(format!("super::super::{told}"))
            .codec_path("tonic_prost::ProstCodec")
    };
    let echo = Service::builder()
        .package("versus")
        .name("Echo")
        .method(method("bytes", "Bytes", "Block", "Block").build())
        .method(method("vec", "Vec", "Owned", "Owned").build())
        .method(
            method("items", "Items", "Count", "Block")
                .server_streaming()
                .build(),
        )
        .build();
    Builder::new().compile(&[echo]);
}
