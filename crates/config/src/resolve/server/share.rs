//! The tables that say what is served, and how files come to be there.

use std::time::Duration;

use crate::{
    Reserve, defaults,
    reader::Section,
    resolve::relative_to,
    server::{Fsync, Names, OnDuplicate, Share, Uploads},
    value::{self, ValueError},
};

pub(super) fn read_share(root: &Section<'_, '_>) -> Share {
    let section = root.section("share");
    let dir = root.faults().source().dir();
    let text = section.path("root", defaults::SHARE_ROOT);
    let root_text = text.map_or(defaults::SHARE_ROOT, |(text, _)| text);
    let share = Share {
        root: relative_to(dir, root_text),
        reserve: section
            .parsed("reserve", "1%")
            .unwrap_or(Reserve::Percent(1.0)),
        umask: section
            .parsed_by("umask", "022", |text| parse_mode(text, "022"))
            .unwrap_or(0o022),
        show_dotfiles: section.boolean("show_dotfiles", true),
        show_owner: section.boolean("show_owner", false),
    };
    section.finish();
    share
}

/// Mode bits are octal text, so that no one writes a decimal by accident.
fn parse_mode(text: &str, usual: &str) -> Result<u32, ValueError> {
    value::parse_mode(text, 0o777).ok_or_else(|| {
        ValueError::new(
            format!(
                "`{}` is not an octal mode from 000 to 777",
                text.escape_debug()
            ),
            format!("write three octal digits, as in \"{usual}\""),
        )
    })
}

pub(super) fn read_uploads(root: &Section<'_, '_>) -> Uploads {
    let section = root.section("uploads");
    let uploads = Uploads {
        on_duplicate: section.choice("on_duplicate", OnDuplicate::Overwrite),
        keep_partial_for: section.duration(
            "keep_partial_for",
            Duration::from_secs(24 * 3600),
            Duration::ZERO,
        ),
        fsync: section.choice("fsync", Fsync::File),
        mode: section
            .parsed_by("mode", "666", |text| parse_mode(text, "666"))
            .unwrap_or(0o666),
    };
    section.finish();
    uploads
}

pub(super) fn read_names(root: &Section<'_, '_>) -> Names {
    let section = root.section("names");
    let fallback = section
        .parsed_by("fallback", "gb18030", |text| match text {
            "none" => Ok(None),
            _ => text.parse().map(Some),
        })
        .unwrap_or_else(|| defaults::FALLBACK.parse().ok());
    section.finish();
    Names { fallback }
}
