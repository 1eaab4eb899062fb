//! The two trees of a `sync`, as they are compared: read, with the times that it takes, and each name matched
//! with its other spelling.

use std::{collections::BTreeSet, path::Path};

use super::{
    super::{
        operands::{filter, is_dir, make_top},
        tell_left, tell_notes,
    },
    exact::ask_times,
};
use crate::{
    app::{App, Failure, Link},
    cli::Sync,
    error::{Error, RemoteError},
    plan::{
        blind::{Aim, match_alike, match_cases},
        fat::allow_for_fat,
        filter::Filter,
        reveal::reveal,
        sync::Way,
        unlisted::unlisted,
        walk::{self, Tree},
    },
};

/// Both trees, and what is known of them beside what is in them.
pub(super) struct Trees {
    pub(super) here: Tree,
    pub(super) there: Tree,
    /// The remote top is there.
    pub(super) is_there: bool,
    /// What the target may have of the source under other names.
    pub(super) doubtful: BTreeSet<String>,
}

/// Reads both trees and matches their names.
pub(super) async fn trees(
    app: &App,
    args: &Sync,
    link: &Link,
    local: &Path,
    top: &str,
    way: Way,
) -> Result<Trees, Failure> {
    let filter = filter(&args.patterns)?;
    let mut here = if way == Way::Down && !local.exists() {
        Tree::default()
    } else {
        walk::here(local, &filter, &app.cancel).await?
    };
    let (mut there, is_there) = walk_there(app, args, link, top, &filter, way).await?;
    if !args.checksum {
        ask_times(app, link, &here, &mut there, top).await?;
        match way {
            Way::Up => allow_for_fat(&here, &mut there),
            Way::Down => allow_for_fat(&there, &mut here),
        }
    }
    let sides = ((&mut here, local), (&mut there, top));
    let doubtful = match_names(app, args, link, way, sides).await?;
    if args.update && way == Way::Up {
        ask_for_hidden(app, link, &here, (&mut there, top), &filter).await?;
    } else if args.delete && way == Way::Down {
        spare_unlisted(app, link, &here, &mut there, top).await?;
    }
    tell_notes(app, &here.notes);
    tell_notes(app, &there.notes);
    Ok(Trees {
        here,
        there,
        is_there,
        doubtful,
    })
}

/// Spells the target's names as the source does; returns those that may be of the source and were not proved to be.
async fn match_names(
    app: &App,
    args: &Sync,
    link: &Link,
    way: Way,
    ((here, local), (there, top)): ((&mut Tree, &Path), (&mut Tree, &str)),
) -> Result<BTreeSet<String>, Failure> {
    let mut session = link.session().await?;
    let (source, target, mut aim) = match way {
        Way::Up => (here, there, Aim::There(&mut *session, top)),
        Way::Down => (there, here, Aim::Here(local)),
    };
    let left = match_cases(source, target, &mut aim, !args.dry_run).await?;
    tell_left(app, &left);
    let (doubtful, left) = match_alike(source, target, &mut aim, !args.dry_run).await?;
    tell_left(app, &left);
    link.pool.give_back(session);
    Ok(doubtful)
}

/// Takes in what the server has though its listing does not show it: it may be newer.
async fn ask_for_hidden(
    app: &App,
    link: &Link,
    here: &Tree,
    (there, top): (&mut Tree, &str),
    filter: &Filter,
) -> Result<(), Failure> {
    let asking = app.persist(link, async |session| {
        reveal(session, here, (&*there, top), filter, &app.cancel).await
    });
    let revealed = asking.await?;
    there.absorb(revealed);
    Ok(())
}

/// Leaves alone what the server has though its listing does not show it.
async fn spare_unlisted(
    app: &App,
    link: &Link,
    here: &Tree,
    there: &mut Tree,
    top: &str,
) -> Result<(), Failure> {
    let asking = app.persist(link, async |session| {
        unlisted(session, here, (there, top), &app.cancel).await
    });
    for path in asking.await? {
        there.leave_out(
            &path,
            "the server does not list it, but has it, or may have it",
        );
    }
    Ok(())
}

/// Reads the remote tree, and tells whether it is there at all. An upload makes one that is not, before anything
/// is planned: of one that is there after all, nothing may be taken for missing.
async fn walk_there(
    app: &App,
    args: &Sync,
    link: &Link,
    top: &str,
    filter: &Filter,
    way: Way,
) -> Result<(Tree, bool), Failure> {
    let asking = app.persist(link, async |session| match top {
        "/" | "." => Ok(true),
        _ => Ok(is_dir(session, top).await?),
    });
    let is_there = asking.await?;
    if !is_there && way == Way::Up && (args.dry_run || make_top(app, link, top).await?) {
        return Ok((Tree::default(), !args.dry_run));
    }
    let walking = app.persist(link, async |session| {
        walk::remote(session, top, filter, &app.cancel).await
    });
    match walking.await {
        // A drop box is not shown, and may be entered and filled.
        Err(Error::Remote(RemoteError::Refused { reply, .. }))
            if !is_there && way == Way::Up && reply.code >= 500 =>
        {
            Ok((Tree::default(), true))
        }
        walked => Ok((walked?, true)),
    }
}
