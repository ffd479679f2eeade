//! The place for pipes that all users of the computer find.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, Stat, chmod, lstat, mkdir};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::system::SHARED_PLACE;
use crate::error::{NameError, PlaceFault};

/// The path of the pipe that has this shared name.
pub(crate) fn shared_path(name: &str) -> PathBuf {
    Path::new(SHARED_PLACE).join(name)
}

/// Makes the place if it is not there, and checks that no user can put other sockets in the place of ours.
pub(crate) fn prepare_shared_place() -> Result<(), NameError> {
    prepare(Path::new(SHARED_PLACE))
}

fn prepare(directory: &Path) -> Result<(), NameError> {
    let no_place = |error: Errno| NameError::NoSharedPlace {
        place: directory.to_owned(),
        source: io::Error::from(error),
    };
    let mode = Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
    match mkdir(directory, mode) {
        // Whatever the umask.
        Ok(()) => chmod(directory, mode).map_err(no_place)?,
        Err(Errno::EXIST) => {}
        Err(error) => return Err(no_place(error)),
    }
    let stat = lstat(directory).map_err(no_place)?;
    match fault(&stat) {
        Some(fault) => Err(NameError::UnsafePlace {
            directory: directory.to_owned(),
            fault,
        }),
        None => Ok(()),
    }
}

#[allow(clippy::useless_conversion)] // the mode's width differs between systems
fn fault(stat: &Stat) -> Option<PlaceFault> {
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    let mode = u32::from(stat.st_mode);
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Some(PlaceFault::NotADirectory);
    }
    if stat.st_uid != 0 && stat.st_uid != geteuid().as_raw() {
        return Some(PlaceFault::OwnedBy(stat.st_uid));
    }
    // In a sticky directory others can put files beside ours, and not in their place.
    let replaceable = mode & WRITABLE_BY_OTHERS != 0 && mode & STICKY == 0;
    replaceable.then_some(PlaceFault::OpenToOthers(mode & 0o777))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn set_mode(directory: &Path, mode: u32) {
        fs::set_permissions(directory, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_missing_place_is_made_for_all_to_enter_and_found_again() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("shared");
        prepare(&place).unwrap();
        prepare(&place).unwrap();
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_place_where_others_could_replace_sockets_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("shared");
        prepare(&place).unwrap();
        for (mode, refused) in [(0o777, true), (0o775, true), (0o1777, false), (0o711, false)] {
            set_mode(&place, mode);
            assert_eq!(prepare(&place).is_err(), refused, "{mode:o}");
        }
        let link = parent.path().join("link");
        symlink(&place, &link).unwrap();
        let error = prepare(&link).unwrap_err();
        assert!(error.to_string().contains("is not a directory"), "{error}");
    }

    #[test]
    fn a_place_that_cannot_be_made_is_told_with_the_remedy() {
        let error = prepare(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().contains("have root make it"), "{error}");
    }
}
