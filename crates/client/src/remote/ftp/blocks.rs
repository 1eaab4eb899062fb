//! A file as blocks (RFC 959 §3.4.2), as it comes and as it goes.

use std::io;

/// Bytes of a block's header: its descriptor, then the count, high byte first.
const HEADER: usize = 3;

/// The most data that one of our blocks carries.
const MOST: u16 = 60 << 10;

/// This block's data is the end of the file.
const END_OF_FILE: u8 = 64;

/// The sender suspects errors in the data.
const SUSPECT: u8 = 32;

/// A restart marker in place of data.
const MARKER: u8 = 16;

/// A file that comes as blocks.
#[derive(Default)]
pub(super) struct Incoming {
    pub(super) raw: Vec<u8>,
    /// How much of `raw` is used up.
    pub(super) used: usize,
    head: Vec<u8>,
    left: usize,
    pub(super) has_ended: bool,
}

impl Incoming {
    /// Moves data that is here already; returns how much.
    pub(super) fn take(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut moved = 0;
        while !self.has_ended && self.used < self.raw.len() {
            if self.head.len() < HEADER {
                self.head.push(self.raw[self.used]);
                self.used += 1;
                if self.head.len() == HEADER {
                    self.begin()?;
                }
                continue;
            }
            let here = self.left.min(self.raw.len() - self.used);
            let count = if self.head[0] & MARKER == 0 {
                let count = here.min(out.len() - moved);
                if count == 0 {
                    break;
                }
                let data = &self.raw[self.used..self.used + count];
                out[moved..moved + count].copy_from_slice(data);
                moved += count;
                count
            } else {
                here
            };
            self.used += count;
            self.left -= count;
            self.end_block();
        }
        Ok(moved)
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.head[0] & SUSPECT != 0 {
            let words = "the server suspects errors in the data";
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        self.left = usize::from(u16::from_be_bytes([self.head[1], self.head[2]]));
        self.end_block();
        Ok(())
    }

    fn end_block(&mut self) {
        if self.left == 0 {
            self.has_ended = self.head[0] & END_OF_FILE != 0;
            self.head.clear();
        }
    }

    /// Tells whether the file has ended and nothing came behind it.
    pub(super) fn is_whole(&self) -> bool {
        self.has_ended && self.used == self.raw.len()
    }
}

/// A file that goes as blocks. The last one waits for the end of the file, which it tells.
#[derive(Default)]
pub(super) struct Outgoing {
    pub(super) blocks: Vec<u8>,
    pub(super) last: usize,
}

impl Outgoing {
    /// Makes blocks of what is next; those before must have gone.
    pub(super) fn put(&mut self, data: &[u8]) {
        self.blocks.clear();
        for part in data.chunks(usize::from(MOST)) {
            // Never more: the parts are cut so.
            let count = u16::try_from(part.len()).unwrap_or(MOST);
            let [high, low] = count.to_be_bytes();
            self.last = self.blocks.len();
            self.blocks.extend([0, high, low]);
            self.blocks.extend_from_slice(part);
        }
    }

    /// Marks the last block, or makes an empty one that is the last.
    pub(super) fn end(&mut self) {
        match self.blocks.get_mut(self.last) {
            Some(descriptor) => *descriptor = END_OF_FILE,
            None => self.blocks.extend([END_OF_FILE, 0, 0]),
        }
    }
}
