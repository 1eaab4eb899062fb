//! POSIX access lists as the system gives them (acl(5)).

use rustix::{fs::Mode, io::Errno};

/// Where the system keeps a file's access list, and the one that a directory gives to new files.
pub(crate) const ACCESS: &str = "system.posix_acl_access";
pub(crate) const DEFAULT: &str = "system.posix_acl_default";

/// The longest attribute that the system has (xattr(7)).
const LONGEST: usize = 64 << 10;

/// Reads an attribute. Few are long, and the system makes a buffer of the size that it is asked for.
pub(crate) fn read(
    mut get: impl FnMut(&mut Vec<u8>) -> Result<usize, Errno>,
) -> Result<Vec<u8>, Errno> {
    let mut value = Vec::with_capacity(256);
    if let Err(error) = get(&mut value) {
        if error != Errno::RANGE {
            return Err(error);
        }
        value = Vec::with_capacity(LONGEST);
        get(&mut value)?;
    }
    Ok(value)
}

// An access list as the system gives it: four bytes of version, then entries of eight, little-endian:
// tag (2), permission (2), user or group (4). linux/posix_acl_xattr.h.
const OWNER: u8 = 0x01;
const GROUP: u8 = 0x04;
const MASK: u8 = 0x10;
const OTHERS: u8 = 0x20;

fn permission(list: &[u8], tag: u8) -> Option<u32> {
    let mut entries = list.get(4..)?.chunks_exact(8);
    let entry = entries.find(|entry| entry[0] == tag)?;
    Some(u32::from(entry[2]))
}

/// The bits of a file's mode that say the same as `list`.
pub(crate) fn mode_of(list: &[u8]) -> Mode {
    let of = |tag| permission(list, tag).unwrap_or_default();
    let group = permission(list, MASK).unwrap_or_else(|| of(GROUP));
    Mode::from_raw_mode(of(OWNER) << 6 | group << 3 | of(OTHERS))
}

/// Takes from the owning group what others have not.
pub(crate) fn limit_group(list: &mut [u8]) {
    let others = permission(list, OTHERS).unwrap_or_default() as u8;
    let entries = list.get_mut(4..).unwrap_or_default().chunks_exact_mut(8);
    for entry in entries.filter(|entry| entry[0] == GROUP) {
        entry[2] &= others;
    }
}

/// Takes everything from others.
pub(crate) fn shut_out_others(list: &mut [u8]) {
    let entries = list.get_mut(4..).unwrap_or_default().chunks_exact_mut(8);
    for entry in entries.filter(|entry| entry[0] == OTHERS) {
        entry[2] = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of tags with their permissions.
    fn list(entries: &[(u8, u8)]) -> Vec<u8> {
        let mut list = vec![2, 0, 0, 0];
        for &(tag, may) in entries {
            list.extend([tag, 0, may, 0, 0xff, 0xff, 0xff, 0xff]);
        }
        list
    }

    #[test]
    fn the_mask_is_what_a_mode_shows_of_the_group() {
        let short = list(&[(OWNER, 6), (GROUP, 4), (OTHERS, 0)]);
        assert_eq!(mode_of(&short).bits(), 0o640);
        let long = list(&[(OWNER, 7), (2, 7), (GROUP, 0), (MASK, 6), (OTHERS, 1)]);
        assert_eq!(mode_of(&long).bits(), 0o761);
        assert_eq!(mode_of(&[]).bits(), 0);
    }

    #[test]
    fn a_long_attribute_is_read_whole_and_other_errors_are_told() {
        let asked = |bytes: usize| {
            read(|buffer| {
                if buffer.capacity() < bytes {
                    return Err(Errno::RANGE);
                }
                buffer.resize(bytes, 7);
                Ok(bytes)
            })
        };
        for bytes in [0, 256, 257, 64 << 10] {
            assert_eq!(asked(bytes).map(|value| value.len()), Ok(bytes));
        }
        assert_eq!(read(|_| Err(Errno::NODATA)), Err(Errno::NODATA));
    }

    #[test]
    fn another_group_may_no_more_than_others() {
        let mut long = list(&[(OWNER, 7), (2, 7), (GROUP, 6), (MASK, 6), (OTHERS, 4)]);
        limit_group(&mut long);
        let want = list(&[(OWNER, 7), (2, 7), (GROUP, 4), (MASK, 6), (OTHERS, 4)]);
        assert_eq!(long, want);
    }
}
