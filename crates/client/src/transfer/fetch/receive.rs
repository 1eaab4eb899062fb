//! The bytes of a download, from the data connection to the partial file.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use super::{
    super::{copy, fault::CopyError, flow::Flow, local::LocalRoot, resume::Begin},
    Fetch, Part,
};
use crate::{digest::Digest, error::Error, remote::Data, work::blocking};

/// What came of a download whose connection gave no error.
pub(super) enum Came {
    /// So many bytes behind those that were kept.
    Bytes(u64),
    /// The bytes that were kept are another file's.
    Another,
    /// The connection ended before it had come to the last byte that was kept.
    TooShort,
}

impl Fetch {
    /// The blocking part.
    pub(super) async fn receive(
        &self,
        mut data: Box<dyn Data>,
        root: &LocalRoot,
        part: &Part,
        begin: Begin,
        mut digest: Option<Digest>,
    ) -> Result<(Box<dyn Data>, Result<Came, CopyError>, Option<Digest>), Error> {
        let (flow, size) = (self.flow.clone(), self.size);
        data.obey(&flow.cancel);
        if let (Some(size), Begin::Fresh) = (size, begin)
            && flow.is_small(size)
        {
            let (file, hash) = (&part.file, digest.as_mut());
            let copied = copy::receive_small(&mut *data, file, hash, size, &flow).await;
            return Ok((data, copied.map(Came::Bytes), digest));
        }
        let file = part
            .file
            .try_clone()
            .map_err(|error| Error::local("open", root.told_as(&part.path), error))?;
        let (data, mut copied, digest, closed) = blocking(move || {
            let copied = receive_from(&mut *data, &file, begin, digest.as_mut(), size, &flow);
            (data, copied, digest, nix::unistd::close(file))
        })
        .await?;
        // The first close is the one that is told what a network disk refused: however the copy ended,
        // there are holes in what it has.
        if let Err(error) = closed {
            part.discard(root);
            copied = Err(CopyError::Local("write", error.into()));
        }
        Ok((data, copied, digest))
    }
}

fn receive_from(
    data: &mut dyn Data,
    file: &File,
    begin: Begin,
    digest: Option<&mut Digest>,
    size: Option<u64>,
    flow: &Flow,
) -> Result<Came, CopyError> {
    let local = |verb| move |error| CopyError::Local(verb, error);
    let mut reader = file;
    let have = match begin {
        Begin::Fresh => 0,
        Begin::Resume { from, have } => {
            reader.seek(SeekFrom::Start(from)).map_err(local("seek"))?;
            match overlap_is_equal(data, file, have - from)? {
                None => return Ok(Came::TooShort),
                Some(false) => return Ok(Came::Another),
                Some(true) => have,
            }
        }
    };
    reader.seek(SeekFrom::Start(have)).map_err(local("seek"))?;
    let limit = size.map(|size| size.saturating_sub(have));
    copy::receive(data, file, digest, limit, flow).map(Came::Bytes)
}

/// Compares the next bytes of the server's file with those kept; `None`: they did not all come.
fn overlap_is_equal(
    data: &mut dyn Data,
    mut file: &File,
    length: u64,
) -> Result<Option<bool>, CopyError> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut ours = vec![0; length];
    file.read_exact(&mut ours)
        .map_err(|error| CopyError::Local("read", error))?;
    let mut theirs = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match data
            .read(&mut theirs[filled..])
            .map_err(CopyError::Remote)?
        {
            0 => return Ok(None),
            count => filled += count,
        }
    }
    Ok(Some(ours == theirs))
}
