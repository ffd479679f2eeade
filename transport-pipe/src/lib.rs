//! Message-mode pipes for tokio.
