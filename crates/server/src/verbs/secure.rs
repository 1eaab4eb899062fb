//! AUTH, PBSZ, PROT, CCC (RFC 4217).

use crate::{
    code,
    protocol::Reply,
    session::{Answer, Session},
};

/// Everything said in clear is forgotten: a login that somebody may have put there does not count.
pub(super) fn auth(session: &mut Session) -> Answer {
    if session.snapshot.tls.is_none() {
        return Reply::new(code::NOT_IMPLEMENTED, "TLS is off on this server").into();
    }
    if session.is_tls {
        return Reply::new(code::BAD_ORDER, "The connection is encrypted already").into();
    }
    session.forget();
    Answer::Upgrade(Reply::new(code::TLS_GOES_ON, "TLS goes on"))
}

pub(super) fn pbsz(session: &mut Session) -> Reply {
    if !session.is_tls {
        return Reply::new(code::BAD_ORDER, "AUTH TLS comes first");
    }
    session.has_pbsz = true;
    Reply::new(code::OK, "PBSZ=0")
}

pub(super) fn prot(session: &mut Session, private: bool) -> Reply {
    if !session.is_tls {
        return Reply::new(code::BAD_ORDER, "AUTH TLS comes first");
    }
    if !session.has_pbsz {
        return Reply::new(code::BAD_ORDER, "PBSZ comes first");
    }
    if !private && session.demands_privacy() {
        return Reply::new(
            code::PROTECTION_DENIED,
            "Data is encrypted here; use PROT P",
        );
    }
    if session.is_private != private {
        session.slot.close();
    }
    session.is_private = private;
    let words = if private {
        "Data will be encrypted"
    } else {
        "Data will be in clear"
    };
    Reply::new(code::OK, words)
}

pub(super) fn ccc(session: &Session) -> Reply {
    if session.is_tls {
        Reply::new(
            code::PROTECTION_DENIED,
            "The control connection stays encrypted",
        )
    } else {
        Reply::new(
            code::CONTROL_IN_CLEAR,
            "The control connection is not encrypted",
        )
    }
}
