//! The plugin's role: it serves [`Counter`] on the pipe that its host chose, until the host is gone.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use futures_util::stream::{Stream, TryStreamExt};
use pipe_rpc::{Context, PipeServer, Server};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::count::Piece;
use crate::host::IN_FLIGHT;
use crate::reading::Reading;
use crate::signals::Signals;

/// How long calls may go on once the host is gone: nobody waits for them.
const DRAIN: Duration = Duration::from_secs(1);

/// What a host can ask of its plugins.
#[pipe_rpc::service(name = "pipe-rpc.example.Counter")]
pub(crate) trait Counter {
    /// Counts `file` from byte `from` on: pieces, each as soon as it is counted. Meanwhile the plugin calls its host, which
    /// serves [`Progress`](crate::progress::Progress), and reports as `job` how far it is.
    ///
    /// The plugin opens the file itself, as it is the same user in the same folder: contents need not travel. An
    /// `OsString` carries every path, also one that is not UTF-8.
    #[rpc(idempotent)]
    async fn count(
        &self,
        cx: &Context,
        job: usize,
        file: OsString,
        from: u64,
    ) -> Result<impl Stream<Item = Result<Piece, Unreadable>>, Unreadable>;
}

/// A file could not be read; the text is the operating system's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Unreadable {
    message: String,
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        let message = error.to_string();
        Self { message }
    }
}

/// Serves on `pipe` until the host is gone, which shows in the end of standard input: it is a pipe that only the host
/// holds the other end of, so that it ends however the host does. A signal to end does it too.
pub(crate) async fn run(pipe: &str, crash_on: Option<OsString>) -> Result<(), Box<dyn std::error::Error>> {
    let signals = Signals::take_over()?;
    let end = async {
        tokio::select! {
            () = host_is_gone() => {}
            () = signals.told_to_end() => {}
        }
    };
    Server::builder()
        .service(CounterServer::new(FileCounter { crash_on }))
        .max_running(IN_FLIGHT)
        .drain_deadline(DRAIN)
        .serve_until(PipeServer::bind(pipe)?, end)
        .await?;
    Ok(())
}

struct FileCounter {
    /// Where the plugin is to kill itself, to show what its host makes of it.
    crash_on: Option<OsString>,
}

impl Counter for FileCounter {
    async fn count(
        &self,
        cx: &Context,
        job: usize,
        file: OsString,
        from: u64,
    ) -> Result<impl Stream<Item = Result<Piece, Unreadable>>, Unreadable> {
        let crashes = self.crash_on.as_ref().is_some_and(|name| is_named(&file, name));
        let mut reading = Reading::open(file, from, job, cx.peer()).await?;
        if crashes {
            reading = reading.crashing().await?;
        }
        Ok(reading.pieces().map_err(Unreadable::from))
    }
}

fn is_named(file: &OsString, name: &OsString) -> bool {
    file == name || Path::new(file).file_name() == Some(name)
}

/// A blocking read needs a thread of its own, which the end of the process does not wait for.
async fn host_is_gone() {
    let (gone, is_gone) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(gone);
    });
    _ = is_gone.await;
}
