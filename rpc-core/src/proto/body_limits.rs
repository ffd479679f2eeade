//! Which limit holds for the size of a body. PROTOCOL.md section 9.

use std::sync::Arc;

use super::call::RequestHead;

/// The limit for the size of a body, in bytes, and who set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLimit {
    /// The end that takes the body, for all methods.
    End(u64),
    /// The method, which both ends know.
    Method(u64),
}

impl BodyLimit {
    /// The method's own limit, if it has one, goes before the end's.
    #[must_use]
    #[inline]
    pub fn of(method: Option<u64>, end: u64) -> Self {
        method.map_or(Self::End(end), Self::Method)
    }

    /// The largest body, in bytes.
    #[must_use]
    #[inline]
    pub fn bytes(self) -> u64 {
        match self {
            Self::End(bytes) | Self::Method(bytes) => bytes,
        }
    }
}

/// The limits of those methods of an end that have their own.
#[derive(Clone, Debug, Default)]
pub struct MethodLimits {
    /// Service, method and bytes; sorted.
    limits: Arc<[(u32, u32, u64)]>,
}

impl MethodLimits {
    /// The method's own limit in bytes, if it has one.
    #[inline]
    pub(super) fn of(&self, head: &RequestHead) -> Option<u64> {
        let key = (head.service, head.method);
        let at = self
            .limits
            .binary_search_by_key(&key, |(service, method, _)| (*service, *method));
        at.ok().map(|at| self.limits[at].2)
    }
}

/// From the ids of service and method, and the limit in bytes.
impl FromIterator<(u32, u32, u64)> for MethodLimits {
    fn from_iter<I: IntoIterator<Item = (u32, u32, u64)>>(limits: I) -> Self {
        let mut limits: Vec<_> = limits.into_iter().collect();
        limits.sort_unstable();
        Self {
            limits: limits.into(),
        }
    }
}
