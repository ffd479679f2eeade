//! Draws the results: for each setting some groups of workloads, each as an SVG.

mod group;
mod plot;

use std::fs;
use std::io;
use std::path::Path;

use askama::Template;

use crate::results::Results;
use crate::setting::Setting;
use group::GROUPS;
use plot::Plot;

/// Draws what there are results for, as `SETTING-GROUP.svg`.
pub(crate) fn draw(results: &Results, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for setting in Setting::ALL {
        for group in &GROUPS {
            let sections = group.sections(results, setting);
            if sections.is_empty() {
                continue;
            }
            let plot = Plot::of(group.title, setting.name(), &sections);
            let text = plot.render().map_err(io::Error::other)?;
            let name = format!("{}-{}.svg", setting.name(), group.name);
            fs::write(folder.join(name), text)?;
        }
    }
    Ok(())
}
