//! Names between the share and the disk: bytes that are not UTF-8, and names the server keeps.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
};

use ftp_config::{SharePath, lossless};

use super::ShareError;

/// The beginning of every partial's name.
pub(crate) const PARTIAL: &str = ".ftpd-part-";
/// The most bytes of a name on a disk (`NAME_MAX`).
pub(super) const LONGEST: usize = 255;
/// Why a longer one is refused.
pub(super) const TOO_LONG: &str = "it is over 255 bytes";

/// Returns the name that a client sees for a name on disk: lossless, whatever the bytes are.
#[must_use]
pub fn from_disk(name: &[u8]) -> Cow<'_, str> {
    lossless::decode(name)
}

/// Returns the bytes on disk of a name or a relative path.
#[must_use]
pub fn to_disk(text: &str) -> OsString {
    OsString::from_vec(lossless::encode(text).into_owned())
}

/// Tells whether a name on disk is one of our partials.
#[must_use]
pub fn is_partial(name: &OsStr) -> bool {
    is_kept_back(name.as_bytes())
}

/// In any case: some disks (FAT, shares of Windows) take both for one name.
fn is_kept_back(name: &[u8]) -> bool {
    name.get(..PARTIAL.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(PARTIAL.as_bytes()))
}

/// Refuses paths through names that the server keeps for itself.
pub(super) fn check(path: &SharePath) -> Result<(), ShareError> {
    if path.components().any(|name| is_kept_back(name.as_bytes())) {
        return Err(ShareError::Missing { path: path.clone() });
    }
    Ok(())
}

/// Refuses a name that is about to be made.
pub(super) fn check_new(path: &SharePath) -> Result<(), ShareError> {
    let why = match path.name() {
        Some(name) if is_kept_back(name.as_bytes()) => "the server keeps it for itself",
        Some(name) if name.chars().any(char::is_control) => "it holds a control character",
        Some(name) if to_disk(name).len() > LONGEST => TOO_LONG,
        _ => return Ok(()),
    };
    Err(ShareError::Name {
        path: path.clone(),
        why,
    })
}

/// Returns the characters of a name that some disks cannot hold (FAT, exFAT, shares of Windows), the
/// last one last, as those refuse some only at the end; `None`: there are none.
pub(super) fn odd_part(name: &str) -> Option<String> {
    let is_odd = |c: char| c < ' ' || lossless::is_raw(c) || "\"*:<>?|\\".contains(c);
    let mut part: String = name.chars().filter(|c| is_odd(*c)).take(8).collect();
    if let Some(end @ ('.' | ' ')) = name.chars().last() {
        part.push(end);
    }
    (!part.is_empty()).then_some(part)
}

/// What is longer is no extension that must be kept.
const LONGEST_EXTENSION: usize = 64;

/// Returns the `n`th free name to try beside `name`: `a (1).txt`.
pub(super) fn beside(name: &str, n: u32) -> String {
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_EXTENSION => name.split_at(dot),
        _ => (name, ""),
    };
    let mark = format!(" ({n})");
    // The mark must fit: the stem gives way, at a character's border.
    let room = 255usize.saturating_sub(mark.len() + extension.len());
    let cut = (0..=stem.len().min(room))
        .rev()
        .find(|at| stem.is_char_boundary(*at))
        .unwrap_or(0);
    format!("{}{mark}{extension}", &stem[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_on_disk_survives(bytes in proptest::collection::vec(1u8..=255, 0..40)) {
            let shown = from_disk(&bytes);
            let back = to_disk(&shown);
            prop_assert_eq!(back.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn utf8_names_are_themselves() {
        assert_eq!(from_disk("中文.txt".as_bytes()), "中文.txt");
        assert_eq!(to_disk("中文.txt"), OsString::from("中文.txt"));
        assert_eq!(from_disk(b"\xd6\xd0"), "\u{10FFD6}\u{10FFD0}");
        let marked = "a\u{10FFD6}";
        assert_eq!(
            to_disk(&from_disk(marked.as_bytes())),
            OsString::from(marked)
        );
    }

    #[test]
    fn a_free_name_keeps_its_extension_and_fits() {
        assert_eq!(beside("a.txt", 1), "a (1).txt");
        assert_eq!(beside("a", 12), "a (12)");
        assert_eq!(beside(".hidden", 1), ".hidden (1)");
        assert_eq!(beside(&format!("{}.iso", "x".repeat(251)), 7).len(), 255);
        assert_eq!(beside(&format!("a.{}", "x".repeat(253)), 1).len(), 255);
    }

    #[test]
    fn what_some_disks_cannot_hold_is_picked_out() {
        for plain in ["a.txt", "中文", ".hidden", "a b", ""] {
            assert_eq!(odd_part(plain), None, "{plain}");
        }
        for (name, odd) in [
            ("a?b*c", "?*"),
            ("end.", "."),
            ("a:b ", ": "),
            ("\u{10FFD6}x", "\u{10FFD6}"),
        ] {
            assert_eq!(odd_part(name).as_deref(), Some(odd));
        }
        assert_eq!(odd_part(&"?".repeat(250)).unwrap().len(), 8);
    }

    #[test]
    fn partials_are_not_there_for_clients() {
        for name in ["a/.ftpd-part-00", "a/.FTPD-Part-00"] {
            let path = SharePath::root().join(name).unwrap();
            assert!(matches!(check(&path), Err(ShareError::Missing { .. })));
            assert!(matches!(check_new(&path), Err(ShareError::Name { .. })));
        }
    }
}
