//! The services that are mounted, and how a call finds its method.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use crate::connection::{Dispatch, Stack};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, ServiceId};
use crate::method::Method;
use crate::proto::{MethodLimits, RequestHead};

use super::{MethodLoad, Mount, Reply, RuleError};

/// The deepest a call may be nested.
pub(crate) const MAX_DEPTH: u8 = 32;

/// The innermost tower service: runs the method that a request names.
#[derive(Clone)]
pub struct Router {
    table: Arc<Table>,
}

/// What is mounted, found by service and method.
#[derive(Default)]
pub(super) struct Table {
    mounts: Vec<Mounted>,
    /// Sorted by key.
    methods: Vec<Entry>,
    /// Made for the first connection, when all is mounted.
    limits: OnceLock<MethodLimits>,
}

struct Mounted {
    id: ServiceId,
    name: String,
    service: Box<dyn Mount>,
}

struct Entry {
    key: u64,
    mount: usize,
    index: usize,
    method: &'static Method,
    load: Arc<MethodLoad>,
}

/// Why services cannot be mounted together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// One name is used twice.
    #[error("two services are mounted as {name:?}; give one of them another name with service_as")]
    SameName {
        /// The name.
        name: String,
    },
    /// Two names have the same id on the wire.
    #[error(
        "the service names {first:?} and {second:?} have the same id on the wire; mount one under another name"
    )]
    SameId {
        /// The one mounted first.
        first: String,
        /// The other one.
        second: String,
    },
    /// Two methods of a service have the same id on the wire.
    #[error("the methods {first:?} and {second:?} of {service:?} have the same id on the wire; rename one")]
    SameMethodId {
        /// The service.
        service: String,
        /// One method.
        first: &'static str,
        /// The other method.
        second: &'static str,
    },
    /// A rule about who may call fits no service.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// So that [`Services`](super::Services) are what can be made into services, as a builder of them is.
impl From<Infallible> for MountError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Table {
    pub(super) fn mount(&mut self, name: String, service: Box<dyn Mount>) -> Result<(), MountError> {
        let id = ServiceId::of(&name);
        if let Some(other) = self.mounts.iter().find(|mounted| mounted.id == id) {
            let first = other.name.clone();
            return Err(if first == name {
                MountError::SameName { name }
            } else {
                MountError::SameId { first, second: name }
            });
        }
        let mount = self.mounts.len();
        for (index, method) in service.methods().iter().enumerate() {
            let key = key(id.0, method.id);
            let load = Arc::new(MethodLoad::default());
            match self.methods.binary_search_by_key(&key, |entry| entry.key) {
                Ok(at) => {
                    let (first, second) = (self.methods[at].method.name, method.name);
                    return Err(MountError::SameMethodId {
                        service: name,
                        first,
                        second,
                    });
                }
                Err(at) => self.methods.insert(
                    at,
                    Entry {
                        key,
                        mount,
                        index,
                        method,
                        load,
                    },
                ),
            }
        }
        self.mounts.push(Mounted { id, name, service });
        Ok(())
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.mounts.iter().map(|mounted| mounted.name.clone()).collect()
    }

    /// The methods of the service mounted under that name.
    pub(super) fn methods_of(&self, name: &str) -> Option<&'static [Method]> {
        let mounted = self.mounts.iter().find(|mounted| mounted.name == name)?;
        Some(mounted.service.methods())
    }

    fn entry(&self, service: u32, method: u32) -> Option<&Entry> {
        let at = self
            .methods
            .binary_search_by_key(&key(service, method), |entry| entry.key)
            .ok()?;
        self.methods.get(at)
    }

    /// Why there is no such method.
    fn missing(&self, service: u32, method: u32) -> Fault {
        let Some(mounted) = self.mounts.iter().find(|mounted| mounted.id.0 == service) else {
            let names = self.names().join(", ");
            let text = format!("it serves {}", if names.is_empty() { "nothing" } else { &names });
            return Fault::new(Outcome::Refused, Reason::UnknownService).with_detail(text);
        };
        let names: Vec<_> = mounted
            .service
            .methods()
            .iter()
            .map(|method| method.name)
            .collect();
        let text = format!(
            "{} has {}, and none with id {method:#010x}",
            mounted.name,
            names.join(", ")
        );
        Fault::new(Outcome::Refused, Reason::UnknownMethod).with_detail(text)
    }
}

impl Router {
    pub(super) fn new(table: Arc<Table>) -> Self {
        Self { table }
    }
}

impl Dispatch for Table {
    fn find(&self, head: &RequestHead) -> Result<(&'static Method, &Arc<MethodLoad>), Fault> {
        if head.depth > MAX_DEPTH {
            let text = format!("the limit is {MAX_DEPTH}");
            return Err(Fault::new(Outcome::Refused, Reason::TooDeep).with_detail(text));
        }
        let entry = self.entry(head.service, head.method);
        let entry = entry.ok_or_else(|| self.missing(head.service, head.method))?;
        let method = entry.method;
        if head.fingerprint != 0 && head.fingerprint != method.fingerprint() {
            let text = format!("the server has {}{}", method.name, method.text());
            return Err(Fault::new(Outcome::Refused, Reason::SignatureMismatch).with_detail(text));
        }
        Ok((method, &entry.load))
    }

    fn method_limits(&self) -> MethodLimits {
        let limit = |entry: &Entry| {
            let service = self.mounts[entry.mount].id.0;
            let max_body = entry.method.max_body?;
            Some((service, entry.method.id, max_body))
        };
        let limits = || self.methods.iter().filter_map(limit).collect();
        self.limits.get_or_init(limits).clone()
    }
}

impl tower::Service<Request> for Router {
    type Response = crate::message::Response;
    type Error = Fault;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Reply {
        let (service, method) = (request.service().0, request.method().id);
        let Some(entry) = self.table.entry(service, method) else {
            let fault = self.table.missing(service, method);
            return Box::pin(std::future::ready(Err(fault)));
        };
        self.table.mounts[entry.mount].service.call(entry.index, request)
    }
}

impl Stack for Router {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Reply {
        tower::Service::call(self, request)
    }

    fn another(&self) -> Box<dyn Stack> {
        Box::new(self.clone())
    }
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router")
            .field("services", &self.table.names())
            .finish()
    }
}

fn key(service: u32, method: u32) -> u64 {
    u64::from(service) << 32 | u64::from(method)
}
