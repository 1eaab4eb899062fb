//! The share as libunftp's `StorageBackend`: every call goes through the account's [`Home`].
//!
//! Only the libunftp engine uses it. What that engine cannot express (which right is missing, how
//! much room there is) is lost here, as `docs/engines.md` says.

mod facts;
mod stream;
mod words;

use std::{
    fmt::Debug,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use ftp_config::SharePath;
use tokio::io::{AsyncRead, AsyncWrite};
use unftp_core::storage::{self, Error, ErrorKind, FEATURE_RESTART, Fileinfo, StorageBackend};

pub use self::facts::Facts;
use self::{
    stream::{Meter, receive, send},
    words::{refused, share_path},
};
use super::{Home, Intent, ListOptions, Meta, Share, ShareError};
use crate::{account::Account, direction::Direction, hands, status::Seat};

/// The share for one libunftp session.
#[derive(Debug)]
pub struct Backend {
    share: Share,
    home: Option<Home>,
    show_owner: bool,
    seat: Seat,
}

impl Backend {
    /// Makes the storage of a session that has not logged in yet.
    #[must_use]
    pub fn new(share: Share, show_owner: bool, seat: Seat) -> Self {
        Self {
            share,
            home: None,
            show_owner,
            seat,
        }
    }

    /// Notes a transfer in the live table; the meter counts its bytes and keeps it to its rates.
    fn meter(
        &self,
        direction: Direction,
        path: &Path,
        size: Option<u64>,
    ) -> storage::Result<Meter> {
        Ok(Meter {
            moving: self.seat.begin(direction, &share_path(path)?, size),
            throttle: self.seat.throttle(direction),
        })
    }

    fn home(&self) -> storage::Result<Home> {
        self.home
            .clone()
            .ok_or_else(|| Error::from(ErrorKind::PermissionDenied))
    }

    /// Runs `work` on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(Home, SharePath) -> Result<T, ShareError> + Send + 'static,
    ) -> storage::Result<T> {
        let (home, path) = (self.home()?, share_path(path)?);
        hands::run(move |_| work(home, path)).await.map_err(refused)
    }

    /// Changes something in the share, and tells the log.
    async fn change(
        &self,
        verb: &'static str,
        path: &Path,
        to: Option<&SharePath>,
        work: impl FnOnce(Home, SharePath) -> Result<(), ShareError> + Send + 'static,
    ) -> storage::Result<()> {
        self.run(path, work).await?;
        self.home()?.tell_change(verb, &share_path(path)?, to);
        Ok(())
    }

    fn facts(&self, meta: Meta, target: Option<String>) -> Facts {
        Facts {
            meta,
            target: target.map(PathBuf::from),
            show_owner: self.show_owner,
        }
    }
}

#[async_trait]
impl StorageBackend<Account> for Backend {
    type Metadata = Facts;

    fn enter(&mut self, account: &Account) -> io::Result<()> {
        let home = self
            .share
            .enter(&Arc::new(account.clone()))
            .map_err(io::Error::other)?;
        self.home = Some(home);
        Ok(())
    }

    fn supported_features(&self) -> u32 {
        FEATURE_RESTART
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        path: P,
    ) -> storage::Result<Facts> {
        let meta = self
            .run(path.as_ref(), |home, path| home.metadata(&path))
            .await?;
        Ok(self.facts(meta, None))
    }

    async fn list<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        path: P,
    ) -> storage::Result<Vec<Fileinfo<PathBuf, Facts>>> {
        let all = |home: Home, path: SharePath| {
            Ok(home
                .list(&path, ListOptions::default())?
                .collect::<Vec<_>>())
        };
        let entries = self.run(path.as_ref(), all).await?;
        let info = |entry: super::Entry<'_>| Fileinfo {
            path: PathBuf::from(entry.name.as_ref()),
            metadata: self.facts(entry.meta, entry.link_target),
        };
        Ok(entries.into_iter().map(info).collect())
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        path: P,
        start_pos: u64,
    ) -> storage::Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        let open = move |home: Home, path: SharePath| home.open_read(&path, start_pos);
        let download = self.run(path.as_ref(), open).await?;
        Ok(Box::new(tokio::fs::File::from_std(download.file)))
    }

    async fn get_into<'a, P, W: ?Sized>(
        &self,
        _: &Account,
        path: P,
        start_pos: u64,
        output: &'a mut W,
    ) -> storage::Result<u64>
    where
        W: AsyncWrite + Unpin + Sync + Send,
        P: AsRef<Path> + Send + Debug,
    {
        let open = move |home: Home, path: SharePath| home.open_read(&path, start_pos);
        let download = self.run(path.as_ref(), open).await?;
        let size = download.meta.size.saturating_sub(start_pos);
        let meter = self.meter(Direction::Down, path.as_ref(), Some(size))?;
        let sent = send(download.file, output, &meter).await?;
        meter.moving.complete(&share_path(path.as_ref())?);
        Ok(sent)
    }

    async fn put<P, R>(
        &self,
        _: &Account,
        mut input: R,
        path: P,
        start_pos: u64,
    ) -> storage::Result<u64>
    where
        P: AsRef<Path> + Send + Debug,
        R: AsyncRead + Send + Sync + Unpin + 'static,
    {
        let intent = Intent::Store { offset: start_pos };
        let begin = move |home: Home, path: SharePath| {
            let mut upload = home.begin_upload(&path, intent, None)?;
            upload.start(&|| false).map(|()| upload)
        };
        let upload = self.run(path.as_ref(), begin).await?;
        let meter = self.meter(Direction::Up, path.as_ref(), None)?;
        let (upload, received) = receive(upload, &mut input, &meter).await?;
        let committed = hands::run(move |_| upload.commit(None)).await;
        meter.moving.complete(&committed.map_err(refused)?.path);
        Ok(received)
    }

    async fn del<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        path: P,
    ) -> storage::Result<()> {
        let gone = |home: Home, path: SharePath| home.remove_file(&path);
        self.change("DELE", path.as_ref(), None, gone).await
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        path: P,
    ) -> storage::Result<()> {
        let made = |home: Home, path: SharePath| home.make_dir(&path);
        self.change("MKD", path.as_ref(), None, made).await
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        from: P,
        to: P,
    ) -> storage::Result<()> {
        let to = share_path(to.as_ref())?;
        let new = to.clone();
        let renamed = move |home: Home, from: SharePath| home.rename(&from, &new);
        self.change("RNTO", from.as_ref(), Some(&to), renamed).await
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        path: P,
    ) -> storage::Result<()> {
        let gone = |home: Home, path: SharePath| home.remove_dir(&path);
        self.change("RMD", path.as_ref(), None, gone).await
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &Account,
        path: P,
    ) -> storage::Result<()> {
        self.run(path.as_ref(), |home, path| home.check_dir(&path))
            .await
    }
}
