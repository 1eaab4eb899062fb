//! USER, PASS, ACCT.

use std::sync::Arc;

use ftp_config::{Secret, SharePath, server::TlsMode};

use crate::{
    account::Account,
    auth::{Admitted, MOST_FAILURES},
    code,
    protocol::Reply,
    session::{Answer, FAILED, Login, Session, disk},
    snapshot::{SILENT, Snapshot},
};

/// Takes the name. Who may log in is not told before the password.
pub(super) fn user(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    if session.demands_privacy() && !session.is_tls {
        return Err(Reply::new(
            code::NOT_LOGGED_IN,
            "Logins are encrypted here; use AUTH TLS first",
        ));
    }
    let name = session.names.read(name);
    session.user = name.all.into_iter().next();
    session.log_out();
    Ok(Reply::new(code::NEED_PASSWORD, "Password, please"))
}

/// Proves the password and opens the home.
pub(super) async fn pass(session: &mut Session, password: &[u8]) -> Answer {
    if session.login.is_some() {
        return Reply::new(code::SUPERFLUOUS, "Already logged in").into();
    }
    let Some(name) = session.user.take() else {
        return Reply::new(code::BAD_ORDER, "USER comes first").into();
    };
    let password = Secret::new(String::from_utf8_lossy(password).into_owned());
    let gate = Arc::clone(&session.gate);
    let Admitted { account, by } = match gate
        .login(&name, &password, session.peer, session.is_tls)
        .await
    {
        Ok(admitted) => admitted,
        Err(refusal) => {
            session.failures += 1;
            if session.failures >= MOST_FAILURES {
                return Answer::Leave(Reply::new(code::CLOSING, FAILED));
            }
            return Reply::new(refusal.code, refusal.text).into();
        }
    };
    if let Err(too_many) = session.seat.login(&account) {
        gate.turned_away(&name, session.peer, &too_many);
        return Answer::Leave(Reply::new(code::CLOSING, too_many.to_string()));
    }
    // A reload ends the sessions of users it changed, and may have come between the proof and the seat.
    let in_force = gate.current();
    if !still_lets_in(&by, &in_force, &name, session.is_tls) {
        let words = "The configuration has just changed; log in again";
        return Answer::Leave(Reply::new(code::CLOSING, words));
    }
    session.snapshot = in_force;
    enter(session, &name, account).await.into()
}

/// Opens the home of one who has proved to be this user, and has a seat.
async fn enter(session: &mut Session, name: &str, account: Arc<Account>) -> Reply {
    let gate = Arc::clone(&session.gate);
    let (served, entering) = (Arc::clone(&session.snapshot), Arc::clone(&account));
    let enter = move || {
        served.warn_if_strayed();
        served.share.enter(&entering)
    };
    let mut entering = std::pin::pin!(disk::act(enter));
    let entered = match tokio::time::timeout(SILENT, &mut entering).await {
        Ok(entered) => entered,
        Err(_) => {
            session.snapshot.warn_if_silent();
            entering.await
        }
    };
    match entered {
        Ok(home) => {
            gate.let_in(&account, session.peer, session.is_tls);
            session.cwd = SharePath::root();
            session.login = Some(Login { account, home });
            Reply::new(code::LOGGED_IN, "Logged in")
        }
        Err(error) => {
            let reason = format!("the home cannot be opened: {error}");
            gate.turned_away(name, session.peer, &reason);
            session.seat.leave();
            Reply::new(code::NOT_LOGGED_IN, "Your home directory cannot be opened")
        }
    }
}

/// Tells whether a login that one snapshot has allowed would be the same under another.
fn still_lets_in(earlier: &Snapshot, now: &Snapshot, name: &str, is_tls: bool) -> bool {
    let may_be_clear = now.config.tls.mode != TlsMode::Required;
    let may_be_tls = now.tls.is_some();
    (if is_tls { may_be_tls } else { may_be_clear })
        && now.accounts.lets_in_as(&earlier.accounts, name)
}

pub(super) fn acct(session: &Session) -> Reply {
    if session.login.is_none() && session.user.is_none() {
        return Reply::new(code::BAD_ORDER, "USER comes first");
    }
    Reply::new(code::SUPERFLUOUS, "No account is needed")
}
