//! The text between a table and the next header: comments of the one, of the other, or of nobody.
//!
//! The document keeps all of it with the table below, or as its end; called by `edit`, so that a
//! table that comes or goes leaves the comments of its neighbours where they were.

use toml_edit::{DocumentMut, Item, RawString, Table};

/// Returns the place of the last table that has a header.
pub(super) fn last_place(document: &DocumentMut) -> Option<isize> {
    places(document.as_table()).into_iter().max()
}

/// Takes the comments right below the table at `place`, up to the first empty line, out of the
/// document. Without a place: all that stands before the end of a file without tables.
pub(super) fn take_comments(document: &mut DocumentMut, place: Option<isize>) -> String {
    let mut taken = String::new();
    change(document, place, |gap, is_end| {
        let at = match place {
            Some(_) => end_of_comments(gap, is_end),
            None => gap.len(),
        };
        taken = gap[..at].to_owned();
        gap[at..].to_owned()
    });
    if !taken.is_empty() && !taken.ends_with('\n') {
        taken.push('\n');
    }
    taken
}

/// Puts what stood above a table that is gone above what stands below it.
pub(super) fn give_back(document: &mut DocumentMut, place: Option<isize>, above: &str) {
    change(document, place, |gap, _| {
        let is_set_apart = ["", "\n"].contains(&above) || above.ends_with("\n\n");
        let below = match is_set_apart {
            true => gap.strip_prefix('\n').unwrap_or(gap),
            false => gap,
        };
        format!("{above}{below}")
    });
}

/// Comments belong to the table above up to the first empty line; without one, to the header below.
fn end_of_comments(gap: &str, is_end: bool) -> usize {
    let mut at = 0;
    for line in gap.split_inclusive('\n') {
        if line.trim().is_empty() {
            return at;
        }
        at += line.len();
    }
    if is_end { gap.len() } else { 0 }
}

/// Writes the gap behind `place` anew; the second argument tells whether it ends the file.
fn change(
    document: &mut DocumentMut,
    place: Option<isize>,
    with: impl FnOnce(&str, bool) -> String,
) {
    let text = |raw: Option<&RawString>| {
        let text = raw.and_then(RawString::as_str);
        text.unwrap_or_default().to_owned()
    };
    let next = places(document.as_table())
        .into_iter()
        .filter(|other| place.is_none_or(|place| *other > place))
        .min();
    match next.and_then(|next| table_at(document.as_table_mut(), next)) {
        Some(table) => {
            let gap = text(table.decor().prefix());
            table.decor_mut().set_prefix(with(&gap, false));
        }
        None => {
            let gap = text(Some(document.trailing()));
            document.set_trailing(with(&gap, true));
        }
    }
}

fn has_header(table: &Table) -> bool {
    !table.is_implicit() && !table.is_dotted()
}

/// The places of all tables below this one that have a header.
fn places(table: &Table) -> Vec<isize> {
    let below = |table: &Table| {
        let own = has_header(table).then(|| table.position()).flatten();
        own.into_iter().chain(places(table)).collect::<Vec<_>>()
    };
    let of_item = |item: &Item| match item {
        Item::Table(table) => below(table),
        Item::ArrayOfTables(tables) => tables.iter().flat_map(below).collect(),
        _ => Vec::new(),
    };
    table.iter().flat_map(|(_, item)| of_item(item)).collect()
}

fn table_at(table: &mut Table, place: isize) -> Option<&mut Table> {
    let find = |table| -> Option<&mut Table> {
        let table: &mut Table = table;
        match has_header(table) && table.position() == Some(place) {
            true => Some(table),
            false => table_at(table, place),
        }
    };
    table.iter_mut().find_map(|(_, item)| match item {
        Item::Table(table) => find(table),
        Item::ArrayOfTables(tables) => tables.iter_mut().find_map(find),
        _ => None,
    })
}
