//! The `#[service]` attribute of pipe-rpc.
