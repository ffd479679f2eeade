macro_rules! size {
    () => {
        fn size(&self) -> u64;
    };
}

#[pipe_rpc::service]
pub trait Service {
    size!();
}

fn main() {}
