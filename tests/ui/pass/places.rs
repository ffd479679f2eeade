//! A service can be declared in a module, in a function and by a macro, and has the visibility of its trait.
#![deny(warnings, unreachable_pub)]

mod inner {
    #[pipe_rpc::service]
    pub(crate) trait Visible {
        async fn size(&self) -> u64;
    }

    #[pipe_rpc::service]
    pub(super) trait Above {
        async fn size(&self) -> u64;
    }
}

macro_rules! declare {
    ($vis:vis $name:ident, $argument:ty, $value:ty, $error:ty) => {
        #[pipe_rpc::service]
        $vis trait $name {
            async fn get(&self, argument: $argument) -> Result<$value, $error>;
        }
    };
}

declare!(pub(crate) Declared, Vec<u8>, Option<(u8, u8)>, String);

pub(crate) struct Implementation;

impl inner::Visible for Implementation {
    async fn size(&self) -> u64 {
        0
    }
}

fn main() {
    #[pipe_rpc::service]
    trait Local {
        async fn size(&self) -> u64;
    }

    impl Local for Implementation {
        async fn size(&self) -> u64 {
            1
        }
    }

    let shared = std::sync::Arc::new(Implementation);
    drop((inner::VisibleServer::from_arc(shared.clone()), LocalServer::from_arc(shared)));
    drop(inner::AboveClient::connect("above"));
    drop(DeclaredClient::connect("declared"));
}
