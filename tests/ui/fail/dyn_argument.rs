#[pipe_rpc::service]
pub trait Service {
    async fn run(&self, task: Box<dyn Send>);
}

fn main() {}
