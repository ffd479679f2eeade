//! Whether all credit of a connection is back.

use std::fmt;
use std::time::Duration;

use crate::client::Channel;
use crate::connection::Credit;

/// How long credit may take to come back, in tokio's time.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it waits between two signs of life. Simulated time passes only while nothing runs.
const PAUSE: Duration = Duration::from_millis(1);

/// Waits until every credit that the server granted is back at this end: no call is open, abandoned ones included,
/// nothing is kept for a stream, and the whole window is free. To be asked when no call is to be open any more.
///
/// It asks the other end for signs of life, one after the other, until what was on its way has come.
///
/// # Panics
/// If the connection has ended, or credit is missing after a minute of tokio's time: how much.
///
/// # Cancel safety
/// Dropping the future changes nothing.
pub async fn assert_whole(channel: &Channel) {
    let all_is_back = async {
        while !channel.shared().credit().is_whole() {
            if let Err(fault) = channel.ping().await {
                panic!("the connection has ended: {fault}; {}", channel.shared().credit());
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    if tokio::time::timeout(PATIENCE, all_is_back).await.is_err() {
        panic!("credit is missing: {}", channel.shared().credit());
    }
}

impl Credit {
    fn is_whole(&self) -> bool {
        let all = self.calls == self.granted.max_calls as usize && self.window == self.granted.window;
        all && self.open == 0 && self.streams == 0
    }
}

impl fmt::Display for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            open,
            calls,
            window,
            granted,
            streams,
        } = self;
        let (all_calls, all_bytes) = (granted.max_calls, granted.window);
        write!(
            f,
            "{open} calls are open and {streams} streams kept, {calls} of {all_calls} calls and {window} of {all_bytes} bytes of the window are free"
        )
    }
}
