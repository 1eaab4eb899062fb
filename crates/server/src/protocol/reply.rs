//! Replies: the bytes of one reply, sent in one write (RFC 959 §4.2).

use super::line::IAC;

/// One reply. Text is bytes: names go out in the session's encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// At least one line; more make a multi-line reply.
    lines: Vec<Vec<u8>>,
}

impl Reply {
    /// Makes a reply of one line.
    #[must_use]
    pub fn new(code: u16, text: impl Into<Vec<u8>>) -> Self {
        Self {
            code,
            lines: vec![text.into()],
        }
    }

    /// Adds a line; the last one carries the code again.
    #[must_use]
    pub fn line(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.lines.push(text.into());
        self
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Says the same under another code.
    #[must_use]
    pub fn with_code(self, code: u16) -> Self {
        Self { code, ..self }
    }

    /// Returns the first line's text, for the log.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.first().map_or_else(String::new, |line| {
            String::from_utf8_lossy(line).into_owned()
        })
    }

    /// Appends the reply's bytes: CR, LF and NUL in a text become `?`, 0xFF is doubled (RFC 854),
    /// inner lines begin with a space so that none looks like the last (RFC 959 §4.2).
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let last = self.lines.len() - 1;
        for (i, line) in self.lines.iter().enumerate() {
            if i == 0 || i == last {
                let gap = if i == last { b' ' } else { b'-' };
                out.extend(self.code.to_string().as_bytes());
                out.push(gap);
            } else {
                out.push(b' ');
            }
            for &byte in line {
                match byte {
                    b'\r' | b'\n' | 0 => out.push(b'?'),
                    IAC => out.extend([IAC, IAC]),
                    _ => out.push(byte),
                }
            }
            out.extend(b"\r\n");
        }
    }
}

/// Writes a name between quotes, quotes inside it doubled (RFC 959 Appendix II).
#[must_use]
pub fn quoted(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 2);
    out.push(b'"');
    for &byte in name {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(reply: &Reply) -> Vec<u8> {
        let mut out = Vec::new();
        reply.write_to(&mut out);
        out
    }

    #[test]
    fn one_line_and_many() {
        assert_eq!(bytes(&Reply::new(200, "OK")), b"200 OK\r\n");
        let feat = Reply::new(211, "Features:").line("SIZE").line("End");
        assert_eq!(bytes(&feat), b"211-Features:\r\n SIZE\r\n211 End\r\n");
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quoted(b"/a\"b"), b"\"/a\"\"b\"");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_frame(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..5),
        ) {
            let first = Reply::new(250, texts[0].clone());
            let reply = texts[1..].iter().fold(first, |reply, text| reply.line(text.clone()));
            let out = bytes(&reply);
            let ends = out.windows(2).filter(|pair| pair == b"\r\n").count();
            prop_assert_eq!(ends, texts.len());
            let lines: Vec<&[u8]> = out.split(|b| *b == b'\n').collect();
            let finals = lines.iter().filter(|line| line.starts_with(b"250 ")).count();
            prop_assert_eq!(finals, 1);
            prop_assert!(lines[texts.len() - 1].starts_with(b"250 "));
        }
    }
}
