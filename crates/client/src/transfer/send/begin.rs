//! How much of this very file the server has already, and how to go on from there.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

use sha2::{Digest as _, Sha256};

use super::{Send, source::Source};
use crate::{
    error::{Error, RemoteError},
    hex,
    remote::{Data, Remote, Start},
    transfer::{
        Tools,
        fault::{self, CopyError},
        part::{is_cut, part_name},
        resume::{self, Begin},
    },
    work::blocking,
};

impl Send {
    /// Looks how much of this very file is there.
    pub(super) async fn begin(
        &self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        part: &str,
    ) -> Result<Begin, Error> {
        if self.is_stored(remote, source, part).await? {
            let size = source.size;
            return Ok(Begin::Resume {
                from: size,
                have: size,
            });
        }
        // A part this small is not worth the question.
        let resumes = tools.options.resume && !self.no_going_on;
        if part == self.remote || !resumes || source.size < resume::OVERLAP {
            return Ok(Begin::Fresh);
        }
        if remote.abilities().atomic_stor() {
            let kept = ask_kept(remote, part, source.size).await?;
            return Ok(match kept {
                Some(kept) if kept <= source.size => Begin::Resume {
                    from: kept,
                    have: kept,
                },
                _ => Begin::Fresh,
            });
        }
        let begin = resume::upload(remote.size(part).await?, source.size);
        if let Begin::Resume { from, have } = begin
            && self
                .overlap_is_equal(remote, source, part, from, have)
                .await?
        {
            return Ok(begin);
        }
        Ok(Begin::Fresh)
    }

    /// Whether the try before stored all of it and lost the session only then: some servers close it
    /// behind each upload.
    async fn is_stored(
        &self,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
    ) -> Result<bool, Error> {
        let confirmed = self.stored.as_ref().is_some_and(|stored| {
            stored.name == path && (stored.size, stored.modified) == (source.size, source.modified)
        });
        let has_all = confirmed
            && !remote.abilities().atomic_stor()
            && remote.size(path).await? == Some(source.size);
        Ok(has_all)
    }

    /// Reads the end of the part back. A server that will not show it gets the file anew.
    pub(super) async fn overlap_is_equal(
        &self,
        remote: &mut dyn Remote,
        source: &Source,
        part: &str,
        from: u64,
        have: u64,
    ) -> Result<bool, Error> {
        let mut data = match remote.open_read(part, from).await {
            Ok(data) => data,
            Err(error) if error.is_transient() && !error.may_refuse_restart() => {
                return Err(error.into());
            }
            Err(_) => return Ok(false),
        };
        data.obey(&self.flow.cancel);
        let file = source.handle(&self.local)?;
        let (data, same) = blocking(move || {
            let same = compare(&mut *data, &file, from, have);
            (data, same)
        })
        .await?;
        match same {
            Ok(same) => {
                data.finish().await?;
                Ok(same)
            }
            Err(error) => {
                let cancel = &self.flow.cancel;
                Err(fault::fail(remote, data, "RETR", &self.local, error, cancel).await)
            }
        }
    }
}

/// Asks a server that commits whole files how much of an unfinished one it keeps, which no SIZE
/// tells: an offset behind any end is refused with the number (`554 ... beyond the 400 bytes that
/// are here`).
async fn ask_kept(
    remote: &mut dyn Remote,
    part: &str,
    size: u64,
) -> Result<Option<u64>, RemoteError> {
    match remote.open_write(part, Start::At(size + 1)).await {
        Err(RemoteError::Refused { reply, .. }) if reply.code == 554 => {
            let text = reply.text();
            // Behind a name that may hold the same words.
            let number = text.rsplit_once(" beyond the ");
            let number = number.and_then(|(_, rest)| rest.split(' ').next());
            Ok(number
                .and_then(|number| number.parse().ok())
                .filter(|kept| *kept > 0))
        }
        Err(error) if error.is_transient() || error.is_no_room() => Err(error),
        Err(_) => Ok(None),
        Ok(data) => {
            drop(data);
            remote.settle().await?;
            Ok(None)
        }
    }
}

fn compare(data: &mut dyn Data, file: &File, from: u64, have: u64) -> Result<bool, CopyError> {
    let local = |error| CopyError::Local("read", error);
    let mut file = file;
    file.seek(SeekFrom::Start(from)).map_err(local)?;
    let mut ours = vec![0; usize::try_from(have - from).unwrap_or(usize::MAX)];
    file.read_exact(&mut ours).map_err(local)?;
    let mut theirs = Vec::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        match data.read(&mut block).map_err(CopyError::Remote)? {
            0 => return Ok(ours == theirs),
            count if theirs.len() + count > ours.len() => return Ok(false),
            count => theirs.extend_from_slice(&block[..count]),
        }
    }
}

/// The temporary name: it tells which state of which file it is, so that nothing else is ever gone on
/// with, and no other machine writes to it; and how many the server had to be left with before.
pub(super) fn part_of(remote: &str, identity: &str, left: u32) -> String {
    let again = if left > 0 {
        format!(" {left}")
    } else {
        String::new()
    };
    let tag_of = |facts: &str| hex::of(&Sha256::digest(facts)[..4]);
    let tag = tag_of(&format!("{identity}{again}"));
    // The end of a name that is cut must tell its part from another's.
    if is_cut(remote, &tag) {
        return part_name(remote, &tag_of(&format!("{identity} {remote}{again}")));
    }
    part_name(remote, &tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_state_of_a_file_has_another_part() {
        let part = part_of("/in/a.iso", "one", 0);
        assert!(part.starts_with("/in/a.iso.") && part.ends_with(".ftpc-part"));
        assert_eq!(part, part_of("/in/a.iso", "one", 0));
        assert_ne!(part, part_of("/in/a.iso", "two", 0));
        assert_ne!(part, part_of("/in/a.iso", "one", 1));
        assert!(!part_of("a", "", 0).contains('/'));
        let long = |end| part_of(&format!("/in/{}{end}", "x".repeat(250)), "one", 0);
        assert_ne!(long("1"), long("2"));
    }
}
