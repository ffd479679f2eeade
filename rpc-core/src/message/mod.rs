//! Requests and responses: what clients, servers and the tower layers between them pass along.

mod request;
mod response;

pub use request::{Request, ServiceId};
pub use response::Response;
