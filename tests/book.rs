//! The book and the other texts are whole: no chapter is left out, and no link leads nowhere.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The targets of all links in a Markdown text that name a file beside it.
fn local_links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.starts_with('#') && !target.contains("://"));
    files
        .map(|target| target.split('#').next().unwrap_or(target))
        .collect()
}

fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    files.sort();
    files
}

fn chapters() -> Vec<PathBuf> {
    let mut files = markdown_files(&root().join("book/src"));
    files.retain(|file| !file.ends_with("SUMMARY.md"));
    files
}

#[test]
fn every_chapter_is_in_the_summary_and_its_snippets_are_compiled() {
    let summary = read(&root().join("book/src/SUMMARY.md"));
    let compiled = read(&root().join("src/book.rs"));
    let chapters = chapters();
    assert_eq!(local_links(&summary).len(), chapters.len());
    for chapter in chapters {
        let name = chapter.file_name().unwrap().to_str().unwrap();
        assert!(
            local_links(&summary).contains(&name),
            "{name} is not in SUMMARY.md"
        );
        let line = format!(r#"include_str!("../book/src/{name}")"#);
        assert!(compiled.contains(&line), "{name} is not in src/book.rs");
    }
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let texts = markdown_files(root())
        .into_iter()
        .chain(markdown_files(&root().join("book/src")));
    for text in texts {
        for link in local_links(&read(&text)) {
            let target = text.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}", text.display());
        }
    }
}

/// What a heading's link is called after the `#`.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_to_a_heading_leads_to_one() {
    for text in chapters() {
        let read_text = read(&text);
        let targets = read_text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let Some((file, wanted)) = target.split_once('#') else {
                continue;
            };
            let chapter = if file.is_empty() {
                text.clone()
            } else {
                text.with_file_name(file)
            };
            let found = read(&chapter)
                .lines()
                .any(|line| line.starts_with("##") && anchor(line) == wanted);
            assert!(found, "{} links to {target}", text.display());
        }
    }
}

#[test]
fn the_readme_names_the_commands_that_a_newcomer_tries_first() {
    let readme = read(&root().join("README.md"));
    for command in [
        "cargo run --release --example plugin_host",
        "cargo test --workspace",
    ] {
        assert!(
            readme.lines().any(|line| line == command),
            "{command} is not in the README"
        );
    }
}

#[test]
fn the_first_service_in_the_readme_is_under_20_lines() {
    let readme = read(&root().join("README.md"));
    let snippet = readme
        .split("```rust,no_run\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    assert!(snippet.lines().count() < 20, "{snippet}");
}

#[test]
fn the_hello_example_is_at_most_40_lines() {
    let hello = read(&root().join("examples/hello.rs"));
    assert!(hello.lines().count() <= 40, "{} lines", hello.lines().count());
}
