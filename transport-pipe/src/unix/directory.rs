//! This user's place for pipes: `/run/user/<uid>`, or a directory of our own in `/tmp`. Never by an environment
//! variable: cron, sudo and services see another one than the desktop does.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, Stat, lstat, mkdir};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::error::{NameError, PlaceFault};

/// The path of the pipe that has this plain name for this user.
pub(crate) fn private_path(name: &str) -> Result<PathBuf, NameError> {
    let uid = geteuid().as_raw();
    let session = PathBuf::from(format!("/run/user/{uid}"));
    if is_ours(&session, uid) {
        return Ok(session.join(name));
    }
    let own = PathBuf::from(format!("/tmp/pipe-rpc-{uid}"));
    make_private(&own, uid)?;
    Ok(own.join(name))
}

/// Whether the directory is there, and nobody else can put a socket into it.
fn is_ours(directory: &Path, uid: u32) -> bool {
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    lstat(directory).is_ok_and(|stat| fault(&stat, uid, WRITABLE_BY_OTHERS).is_none())
}

/// Makes the directory if it is not there, and checks that it is ours alone.
fn make_private(directory: &Path, uid: u32) -> Result<(), NameError> {
    const OPEN_TO_OTHERS: u32 = 0o077;
    let no_place = |error: Errno| NameError::NoPlace {
        place: directory.to_owned(),
        source: io::Error::from(error),
    };
    // Not followed if it is a link: what it leads to may be ours, and who made it may lead it elsewhere tomorrow.
    let mut stat = lstat(directory);
    if matches!(stat, Err(Errno::NOENT)) {
        match mkdir(directory, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => stat = lstat(directory),
            Err(error) => return Err(no_place(error)),
        }
    }
    let stat = stat.map_err(no_place)?;
    match fault(&stat, uid, OPEN_TO_OTHERS) {
        Some(fault) => Err(NameError::UnsafePlace {
            directory: directory.to_owned(),
            fault,
        }),
        None => Ok(()),
    }
}

#[allow(clippy::useless_conversion)] // the mode's width differs between systems
fn fault(stat: &Stat, uid: u32, forbidden: u32) -> Option<PlaceFault> {
    let mode = u32::from(stat.st_mode);
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Some(PlaceFault::NotADirectory);
    }
    if stat.st_uid != uid {
        return Some(PlaceFault::OwnedBy(stat.st_uid));
    }
    (mode & forbidden != 0).then_some(PlaceFault::OpenToOthers(mode & 0o777))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn our_uid() -> u32 {
        geteuid().as_raw()
    }

    fn fault_of(directory: &Path, uid: u32) -> PlaceFault {
        match make_private(directory, uid) {
            Err(NameError::UnsafePlace { fault, .. }) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_missing_directory_is_made_for_us_alone_and_found_again() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("own");
        make_private(&directory, our_uid()).unwrap();
        make_private(&directory, our_uid()).unwrap();
        assert_eq!(
            fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert!(is_ours(&directory, our_uid()));
    }

    #[test]
    fn a_symlink_is_refused_even_if_it_leads_to_a_directory_of_ours() {
        let parent = tempfile::tempdir().unwrap();
        let (real, link) = (parent.path().join("real"), parent.path().join("link"));
        make_private(&real, our_uid()).unwrap();
        symlink(&real, &link).unwrap();
        assert_eq!(fault_of(&link, our_uid()), PlaceFault::NotADirectory);
        assert!(!is_ours(&link, our_uid()));
    }

    #[test]
    fn a_directory_open_to_others_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("open");
        make_private(&directory, our_uid()).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o750)).unwrap();
        assert_eq!(fault_of(&directory, our_uid()), PlaceFault::OpenToOthers(0o750));
        assert!(is_ours(&directory, our_uid()), "others may look, not write");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o720)).unwrap();
        assert!(!is_ours(&directory, our_uid()));
    }

    #[test]
    fn anothers_directory_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("theirs");
        make_private(&directory, our_uid()).unwrap();
        assert_eq!(
            fault_of(&directory, our_uid() + 1),
            PlaceFault::OwnedBy(our_uid())
        );
        assert!(!is_ours(&directory, our_uid() + 1));
    }

    #[test]
    fn a_file_in_the_way_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(fault_of(&file, our_uid()), PlaceFault::NotADirectory);
    }
}
