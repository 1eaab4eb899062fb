//! MLSD and MLST facts, the choice of them, and their line in FEAT (RFC 3659 §7). Times are UTC.

use std::time::SystemTime;

use super::stamp;
use crate::share::Kind;

/// The facts this server knows, in the order in which they are sent.
const FACTS: [&str; 6] = ["type", "size", "modify", "perm", "unix.mode", "unique"];

/// Which facts a session wants; all of them until `OPTS MLST` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice(u8);

impl Default for Choice {
    fn default() -> Self {
        Self((1 << FACTS.len()) - 1)
    }
}

/// What is known of one entry.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What it is.
    pub kind: Kind,
    /// Where a link leads, in the client's encoding.
    pub target: Option<&'a [u8]>,
    /// Bytes; sent for files only.
    pub size: u64,
    /// Last change of the bytes.
    pub modified: SystemTime,
    /// The `perm` fact for this account.
    pub perm: &'a str,
    /// Permission bits.
    pub mode: u32,
    /// The same for the same file under any name.
    pub unique: &'a str,
}

impl Choice {
    /// Reads `OPTS MLST size;modify;`: unknown facts are left out, none is allowed (RFC 3659 §7.9).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let wanted: Vec<String> = text
            .split(';')
            .map(|f| f.trim().to_ascii_lowercase())
            .collect();
        let bits = FACTS
            .iter()
            .enumerate()
            .filter(|(_, fact)| wanted.iter().any(|want| want == *fact));
        Self(bits.fold(0, |set, (i, _)| set | 1 << i))
    }

    /// Returns the chosen facts as `OPTS MLST` answers them: `size;modify;`.
    #[must_use]
    pub fn words(self) -> String {
        let chosen = FACTS.iter().enumerate().filter(|(i, _)| self.has(*i));
        chosen.map(|(_, fact)| format!("{fact};")).collect()
    }

    /// Returns FEAT's line: every fact, a `*` behind the chosen ones (RFC 3659 §7.8).
    #[must_use]
    pub fn feature(self) -> String {
        let mut line = "MLST ".to_owned();
        for (i, fact) in FACTS.iter().enumerate() {
            line.push_str(fact);
            line.push_str(if self.has(i) { "*;" } else { ";" });
        }
        line
    }

    /// Appends the chosen facts and the space before the name.
    pub fn write(self, facts: &Facts<'_>, out: &mut Vec<u8>) {
        use std::io::Write;
        for (i, fact) in FACTS.iter().enumerate().filter(|(i, _)| self.has(*i)) {
            let is_file = facts.kind == Kind::File;
            // A Vec takes every write.
            let _ = match i {
                0 if facts.kind == Kind::Link => write_link(facts.target, out),
                0 => write!(out, "{fact}={};", kind_word(facts.kind)),
                1 if is_file => write!(out, "{fact}={};", facts.size),
                2 => write!(out, "{fact}={};", stamp::format(facts.modified)),
                3 => write!(out, "{fact}={};", facts.perm),
                4 => write!(out, "{fact}={:04o};", facts.mode & 0o7777),
                5 => write!(out, "{fact}={};", facts.unique),
                _ => Ok(()),
            };
        }
        out.push(b' ');
    }

    fn has(self, fact: usize) -> bool {
        self.0 & (1 << fact) != 0
    }
}

/// As lftp, FileZilla and WinSCP read it. A target that would end the fact, or the facts, is not told.
fn write_link(target: Option<&[u8]>, out: &mut Vec<u8>) -> std::io::Result<()> {
    let breaks = |byte: &u8| matches!(byte, b';' | b' ' | 0..=31);
    out.extend(b"type=");
    out.extend(kind_word(Kind::Link).bytes());
    out.extend(
        target
            .filter(|target| !target.iter().any(breaks))
            .unwrap_or(b"?"),
    );
    out.push(b';');
    Ok(())
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Dir => "dir",
        Kind::Link => "OS.unix=slink:",
        Kind::Other => "OS.unix=other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(choice: Choice, kind: Kind) -> String {
        let facts = Facts {
            kind,
            target: None,
            size: 5,
            modified: SystemTime::UNIX_EPOCH,
            perm: "adfrw",
            mode: 0o100_644,
            unique: "fdU1",
        };
        let mut out = Vec::new();
        choice.write(&facts, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_holds_the_chosen_facts() {
        assert_eq!(
            line(Choice::default(), Kind::File),
            "type=file;size=5;modify=19700101000000;perm=adfrw;unix.mode=0644;unique=fdU1; "
        );
        assert_eq!(
            line(Choice::parse("Size; type;nonsense"), Kind::Dir),
            "type=dir; "
        );
        assert_eq!(line(Choice::parse(""), Kind::File), " ");
    }

    #[test]
    fn a_link_tells_where_it_leads_unless_that_breaks_the_line() {
        let link = |target: Option<&str>| {
            let mut out = Vec::new();
            write_link(target.map(str::as_bytes), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(link(Some("../a")), "type=OS.unix=slink:../a;");
        for broken in [Some("a b"), Some("a;type=dir"), Some("a\x01"), None] {
            assert_eq!(link(broken), "type=OS.unix=slink:?;");
        }
        assert_eq!(
            line(Choice::parse("type"), Kind::Link),
            "type=OS.unix=slink:?; "
        );
    }

    #[test]
    fn features_and_options_agree() {
        let choice = Choice::parse("modify;size;");
        assert_eq!(choice.words(), "size;modify;");
        assert_eq!(
            choice.feature(),
            "MLST type;size*;modify*;perm;unix.mode;unique;"
        );
        assert!(Choice::default().feature().ends_with("unique*;"));
    }

    proptest! {
        #[test]
        fn any_choice_reads_back(text in "[a-z.;* ]{0,40}") {
            let choice = Choice::parse(&text);
            prop_assert_eq!(Choice::parse(&choice.words()), choice);
        }
    }
}
