//! What the fuzz targets do with their input. The tests of `rpc-core` do the same with the inputs in `corpus`.

pub mod codec;
mod commands;
pub mod connection;
pub mod frames;
pub mod hello;
mod made;
pub mod server;
mod side;
