//! Block mode (RFC 959 §3.4.2): the end of a file is told and not shown by closing, so that one data
//! connection carries many files.
//!
//! Pure: headers and the reading of blocks. [`link`](super::link) moves them.

use super::meter::Broken;
use crate::code;

/// Bytes of a block's header: its descriptor, then the count, high byte first.
pub const HEADER: usize = 3;
/// The most data that one of our blocks carries: whole pages, within the 16 bits of its count.
pub const MOST: u16 = 60 << 10;

/// This block's data is the end of the file.
const END_OF_FILE: u8 = 64;
/// The sender suspects errors in the data.
const SUSPECT: u8 = 32;
/// A restart marker in place of data.
const MARKER: u8 = 16;

/// Returns the header of a block.
#[must_use]
pub fn header(count: u16, is_last: bool) -> [u8; HEADER] {
    let [high, low] = count.to_be_bytes();
    [if is_last { END_OF_FILE } else { 0 }, high, low]
}

/// Appends `data` as blocks; the last one ends the file if `is_last`.
pub fn write(data: &[u8], is_last: bool, out: &mut Vec<u8>) {
    let mut parts = data.chunks(usize::from(MOST)).peekable();
    if is_last && parts.peek().is_none() {
        out.extend(header(0, true));
    }
    while let Some(part) = parts.next() {
        let count = u16::try_from(part.len()).unwrap_or(MOST);
        out.extend(header(count, is_last && parts.peek().is_none()));
        out.extend(part);
    }
}

/// Reads the blocks of one file as they come, in pieces of any size.
#[derive(Debug, Default)]
pub struct Blocks {
    head: [u8; HEADER],
    /// How much of the header has come.
    known: usize,
    /// Bytes of this block that are still to come.
    left: u16,
    has_ended: bool,
}

impl Blocks {
    /// Tells whether the file's end has come.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Gives the data among `raw` to `sink`; returns how many of its bytes belong to this file.
    ///
    /// # Errors
    /// What `sink` says; [`Broken::Refused`] when the sender suspects its own data.
    pub fn read(
        &mut self,
        mut raw: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), Broken>,
    ) -> Result<usize, Broken> {
        let given = raw.len();
        while !self.has_ended && !raw.is_empty() {
            if self.known < HEADER {
                self.head[self.known] = raw[0];
                self.known += 1;
                raw = &raw[1..];
                if self.known == HEADER {
                    self.begin()?;
                }
                continue;
            }
            let (data, rest) = raw.split_at(raw.len().min(usize::from(self.left)));
            if self.head[0] & MARKER == 0 {
                sink(data)?;
            }
            self.left -= u16::try_from(data.len()).unwrap_or(self.left);
            raw = rest;
            self.end_block();
        }
        Ok(given - raw.len())
    }

    fn begin(&mut self) -> Result<(), Broken> {
        let [descriptor, high, low] = self.head;
        if descriptor & SUSPECT != 0 {
            let words = "The sender suspects errors in the data";
            return Err(Broken::Refused(code::LOCAL_ERROR, words.to_owned()));
        }
        self.left = u16::from_be_bytes([high, low]);
        self.end_block();
        Ok(())
    }

    fn end_block(&mut self) {
        if self.left == 0 {
            self.has_ended = self.head[0] & END_OF_FILE != 0;
            self.known = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(blocks: &mut Blocks, raw: &[u8]) -> (usize, Vec<u8>) {
        let mut data = Vec::new();
        let used = blocks.read(raw, &mut |part| {
            data.extend(part);
            Ok(())
        });
        (used.unwrap(), data)
    }

    #[test]
    fn what_is_written_is_read_in_pieces_of_any_size() {
        for length in [0, 1, usize::from(MOST), usize::from(MOST) + 1, 200_000] {
            let data: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
            let mut wire = Vec::new();
            write(&data, true, &mut wire);
            for piece in [1, 2, 1000, wire.len()] {
                let mut blocks = Blocks::default();
                let mut got = Vec::new();
                for part in wire.chunks(piece) {
                    assert!(!blocks.has_ended());
                    let (used, data) = read(&mut blocks, part);
                    assert_eq!(used, part.len());
                    got.extend(data);
                }
                assert!(blocks.has_ended(), "{length} by {piece}");
                assert!(got == data, "{length} by {piece}");
            }
        }
    }

    #[test]
    fn a_file_without_its_last_block_has_not_ended() {
        let mut wire = Vec::new();
        write(b"abc", false, &mut wire);
        let mut blocks = Blocks::default();
        assert_eq!(read(&mut blocks, &wire), (6, b"abc".to_vec()));
        assert!(!blocks.has_ended());
        assert_eq!(read(&mut blocks, &header(0, true)), (3, Vec::new()));
        assert!(blocks.has_ended());
    }

    #[test]
    fn bytes_behind_the_end_belong_to_nobody() {
        let mut blocks = Blocks::default();
        assert_eq!(read(&mut blocks, &[64, 0, 1, b'a', 0, 0]), (4, vec![b'a']));
    }

    #[test]
    fn markers_are_no_data_ends_of_records_are_nothing_and_suspects_are_refused() {
        let mut blocks = Blocks::default();
        let wire = [16, 0, 2, b'm', b'm', 128, 0, 1, b'a', 192, 0, 0];
        assert_eq!(read(&mut blocks, &wire), (wire.len(), vec![b'a']));
        assert!(blocks.has_ended());
        let refused = Blocks::default().read(&[32, 0, 1, b'a'], &mut |_| Ok(()));
        assert!(matches!(refused, Err(Broken::Refused(451, _))));
    }
}
