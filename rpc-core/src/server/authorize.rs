//! Rules about who may call what.

use std::sync::Arc;

use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, ServiceId};
use crate::method::wire_id;
use crate::transport::PeerIdentity;

use super::Require;
use super::router::Table;

/// Rules about who may call what; a tower layer for servers.
///
/// The rule of a method comes before that of its service, and that before the one for everything else, which is
/// [`Require::same_user`] until [`otherwise`](Self::otherwise) sets it. Who calls is what the operating system says (see
/// [`PeerIdentity`]); nothing that the peer says counts. A call that its rule does not admit is refused with
/// [`Reason::Forbidden`] and a text of what is required and who called.
///
/// [`ServerBuilder::authorize`](super::ServerBuilder::authorize) adds the rules and checks the names in them; a layer
/// that is added otherwise is not checked, and neither sort changes who may connect, which is the listener's matter.
///
/// ```
/// use pipe_rpc_core::server::{Authorize, Require, Server};
/// use pipe_rpc_core::transport::Principal;
///
/// let rules = Authorize::new()
///     .otherwise(Require::anyone())
///     .service("Admin", Require::uid(0))
///     .method("Thesaurus", "import", Require::one_of([Principal::uid(0), Principal::gid(44)]));
/// let server = Server::builder().authorize(rules);
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
pub struct Authorize(Arc<Rules>);

#[derive(Clone, Debug)]
struct Rules {
    /// The later ones first. They are few: looking at each is quicker than hashing.
    rules: Vec<Rule>,
    otherwise: Require,
}

#[derive(Clone, Debug)]
struct Rule {
    /// The name it is mounted under.
    service: String,
    service_id: ServiceId,
    /// The method's name and id, of a rule for only one.
    method: Option<(String, u32)>,
    require: Require,
}

/// A rule for something that the server does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// No service is mounted under the name.
    #[error(
        "a rule is for the service {service:?}, and the server has {}: name it as it is mounted",
        listed(served)
    )]
    UnknownService {
        /// The name in the rule.
        service: String,
        /// The names of the services that are mounted.
        served: Vec<String>,
    },
    /// The service has no method of the name.
    #[error(
        "a rule is for the method {method:?} of {service:?}, which has {}: name one of these",
        listed(methods)
    )]
    UnknownMethod {
        /// The service.
        service: String,
        /// The name in the rule.
        method: String,
        /// The names of the service's methods.
        methods: Vec<&'static str>,
    },
}

fn listed(names: &[impl AsRef<str>]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    names.join(", ")
}

impl Default for Authorize {
    fn default() -> Self {
        Self::new()
    }
}

impl Authorize {
    /// Admits the user who runs the server, until rules are added.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Rules {
            rules: Vec::new(),
            otherwise: Require::same_user(),
        }))
    }

    /// What is required where no other rule says so.
    #[must_use]
    pub fn otherwise(mut self, require: impl Into<Require>) -> Self {
        Arc::make_mut(&mut self.0).otherwise = require.into();
        self
    }

    /// What is required for the service that is mounted under this name. A later rule for it replaces this one.
    #[must_use]
    pub fn service(self, service: impl Into<String>, require: impl Into<Require>) -> Self {
        self.rule(service.into(), None, require.into())
    }

    /// What is required for one method of the service that is mounted under this name. A later rule for it replaces
    /// this one.
    #[must_use]
    pub fn method(
        self,
        service: impl Into<String>,
        method: impl Into<String>,
        require: impl Into<Require>,
    ) -> Self {
        self.rule(service.into(), Some(method.into()), require.into())
    }

    fn rule(mut self, service: String, method: Option<String>, require: Require) -> Self {
        let rule = Rule {
            service_id: ServiceId::of(&service),
            service,
            method: method.map(|name| {
                let id = wire_id(&name);
                (name, id)
            }),
            require,
        };
        Arc::make_mut(&mut self.0).rules.insert(0, rule);
        self
    }

    /// Whether everything that the rules name is there.
    pub(super) fn check(&self, table: &Table) -> Result<(), RuleError> {
        for rule in self.0.rules.iter().rev() {
            let service = rule.service.clone();
            let Some(methods) = table.methods_of(&service) else {
                let served = table.names();
                return Err(RuleError::UnknownService { service, served });
            };
            let Some((method, _)) = &rule.method else { continue };
            if !methods.iter().any(|known| known.name == method) {
                return Err(RuleError::UnknownMethod {
                    service,
                    method: method.clone(),
                    methods: methods.iter().map(|known| known.name).collect(),
                });
            }
        }
        Ok(())
    }

    /// Why the call is refused, if it is.
    pub(super) fn refusal(&self, request: &Request) -> Option<Fault> {
        let (name, require) = self.0.requirement_for(request);
        // Without a context it came over no connection, and nobody knows who calls.
        let peer = request.context().map(super::Context::peer_identity);
        if peer.is_some_and(|peer| require.admits(peer)) {
            return None;
        }
        let method = request.method().name;
        tracing::info!(
            peer = peer.map(tracing::field::display),
            "{name}.{method} was refused: {require} is required"
        );
        let text = format!("{name}.{method} requires {require}, and {} calls", caller(peer));
        Some(Fault::new(Outcome::Refused, Reason::Forbidden).with_detail(text))
    }
}

impl Rules {
    /// What is required, and the name of the service for messages.
    fn requirement_for(&self, request: &Request) -> (&str, &Require) {
        let (service, method) = (request.service(), request.method());
        let of_service = || self.rules.iter().filter(|rule| rule.service_id == service);
        let of_method = |rule: &&Rule| rule.method.as_ref().is_some_and(|(_, id)| *id == method.id);
        let found = of_service().find(of_method);
        match found.or_else(|| of_service().find(|rule| rule.method.is_none())) {
            Some(rule) => (&rule.service, &rule.require),
            None => (method.service, &self.otherwise),
        }
    }
}

/// The account and no more: the text goes to the caller.
fn caller(peer: Option<&PeerIdentity>) -> String {
    peer.map_or_else(|| "nobody known".to_owned(), |peer| peer.account.to_string())
}
