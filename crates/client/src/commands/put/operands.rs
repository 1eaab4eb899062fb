//! What `put` is to send, and where it goes.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    app::{App, Failure, Link},
    cli::Put,
    commands::operands::{is_dir, make_top},
    error::Error,
    plan::{Plan, Step},
    remote::names,
    target::Target,
};

/// Where a source goes.
pub(super) enum To {
    /// Into this directory, under its own name.
    Dir(String),
    /// Under this very name.
    Name(String),
    /// Into this directory, which was made in the place of the source's own.
    New(String),
}

impl To {
    pub(super) fn of(&self, name: &str) -> String {
        match self {
            Self::Dir(dir) => names::join(dir, name),
            Self::Name(name) | Self::New(name) => name.clone(),
        }
    }
}

/// Tells the sources from where they go. The last operand is where they go when it names a server,
/// or when it is not a local file and there is another before it.
pub(super) fn split(app: &App, args: &Put) -> Result<(Vec<PathBuf>, Target), Failure> {
    let mut sources = args.files.clone();
    let default = Target::Path(String::new());
    let Some(last) = sources.last() else {
        return Ok((sources, default));
    };
    let Some(text) = last.to_str() else {
        return match sources.len() > 1 && !last.exists() {
            true => Err(not_text(last)),
            false => Ok((sources, default)),
        };
    };
    let target = app.target_or_local(text)?;
    let is_target = match &target {
        Target::Path(path) => sources.len() > 1 && path != "-" && !last.exists(),
        Target::Url(..) => true,
        // A file of that very name is meant before a site.
        Target::Site(..) => !last.exists(),
    };
    if !is_target {
        return Ok((sources, default));
    }
    if sources.len() == 1 {
        return Err(Failure::usage("no local file is named"));
    }
    if !target.is_explicit() {
        ensure_no_source(&sources, target.path(), args)?;
    }
    sources.pop();
    Ok((sources, target))
}

/// Refuses a last operand that is taken for a path on the server, and may be a local file that is missing.
fn ensure_no_source(operands: &[PathBuf], path: &str, args: &Put) -> Result<(), Failure> {
    let is_dir = path.ends_with('/');
    // With `-r` a directory may be written so, as completion does.
    if args.move_files && (args.recursive || !is_dir) {
        // A run of before may have moved it: another file must not get its name.
        return Err(Failure::Usage(
            format!("`{path}` is not here"),
            Some("say behind the files where they go: a site (`nas:`) or a URL".to_owned()),
        ));
    }
    // `put a b` with a missing b is a name on the server; a missing one of many is a mistake.
    if operands.len() > 2 && !is_dir {
        let missing = Path::new(path);
        return Err(Error::local("open", missing, io::ErrorKind::NotFound.into()).into());
    }
    Ok(())
}

fn not_text(name: &Path) -> Failure {
    Failure::Usage(
        format!(
            "`{}` is no local file, and no UTF-8 as a remote name",
            name.display()
        ),
        Some("write its bytes as %XX in a URL".to_owned()),
    )
}

/// `may_lack`: some may be missing, since a run of before has moved them, and the others are to go on.
pub(super) fn check_sources(
    sources: &[PathBuf],
    args: &Put,
    may_lack: bool,
) -> Result<(), Failure> {
    let mut is_any_there = false;
    for path in sources.iter().filter(|source| *source != Path::new("-")) {
        let source = path.display();
        let meta = match std::fs::metadata(path) {
            Err(error) if may_lack && error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(|error| Error::local("open", path, error))?,
        };
        is_any_there = true;
        if meta.is_dir() && !args.recursive {
            return Err(Failure::Usage(
                format!("`{source}` is a directory"),
                Some("send it with all it holds: `ftpc put -r`".to_owned()),
            ));
        }
        if !meta.is_dir() && !meta.is_file() {
            return Err(Failure::usage(format!("`{source}` is not a regular file")));
        }
    }
    let is_stream = sources.iter().any(|source| source == Path::new("-"));
    if sources.len() > 1 && is_stream {
        return Err(Failure::usage("standard input goes alone"));
    }
    match sources.first() {
        Some(first) if !is_any_there && !is_stream => {
            Err(Error::local("open", first, rustix::io::Errno::NOENT.into()).into())
        }
        _ => Ok(()),
    }
}

/// Tells where the sources go; `named` were named, before patterns.
pub(super) async fn destination(
    app: &App,
    link: &Link,
    args: &Put,
    (sources, named): (&[PathBuf], usize),
    to: &str,
    plan: &mut Plan,
) -> Result<To, Failure> {
    let to = match &args.output {
        // As an operand that ends so, and as with `get`.
        Some(dir) if dir.ends_with('/') => &names::join(to, dir),
        Some(_) if named > 1 => {
            return Err(Failure::usage("`-o` names one file, and there are several"));
        }
        Some(name) => return Ok(To::Name(names::join(to, name))),
        None => to,
    };
    if to == link.base {
        return Ok(To::Dir(to.to_owned()));
    }
    let top = to.trim_end_matches('/');
    let asking = app.persist(link, async |session| Ok(is_dir(session, top).await?));
    if asking.await? || top.is_empty() {
        return Ok(To::Dir(to.to_owned()));
    }
    if named > 1 || to.ends_with('/') {
        let dir = top.to_owned();
        plan.push(Step::MakeRemoteDir { path: dir.clone() });
        return Ok(To::Dir(dir));
    }
    let is_tree = sources.iter().any(|source| source.is_dir());
    Ok(match is_tree {
        false => To::Name(to.to_owned()),
        true if make_top(app, link, top).await? => To::New(to.to_owned()),
        // In it there may be files that nobody has named.
        true => To::Dir(to.to_owned()),
    })
}
