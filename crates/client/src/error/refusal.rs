//! What a server means by its refusal: the code says it where it can, the words where one code stands for much.

use super::RemoteError;
use crate::remote::names;

/// How servers say that their disk, or what a user may have of it, is full.
const NO_ROOM: [&str; 8] = [
    "space",
    "quota",
    "storage",
    "is full",
    "disk full",
    "no room",
    "enospc",
    "edquot",
];

/// How they say that somebody may not do something.
const FORBIDDEN: [&str; 12] = [
    "permission",
    "denied",
    "privilege",
    "permitted",
    "allowed",
    "forbidden",
    "access",
    "authori",
    "the right",
    "read-only",
    "read only",
    "may not",
];

/// How they name what is peculiar to a file that is there, or to an offset in it.
const GOING_ON: [&str; 9] = [
    "restart", " rest", "append", "appe ", "resum", "offset", "overwrit", "replac", "exist",
];

impl RemoteError {
    /// Tells whether the server says that it has no room: by a code of its own (RFC 959 §4.2.2: 452, 552), or in
    /// words, as those do that say 550 or 451 to everything.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        match self {
            Self::Refused { reply, .. } => match reply.code {
                452 | 552 => true,
                450 | 451 | 550 | 553 => self.says(&NO_ROOM),
                _ => false,
            },
            _ => false,
        }
    }

    /// Tells whether going on with a file may be what was refused, and not storing it: the command, its offset, or
    /// that the file is there. What is said of room, of rights, of the session or of the data connection would be
    /// said to a file from its beginning as well.
    #[must_use]
    pub fn is_of_going_on(&self) -> bool {
        let Self::Refused { reply, .. } = self else {
            return false;
        };
        match reply.code {
            // 202: small servers say so for "not implemented".
            ..400 | 500..=504 | 551 | 554 => true,
            // ProFTPD's `AllowStoreRestart off`, as if it would pass.
            451 => !self.is_no_room(),
            550 | 553 if self.is_no_room() => false,
            550 => self.says(&GOING_ON) || !self.says(&FORBIDDEN),
            553 => self.says(&GOING_ON),
            _ => false,
        }
    }

    /// Tells whether one of these stands in the server's words, beside the name of the file.
    fn says(&self, words: &[&str]) -> bool {
        let Self::Refused { path, reply, .. } = self else {
            return false;
        };
        let mut text = reply.lines.join(" ");
        if let Some(path) = path.as_deref().filter(|path| !path.is_empty()) {
            text = text.replace(path, "").replace(names::split(path).1, "");
        }
        let text = text.to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Reply;

    fn refused(code: u16, text: &str) -> RemoteError {
        RemoteError::Refused {
            verb: "STOR".into(),
            path: Some("/in/quota denied".into()),
            reply: Reply::new(code, text),
        }
    }

    #[test]
    fn no_room_is_told_by_code_or_in_words() {
        for (code, text) in [
            (452, "x"),
            (552, "x"),
            (550, "/in/a: No space left on device"),
            (451, "Disk quota exceeded"),
            (553, "Disk full"),
        ] {
            let error = refused(code, text);
            assert!(error.is_no_room() && !error.is_of_going_on(), "{error}");
        }
        for (code, text) in [
            (550, "/in/quota denied: no such file"),
            (530, "storage"),
            (550, "no"),
        ] {
            assert!(!refused(code, text).is_no_room(), "{code} {text}");
        }
    }

    #[test]
    fn what_any_beginning_would_be_told_is_not_of_going_on() {
        for (code, text) in [
            (421, "bye"),
            (425, "no data connection"),
            (450, "busy"),
            (530, "Not logged in"),
            (532, "Need account"),
            (550, "Permission denied"),
            (550, "Not enough privileges."),
            (553, "Could not create file."),
        ] {
            assert!(!refused(code, text).is_of_going_on(), "{code} {text}");
        }
        for (code, text) in [
            (202, "superfluous"),
            (500, "x"),
            (502, "permission denied"),
            (551, "bad restart"),
            (554, "x"),
            (451, "Append/Restart not permitted, try again"),
            (550, "quota denied: failed to open file"),
            (550, "/in/quota denied: Overwrite permission denied"),
            (553, "File exists"),
        ] {
            assert!(refused(code, text).is_of_going_on(), "{code} {text}");
        }
    }
}
