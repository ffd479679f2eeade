//! The results as a person reads them: a table for each setting and workload, as Markdown.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};

use crate::results::{Results, Rows, Summary};
use crate::rows;

/// The figures, in the order of the columns.
const FIGURES: [&str; 5] = ["p50", "p99", "wall", "rate", "cpu"];

pub(crate) fn print(results: &Results) {
    for (setting, workload, rows) in results.groups() {
        println!(
            "\n{}, {}: median (least to most)\n",
            setting.name(),
            workload.name()
        );
        println!("{}", table(rows));
    }
}

fn table(rows: &Rows) -> Table {
    let figures: Vec<&str> = FIGURES
        .into_iter()
        .filter(|figure| rows.values().any(|row| row.contains_key(*figure)))
        .collect();
    let header = figures.iter().map(|figure| match unit(rows, figure) {
        Some(unit) => format!("{figure} {unit}"),
        None => (*figure).to_owned(),
    });
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(std::iter::once("row".to_owned()).chain(header));
    for row in rows::names() {
        if let Some(told) = rows.get(row) {
            let cells = figures
                .iter()
                .map(|figure| told.get(*figure).map_or(String::new(), cell));
            table.add_row(std::iter::once(row.to_owned()).chain(cells));
        }
    }
    table
        .column_iter_mut()
        .skip(1)
        .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn unit<'a>(rows: &'a Rows, figure: &str) -> Option<&'a str> {
    rows.values()
        .find_map(|row: &BTreeMap<String, Summary>| Some(row.get(figure)?.unit.as_str()))
}

fn cell(summary: &Summary) -> String {
    let Summary { median, min, max, .. } = summary;
    format!("{} ({} to {})", number(*median), number(*min), number(*max))
}

/// To about three digits, and the thousands apart.
fn number(value: f64) -> String {
    match value {
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
