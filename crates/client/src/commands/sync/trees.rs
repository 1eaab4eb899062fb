//! The two trees of a `sync`, as they are compared: read, with the times that it takes, and each name matched
//! with its other spelling.

use std::{collections::BTreeSet, path::Path};

use super::{
    super::{
        operands::{filter, is_dir},
        tell_left, tell_notes,
    },
    exact::ask_times,
};
use crate::{
    app::{App, Failure, Link},
    cli::Sync,
    plan::{
        blind::{Aim, match_alike, match_cases},
        fat::allow_for_fat,
        filter::Filter,
        sync::Way,
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
    let (mut there, is_there) = walk_there(app, link, top, &filter, way).await?;
    if !args.checksum {
        ask_times(app, link, &here, &mut there, top).await?;
        match way {
            Way::Up => allow_for_fat(&here, &mut there),
            Way::Down => allow_for_fat(&there, &mut here),
        }
    }
    let mut session = link.session().await?;
    let (source, target, mut aim) = match way {
        Way::Up => (&mut here, &mut there, Aim::There(&mut *session, top)),
        Way::Down => (&mut there, &mut here, Aim::Here(local)),
    };
    let left = match_cases(source, target, &mut aim, !args.dry_run).await?;
    tell_left(app, &left);
    let (doubtful, left) = match_alike(source, target, &mut aim, !args.dry_run).await?;
    tell_left(app, &left);
    link.pool.give_back(session);
    tell_notes(app, &here.notes);
    tell_notes(app, &there.notes);
    Ok(Trees {
        here,
        there,
        is_there,
        doubtful,
    })
}

/// Reads the remote tree, and tells whether it is there at all: an upload makes one that is not.
async fn walk_there(
    app: &App,
    link: &Link,
    top: &str,
    filter: &Filter,
    way: Way,
) -> Result<(Tree, bool), Failure> {
    let walked = app.persist(link, async |session| {
        let is_there = match top {
            "/" | "." => true,
            _ => is_dir(session, top).await?,
        };
        if !is_there && way == Way::Up {
            return Ok((Tree::default(), is_there));
        }
        let tree = walk::remote(session, top, filter, &app.cancel).await?;
        Ok((tree, is_there))
    });
    Ok(walked.await?)
}
