//! What a line can say: the commands with their arguments, and what may be wrong with one.

use std::{net::SocketAddr, time::SystemTime};

use crate::share::Algorithm;

/// A name as it came over the wire.
pub type WireName = Vec<u8>;

/// What LIST and its kin were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListArgs {
    /// `-a` or `-A`: names that begin with a dot too.
    pub all: bool,
    /// `-l`, which turns NLST into LIST.
    pub long: bool,
    /// The argument without its flags; `None`: the current directory.
    pub name: Option<WireName>,
    /// The argument as typed, when it began with a dash: a name that exists is that name.
    pub typed: Option<WireName>,
}

/// A digest verb's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestArgs {
    /// The algorithm the verb names; `None`: the session's choice (HASH).
    pub algorithm: Option<Algorithm>,
    /// The whole argument.
    pub name: WireName,
    /// The argument read as `"name"`, or, for the X commands, as `name start [end]`, when it can be: what is
    /// meant when there is no file of the whole name.
    pub part: Option<(WireName, u64, Option<u64>)>,
}

/// `EPSV`'s argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Epsv {
    Any,
    V4,
    V6,
    All,
}

/// `OPTS`' argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opts {
    /// `UTF8 ON`, `UTF8 OFF`, and `UTF8 NLST` which means on.
    Utf8(bool),
    /// `MLST fact;fact;`
    Mlst(String),
    /// `HASH [algorithm]`
    Hash(Option<String>),
}

/// `SITE`'s argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// `CHMOD 644 name`
    Chmod {
        /// Nine permission bits.
        mode: u32,
        /// What to change.
        name: WireName,
    },
    /// `UTIME`: `time name`, or `name atime mtime ctime UTC`.
    Utime {
        /// The modification time.
        time: SystemTime,
        /// What to change.
        name: WireName,
    },
    /// `HELP`
    Help,
}

/// One understood command. X-forms (RFC 775) are the same commands.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Command {
    User(Vec<u8>),
    Pass(Vec<u8>),
    Acct,
    Quit,
    Rein,
    Cwd(WireName),
    Cdup,
    Pwd,
    Mkd(WireName),
    Rmd(WireName),
    Dele(WireName),
    Rnfr(WireName),
    Rnto(WireName),
    TypeAscii,
    TypeImage,
    ModeStream,
    ModeBlock,
    Stru,
    Pasv,
    Epsv(Epsv),
    Port(SocketAddr),
    Eprt(SocketAddr),
    Retr(WireName),
    Stor(WireName),
    Stou(Option<WireName>),
    Appe(WireName),
    Rest(u64),
    Allo(u64),
    List(ListArgs),
    Nlst(ListArgs),
    Mlsd(Option<WireName>),
    Mlst(Option<WireName>),
    Stat(ListArgs),
    Size(WireName),
    Mdtm {
        name: WireName,
        /// The argument read as `time name`, when it can be.
        set: Option<(SystemTime, WireName)>,
    },
    Mfmt(SystemTime, WireName),
    Digest(DigestArgs),
    Site(Site),
    Feat,
    Opts(Opts),
    Help(Option<String>),
    Syst,
    Noop,
    Clnt(Vec<u8>),
    Abor,
    Avbl(Option<WireName>),
    Auth,
    Pbsz,
    ProtClear,
    ProtPrivate,
    Ccc,
}

/// Why a line is not a command that can be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No such verb: 500.
    Unknown,
    /// A verb of the RFCs that this server has not: 502.
    NotImplemented,
    /// The argument is missing or wrong: 501 with the right form.
    Syntax(&'static str),
    /// The argument is right and asks for something this server has not: 504.
    Parameter(&'static str),
    /// A network protocol that is not offered: 522 (RFC 2428 §2).
    NetworkProtocol,
    /// PROT S or E, which RFC 4217 does not have: 536.
    ProtectionLevel,
    /// An HTTP request: the session ends at once.
    Http,
}
