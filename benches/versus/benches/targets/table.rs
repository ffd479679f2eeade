//! The targets as a person reads them.

use comfy_table::{Table, presets};

use super::list;
use super::target::Target;
use crate::results::Results;

/// Those whose figures were all measured.
pub(crate) fn markdown(results: &Results) -> String {
    let targets = list::all(results);
    if targets.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["target", "setting", "wanted", "ratio", "reached"]);
    table.add_rows(targets.iter().map(Target::cells));
    format!("## Targets\n\n{table}\n")
}
