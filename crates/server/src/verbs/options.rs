//! TYPE, MODE and OPTS: how things are said on this session.

use crate::{
    code,
    protocol::{Reply, command::Opts, facts::Choice},
    session::Session,
    share::Algorithm,
};

/// TYPE A moves the bytes as they are unless `ascii_conversion` is on: conversion ruins binaries.
pub(super) fn type_(session: &mut Session, ascii: bool) -> Reply {
    session.is_ascii = ascii;
    let converts = session.snapshot.config.server.ascii_conversion;
    let words = match (ascii, converts) {
        (true, true) => "Type is A; line ends are converted",
        (true, false) => "Type is A; bytes move as they are",
        (false, _) => "Type is I",
    };
    Reply::new(code::OK, words)
}

/// The client tells its name.
pub(super) fn clnt(session: &mut Session, name: &[u8]) -> Reply {
    let begin = name.get(..4);
    session.is_lftp = begin.is_some_and(|begin| begin.eq_ignore_ascii_case(b"lftp"));
    Reply::new(code::OK, "Noted")
}

/// RFC 959 §3.4. In stream mode every file has a data connection of its own.
pub(super) fn mode(session: &mut Session, block: bool) -> Reply {
    session.is_block = block;
    if !block {
        session.slot.close();
    }
    let words = if block {
        "Mode is block; the data connection stays open behind a file"
    } else {
        "Mode is stream"
    };
    Reply::new(code::OK, words)
}

pub(super) fn opts(session: &mut Session, opts: Opts) -> Reply {
    match opts {
        Opts::Utf8(on) => {
            session.names.set_utf8(on);
            match (on, session.names.is_legacy()) {
                (false, false) => Reply::new(code::NOT_FOR_PARAMETER, "Names are UTF-8 here"),
                (false, true) => Reply::new(code::OK, "Names are in the fallback encoding"),
                (true, _) => Reply::new(code::OK, "Names are UTF-8"),
            }
        }
        Opts::Mlst(wanted) => {
            session.facts = Choice::parse(&wanted);
            let words = session.facts.words();
            let text = if words.is_empty() {
                "MLST OPTS".to_owned()
            } else {
                format!("MLST OPTS {words}")
            };
            Reply::new(code::OK, text)
        }
        Opts::Hash(None) => Reply::new(code::OK, session.digest.name()),
        Opts::Hash(Some(name)) => match Algorithm::from_name(&name) {
            Some(algorithm) => {
                session.digest = algorithm;
                Reply::new(code::OK, algorithm.name())
            }
            None => Reply::new(code::NOT_FOR_PARAMETER, "Unknown algorithm; see FEAT"),
        },
    }
}
