//! Names on Unix: the path of a socket.

use std::path::Path;

use super::check_plain_anywhere;
use crate::error::NameError;

/// The bytes of `sun_path` without its NUL, and without the one that [`PREPARING`] takes: 108 on Linux, 104 on macOS
/// and the BSDs.
pub(crate) const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 106 } else { 102 };

/// What the server appends to the path while it prepares the socket there.
pub(crate) const PREPARING: &str = "~";

/// What the server appends to the path for the file it locks.
pub(crate) const LOCK: &str = ".lock";

/// Whether the text is meant as a full path.
pub(crate) fn looks_native(name: &str) -> bool {
    name.starts_with('/')
}

/// Checks a name that is to be put in this user's place.
pub(crate) fn check_plain(name: &str) -> Result<(), NameError> {
    check_plain_anywhere(name)?;
    check_ending(name.as_bytes())?;
    check_length(Path::new(name))
}

/// Checks a full path.
pub(crate) fn check_native(path: &Path) -> Result<(), NameError> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.is_empty() {
        return Err(NameError::Empty);
    }
    if bytes.contains(&0) {
        return Err(NameError::Nul);
    }
    let names_a_file = path.file_name().is_some() && !bytes.ends_with(b"/") && !bytes.ends_with(b"/.");
    if !bytes.starts_with(b"/") || !names_a_file {
        let (path, form) = (path.to_owned(), "write it as `/DIRECTORY/NAME`");
        return Err(NameError::NotNative { path, form });
    }
    check_ending(bytes)?;
    check_length(path)
}

fn check_ending(name: &[u8]) -> Result<(), NameError> {
    match [PREPARING, LOCK]
        .into_iter()
        .find(|ending| name.ends_with(ending.as_bytes()))
    {
        Some(ending) => Err(NameError::Reserved { ending }),
        None => Ok(()),
    }
}

fn check_length(path: &Path) -> Result<(), NameError> {
    let length = path.as_os_str().len();
    if length <= LONGEST_PATH {
        return Ok(());
    }
    Err(NameError::TooLong {
        path: path.to_owned(),
        length,
        limit: LONGEST_PATH,
        unit: "bytes",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_accepted() {
        for name in [
            "a",
            "com.example.app",
            "Wörterbuch",
            "...",
            "with space",
            "-",
            ".hidden",
        ] {
            check_plain(name).unwrap();
        }
    }

    #[test]
    fn each_bad_plain_name_is_told_what_is_wrong() {
        assert!(matches!(check_plain(""), Err(NameError::Empty)));
        assert!(matches!(check_plain("a\0b"), Err(NameError::Nul)));
        assert!(matches!(
            check_plain("a/b"),
            Err(NameError::Separator { separator: '/', .. })
        ));
        assert!(matches!(
            check_plain("a\\b"),
            Err(NameError::Separator { separator: '\\', .. })
        ));
        assert!(matches!(check_plain("."), Err(NameError::Dots { .. })));
        assert!(matches!(check_plain(".."), Err(NameError::Dots { .. })));
        assert!(matches!(
            check_plain("a.lock"),
            Err(NameError::Reserved { ending: ".lock" })
        ));
        assert!(matches!(
            check_plain("a~"),
            Err(NameError::Reserved { ending: "~" })
        ));
    }

    #[test]
    fn a_native_name_is_the_absolute_path_of_a_file() {
        check_native(Path::new("/run/app/pipe")).unwrap();
        for path in ["relative", "/", "/run/", "/run/..", "/run/."] {
            let error = check_native(Path::new(path)).unwrap_err();
            assert!(matches!(error, NameError::NotNative { .. }), "{path}: {error}");
        }
        assert!(matches!(check_native(Path::new("")), Err(NameError::Empty)));
    }

    #[test]
    fn the_longest_path_is_accepted_and_one_more_byte_is_not() {
        let path = |len: usize| format!("/{}", "x".repeat(len - 1));
        check_native(Path::new(&path(LONGEST_PATH))).unwrap();
        let error = check_native(Path::new(&path(LONGEST_PATH + 1))).unwrap_err();
        let counted = format!(
            "has {} bytes, and a pipe's full name has at most {LONGEST_PATH}",
            LONGEST_PATH + 1
        );
        assert!(error.to_string().contains(&counted), "{error}");
    }
}
