//! What the operands of `get` name, and what the patterns leave of it.

use super::super::{
    look::{Found, look},
    operands::{filter, takes_operand},
};
use crate::{
    app::{App, Failure, Link},
    cli::Get,
    plan::{Step, filter::Filter},
    remote::{Kind, names},
};

/// What is fetched of what the operands name.
pub(super) struct Chosen {
    pub(super) found: Found,
    /// A refusal for each thing that a listing lacks.
    pub(super) lacks: Vec<Step>,
    /// More than one was named, or may have been.
    pub(super) is_several: bool,
    pub(super) filter: Filter,
}

pub(super) async fn chosen(
    app: &App,
    args: &Get,
    link: &Link,
    paths: &[String],
    choose: impl Fn(&str, Found) -> Result<Found, Failure>,
) -> Result<Chosen, Failure> {
    let (mut found, lacks) = look_all(link, paths, choose).await?;
    // A pattern that matched one file still lands in a directory, as one that matched two; what was named
    // decides, not what `--exclude` leaves of it.
    let is_several = found.len() > 1 || found.iter().any(|(path, _)| !paths.contains(path));
    let filter = filter(&args.patterns)?;
    found.retain(|(path, entry)| {
        let is_dir = entry.kind == Kind::Dir;
        takes_operand(app, &filter, names::split(path).1, is_dir)
    });
    if found.is_empty() && lacks.is_empty() {
        return Err(Failure::usage("nothing was chosen"));
    }
    Ok(Chosen {
        found,
        lacks,
        is_several,
        filter,
    })
}

/// Returns what the paths name, and a refusal for each thing that a listing lacks.
async fn look_all(
    link: &Link,
    paths: &[String],
    choose: impl Fn(&str, Found) -> Result<Found, Failure>,
) -> Result<(Found, Vec<Step>), Failure> {
    let mut session = link.session().await?;
    let (mut found, mut lacks) = (Found::new(), Vec::new());
    for path in paths {
        let (these, lacking) = look(&mut *session, path).await?;
        found.extend(choose(path, these)?);
        lacks.extend(lacking.into_iter().map(|what| left_out(path, what)));
    }
    link.pool.give_back(session);
    Ok((found, lacks))
}

/// Tells that a pattern may match what the listing lacks.
fn left_out(path: &str, what: String) -> Step {
    let name = names::display(path);
    Step::Refuse { name, what }
}
