//! Calls of every kind, dropped at every poll at the client, dropped at every poll at the server, and cancelled in every
//! await of their handlers. Afterwards the connection lives, other calls are right, and every credit is back.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
#[path = "../support/mod.rs"]
mod support;

mod bench;
mod client;
mod kinds;
mod server;
mod subject;
mod waiting;
