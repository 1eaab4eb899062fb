//! What a server cannot answer just now, or over a session that breaks, it is asked again.

use super::{App, Link};
use crate::{
    error::Error,
    remote::Remote,
    transfer::Tries,
    ui::{escape::shown, table},
    work::chance,
};

impl App {
    /// Asks something that may be asked twice, and again while the server cannot answer or sessions are
    /// lost over it.
    ///
    /// # Errors
    /// What the server says, that no session lasts, or that it was stopped.
    pub async fn persist<T>(
        &self,
        link: &Link,
        mut ask: impl AsyncFnMut(&mut dyn Remote) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let backoff = self.options().backoff;
        let mut tries = Tries::default();
        loop {
            let mut unreached = false;
            let error = match link.session().await {
                Ok(mut session) => {
                    let answer = ask(&mut *session).await;
                    let again = |error: &Error| !session.is_usable() || error.is_transient();
                    let fails = answer.as_ref().is_err_and(again);
                    link.pool.give_back(session);
                    match answer {
                        Err(error) if fails => error,
                        other => return other,
                    }
                }
                Err(error) => {
                    unreached = error.is_unreached();
                    error.into()
                }
            };
            let Some(attempt) = tries.next(&backoff, &error, unreached) else {
                return Err(error);
            };
            let pause = backoff.pause(attempt, chance());
            let (why, when) = (shown(&error.chain()), table::duration(pause));
            self.ui.remark(format!("{why}; try {attempt} in {when}"));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.cancel.stopped() => return Err(Error::Interrupted),
            }
        }
    }
}
