//! Control lines out of a stream of bytes: length cap, line ends, Telnet (RFC 959 §4.1, RFC 854).
//!
//! `session` feeds what it read and takes whole lines. A line that cannot be used comes out as
//! [`Line::TooLong`] or [`Line::Nul`], in its place in the order; nothing here ends a session.

use std::collections::VecDeque;

/// The longest command line in bytes, without its end.
pub const MAX_LINE: usize = 4096;

/// Interpret as command: what comes next is Telnet's (RFC 854).
pub(super) const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
/// Answers to option requests kept for sending; more are dropped, a flood must not fill memory.
const MAX_ANSWERS: usize = 96;

/// One control line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The bytes before the line end, Telnet removed.
    Text(Vec<u8>),
    /// Over [`MAX_LINE`]; reported once, when the cap is passed. The rest is skipped.
    TooLong,
    /// Held a NUL byte.
    Nul,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Telnet {
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After IAC and WILL, WONT, DO or DONT.
    Option(u8),
    /// Inside IAC SB ... IAC SE.
    Sub,
    /// After IAC inside a subnegotiation.
    SubCommand,
}

/// Turns bytes into lines, however they are cut.
#[derive(Debug, Default)]
pub struct LineReader {
    telnet: Telnet,
    line: Vec<u8>,
    has_nul: bool,
    skipping: bool,
    ready: VecDeque<Line>,
    answers: Vec<u8>,
}

impl LineReader {
    /// Takes the next bytes of the control connection.
    pub fn feed(&mut self, input: &[u8]) {
        for &byte in input {
            match self.telnet {
                Telnet::Data if byte == IAC => self.telnet = Telnet::Command,
                Telnet::Data => self.push(byte),
                Telnet::Command => self.telnet_command(byte),
                Telnet::Option(verb) => {
                    self.answer(verb, byte);
                    self.telnet = Telnet::Data;
                }
                Telnet::Sub if byte == IAC => self.telnet = Telnet::SubCommand,
                Telnet::Sub => {}
                Telnet::SubCommand if byte == SE => self.telnet = Telnet::Data,
                Telnet::SubCommand => self.telnet = Telnet::Sub,
            }
        }
    }

    /// Returns the next whole line. An empty line is none.
    pub fn next_line(&mut self) -> Option<Line> {
        let line = self.ready.pop_front();
        if self.ready.is_empty() && self.ready.capacity() > 8 {
            self.ready = VecDeque::new();
        }
        line
    }

    /// Returns the bytes to send back for Telnet option requests: every option is refused.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// Forgets everything read so far (RFC 4217 §12: nothing plain survives AUTH).
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn telnet_command(&mut self, byte: u8) {
        self.telnet = Telnet::Data;
        match byte {
            IAC => self.push(IAC),
            WILL | WONT | DO | DONT => self.telnet = Telnet::Option(byte),
            SB => self.telnet = Telnet::Sub,
            // IP, Data Mark, No Operation and the rest mean nothing here but "look up".
            SE..SB => {}
            // Not Telnet: a client that sends raw 0xFF in a name.
            _ => {
                self.push(IAC);
                self.push(byte);
            }
        }
    }

    fn answer(&mut self, verb: u8, option: u8) {
        let refusal = match verb {
            WILL => DONT,
            DO => WONT,
            _ => return,
        };
        if self.answers.len() < MAX_ANSWERS {
            self.answers.extend([IAC, refusal, option]);
        }
    }

    fn push(&mut self, byte: u8) {
        if byte == b'\n' {
            return self.end_line();
        }
        if self.skipping {
            return;
        }
        self.has_nul |= byte == 0;
        self.line.push(byte);
        // One more for the CR of the line end.
        if self.line.len() > MAX_LINE + 1 {
            self.skipping = true;
            self.line = Vec::new();
            self.ready.push_back(Line::TooLong);
        }
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        let has_nul = std::mem::take(&mut self.has_nul);
        if std::mem::take(&mut self.skipping) {
            return;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > MAX_LINE {
            self.ready.push_back(Line::TooLong);
        } else if has_nul {
            self.ready.push_back(Line::Nul);
        } else if !line.is_empty() {
            self.ready.push_back(Line::Text(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(input: &[u8]) -> Vec<Line> {
        let mut reader = LineReader::default();
        reader.feed(input);
        std::iter::from_fn(|| reader.next_line()).collect()
    }

    fn text(words: &str) -> Line {
        Line::Text(words.as_bytes().to_vec())
    }

    #[test]
    fn both_line_ends_are_taken_and_empty_lines_are_not() {
        assert_eq!(
            lines(b"NOOP\r\n\r\n\nPWD\nCWD a\rb\r\nhalf"),
            [text("NOOP"), text("PWD"), text("CWD a\rb")]
        );
    }

    #[test]
    fn telnet_is_taken_out_and_options_are_refused() {
        let mut reader = LineReader::default();
        reader.feed(b"\xff\xf4\xff\xf2AB\xff\xfd\x06OR\r\n\xff\xfb\x01");
        reader.feed(b"\xff\xfa\x18\x00abc\xff\xf0CWD \xff\xff\xffa\n");
        assert_eq!(reader.next_line(), Some(text("ABOR")));
        assert_eq!(
            reader.next_line(),
            Some(Line::Text(b"CWD \xff\xffa".to_vec()))
        );
        assert_eq!(reader.take_answers(), b"\xff\xfc\x06\xff\xfe\x01");
    }

    #[test]
    fn a_long_line_is_reported_once_and_skipped_to_its_end() {
        let mut reader = LineReader::default();
        for _ in 0..1000 {
            reader.feed(&[b'x'; 4096]);
        }
        assert_eq!(reader.next_line(), Some(Line::TooLong));
        assert_eq!(reader.next_line(), None);
        assert!(reader.line.capacity() <= 2 * MAX_LINE + 2);
        reader.feed(b"yy\r\nNOOP\r\n");
        assert_eq!(reader.next_line(), Some(text("NOOP")));
    }

    #[test]
    fn the_cap_does_not_count_the_line_end() {
        for end in ["\r\n", "\n"] {
            let full = [&[b'x'; MAX_LINE], end.as_bytes()].concat();
            assert_eq!(lines(&full), [Line::Text(vec![b'x'; MAX_LINE])]);
            let over = [&[b'x'; MAX_LINE + 1], end.as_bytes()].concat();
            assert_eq!(lines(&over), [Line::TooLong]);
        }
    }

    #[test]
    fn nul_spoils_only_its_own_line() {
        assert_eq!(lines(b"NO\0OP\r\nPWD\r\n"), [Line::Nul, text("PWD")]);
    }

    #[test]
    fn clear_forgets_lines_halves_and_telnet() {
        let mut reader = LineReader::default();
        reader.feed(b"NOOP\r\nhalf\xff");
        reader.clear();
        reader.feed(b"PWD\r\n");
        assert_eq!(reader.next_line(), Some(text("PWD")));
        assert_eq!(reader.next_line(), None);
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(
            input in proptest::collection::vec(
                prop_oneof![Just(IAC), Just(b'\n'), Just(b'\r'), Just(0), any::<u8>()], 0..200),
            cut in 0_usize..200,
        ) {
            let whole = lines(&input);
            let (head, tail) = input.split_at(cut.min(input.len()));
            let mut reader = LineReader::default();
            reader.feed(head);
            reader.feed(tail);
            let parts: Vec<_> = std::iter::from_fn(|| reader.next_line()).collect();
            prop_assert_eq!(whole, parts);
        }
    }
}
