//! A method with a body is a default that servers may override.
#![deny(warnings)]

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Error;

#[pipe_rpc::service]
pub trait Service {
    async fn word(&self) -> Result<String, String>;

    async fn number(&self, mut plus: u64) -> Result<u64, Error> {
        if let Ok(word) = self.word().await {
            plus += u64::try_from(word.len()).map_err(|_| Error)?;
        }
        Ok(plus)
    }

    async fn none(&self) {}
}

struct Implementation;

impl Service for Implementation {
    async fn word(&self) -> Result<String, String> {
        Ok("1".to_owned())
    }
}

fn main() {
    drop(Implementation.number(1));
    drop(Implementation.none());
}
