//! What keys with a choice of words mean.

use crate::Word;

/// Which protocol engine speaks on accepted sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Our own control and data channels.
    Native,
    /// libunftp's.
    Libunftp,
}

impl Word for EngineKind {
    const WORDS: &'static [(&'static str, Self)] =
        &[("native", Self::Native), ("libunftp", Self::Libunftp)];
}

/// Whether TLS is offered or demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// AUTH is refused.
    Off,
    /// The client chooses.
    Optional,
    /// No login and no data in clear.
    Required,
}

impl Word for TlsMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("off", Self::Off),
        ("optional", Self::Optional),
        ("required", Self::Required),
    ];
}

/// What STOR does when the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDuplicate {
    /// The new file takes the name when it is whole.
    Overwrite,
    /// The new file gets a free name beside it.
    Rename,
    /// 553 before a byte moves.
    Refuse,
}

impl Word for OnDuplicate {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("overwrite", Self::Overwrite),
        ("rename", Self::Rename),
        ("refuse", Self::Refuse),
    ];
}

/// When an upload is forced to the disk before it takes its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Left to the kernel.
    Never,
    /// The file's bytes.
    File,
    /// The bytes and the directory entry.
    FileAndDir,
}

impl Word for Fsync {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("never", Self::Never),
        ("file", Self::File),
        ("file+dir", Self::FileAndDir),
    ];
}

/// Least level of log events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// We lost something.
    Error,
    /// Someone should look.
    Warn,
    /// Life of the daemon, logins, ends of transfers.
    Info,
    /// Each command and reply.
    Debug,
    /// Data connections too.
    Trace,
}

impl Word for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people and journald.
    Text,
    /// One object a line.
    Json,
}

impl Word for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}
