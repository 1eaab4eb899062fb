//! What a removal has come to: how much is gone, and what stays and why.

use crate::{
    app::App,
    error::{Error, RemoteError},
    ui::escape::shown,
};

/// What was removed, and what could not be.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) removed: u64,
    pub(super) failed: Vec<(String, Error)>,
}

impl Ledger {
    /// Notes what became of a path; a refusal of one keeps nothing else.
    pub(super) fn note<T>(
        &mut self,
        path: &str,
        done: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(Error::Remote(RemoteError::Refused { reply, .. })) if reply.code == 421 => {
                let verb = "remove".to_owned();
                let path = Some(path.to_owned());
                Err(RemoteError::Refused { verb, path, reply }.into())
            }
            Err(error @ (Error::Remote(RemoteError::Refused { .. }) | Error::LeftOut { .. })) => {
                self.failed.push((path.to_owned(), error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes what a listing lacks of an operand.
    pub(super) fn leave_out(&mut self, path: &str, lacks: Vec<String>) {
        let left_out = |what| (path.to_owned(), Error::LeftOut { what });
        self.failed.extend(lacks.into_iter().map(left_out));
    }

    /// Tells whether something below a directory, or itself, stays.
    pub(super) fn holds_up(&self, dir: &str) -> bool {
        self.failed.iter().any(|(path, _)| {
            let rest = path.strip_prefix(dir);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    pub(super) fn tell(&self, app: &App) {
        for (_, error) in &self.failed {
            app.ui.error(shown(&error.chain()));
        }
    }
}
