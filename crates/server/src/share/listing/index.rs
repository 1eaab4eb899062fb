//! Names in one block, in their order, and which of the directory each was.

use std::io;

/// Names in one block.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    index: Vec<Slot>,
}

/// A name's place in the block, and which of the directory's names it was.
#[derive(Clone, Copy, Debug)]
struct Slot {
    begin: u32,
    end: u32,
    came: u32,
}

impl Names {
    pub(super) fn add(&mut self, name: &[u8]) -> io::Result<()> {
        let too_many = |_| io::Error::other("the directory holds too many names");
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.index.push(Slot {
            begin: u32::try_from(begin).map_err(too_many)?,
            end: u32::try_from(self.bytes.len()).map_err(too_many)?,
            came: u32::try_from(self.index.len()).map_err(too_many)?,
        });
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        let name = |slot: &Slot| &bytes[slot.begin as usize..slot.end as usize];
        self.index.sort_unstable_by(|a, b| name(a).cmp(name(b)));
    }

    pub(super) fn get(&self, at: usize) -> Option<(&[u8], usize)> {
        let slot = self.index.get(at)?;
        let name = &self.bytes[slot.begin as usize..slot.end as usize];
        Some((name, slot.came as usize))
    }
}
