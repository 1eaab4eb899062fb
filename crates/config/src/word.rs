//! Values that the file writes as one of a few words: read, printed and shown by one table each.

/// One of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// Every word with its value.
    const WORDS: &'static [(&'static str, Self)];

    /// Returns the word of this value.
    #[must_use]
    fn word(self) -> &'static str {
        let row = Self::WORDS.iter().find(|(_, value)| *value == self);
        row.map_or("", |(word, _)| *word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        SiteTls,
        client::Verify,
        server::{EngineKind, Fsync, LogFormat, LogLevel, OnDuplicate, TlsMode},
    };

    fn each_word_is_that_of_its_value<T: Word>(count: usize) {
        assert_eq!(T::WORDS.len(), count);
        for (word, value) in T::WORDS {
            assert_eq!(value.word(), *word);
        }
    }

    #[test]
    fn every_value_has_one_word() {
        each_word_is_that_of_its_value::<EngineKind>(2);
        each_word_is_that_of_its_value::<TlsMode>(3);
        each_word_is_that_of_its_value::<OnDuplicate>(3);
        each_word_is_that_of_its_value::<Fsync>(3);
        each_word_is_that_of_its_value::<LogLevel>(5);
        each_word_is_that_of_its_value::<LogFormat>(2);
        each_word_is_that_of_its_value::<Verify>(3);
        each_word_is_that_of_its_value::<SiteTls>(4);
    }
}
