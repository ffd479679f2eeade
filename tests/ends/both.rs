//! What both ends serve, and dice.

use pipe_rpc::{Context, Server, ServerBuilder};

use crate::support::lab::{LabServer, Laboratory};
use crate::support::streams::{MillClient, MillServer, Miller, read_all};
use crate::support::{Gauge, LabClient};

/// What calls back.
#[pipe_rpc::service]
pub trait Host {
    /// Waits until it is released, and then has its caller echo the text.
    async fn echo_at_caller(&self, cx: &Context, text: String) -> Result<String, String>;
    /// Reads numbers of its caller's, up to that one.
    async fn count_at_caller(&self, cx: &Context, end: u64) -> Result<u64, String>;
}

#[derive(Clone, Default)]
pub struct Hosting(pub Gauge);

impl Host for Hosting {
    async fn echo_at_caller(&self, cx: &Context, text: String) -> Result<String, String> {
        let _here = self.0.enter();
        self.0.released().await;
        cx.peer::<LabClient>()
            .echo(text)
            .await
            .map_err(|fault| fault.to_string())
    }
    async fn count_at_caller(&self, cx: &Context, end: u64) -> Result<u64, String> {
        let _here = self.0.enter();
        self.0.released().await;
        let numbers = cx.peer::<MillClient>().count(end).await;
        let (numbers, error) = read_all(numbers.map_err(|fault| fault.to_string())?).await;
        match error {
            None => Ok(numbers.len() as u64),
            Some(error) => Err(format!("{error:?}")),
        }
    }
}

/// Both ends: what they serve is the same.
#[derive(Clone, Default)]
pub struct End(pub Gauge);

impl End {
    pub fn services(&self) -> ServerBuilder {
        Server::builder()
            .service(LabServer::new(Laboratory(self.0.clone())))
            .service(MillServer::new(Miller(self.0.clone())))
            .service(HostServer::new(Hosting(self.0.clone())))
    }
}

/// Numbers without rhyme, the same in each run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
