//! The generated code of the rows that want some. Neither `protoc` nor anything else has to be installed; only Cap'n Proto
//! has no generator but its own, and its row is left out where that is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=schemas");
    println!("cargo::rustc-check-cfg=cfg(capnp)");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        tonic();
        ttrpc();
        capnp();
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

fn ttrpc() {
    let folder = out_dir().join("ttrpc");
    std::fs::create_dir_all(&folder).expect("cargo's folder can be written to");
    ttrpc_codegen::Codegen::new()
        .out_dir(&folder)
        .input("schemas/echo.proto")
        .include("schemas")
        .rust_protobuf()
        .customize(ttrpc_codegen::Customize {
            async_all: true,
            ..Default::default()
        })
        .rust_protobuf_customize(ttrpc_codegen::ProtobufCustomize::default().tokio_bytes(true))
        .run()
        .expect("a schema without mistakes");
    // The generator's own list of the files cannot be included: it begins with an attribute.
    let files = "pub(super) mod echo;\npub(super) mod echo_ttrpc;\n";
    std::fs::write(folder.join("mod.rs"), files).expect("cargo's folder can be written to");
}

fn capnp() {
    if Command::new("capnp").arg("--version").output().is_err() {
        println!("cargo::warning=the row capnp is left out: the compiler `capnp` is not installed");
        return;
    }
    println!("cargo::rustc-cfg=capnp");
    capnpc::CompilerCommand::new()
        .src_prefix("schemas")
        .file(Path::new("schemas/echo.capnp"))
        .default_parent_module(["rows", "linux", "capnp"].map(str::to_owned).to_vec())
        .run()
        .expect("a schema without mistakes");
}

fn out_dir() -> PathBuf {
    PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where"))
}
