//! The engine's dRPC socket: each call is handed to the service thread, which answers it.

use super::mgmt;
use crate::mailbox::Remote;
use crate::service::Service;
use daos_common::{Der, Result};
use daos_proto::drpc::{Handler, Listener, Method, Module, Peer, Reply, Server, Status};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the socket of this process is in a socket directory.
pub fn socket_path(socket_dir: &Path) -> PathBuf {
    socket_dir.join(format!("daos_engine_{}.sock", std::process::id()))
}

/// Listens on `path` until the answer is dropped.
///
/// # Errors
/// As [`Listener::bind`], with the directory's part in it named.
pub fn listen(path: &Path, service: Remote<Service>) -> Result<Server> {
    if let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) {
        let message = format!("socket directory {} does not exist (-d, socket_dir)", directory.display());
        return Err(Der::NONEXIST.err(message));
    }
    let listener = Listener::bind(path, 0o600)?;
    Server::start(listener, Arc::new(ToService { service }), "drpc-listen")
}

struct ToService {
    service: Remote<Service>,
}

impl Handler for ToService {
    fn modules(&self) -> &[Module] {
        &[Module::Mgmt]
    }

    fn call(&self, _peer: Peer, method: Method, body: &[u8]) -> Reply {
        let body = body.to_vec();
        let answer =
            self.service.ask_blocking(move |service| async move { Ok(mgmt::call(&service, method, &body).await) });
        answer.unwrap_or(Err(Status::Failure))
    }
}
