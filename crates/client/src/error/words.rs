//! Words of errors that depend on what they hold.

use std::fmt;

/// Where what was there before is now, if it is not gone.
pub(super) struct Aside<'a>(pub(super) Option<&'a str>);

impl fmt::Display for Aside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, ", what was there is now `{name}`"),
            None => Ok(()),
        }
    }
}

/// What an append came to: what it had, what was sent, what it has.
pub(super) struct Appended(pub(super) u64, pub(super) u64, pub(super) u64);

impl fmt::Display for Appended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(had, sent, has) = *self;
        f.write_str(match has {
            _ if has == sent && had > 0 => {
                "the server replaced the file instead of appending to it"
            }
            _ => "the server did not append what was sent, or somebody else changed the file",
        })
    }
}
