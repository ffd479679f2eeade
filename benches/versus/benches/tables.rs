//! The results as a person reads them: a table for each setting and workload, as Markdown.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};

use crate::load::Load;
use crate::results::{Results, Rows, Summary};
use crate::rows::{self, Entry};

/// The figures, in the order of the columns.
const FIGURES: [&str; 10] = [
    "beside",
    "idle_p50",
    "p50",
    "idle_p99",
    "p99",
    "wall",
    "rate",
    "cpu",
    "client_memory",
    "server_memory",
];

pub(crate) fn markdown(results: &Results) -> String {
    let tables: String = results
        .groups()
        .map(|(setting, workload, rows)| {
            let (setting, workload) = (setting.name(), workload.name());
            format!(
                "## {setting}, {workload}: median (least to most)\n\n{}\n\n",
                table(rows)
            )
        })
        .collect();
    tables + &lacks(results)
}

/// What rows that are in the tables cannot do, and why; also of those that can do nothing, and are in none.
fn lacks(results: &Results) -> String {
    let told =
        |row: &&Entry| row.has.is_empty() || results.groups().any(|(.., rows)| rows.contains_key(row.name));
    rows::ALL
        .iter()
        .filter(told)
        .filter_map(|row| Some(format!("{} lacks {}.\n\n", row.name, row.lacks?)))
        .collect()
}

fn table(rows: &Rows) -> Table {
    let figures: Vec<&str> = FIGURES
        .into_iter()
        .filter(|figure| rows.values().any(|row| row.contains_key(*figure)))
        .collect();
    let header = figures.iter().map(|figure| match unit(rows, figure) {
        Some("") | None => (*figure).to_owned(),
        Some(unit) => format!("{figure} {unit}"),
    });
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(std::iter::once("row".to_owned()).chain(header));
    for row in labels() {
        if let Some(told) = rows.get(&row) {
            let cells = figures
                .iter()
                .map(|figure| told.get(*figure).map_or(String::new(), cell));
            table.add_row(std::iter::once(row).chain(cells));
        }
    }
    table
        .column_iter_mut()
        .skip(1)
        .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// All that a row may be called, in order.
fn labels() -> impl Iterator<Item = String> {
    let loads = || [Load::Nothing].into_iter().chain(Load::GROWING);
    rows::names().flat_map(move |row| loads().map(move |load| load.label(row)))
}

fn unit<'a>(rows: &'a Rows, figure: &str) -> Option<&'a str> {
    rows.values()
        .find_map(|row: &BTreeMap<String, Summary>| Some(row.get(figure)?.unit.as_str()))
}

fn cell(summary: &Summary) -> String {
    let Summary { median, min, max, .. } = summary;
    if min == max {
        return number(*median);
    }
    format!("{} ({} to {})", number(*median), number(*min), number(*max))
}

/// To about three digits unless it is a count, and the thousands apart.
pub(crate) fn number(value: f64) -> String {
    match value {
        _ if value.fract() == 0.0 => grouped(value as u64),
        1000.0.. => grouped(value.round() as u64),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(value: u64) -> String {
    match value / 1000 {
        0 => value.to_string(),
        thousands => format!("{},{:03}", grouped(thousands), value % 1000),
    }
}
