//! Unix: clients that run as somebody else. This test process starts itself again as root, and the child becomes the
//! other account before it connects.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use nix::unistd::{Gid, Uid, setgid, setuid};
use pipe_rpc_transport::{ConnectError, Framing, Owner, Pipe, PipeName, PipeServer};
use tempfile::TempDir;

use super::{HANG, child, framing_of, role_text};

/// Says so and gives `true` if this is not root, who alone can become another account.
pub fn skipped_without_root(what: &str) -> bool {
    let skipped = !rustix::process::geteuid().is_root();
    if skipped {
        eprintln!("SKIPPED without root: {what}");
    }
    skipped
}

/// Who a client is to be.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

impl Caller {
    /// A user in a group of its own.
    pub fn user(uid: u32) -> Self {
        Self {
            uid,
            gid: uid,
            groups: Vec::new(),
        }
    }

    /// The same, in these supplementary groups.
    pub fn in_groups(mut self, groups: &[u32]) -> Self {
        self.groups = groups.to_vec();
        self
    }

    /// This test again, to play this caller in [`play`].
    pub fn command(&self, test: &str, framing: Framing, name: &str) -> Command {
        let groups: Vec<_> = self.groups.iter().map(u32::to_string).collect();
        let (framing, groups) = (role_text(framing), groups.join(","));
        child(
            test,
            &format!("{framing} {} {} {groups}", self.uid, self.gid),
            name,
        )
    }

    fn parse(role: &str) -> Self {
        let words: Vec<_> = role.split(' ').collect();
        let groups = words[3].split(',').filter(|group| !group.is_empty());
        Self {
            uid: words[1].parse().unwrap(),
            gid: words[2].parse().unwrap(),
            groups: groups.map(|group| group.parse().unwrap()).collect(),
        }
    }

    fn become_it(&self) {
        set_groups(&self.groups);
        setgid(Gid::from_raw(self.gid)).unwrap();
        setuid(Uid::from_raw(self.uid)).unwrap();
    }
}

#[cfg(not(target_vendor = "apple"))]
fn set_groups(groups: &[u32]) {
    let groups: Vec<_> = groups.iter().copied().map(Gid::from_raw).collect();
    nix::unistd::setgroups(&groups).unwrap();
}

#[cfg(target_vendor = "apple")]
fn set_groups(groups: &[u32]) {
    assert!(groups.is_empty(), "no safe call sets them here");
}

/// In the child: becomes the caller, connects to root's server, and tells the parent what came of it.
///
/// It returns, so that the test ends as tests do: to change the account, the C library interrupts all other threads,
/// and `std::process::exit` takes away the stack on which the main thread may still be handling that.
pub fn play(role: &str, name: &str) {
    Caller::parse(role).become_it();
    let name = match name.strip_prefix("shared:") {
        Some(name) => PipeName::shared(name).unwrap(),
        None => PipeName::new(name).unwrap(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = runtime.block_on(async {
        let builder = Pipe::builder(name)
            .framing(framing_of(role))
            .deadline(HANG)
            .expect_owner(Owner::Root);
        match builder.connect().await {
            Ok(mut pipe) => match pipe.recv().await {
                Ok(Some(_)) => Outcome::Welcomed,
                _ => Outcome::ShownTheDoor,
            },
            Err(ConnectError::Denied { .. }) => Outcome::Denied,
            Err(error) => panic!("{error}"),
        }
    });
    println!("\n{MARK}{outcome:?}");
}

/// What the line begins with that tells the outcome.
const MARK: &str = "OUTCOME ";

/// What came of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It connected, and the server greeted it.
    Welcomed,
    /// It connected, and the server closed the pipe.
    ShownTheDoor,
    /// The system did not let it connect.
    Denied,
}

impl Outcome {
    fn told_by(child: &Output) -> Self {
        let text = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{}: {text}", child.status);
        match text.lines().find_map(|line| line.strip_prefix(MARK)) {
            Some("Welcomed") => Self::Welcomed,
            Some("ShownTheDoor") => Self::ShownTheDoor,
            Some("Denied") => Self::Denied,
            told => panic!("{told:?}: {text}"),
        }
    }
}

/// A directory that every account may enter.
pub fn open_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// What comes of a caller at a server that greets who is let in.
pub async fn outcome(server: &mut PipeServer, mut caller: Command) -> Outcome {
    caller.stdin(Stdio::null()).stdout(Stdio::piped());
    let caller = caller.spawn().unwrap();
    let mut ended = tokio::task::spawn_blocking(move || caller.wait_with_output());
    let mut greeted = Vec::new();
    loop {
        tokio::select! {
            output = &mut ended => return Outcome::told_by(&output.unwrap().unwrap()),
            accepted = server.accept() => {
                let mut pipe = accepted.unwrap();
                pipe.send(b"welcome").await.unwrap();
                greeted.push(pipe);
            }
        }
    }
}
