//! How one entry is written, in the form that the command wants, and what is counted meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use crate::{
    protocol::{
        Names, Reply,
        facts::{Choice, Facts},
        list::{Lister, Row},
    },
    share::{Entry, Home, Kind, Meta},
    verbs::zone,
};

/// How entries are written.
#[derive(Clone, Debug)]
pub(in crate::verbs) enum Form {
    /// `ls -l`.
    Long(Lister),
    /// Names, with this before each.
    Names(Vec<u8>),
    /// Facts.
    Facts(Choice),
}

impl Form {
    pub(in crate::verbs) fn long() -> Self {
        Self::Long(Lister::new(SystemTime::now(), zone::local()))
    }

    /// Tells whether only what is in a directory is written so: MLSD.
    pub(in crate::verbs) fn is_of_directories(&self) -> bool {
        matches!(self, Self::Facts(_))
    }
}

/// Writes one entry after the other; threads may share it.
#[derive(Debug)]
pub(super) struct Pen {
    pub(super) form: Form,
    pub(super) names: Names,
    pub(super) home: Home,
    pub(super) show_owner: bool,
    pub(super) unread: Unread,
}

impl Pen {
    pub(super) fn write_name(&self, name: &str, out: &mut Vec<u8>) {
        if let Form::Names(prefix) = &self.form {
            out.extend(prefix);
        }
        self.names.write(name, out);
        out.extend(b"\r\n");
    }

    pub(super) fn write(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        if entry.meta.is_unknown() && !matches!(self.form, Form::Names(_)) {
            self.unread.0.fetch_add(1, Ordering::Relaxed);
        }
        match &self.form {
            Form::Long(lister) => self.write_long(lister, entry, out),
            Form::Names(_) => self.write_name(&entry.name, out),
            Form::Facts(choice) => {
                // A link to a file inside is that file; clients cannot do more with it. One to a directory
                // stays a link: whoever removes a tree would empty what lies elsewhere.
                let file = entry.target.as_ref().filter(|meta| meta.kind == Kind::File);
                let target = entry.link_target.as_deref();
                let target = target.map(|target| self.names.bytes(target));
                let meta = file.unwrap_or(&entry.meta);
                write_facts(*choice, meta, target.as_deref(), &self.home, out);
                self.write_name(&entry.name, out);
            }
        }
    }

    fn write_long(&self, lister: &Lister, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let number = |id: u32| self.show_owner.then(|| id.to_string());
        let (owner, group) = (number(entry.meta.uid), number(entry.meta.gid));
        let row = Row {
            kind: entry.meta.kind,
            mode: entry.meta.mode,
            links: entry.meta.links,
            owner: owner.as_deref().unwrap_or("ftp"),
            group: group.as_deref().unwrap_or("ftp"),
            size: entry.meta.size,
            modified: entry.meta.modified,
            name: &entry.name,
            target: entry.link_target.as_deref(),
        };
        lister.write(&row, &self.names, out);
    }
}

/// How many names there were of which the disk told no facts.
#[derive(Clone, Debug, Default)]
pub(in crate::verbs) struct Unread(Arc<AtomicUsize>);

impl Unread {
    /// Says so in the last reply to a listing that came whole: who makes another tree like this one must not
    /// take what cannot be read for something else (`ftpc` hears the `could not`).
    pub(in crate::verbs) fn told(&self, reply: Reply) -> Reply {
        match self.0.load(Ordering::Relaxed) {
            0 => reply,
            _ if reply.code() >= 400 => reply,
            count => {
                let words =
                    format!("Listing sent, but the disk could not tell the facts of {count}");
                Reply::new(reply.code(), words)
            }
        }
    }
}

/// Appends the facts of one thing.
pub(in crate::verbs) fn write_facts(
    choice: Choice,
    meta: &Meta,
    target: Option<&[u8]>,
    home: &Home,
    out: &mut Vec<u8>,
) {
    let perm = meta.perm(home.account().rights);
    let unique = meta.unique();
    let facts = Facts {
        kind: meta.kind,
        target,
        size: meta.size,
        modified: meta.modified,
        perm: &perm,
        mode: meta.mode,
        unique: &unique,
    };
    choice.write(&facts, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code;

    #[test]
    fn the_last_reply_tells_of_names_that_could_not_be_read() {
        let unread = Unread::default();
        let done = || Reply::new(code::DONE, "Listing sent");
        assert_eq!(unread.told(done()).text(), "Listing sent");
        unread.0.store(2, Ordering::Relaxed);
        let told = unread.told(done());
        assert_eq!(told.code(), code::DONE);
        assert!(
            told.text().contains("could not tell the facts of 2"),
            "{}",
            told.text()
        );
        let broken = unread.told(Reply::new(code::ABORTED, "Transfer aborted"));
        assert_eq!(broken.text(), "Transfer aborted");
    }
}
