//! A number that was measured in one turn.

use std::time::Duration;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
}

impl Figure {
    pub(crate) fn new(name: &str, value: f64, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
        }
    }

    /// The time of one of so many calls.
    pub(crate) fn micros(name: &str, time: Duration, calls: f64) -> Self {
        Self::new(name, time.as_secs_f64() * 1e6 / calls, "µs")
    }
}
