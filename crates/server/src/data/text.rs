//! TYPE A conversion, used only with `ascii_conversion = true`: line ends are LF on disk and CR LF
//! on the wire (RFC 959 §3.1.1.1). Streaming; a CR at the border of two blocks is not lost.

/// Disk to wire: LF becomes CR LF, unless the CR is there already.
#[derive(Debug, Default)]
pub struct ToWire {
    last: u8,
}

/// Wire to disk: CR LF becomes LF; a lone CR stays.
#[derive(Debug, Default)]
pub struct ToDisk {
    held_cr: bool,
}

impl ToWire {
    /// Appends the converted block.
    pub fn convert(&mut self, block: &[u8], out: &mut Vec<u8>) {
        for &byte in block {
            if byte == b'\n' && self.last != b'\r' {
                out.push(b'\r');
            }
            out.push(byte);
            self.last = byte;
        }
    }
}

impl ToDisk {
    /// Appends the converted block.
    pub fn convert(&mut self, block: &[u8], out: &mut Vec<u8>) {
        for &byte in block {
            if std::mem::take(&mut self.held_cr) && byte != b'\n' {
                out.push(b'\r');
            }
            if byte == b'\r' {
                self.held_cr = true;
            } else {
                out.push(byte);
            }
        }
    }

    /// Appends what was held back for the next block.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.held_cr) {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn to_wire(blocks: &[&[u8]]) -> Vec<u8> {
        let (mut text, mut out) = (ToWire::default(), Vec::new());
        for block in blocks {
            text.convert(block, &mut out);
        }
        out
    }

    fn to_disk(blocks: &[&[u8]]) -> Vec<u8> {
        let (mut text, mut out) = (ToDisk::default(), Vec::new());
        for block in blocks {
            text.convert(block, &mut out);
        }
        text.finish(&mut out);
        out
    }

    #[test]
    fn line_ends_are_converted_across_borders() {
        assert_eq!(to_wire(&[b"a\nb\r\n", b"\n"]), b"a\r\nb\r\n\r\n");
        assert_eq!(to_wire(&[b"a\r", b"\nb"]), b"a\r\nb");
        assert_eq!(to_disk(&[b"a\r", b"\nb\rc\r"]), b"a\nb\rc\r");
        assert_eq!(to_disk(&[b"\r\r\n"]), b"\r\n");
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "[a\n]{0,40}", cut in 0_usize..40) {
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            let wire = to_wire(&[head, tail]);
            let (head, tail) = wire.split_at(cut.min(wire.len()));
            prop_assert_eq!(to_disk(&[head, tail]), text.as_bytes());
        }
    }
}
