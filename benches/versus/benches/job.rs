//! What a child of this program is started for.

use serde::{Deserialize, Serialize};

use crate::load::Load;
use crate::place::Place;
use crate::setting::Setting;
use crate::workload::Workload;

/// The environment variable that says it: the arguments are the bench's own.
pub(crate) const VARIABLE: &str = "PIPE_RPC_VERSUS_JOB";

#[derive(Serialize, Deserialize)]
pub(crate) enum Job {
    Serve(Serve),
    Call(Call),
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Serve {
    pub(crate) row: String,
    pub(crate) setting: Setting,
    pub(crate) workload: Workload,
    /// What else there is; the client makes it.
    pub(crate) load: Load,
    pub(crate) place: Place,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) serve: Serve,
    /// The process that does it.
    pub(crate) server: u32,
}

impl Serve {
    /// The row's name in the results.
    pub(crate) fn label(&self) -> String {
        self.load.label(&self.row)
    }
}

impl Job {
    /// What this process was started for, if it is a child.
    pub(crate) fn given() -> Option<Self> {
        let told = std::env::var(VARIABLE).ok()?;
        Some(serde_json::from_str(&told).expect("a parent of the same program"))
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }
}
