//! The last step of an upload: the part takes the final name, as the server treats names that are
//! taken.

use crate::{
    error::RemoteError,
    remote::{OnDuplicate, Remote, names},
};

/// Names beside a taken one that are tried.
const MOST: u32 = 100;

/// Gives a whole part its final name and returns the name that it has now.
///
/// Where a server will not rename over a file, that file goes first: an upload replaces. Not where
/// the server says that it keeps what is there (`X-ON-DUPLICATE`): there nothing is removed, and the
/// part gets a name beside it, or none.
///
/// # Errors
/// The server's refusal; what was there is still there, and the part is gone when it never can be
/// published.
pub(super) async fn publish(
    remote: &mut dyn Remote,
    part: &str,
    path: &str,
) -> Result<String, RemoteError> {
    let error = match remote.rename(part, path).await {
        Ok(()) => return Ok(path.to_owned()),
        Err(error) => error,
    };
    let at_target = matches!(&error, RemoteError::Refused { verb, .. } if verb == "RNTO");
    if !at_target || error.is_transient() {
        return Err(error);
    }
    let published = match remote.abilities().on_duplicate() {
        OnDuplicate::Refuse => Err(error),
        OnDuplicate::Rename => beside(remote, part, path, error).await,
        OnDuplicate::Overwrite => match remote.remove_file(path).await {
            // From here on the part is all there is.
            Ok(()) => return remote.rename(part, path).await.map(|()| path.to_owned()),
            Err(_) => Err(error),
        },
    };
    if published.as_ref().is_err_and(|error| !error.is_transient()) {
        let _gone = remote.remove_file(part).await;
    }
    published
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
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    };
    names::join(dir, &format!("{stem} ({n}){extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_goes_before_the_extension() {
        assert_eq!(name_beside("/in.d/a.tar.gz", 2), "/in.d/a.tar (2).gz");
        assert_eq!(name_beside("a", 1), "a (1)");
        assert_eq!(name_beside("/in/.bashrc", 1), "/in/.bashrc (1)");
    }
}
