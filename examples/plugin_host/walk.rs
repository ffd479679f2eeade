//! Which files there are to count.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

/// A file to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) path: PathBuf,
    /// How large it was when it was found: for the progress bar only.
    pub(crate) bytes: u64,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) files: Vec<Listed>,
    pub(crate) problems: Vec<Problem>,
}

/// Why something is not counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// It was asked for and cannot be counted.
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A pipe, a socket or a device was asked for.
    #[error("{}: not a file and not a folder: name a file to have it counted", .0.display())]
    NeitherFileNorFolder(PathBuf),
    /// A pipe, a socket or a device lies in a folder.
    #[error("{}: skipped, it is not a file", .0.display())]
    Skipped(PathBuf),
}

impl Problem {
    /// Whether something that was asked for is missing from the result.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Skipped(_))
    }

    fn path_mut(&mut self) -> &mut PathBuf {
        match self {
            Self::Unreadable { path, .. } | Self::NeitherFileNorFolder(path) | Self::Skipped(path) => path,
        }
    }
}

impl Walk {
    /// Lists each of `named`, folders with all they hold, in the order named and by name within a folder. What is named
    /// twice is listed twice, as `wc` does. A symlink is followed if it was named and passed over in a folder.
    pub(crate) fn over(named: &[PathBuf]) -> Self {
        let mut walk = Self::default();
        if named.is_empty() {
            walk.folder(Path::new("."));
            walk.paths_mut().for_each(strip_dot);
        }
        named.iter().for_each(|path| walk.named(path));
        walk
    }

    fn named(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(found) if found.is_file() => self.files.push(Listed {
                path: path.to_owned(),
                bytes: found.len(),
            }),
            Ok(found) if found.is_dir() => self.folder(path),
            Ok(_) => self.problems.push(Problem::NeitherFileNorFolder(path.to_owned())),
            Err(error) => self.unreadable(path, error),
        }
    }

    fn folder(&mut self, root: &Path) {
        let entries = WalkDir::new(root).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(|entry| !is_left_out(entry)) {
            match entry {
                Ok(entry) => self.entry(entry),
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    self.unreadable(&path, error.into());
                }
            }
        }
    }

    fn entry(&mut self, entry: DirEntry) {
        let kind = entry.file_type();
        if kind.is_file() {
            let bytes = entry.metadata().map_or(0, |found| found.len());
            let path = entry.into_path();
            self.files.push(Listed { path, bytes });
        } else if !kind.is_dir() && !kind.is_symlink() {
            self.problems.push(Problem::Skipped(entry.into_path()));
        }
    }

    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let files = self.files.iter_mut().map(|file| &mut file.path);
        files.chain(self.problems.iter_mut().map(Problem::path_mut))
    }

    fn unreadable(&mut self, path: &Path, source: io::Error) {
        let path = path.to_owned();
        self.problems.push(Problem::Unreadable { path, source });
    }
}

/// Where nothing was named, nobody needs to be told that it is the current folder.
fn strip_dot(path: &mut PathBuf) {
    if let Ok(plain) = path.strip_prefix("./") {
        *path = plain.to_owned();
    }
}

/// Hidden folders and build output are left out, unless they were named.
fn is_left_out(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let is_hidden = name.as_encoded_bytes().starts_with(b".");
    entry.depth() > 0 && entry.file_type().is_dir() && (is_hidden || name == "target")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "b/z",
            "b/.hidden",
            "a",
            ".git/config",
            "target/x",
            "c/target/y",
            "c/d",
        ] {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "12345").unwrap();
        }
        root
    }

    fn paths(root: &Path, walk: &Walk) -> Vec<String> {
        let relative = |listed: &Listed| listed.path.strip_prefix(root).unwrap().to_owned();
        let names = walk.files.iter().map(relative);
        names
            .map(|path| path.display().to_string().replace('\\', "/"))
            .collect()
    }

    #[test]
    fn hidden_folders_and_target_are_left_out_and_hidden_files_are_not() {
        let root = tree();
        let walk = Walk::over(&[root.path().to_owned()]);
        assert_eq!(paths(root.path(), &walk), ["a", "b/.hidden", "b/z", "c/d"]);
        assert!(walk.problems.is_empty());
        assert!(walk.files.iter().all(|file| file.bytes == 5));
    }

    #[test]
    fn what_is_named_is_listed_whatever_its_name_and_as_often() {
        let root = tree();
        let named = [".git", "target", "a", "a"].map(|name| root.path().join(name));
        let walk = Walk::over(&named);
        assert_eq!(paths(root.path(), &walk), [".git/config", "target/x", "a", "a"]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_a_problem_and_the_rest_is_listed() {
        let root = tree();
        let walk = Walk::over(&[root.path().join("nowhere"), root.path().join("a")]);
        assert_eq!(paths(root.path(), &walk), ["a"]);
        let [problem] = &walk.problems[..] else {
            panic!("{:?}", walk.problems)
        };
        assert!(problem.is_failure());
        assert!(problem.to_string().contains("nowhere: "), "{problem}");
    }
}
