//! Shell patterns in LIST, NLST and STAT: `*`, `?`, `[a-z]`, `[!a]`. Pure, and bounded in work: a
//! match takes at most pattern times name steps, and only the last component may be a pattern.

/// A pattern for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Char(char),
    Any,
    Star,
    Set {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Pattern {
    /// Reads a pattern; `None` when the text has nothing special and is just a name. A `[` without
    /// its `]` stands for itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut special = false;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            let part = match c {
                '*' => Part::Star,
                '?' => Part::Any,
                '[' => match set(rest) {
                    Some((part, tail)) => {
                        rest = tail;
                        part
                    }
                    None => Part::Char('['),
                },
                _ => Part::Char(c),
            };
            special |= !matches!(part, Part::Char(_));
            if part != Part::Star || parts.last() != Some(&Part::Star) {
                parts.push(part);
            }
        }
        special.then_some(Self(parts))
    }

    /// Tells whether the whole name fits. A leading dot is matched by a dot only.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if name.starts_with('.') && self.0.first() != Some(&Part::Char('.')) {
            return false;
        }
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut n) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while n < name.len() {
            match self.0.get(at) {
                Some(Part::Star) => {
                    retry = Some((at + 1, n));
                    at += 1;
                }
                Some(part) if part.fits(name[n]) => {
                    at += 1;
                    n += 1;
                }
                _ => match retry {
                    Some((after_star, from)) => {
                        retry = Some((after_star, from + 1));
                        at = after_star;
                        n = from + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|part| *part == Part::Star)
    }
}

impl Part {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Any | Self::Star => true,
            Self::Set { not, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *not
            }
        }
    }
}

fn set(text: &str) -> Option<(Part, &str)> {
    let (not, body) = match text.strip_prefix(['!', '^']) {
        Some(body) => (true, body),
        None => (false, text),
    };
    // A `]` that comes first belongs to the set.
    let first = body.chars().next()?.len_utf8();
    let end = first + body[first..].find(']')?;
    let inside: Vec<char> = body[..end].chars().collect();
    let mut ranges = Vec::new();
    let mut i = 0;
    while i < inside.len() {
        if i + 2 < inside.len() && inside[i + 1] == '-' {
            ranges.push((inside[i], inside[i + 2]));
            i += 3;
        } else {
            ranges.push((inside[i], inside[i]));
            i += 1;
        }
    }
    Some((Part::Set { not, ranges }, &body[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn stars_marks_and_sets() {
        assert!(fits("*.txt", "a.txt") && !fits("*.txt", "a.txt2"));
        assert!(fits("a?c", "abc") && !fits("a?c", "ac"));
        assert!(fits("[a-c]x", "bx") && !fits("[!a-c]x", "bx") && fits("[]]", "]"));
        assert!(fits("*a*b*", "xxaxxbxx") && !fits("*a*b*", "xxbxxaxx"));
        assert!(fits("中*", "中文") && fits("?", "文"));
    }

    #[test]
    fn hidden_names_need_a_dot() {
        assert!(!fits("*", ".a") && fits(".*", ".a") && !fits("[.]a", ".a"));
    }

    #[test]
    fn plain_names_are_no_patterns() {
        assert_eq!(Pattern::parse("a.txt"), None);
        assert_eq!(Pattern::parse("a[b"), None);
        assert_eq!(Pattern::parse(""), None);
    }

    #[test]
    fn many_stars_end_in_time() {
        let name = "a".repeat(255);
        assert!(!fits(&format!("{}b", "*a".repeat(200)), &name));
    }

    proptest! {
        #[test]
        fn nothing_panics(pattern in ".{0,20}", name in ".{0,20}") {
            if let Some(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.matches(&name);
            }
        }
    }
}
