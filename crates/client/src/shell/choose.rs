//! Which of several files are meant: patterns spelt out, directories left out, questions asked.

use super::act::Shell;
use crate::{
    app::{App, Failure},
    commands::look::{Found, look},
    error::Error,
    plan::filter::is_pattern,
    remote::{Kind, Remote, names},
    ui::{ask, escape::shown},
};

impl Shell<'_> {
    /// With `prompt` on, asks about each.
    pub(super) fn confirmed(&self, names: Vec<String>) -> Result<Vec<String>, Failure> {
        if !self.asks {
            return Ok(names);
        }
        let mut kept = Vec::new();
        for name in names {
            if wanted(self.app, &name)? {
                kept.push(name);
            }
        }
        match kept.as_slice() {
            [] => Err(Failure::usage("nothing was chosen")),
            _ => Ok(kept),
        }
    }

    /// With `prompt` on, asks about each file that remote patterns match too.
    pub(super) async fn confirmed_there(&self, paths: Vec<String>) -> Result<Vec<String>, Failure> {
        let spell_out = self.asks && paths.iter().any(|path| is_pattern(names::split(path).1));
        if !spell_out {
            return self.confirmed(paths);
        }
        let look = async |session: &mut dyn Remote| look_at_all(self.app, session, &paths).await;
        self.confirmed(self.asked(look).await?)
    }
}

async fn look_at_all(
    app: &App,
    session: &mut dyn Remote,
    paths: &[String],
) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let (found, lacks) = look(session, path).await?;
        for what in lacks {
            app.ui.warn(format!("left out {what}"));
        }
        all.extend(found.into_iter().map(|(path, _)| path));
    }
    Ok(all)
}

/// Leaves directories out of what a pattern matches, and, if `asks`, what the person does not want.
pub(super) fn pick(app: &App, operand: &str, found: Found, asks: bool) -> Result<Found, Failure> {
    let mut kept = Found::new();
    let mut dirs = 0;
    for (path, entry) in found {
        if entry.kind == Kind::Dir && path != operand {
            app.ui
                .remark(format!("`{}` is a directory: left out", shown(&path)));
            dirs += 1;
        } else if !asks || wanted(app, &path)? {
            kept.push((path, entry));
        }
    }
    match (kept.as_slice(), dirs) {
        ([], 1..) if !asks => Err(Failure::usage(format!(
            "`{}` matches no file",
            shown(operand)
        ))),
        _ => Ok(kept),
    }
}

fn wanted(app: &App, name: &str) -> Result<bool, Failure> {
    let wanted = ask::yes(&shown(name), &app.cancel);
    if app.cancel.is_stopped() {
        return Err(Error::Interrupted.into());
    }
    Ok(wanted)
}
