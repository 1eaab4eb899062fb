//! The last step of an upload: the part takes the final name, as the server treats names that are
//! taken.

use super::part::part_name;
use crate::{
    error::RemoteError,
    remote::{Kind, OnDuplicate, Remote, names},
    work::chance_tag,
};

/// Names beside a taken one that are tried.
const MOST: u32 = 100;

/// Gives a whole part its final name and returns the name that it has now.
///
/// Where a server will not rename over a file, that file goes aside first: an upload replaces. Not
/// where the server says that it keeps what is there (`X-ON-DUPLICATE`): there nothing is moved, and
/// the part gets a name beside it, or none.
///
/// `aside` is the name that what was there has now, if it has not its own and is not gone; it is
/// kept from one try to the next.
///
/// # Errors
/// The server's refusal; what was there is still there, or aside, and so is the part.
pub(super) async fn publish(
    remote: &mut dyn Remote,
    part: &str,
    path: &str,
    aside: &mut Option<String>,
) -> Result<String, RemoteError> {
    let name = match remote.rename(part, path).await {
        Ok(()) => path.to_owned(),
        Err(error) => {
            let at_target = matches!(&error, RemoteError::Refused { verb, .. } if verb == "RNTO");
            if !at_target || error.is_transient() {
                return Err(error);
            }
            match remote.abilities().on_duplicate() {
                OnDuplicate::Refuse => return Err(error),
                OnDuplicate::Rename => beside(remote, part, path, error).await?,
                OnDuplicate::Overwrite => replace(remote, part, path, aside, error).await?,
            }
        }
    };
    remove_aside(remote, aside).await;
    Ok(name)
}

/// Removes what was there, once it is replaced.
pub(super) async fn remove_aside(remote: &mut dyn Remote, aside: &mut Option<String>) {
    if let Some(old) = aside
        && remote.remove_file(old).await.is_ok()
    {
        *aside = None;
    }
}

/// Publishes over a file that the server will not rename over. That it lets the old one be renamed
/// proves that the name is what stands in the way; if it does not, nothing was moved.
async fn replace(
    remote: &mut dyn Remote,
    part: &str,
    path: &str,
    aside: &mut Option<String>,
    refusal: RemoteError,
) -> Result<String, RemoteError> {
    let old = remote.stat(path).await?;
    if old.is_some_and(|entry| entry.kind == Kind::File) {
        let name = aside.get_or_insert_with(|| name_aside(path));
        if let Err(error) = remote.rename(path, name).await {
            if error.is_transient() {
                return Err(error);
            }
            *aside = None;
        }
    }
    let Some(name) = aside.clone() else {
        return Err(refusal);
    };
    let error = match remote.rename(part, path).await {
        Ok(()) => return Ok(path.to_owned()),
        Err(error) => error,
    };
    if !error.is_transient() && remote.rename(&name, path).await.is_ok() {
        *aside = None;
    }
    Err(error)
}

/// The names that an old file may go aside by. The second is for servers that take none so long (8.3), or none of
/// another kind.
pub(super) fn names_aside(path: &str) -> [String; 2] {
    let (dir, name) = names::split(path);
    let short = format!("f{}{}", &chance_tag()[1..], split_extension(name).1);
    [name_aside(path), names::join(dir, &short)]
}

fn name_aside(path: &str) -> String {
    part_name(path, &format!("{}.old", chance_tag()))
}

/// Tries the names beside the taken one, as long as being taken is what stands in the way.
async fn beside(
    remote: &mut dyn Remote,
    part: &str,
    path: &str,
    mut refusal: RemoteError,
) -> Result<String, RemoteError> {
    let mut taken = path.to_owned();
    for n in 1..=MOST {
        if remote.size(&taken).await?.is_none() {
            break;
        }
        taken = name_beside(path, n);
        match remote.rename(part, &taken).await {
            Ok(()) => return Ok(taken),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// `in/a.txt` becomes `in/a (1).txt`.
fn name_beside(path: &str, n: u32) -> String {
    let (dir, name) = names::split(path);
    let (stem, extension) = split_extension(name);
    names::join(dir, &format!("{stem} ({n}){extension}"))
}

fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_file_has_a_short_name_aside_too() {
        let [long, short] = names_aside("/in/a.b.jpg");
        assert!(long.starts_with("/in/a.b.jpg.") && long.ends_with(".old.ftpc-part"));
        let name = short.strip_prefix("/in/f").unwrap();
        assert_eq!((name.len(), &name[7..]), (11, ".jpg"));
        assert_eq!(names_aside(".profile")[1].len(), 8);
    }

    #[test]
    fn the_number_goes_before_the_extension() {
        assert_eq!(name_beside("/in.d/a.tar.gz", 2), "/in.d/a.tar (2).gz");
        assert_eq!(name_beside("a", 1), "a (1)");
        assert_eq!(name_beside("/in/.bashrc", 1), "/in/.bashrc (1)");
    }
}
