//! Users and groups, as rules name them.

use std::fmt;

use thiserror::Error;

/// A user or a group of this computer: what rules about peers name.
///
/// It is a number on Unix and a security identifier on Windows; the transport's look-ups make one of a name.
///
/// ```
/// use pipe_rpc_core::transport::Principal;
///
/// assert_eq!(Principal::uid(1000).to_string(), "uid 1000");
/// assert_eq!(Principal::gid(44).with_name("group video").to_string(), "group video (gid 44)");
/// assert!(Principal::sid("S-1-5-32-544").is_ok());
/// assert!(Principal::sid("Administrators").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    id: PrincipalId,
    name: Option<String>,
}

/// What the system knows a user or a group by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrincipalId {
    /// A user of a Unix system.
    Uid(u32),
    /// A group of a Unix system.
    Gid(u32),
    /// A user or a group of Windows, in text form, `S-1-…`.
    Sid(String),
}

/// A text that is no security identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no security identifier: write it like `S-1-5-32-544`, in decimal numbers")]
#[non_exhaustive]
pub struct NotASid {
    /// The text.
    pub text: String,
}

impl Principal {
    /// The user of that number on a Unix system.
    #[must_use]
    pub const fn uid(uid: u32) -> Self {
        Self {
            id: PrincipalId::Uid(uid),
            name: None,
        }
    }

    /// The group of that number on a Unix system.
    #[must_use]
    pub const fn gid(gid: u32) -> Self {
        Self {
            id: PrincipalId::Gid(gid),
            name: None,
        }
    }

    /// The user or group of Windows with that security identifier, `S-1-…`.
    ///
    /// # Errors
    /// If the text does not have that form.
    pub fn sid(sid: impl Into<String>) -> Result<Self, NotASid> {
        let text = sid.into();
        if !is_sid(&text) {
            return Err(NotASid { text });
        }
        Ok(Self {
            id: PrincipalId::Sid(text),
            name: None,
        })
    }

    /// The same with a name for messages, such as `group video`. It has no say in who is meant.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What the system knows it by.
    #[must_use]
    pub const fn id(&self) -> &PrincipalId {
        &self.id
    }
}

/// Whether it is an identifier as Windows writes it. Texts of other forms could be anything inside an access list.
fn is_sid(text: &str) -> bool {
    const MOST_SUBAUTHORITIES: usize = 15;
    let mut parts = text.split('-');
    let head = (parts.next(), parts.next());
    let Some(authority) = parts.next() else {
        return false;
    };
    let subauthorities: Vec<_> = parts.collect();
    head == (Some("S"), Some("1"))
        && is_number(authority)
        && (1..=MOST_SUBAUTHORITIES).contains(&subauthorities.len())
        && subauthorities.into_iter().all(is_number)
}

/// Whether it is a number in its one decimal form: the system compares identifiers, and we their texts.
fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|number| number.to_string() == text)
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "uid {uid}"),
            Self::Gid(gid) => write!(f, "gid {gid}"),
            Self::Sid(sid) => f.write_str(sid),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.id),
            None => self.id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_form_of_an_identifier_is_taken() {
        for good in ["S-1-1-0", "S-1-5-32-544", "S-1-5-21-4294967295-2-3-1001"] {
            Principal::sid(good).unwrap();
        }
        let long = format!("S-1-5{}", "-1".repeat(16));
        for bad in [
            "",
            "S",
            "S-1",
            "S-1-5",
            "s-1-5-18",
            "S-2-5-18",
            "S-1-5-",
            "S-1-5--18",
            "S-1-5-018",
            "S-1-5-+18",
            "S-1-5-4294967296",
            "S-1-5-18 ",
            "S-1-1-0)(A;;FA;;;WD",
            "WD",
            &long,
        ] {
            assert_eq!(Principal::sid(bad).unwrap_err().text, bad);
        }
    }
}
