//! Passphrases that a person can read aloud and type on a phone: groups of five letters, consonants
//! and vowels in turn, 16 bits a group. Made here, shown once by who asked.

use ftp_config::Secret;

use super::password::HashError;

const CONSONANTS: [char; 16] = [
    'b', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z',
];
const VOWELS: [char; 4] = ['a', 'i', 'o', 'u'];
/// 64 bits: no one guesses it through a login, nor from its hash in the lifetime of a share.
const GROUPS: usize = 4;

/// Makes a passphrase of 64 random bits.
///
/// # Errors
/// [`HashError`] when the system gives no random bytes.
pub fn make() -> Result<Secret, HashError> {
    let mut random = [0u8; GROUPS * 2];
    getrandom::fill(&mut random).map_err(|e| HashError::no_randomness(&e.to_string()))?;
    Ok(Secret::new(spell(&random)))
}

/// Spells bytes, two a group; an odd last byte is left out.
fn spell(bytes: &[u8]) -> String {
    let groups: Vec<String> = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| spell_group(u16::from_be_bytes(*pair)))
        .collect();
    groups.join("-")
}

fn spell_group(bits: u16) -> String {
    let consonant = |shift: u16| CONSONANTS[usize::from(bits >> shift & 15)];
    let vowel = |shift: u16| VOWELS[usize::from(bits >> shift & 3)];
    [
        consonant(12),
        vowel(10),
        consonant(6),
        vowel(4),
        consonant(0),
    ]
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn bytes_are_spelled_as_words_one_can_say() {
        assert_eq!(spell(&[127, 0, 0, 1]), "lusab-babad");
        assert_eq!(spell(&[]), "");
        let all: HashSet<_> = (0..=u16::MAX).map(spell_group).collect();
        assert_eq!(all.len(), 1 << 16, "no two groups are alike");
    }

    #[test]
    fn each_passphrase_is_new_and_needs_no_quoting() {
        let (a, b) = (make().unwrap(), make().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.expose().len(), 4 * 5 + 3);
        assert!(
            a.expose()
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-')
        );
    }
}
