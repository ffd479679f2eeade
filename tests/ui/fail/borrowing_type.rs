#[pipe_rpc::service]
pub trait Service {
    async fn text(&self, text: std::borrow::Cow<'_, str>);
}

fn main() {}
