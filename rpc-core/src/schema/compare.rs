//! What changed from one schema to another, and which changes programs notice.

use std::fmt;

use super::difference::{self, Difference, Side};
use super::model::{Schema, Signature};
use super::parse;

/// Something that changed from an older schema to a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The service has another name: no call finds it.
    Service {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// A method was added. Older programs do not call it, and older servers refuse only calls of it.
    MethodAdded {
        /// Its name.
        method: String,
    },
    /// A method was removed or has another name now: calls of it are refused.
    MethodRemoved {
        /// Its old name.
        method: String,
    },
    /// A method takes or returns something else: programs with the older schema and such with the newer one refuse each
    /// other's calls of it.
    MethodChanged {
        /// Its name.
        method: String,
        /// Each difference, for people.
        differences: Vec<String>,
    },
    /// An argument has another name, which is not on the wire.
    ArgumentRenamed {
        /// The method's name.
        method: String,
        /// The argument's old name.
        from: String,
        /// The argument's new name.
        to: String,
    },
}

impl Change {
    /// Whether programs of both schemas can go on working together.
    ///
    /// Only added methods and renamed arguments are compatible. A field, variant or type that changed is not, in
    /// whatever way it changed: a field that only one end has cannot be told from the next one, and a new variant is
    /// harmless in an argument and not in a result. Ends that differ refuse the call, so give the new shape a method of
    /// its own. A type that has another name counts as changed too, because two types with the same fields may still
    /// mean different things, as `Meters(f64)` and `Feet(f64)` do; `#[serde(rename = "..")]` keeps the old name.
    #[must_use]
    pub fn is_compatible(&self) -> bool {
        matches!(self, Self::MethodAdded { .. } | Self::ArgumentRenamed { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { from, to } => write!(f, "service `{from}` became `{to}`"),
            Self::MethodAdded { method } => write!(f, "fn {method} was added"),
            Self::MethodRemoved { method } => write!(f, "fn {method} was removed"),
            Self::MethodChanged { method, differences } => {
                write!(f, "fn {method}: {}", differences.join("; "))
            }
            Self::ArgumentRenamed { method, from, to } => {
                write!(f, "fn {method}: the argument `{from}` is called `{to}`")
            }
        }
    }
}

impl Schema {
    /// What changed from `older` to this one.
    #[must_use]
    pub fn changes_since(&self, older: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        if older.service != self.service {
            let (from, to) = (older.service.clone(), self.service.clone());
            changes.push(Change::Service { from, to });
        }
        for old in &older.methods {
            match self.methods.iter().find(|new| new.name == old.name) {
                Some(new) => changes.extend(changes_of(old, older, new, self)),
                None => changes.push(Change::MethodRemoved {
                    method: old.name.clone(),
                }),
            }
        }
        let is_new = |new: &&Signature| older.methods.iter().all(|old| old.name != new.name);
        let added = self
            .methods
            .iter()
            .filter(is_new)
            .map(|method| Change::MethodAdded {
                method: method.name.clone(),
            });
        changes.extend(added);
        changes
    }
}

fn changes_of(old: &Signature, older: &Schema, new: &Signature, newer: &Schema) -> Vec<Change> {
    let method = old.name.clone();
    let differences = difference::between(
        Side {
            method: old,
            types: &older.types,
        },
        Side {
            method: new,
            types: &newer.types,
        },
    );
    if !differences.is_empty() {
        let differences = differences.iter().map(as_change).collect();
        return vec![Change::MethodChanged { method, differences }];
    }
    let arguments = old.arguments.iter().zip(&new.arguments);
    let renamed = arguments.filter(|(old, new)| old.name != new.name);
    renamed
        .map(|(old, new)| Change::ArgumentRenamed {
            method: method.clone(),
            from: old.name.clone(),
            to: new.name.clone(),
        })
        .collect()
}

fn as_change(difference: &Difference) -> String {
    let Difference { at, old, new } = difference;
    match (old, new) {
        (Some(old), Some(new)) => format!("{at}: `{old}` became `{new}`"),
        (Some(old), None) => format!("{at}: {old} was removed"),
        (None, Some(new)) => format!("{at}: {new} was added"),
        (None, None) => at.clone(),
    }
}

/// Up to this length in bytes a text surely came whole: PROTOCOL.md "Faults".
const SURELY_WHOLE: usize = 3_000;

/// In which of the types that they name two texts of a method differ, for people: `theirs` is the server's, and may be cut
/// off. Nothing if they differ in the first line, where everybody sees it.
pub(crate) fn explain(method: &str, theirs: &str, ours: &str) -> Option<String> {
    let (their_method, mut their_types) = parse::canonical(method, theirs)?;
    if theirs.len() > SURELY_WHOLE {
        // What was cut off after its name looks like a type without fields.
        their_types.pop();
    }
    let (our_method, our_types) = parse::canonical(method, ours)?;
    if their_method != our_method {
        return None;
    }
    let theirs = Side {
        method: &their_method,
        types: &their_types,
    };
    let ours = Side {
        method: &our_method,
        types: &our_types,
    };
    let differences: Vec<String> = difference::between(theirs, ours).iter().map(as_ends).collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}

fn as_ends(difference: &Difference) -> String {
    let Difference { at, old, new } = difference;
    match (old, new) {
        (Some(theirs), Some(ours)) => format!("{at}: `{theirs}` at the server, `{ours}` at this client"),
        (Some(theirs), None) => format!("{at}: only the server has {theirs}"),
        (None, Some(ours)) => format!("{at}: only this client has {ours}"),
        (None, None) => at.clone(),
    }
}
