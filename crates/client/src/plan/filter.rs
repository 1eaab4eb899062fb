//! Which names of a tree take part: include and exclude patterns, the last match wins. Pure.
//!
//! A pattern without `/` matches the name at any depth, one with `/` the path from the top; a
//! trailing `/` matches directories only; `**` crosses directories. What lies below an excluded
//! directory is excluded, and not even listed.

use globset::{Glob, GlobBuilder, GlobMatcher};

/// A pattern that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the pattern `{pattern}` cannot be read: {reason}")]
pub struct BadPattern {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Clone, Debug)]
struct Rule {
    include: bool,
    whole_path: bool,
    dirs_only: bool,
    glob: GlobMatcher,
}

/// An ordered list of patterns.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    rules: Vec<Rule>,
    any_include: bool,
}

impl Filter {
    /// Adds a pattern of names to leave out.
    ///
    /// # Errors
    /// The pattern cannot be read.
    pub fn exclude(&mut self, pattern: &str) -> Result<(), BadPattern> {
        self.add(pattern, false)
    }

    /// Adds a pattern of names to take. With only such patterns, all other files are left out.
    ///
    /// # Errors
    /// The pattern cannot be read.
    pub fn include(&mut self, pattern: &str) -> Result<(), BadPattern> {
        self.any_include |= self.rules.is_empty();
        self.add(pattern, true)
    }

    fn add(&mut self, pattern: &str, include: bool) -> Result<(), BadPattern> {
        let bare = pattern.trim_end_matches('/');
        let glob = compile(bare.trim_start_matches('/'))?;
        self.rules.push(Rule {
            include,
            whole_path: bare.contains('/'),
            dirs_only: pattern.ends_with('/'),
            glob: glob.compile_matcher(),
        });
        Ok(())
    }

    /// Tells whether a path (relative, `/` between components) takes part.
    #[must_use]
    pub fn takes(&self, path: &str, is_dir: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let matching = self.rules.iter().rev().find(|rule| {
            let subject = if rule.whole_path { path } else { name };
            (is_dir || !rule.dirs_only) && rule.glob.is_match(subject)
        });
        match matching {
            Some(rule) => rule.include,
            // A directory that no pattern names may hold what one includes.
            None => is_dir || !self.any_include,
        }
    }
}

fn compile(pattern: &str) -> Result<Glob, BadPattern> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| BadPattern {
            pattern: pattern.to_owned(),
            reason: error.kind().to_string(),
        })
}

/// Tells whether a word is a pattern rather than a name.
#[must_use]
pub fn is_pattern(word: &str) -> bool {
    word.contains(['*', '?', '['])
}

/// Compiles one pattern for the names of one directory (`get *.txt`).
///
/// # Errors
/// The pattern cannot be read.
pub fn matcher(pattern: &str) -> Result<impl Fn(&str) -> bool + use<>, BadPattern> {
    let glob = compile(pattern)?.compile_matcher();
    let hidden = pattern.starts_with('.');
    Ok(move |name: &str| (hidden || !name.starts_with('.')) && glob.is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(rules: &[&str]) -> Filter {
        let mut filter = Filter::default();
        for rule in rules {
            match rule.split_at(1) {
                ("+", pattern) => filter.include(pattern).unwrap(),
                (_, pattern) => filter.exclude(pattern).unwrap(),
            }
        }
        filter
    }

    #[test]
    fn names_match_at_any_depth_and_paths_from_the_top() {
        let filter = filter(&["-*.tmp", "-/build", "-a/b/*.o", "-cache/"]);
        for gone in ["x.tmp", "d/x.tmp", "a/b/x.o"] {
            assert!(!filter.takes(gone, false), "{gone}");
        }
        assert!(!filter.takes("build", true) && !filter.takes("d/cache", true));
        for kept in ["x.txt", "a/b/c/x.o", "cache", "d/build"] {
            assert!(filter.takes(kept, false), "{kept}");
        }
    }

    #[test]
    fn the_last_match_wins() {
        let filter = filter(&["-*.log", "+keep.log"]);
        assert!(filter.takes("keep.log", false) && !filter.takes("a.log", false));
        assert!(filter.takes("a.txt", false));
    }

    #[test]
    fn an_include_alone_leaves_all_else_out_but_opens_directories() {
        let filter = filter(&["+*.jpg"]);
        assert!(filter.takes("d/a.jpg", false) && !filter.takes("d/a.txt", false));
        assert!(filter.takes("d", true));
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Filter::default().exclude("a[").unwrap_err();
        assert!(error.to_string().contains("`a[`"), "{error}");
        assert!(is_pattern("*.txt") && !is_pattern("a.txt"));
        let matches = matcher("*.txt").unwrap();
        assert!(matches("a.txt") && !matches(".a.txt") && !matches("a.txt.gz"));
    }
}
