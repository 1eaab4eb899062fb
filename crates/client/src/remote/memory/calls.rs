//! What every call to the server in memory does first: it is noted, may meet a fault, and looks for its path.

use super::{Item, session::Session};
use crate::{
    error::RemoteError,
    remote::{Reply, names},
};

pub(super) fn missing(verb: &str, path: &str) -> RemoteError {
    RemoteError::Refused {
        verb: verb.to_owned(),
        path: Some(path.to_owned()),
        reply: Reply::new(550, "no such file or directory"),
    }
}

impl Session {
    /// Notes the call and fails if a fault waits for it.
    pub(super) fn call(&self, verb: &str, path: &str) -> Result<(), RemoteError> {
        let mut state = self.server.state();
        let call = format!("{verb} {path}");
        if let Some((_, cancel)) = state.stop.as_ref().filter(|(at, _)| *at == call) {
            cancel.stop();
        }
        state.calls.push(call);
        match state.faults.front() {
            Some((wanted, _)) if wanted == verb => {
                let fault = state.faults.pop_front();
                fault.map_or(Ok(()), |(_, error)| Err(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn at(&self, path: &str) -> String {
        let path = names::join(&self.dir, path);
        if path == "/" {
            return path;
        }
        let path = path.trim_end_matches('/').to_owned();
        self.server.state().spelled(path)
    }

    pub(super) fn item(&self, verb: &str, path: &str) -> Result<Item, RemoteError> {
        self.call(verb, path)?;
        self.server
            .get(&self.at(path))
            .ok_or_else(|| missing(verb, path))
    }

    pub(super) fn remove(&self, verb: &str, path: &str) -> Result<(), RemoteError> {
        self.call(verb, path)?;
        let path = self.at(path);
        let mut state = self.server.state();
        let below = format!("{path}/");
        if state.items.keys().any(|name| name.starts_with(&below)) {
            return Err(missing(verb, &path));
        }
        state
            .items
            .remove(&path)
            .map(drop)
            .ok_or_else(|| missing(verb, &path))
    }
}
