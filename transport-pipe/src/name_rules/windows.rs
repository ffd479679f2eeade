//! Names on Windows: `\\.\pipe\NAME`.

use std::path::Path;

use super::check_plain_anywhere;
use crate::error::NameError;

/// The most characters, in UTF-16, that a pipe's whole name may have.
pub(crate) const LONGEST_NAME: usize = 256;

/// What every local pipe's name begins with.
pub(crate) const PREFIX: &str = r"\\.\pipe\";

const FORM: &str = r"write it as `\\.\pipe\NAME`, without `\` in NAME";

/// Whether the text is meant as a full path.
pub(crate) fn looks_native(name: &str) -> bool {
    name.starts_with(r"\\")
}

/// Checks a name that is to be put in this user's place.
pub(crate) fn check_plain(name: &str) -> Result<(), NameError> {
    check_plain_anywhere(name)?;
    check_length(name)
}

/// Checks a full name.
pub(crate) fn check_native(path: &Path) -> Result<(), NameError> {
    let not_native = || NameError::NotNative {
        path: path.to_owned(),
        form: FORM,
    };
    let text = path.to_str().ok_or_else(not_native)?;
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.contains('\0') {
        return Err(NameError::Nul);
    }
    check_host(text)?;
    let name = strip_prefix(text).ok_or_else(not_native)?;
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.contains(['\\', '/']) {
        return Err(not_native());
    }
    check_length(text)
}

/// The name that the user's plain `name` stands for: one of the account's own.
pub(crate) fn private_name(sid: &str, name: &str) -> String {
    format!("{PREFIX}pipe-rpc-{sid}-{name}")
}

/// The name that the shared `name` stands for; no identifier begins as it does, so it is nobody's private one.
pub(crate) fn shared_name(name: &str) -> String {
    format!("{PREFIX}pipe-rpc-shared-{name}")
}

/// Case does not matter in the prefix.
fn strip_prefix(text: &str) -> Option<&str> {
    let (prefix, name) = text.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(name)
}

/// `\\HOST\pipe\NAME` names a pipe of another computer.
fn check_host(text: &str) -> Result<(), NameError> {
    let Some((host, rest)) = text.strip_prefix(r"\\").and_then(|rest| rest.split_once('\\')) else {
        return Ok(());
    };
    let is_pipe = rest
        .split_at_checked(r"pipe\".len())
        .is_some_and(|(directory, _)| directory.eq_ignore_ascii_case(r"pipe\"));
    if is_pipe && !matches!(host, "." | "?" | "") {
        return Err(NameError::OtherHost {
            host: host.to_owned(),
        });
    }
    Ok(())
}

fn check_length(name: &str) -> Result<(), NameError> {
    let length = name.encode_utf16().count();
    if length <= LONGEST_NAME {
        return Ok(());
    }
    Err(NameError::TooLong {
        path: name.into(),
        length,
        limit: LONGEST_NAME,
        unit: "characters",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str) -> Result<(), NameError> {
        check_native(Path::new(path))
    }

    #[test]
    fn local_pipes_are_accepted_in_any_case() {
        check(r"\\.\pipe\thesaurus").unwrap();
        check(r"\\.\PIPE\thesaurus").unwrap();
        check(&private_name("S-1-5-21-1-2-3-1001", "thesaurus")).unwrap();
    }

    #[test]
    fn a_shared_name_is_nobodys_private_one() {
        check(&shared_name("thesaurus")).unwrap();
        let sid = "S-1-5-21-1-2-3-1001";
        let shared = shared_name(&format!("{sid}-thesaurus"));
        assert_ne!(
            shared.to_lowercase(),
            private_name(sid, "thesaurus").to_lowercase()
        );
    }

    #[test]
    fn another_computers_pipe_is_refused_by_name() {
        let error = check(r"\\server\pipe\thesaurus").unwrap_err();
        assert!(
            matches!(&error, NameError::OtherHost { host } if host == "server"),
            "{error}"
        );
        assert!(matches!(
            check(r"\\localhost\pipe\x"),
            Err(NameError::OtherHost { .. })
        ));
    }

    #[test]
    fn what_is_no_pipe_is_told_the_form() {
        for path in [
            r"\\.\pip\x",
            r"C:\pipe\x",
            r"\\.\pipe\a\b",
            r"\\.\pipe\a/b",
            r"\\?\pipe\x",
            "x",
            r"\\",
        ] {
            let error = check(path).unwrap_err();
            assert!(matches!(error, NameError::NotNative { .. }), "{path}: {error}");
        }
    }

    #[test]
    fn nothing_and_nul_are_refused() {
        assert!(matches!(check(""), Err(NameError::Empty)));
        assert!(matches!(check(r"\\.\pipe\"), Err(NameError::Empty)));
        assert!(matches!(check("\\\\.\\pipe\\a\0b"), Err(NameError::Nul)));
        assert!(matches!(check_plain("a\\b"), Err(NameError::Separator { .. })));
    }

    #[test]
    fn a_name_has_at_most_256_characters() {
        let name = |len: usize| format!("{PREFIX}{}", "x".repeat(len - PREFIX.len()));
        check(&name(256)).unwrap();
        assert!(matches!(
            check(&name(257)),
            Err(NameError::TooLong {
                length: 257,
                limit: 256,
                ..
            })
        ));
    }
}
