//! The bytes of a download, from the data connection to the partial file.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    sync::atomic::Ordering,
};

use super::{
    super::{
        Tools, copy,
        fault::{self, CopyError},
        flow::Flow,
        local::LocalRoot,
        resume::Begin,
    },
    Fetch, Part,
};
use crate::{
    digest::Digest,
    error::{Error, RemoteError},
    event::Event,
    remote::{Data, HashVerb, Next, Remote},
    work::blocking,
};

/// What came of a download whose connection gave no error.
enum Came {
    /// So many bytes behind those that were kept.
    Bytes(u64),
    /// The bytes that were kept are another file's.
    Another,
    /// The connection ended before it had come to the last byte that was kept.
    TooShort,
}

/// What a copy has brought.
pub(super) struct Copied {
    /// The whole file's size, with what was kept of it.
    pub(super) bytes: u64,
    /// The whole file's digest, if it went through memory from the first byte.
    pub(super) digest: Option<Digest>,
}

impl Fetch {
    /// Copies what is missing and checks the size.
    pub(super) async fn copy(
        &self,
        tools: &Tools,
        root: &LocalRoot,
        remote: &mut dyn Remote,
        part: &Part,
        hash: Option<HashVerb>,
    ) -> Result<Copied, Error> {
        let (data, begin) = self.start(tools, root, remote, part).await?;
        let (announced, have) = (data.announced(), begin.have());
        let digest = hash
            .filter(|_| begin == Begin::Fresh)
            .map(|how| Digest::new(how.algorithm()));
        let (data, copied, digest) = self.receive(data, root, part, begin, digest).await?;
        let total = match copied {
            Ok(Came::Bytes(count)) => have + count,
            Ok(Came::Another) => {
                drop(data);
                let _unusable = remote.settle().await;
                return Err(self.changed());
            }
            Ok(Came::TooShort) => {
                // Why, the server says; where it says nothing of the kind its file is shorter now.
                self.finish(data, true).await?;
                return Err(self.changed());
            }
            Err(error) => {
                let (cancel, shown) = (&self.flow.cancel, root.told_as(&part.path));
                return Err(fault::fail(remote, data, "RETR", &shown, error, cancel).await);
            }
        };
        let announced = announced.filter(|_| have == 0);
        // What has grown since it was listed has more.
        let doubted = self.doubted.filter(|least| total < *least);
        let want = self.size.or(announced).or(doubted);
        // Where every byte is here only the server's word for it can be lost. A hash is to be asked of a
        // session that still answers.
        let needs_word = want != Some(total) || hash.is_some();
        self.finish(data, needs_word).await?;
        self.ensure_size(want, total)?;
        Ok(Copied {
            bytes: total,
            digest,
        })
    }

    fn ensure_size(&self, want: Option<u64>, got: u64) -> Result<(), Error> {
        match want {
            Some(want) if want != got => Err(Error::Truncated {
                path: self.remote.clone(),
                want,
                got,
            }),
            _ => Ok(()),
        }
    }

    /// Waits for the server's last word.
    async fn finish(&self, data: Box<dyn Data>, needs_word: bool) -> Result<(), Error> {
        let is_stopped = || self.flow.cancel.is_stopped();
        match data.finish().await {
            Ok(()) => Ok(()),
            Err(_) if is_stopped() => Err(Error::Interrupted),
            Err(RemoteError::Io { .. } | RemoteError::Timeout { .. }) if !needs_word => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the transfer and tells where it begins.
    async fn start(
        &self,
        tools: &Tools,
        root: &LocalRoot,
        remote: &mut dyn Remote,
        part: &Part,
    ) -> Result<(Box<dyn Data>, Begin), Error> {
        let (data, begin) = self.open(root, remote, part).await?;
        let at = begin.have();
        tools.events.send(Event::Begun { id: self.id, at });
        self.flow.done.store(at, Ordering::Relaxed);
        Ok((data, begin))
    }

    /// Opens the transfer; a server that refuses the offset sends the file from its beginning.
    async fn open(
        &self,
        root: &LocalRoot,
        remote: &mut dyn Remote,
        part: &Part,
    ) -> Result<(Box<dyn Data>, Begin), Error> {
        let Begin::Resume { from, .. } = part.begin else {
            if self.size.is_some_and(|size| self.flow.is_small(size)) {
                remote.foresee(Next::Small);
            }
            return Ok((remote.open_read(&self.remote, 0).await?, Begin::Fresh));
        };
        match remote.open_read(&self.remote, from).await {
            Ok(data) => Ok((data, part.begin)),
            Err(error) if error.may_refuse_restart() && from > 0 => {
                let data = remote.open_read(&self.remote, 0).await?;
                part.cut(root)?;
                Ok((data, Begin::Fresh))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The blocking part.
    async fn receive(
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
            match compare_overlap(data, file, have - from)? {
                Overlap::TooShort => return Ok(Came::TooShort),
                Overlap::Different => return Ok(Came::Another),
                Overlap::Equal => have,
            }
        }
    };
    reader.seek(SeekFrom::Start(have)).map_err(local("seek"))?;
    let limit = size.map(|size| size.saturating_sub(have));
    copy::receive(data, file, digest, limit, flow).map(Came::Bytes)
}

/// What the next bytes of the server's file are to those kept.
enum Overlap {
    Equal,
    Different,
    /// They did not all come.
    TooShort,
}

fn compare_overlap(
    data: &mut dyn Data,
    mut file: &File,
    length: u64,
) -> Result<Overlap, CopyError> {
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
            0 => return Ok(Overlap::TooShort),
            count => filled += count,
        }
    }
    Ok(match ours == theirs {
        true => Overlap::Equal,
        false => Overlap::Different,
    })
}
