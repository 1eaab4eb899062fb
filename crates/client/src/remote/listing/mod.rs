//! Listings to entries: MLSD and MLST facts, `ls -l` lines, DOS lines. Pure, bounded, fuzzed.
//!
//! Nothing from a server is believed: a name that is not one safe component is dropped and
//! reported, and a line that cannot be read is reported, never taken for a name.

mod dos;
mod facts;
mod unix;

use std::time::{Duration, SystemTime};

use super::{Dropped, Entry, Lack, Listing, RemoteName, Reply, names::Codec};

pub use facts::{format_time, parse_time};

/// The longest line of a listing, in bytes.
pub const MAX_LINE: usize = 8 * 1024;
/// The most entries of one directory.
pub const MAX_ENTRIES: usize = 1_000_000;
/// The most bytes of one listing.
pub const MAX_BYTES: u64 = 512 << 20;
const MAX_DROPPED: usize = 100;

/// What kind of lines a listing has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// MLSD (RFC 3659 §7).
    Facts,
    /// LIST: like `ls -l`, or like DOS `dir`.
    List,
}

/// What one line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// An entry; the name is still bytes.
    Entry(Box<Entry>),
    /// `.`, `..`, the directory itself.
    Nothing,
    /// `total 12`.
    Total,
    /// A name that must not be used.
    Unsafe { name: String, why: &'static str },
    /// Not to be read.
    Unreadable,
}

impl Line {
    /// Makes the entry when the name is one safe component.
    fn named(codec: &Codec, name: &[u8], fill: impl FnOnce(RemoteName) -> Entry) -> Self {
        if matches!(name, b"." | b"..") {
            return Self::Nothing;
        }
        let name = codec.decode(name);
        match RemoteName::new(name.clone()) {
            Ok(name) => Self::Entry(Box::new(fill(name))),
            Err(why) => Self::Unsafe { name, why },
        }
    }
}

/// Reads a listing as it comes, block by block.
#[derive(Debug)]
pub struct Reader<'a> {
    format: Format,
    codec: &'a Codec,
    now: SystemTime,
    rest: Vec<u8>,
    bytes: u64,
    has_total: bool,
    listing: Listing,
}

/// A listing beyond every reason: the limit, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endless(pub u64, pub &'static str);

impl<'a> Reader<'a> {
    /// Begins a listing; `now` dates lines without a year.
    #[must_use]
    pub fn new(format: Format, codec: &'a Codec, now: SystemTime) -> Self {
        Self {
            format,
            codec,
            now,
            rest: Vec::new(),
            bytes: 0,
            has_total: false,
            listing: Listing::default(),
        }
    }

    /// Takes the next block.
    ///
    /// # Errors
    /// A line, the number of entries or the whole is beyond its limit.
    pub fn push(&mut self, mut block: &[u8]) -> Result<(), Endless> {
        self.bytes += block.len() as u64;
        if self.bytes > MAX_BYTES {
            return Err(Endless(MAX_BYTES, "bytes"));
        }
        while let Some(end) = block.iter().position(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(&block[..end.min(MAX_LINE + 1)]);
            block = &block[end + 1..];
            self.take_line()?;
        }
        self.rest
            .extend_from_slice(&block[..block.len().min(MAX_LINE + 1)]);
        self.check_line()
    }

    /// Tells whether what has come ends with a whole line.
    #[must_use]
    pub fn is_between_lines(&self) -> bool {
        self.rest.is_empty()
    }

    /// Tells whether nothing has come at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Ends the listing.
    ///
    /// # Errors
    /// As [`Reader::push`].
    pub fn finish(self) -> Result<Listing, Endless> {
        self.finish_with_total().map(|(listing, _)| listing)
    }

    /// Ends it so, and tells whether it had the line with the total that `ls -l` begins with.
    ///
    /// # Errors
    /// As [`Reader::push`].
    pub fn finish_with_total(mut self) -> Result<(Listing, bool), Endless> {
        self.take_line()?;
        self.listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
        self.drop_doubles();
        Ok((self.listing, self.has_total))
    }

    /// In another encoding two names may read alike; which of them a path would name is not known.
    fn drop_doubles(&mut self) {
        let mut doubles = Vec::new();
        self.listing.entries.dedup_by(|next, kept| {
            let is_double = next.name == kept.name;
            if is_double {
                doubles.push(next.name.as_str().to_owned());
            }
            is_double
        });
        for name in doubles {
            let why = "two names of the server read like this";
            self.drop_one(Dropped::Name { name, why });
        }
    }

    fn check_line(&self) -> Result<(), Endless> {
        if self.rest.len() > MAX_LINE {
            return Err(Endless(MAX_LINE as u64, "bytes in one line"));
        }
        Ok(())
    }

    fn take_line(&mut self) -> Result<(), Endless> {
        self.check_line()?;
        let rest = std::mem::take(&mut self.rest);
        let line = rest.strip_suffix(b"\r").unwrap_or(&rest);
        match parse_line(self.format, self.codec, line, self.now) {
            Line::Entry(entry) => {
                if self.listing.entries.len() >= MAX_ENTRIES {
                    return Err(Endless(MAX_ENTRIES as u64, "entries"));
                }
                if self.format == Format::Facts && !facts::tell_kind(line) {
                    self.listing.lack = Some(Lack::Kinds);
                }
                self.listing.entries.push(*entry);
            }
            Line::Nothing => {}
            Line::Total => self.has_total = true,
            Line::Unsafe { name, why } => self.drop_one(Dropped::Name { name, why }),
            Line::Unreadable => {
                let line = self
                    .codec
                    .decode(&line[..line.len().min(Dropped::LONGEST_LINE)]);
                self.drop_one(Dropped::Line(line));
            }
        }
        Ok(())
    }

    fn drop_one(&mut self, dropped: Dropped) {
        if self.listing.dropped.len() < MAX_DROPPED {
            self.listing.dropped.push(dropped);
        }
    }
}

fn parse_line(format: Format, codec: &Codec, line: &[u8], now: SystemTime) -> Line {
    if line.is_empty() {
        return Line::Nothing;
    }
    match format {
        Format::Facts => facts::parse(codec, line),
        Format::List if line.first().is_some_and(u8::is_ascii_digit) => dos::parse(codec, line),
        Format::List => unix::parse(codec, line, now),
    }
}

/// Reads the facts in an answer to MLST. They stand in a line of their own behind a blank (RFC 3659 §7.2); the first line may
/// name a path with `=` in it.
pub fn in_mlst(reply: &Reply, name: &RemoteName) -> Option<Entry> {
    let (own, others): (Vec<&String>, Vec<&String>) =
        reply.lines.iter().partition(|line| line.starts_with(' '));
    let mut lines = own.into_iter().chain(others);
    lines.find_map(|line| parse_mlst(line, name.clone()))
}

/// Tells whether an answer to MLST says of what kind the entry is.
pub fn tells_kind(reply: &Reply) -> bool {
    let mut lines = reply.lines.iter();
    lines.any(|line| facts::tell_kind(line.trim_start().as_bytes()))
}

/// Reads the facts line of an MLST reply (with or without the leading space); the name is taken
/// from the caller, since servers answer with full paths, relative paths or nothing.
#[must_use]
pub fn parse_mlst(line: &str, name: RemoteName) -> Option<Entry> {
    facts::parse_facts(line.trim_start().as_bytes(), name, true)
}

/// How exact a time of the `ls -l` kind is.
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests;
