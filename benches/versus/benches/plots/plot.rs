//! Where everything of a plot is. How it looks is in `templates/plot.svg`.

use askama::Template;

use super::group::{self, Section};
use crate::tables::number;

/// The sizes, in the units of the drawing.
const WIDTH: u32 = 760;
const LEFT: u32 = 130;
const SCALE: f64 = 440.0;
const TOP: u32 = 66;
const TITLE: u32 = 24;
const BAR: u32 = 24;
const GAP: u32 = 14;
const AXIS: u32 = 34;

/// The distances that ticks may have; there are few enough of them that their labels have room.
const STEPS: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];
const TICKS: f64 = 8.0;

#[derive(Template)]
#[template(path = "plot.svg")]
pub(super) struct Plot<'a> {
    title: &'a str,
    setting: &'a str,
    width: u32,
    height: u32,
    left: u32,
    top: u32,
    bottom: u32,
    ticks: Vec<Tick>,
    /// Where the bare pipe's bar ends.
    one: u32,
    sections: Vec<Placed<'a>>,
}

struct Tick {
    x: u32,
    label: String,
}

/// A section, in its place.
struct Placed<'a> {
    title: &'a str,
    y: u32,
    bars: Vec<Bar<'a>>,
}

struct Bar<'a> {
    row: &'a str,
    class: &'static str,
    y: u32,
    width: u32,
    ratio: String,
    value: &'a str,
}

impl<'a> Plot<'a> {
    pub(super) fn of(title: &'a str, setting: &'a str, sections: &'a [Section]) -> Self {
        let bars = sections.iter().flat_map(|section| &section.bars);
        let longest = bars.map(|bar| bar.ratio).fold(1.0, f64::max);
        let scale = SCALE / longest;
        let mut y = TOP;
        let sections = sections
            .iter()
            .map(|section| placed(section, scale, &mut y))
            .collect();
        Self {
            title,
            setting,
            width: WIDTH,
            height: y + AXIS,
            left: LEFT,
            top: TOP,
            bottom: y,
            ticks: ticks(longest, scale),
            one: x(1.0, scale),
            sections,
        }
    }
}

/// Below what is there already.
fn placed<'a>(section: &'a Section, scale: f64, y: &mut u32) -> Placed<'a> {
    let top = *y;
    *y += TITLE;
    let bars = section.bars.iter().map(|bar| {
        let top = *y;
        *y += BAR;
        Bar {
            row: bar.row,
            class: class(bar),
            y: top,
            width: (bar.ratio * scale).round().max(1.0) as u32,
            ratio: number(bar.ratio),
            value: &bar.value,
        }
    });
    let bars = bars.collect();
    *y += GAP;
    Placed {
        title: section.title,
        y: top + TITLE - 8,
        bars,
    }
}

fn class(bar: &group::Bar) -> &'static str {
    match bar.row {
        "pipe-rpc" => "ours",
        row if row.starts_with("bare-") => "bare",
        _ => "peer",
    }
}

fn ticks(longest: f64, scale: f64) -> Vec<Tick> {
    let few = |step: &f64| longest / step <= TICKS;
    let step = STEPS.into_iter().find(few).unwrap_or(longest);
    let count = (longest / step) as u32;
    (0..=count)
        .map(|tick| f64::from(tick) * step)
        .map(|ratio| Tick {
            x: x(ratio, scale),
            label: format!("{ratio}"),
        })
        .collect()
}

fn x(ratio: f64, scale: f64) -> u32 {
    LEFT + (ratio * scale).round() as u32
}
