//! Where a file can become another one: its own name, and each link on the way to it.

use std::path::{Path, PathBuf};

/// As many links on one way as the system follows.
const MOST_LINKS: usize = 40;

/// Returns the names at which `file` can become another one: each link on the way to it, and the
/// file that it leads to.
pub(super) fn places_of(file: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    let mut path = file.to_owned();
    while let Some((link, target)) = first_link(&path).filter(|_| places.len() < MOST_LINKS) {
        let rest = path.strip_prefix(&link).unwrap_or(Path::new(""));
        let from = link.parent().unwrap_or(Path::new(""));
        // An empty rest would make a directory of the target.
        path = match rest.as_os_str().is_empty() {
            true => from.join(target),
            false => from.join(target).join(rest),
        };
        places.push(link);
    }
    places.push(path);
    places
}

fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut ways: Vec<_> = path.ancestors().collect();
    ways.reverse();
    ways.into_iter()
        .find_map(|way| Some((way.to_owned(), std::fs::read_link(way).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_in_a_circle_come_to_an_end() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("a")).unwrap();
        assert!(places_of(&dir.path().join("a")).len() > MOST_LINKS);
    }
}
