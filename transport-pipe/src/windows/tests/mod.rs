//! What only the inside can see: the bookkeeping of operations, and what the system was really asked for.

mod bookkeeping;
mod closing;
mod naming;
mod reading;
mod security;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::file_unsafe::{File, Place};
use super::instance::Blueprint;
use crate::name::{NativeName, PipeName};
use crate::options::ServerOptions;

/// A name that no other test uses.
fn fresh_name() -> NativeName {
    static USED: AtomicU32 = AtomicU32::new(0);
    let (process, number) = (std::process::id(), USED.fetch_add(1, Relaxed));
    PipeName::new(format!("unit-{process}-{number}"))
        .unwrap()
        .resolve()
        .unwrap()
}

/// Both ends of a new pipe, the server's first, in message mode.
fn ends() -> (Arc<File>, Arc<File>) {
    let name = fresh_name();
    let blueprint = Blueprint::new(&name, &ServerOptions::default()).unwrap();
    let server = blueprint.make(Place::First).unwrap();
    let client = File::open(&super::instance::system_name(&name)).unwrap();
    client.read_messages().unwrap();
    (Arc::new(server), Arc::new(client))
}
