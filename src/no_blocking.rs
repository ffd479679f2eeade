//! No clients without async: the feature `blocking` is off.

/// Expands to nothing: the feature `blocking` is off.
#[doc(hidden)]
#[macro_export]
macro_rules! __blocking {
    ($($items:tt)*) => {};
}
