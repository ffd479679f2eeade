//! The Windows half.
