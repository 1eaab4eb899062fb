//! Files and listings in MODE B (RFC 959 §3.4.2): over a data connection that was open before and stays
//! open behind them. `transfer` and `listing` come here when a [`Dial`](super::dial::Dial) opens a link.
//!
//! All of it runs on the session's task, the disk's part where `disk` says: block mode is for many
//! small files, and the client has MODE S for a large one.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    sync::Arc,
    time::Duration,
};

use super::{
    dial::{Linked, Moved, Opened},
    listing::Begun,
};
use crate::{
    code,
    data::{
        block::{self, Blocks},
        link,
        meter::{Broken, Meter},
        pump::BLOCK,
    },
    session::disk::{self, Kept},
    share::{Download, Upload},
};

/// Data of the blocks that are written at once.
const AT_ONCE: usize = 4 * block::MOST as usize;

impl Linked {
    /// Puts the link back behind a whole file, and drops it otherwise.
    fn end(self, bytes: Result<u64, Broken>, meter: Meter) -> Moved {
        let is_kept = bytes.is_ok();
        if is_kept {
            self.slot.put(self.link);
        }
        Moved {
            is_kept,
            ..Moved::new(bytes, meter)
        }
    }
}

/// Sends `size` bytes of a file from its position.
pub(super) async fn send_file(
    mut linked: Linked,
    download: Download,
    size: u64,
    meter: Meter,
    stalled: Duration,
) -> Moved {
    let file = Kept::new(Arc::new(download.file));
    let sent = send_blocks(&mut linked, &file, size, &meter, stalled).await;
    file.end().await;
    linked.end(sent, meter)
}

async fn send_blocks(
    linked: &mut Linked,
    file: &Kept<Arc<File>>,
    size: u64,
    meter: &Meter,
    stalled: Duration,
) -> Result<u64, Broken> {
    let mut sent = 0;
    loop {
        let left = size - sent;
        let most = meter.block_bytes(AT_ONCE);
        let count = usize::try_from(left).unwrap_or(most).min(most);
        let is_last = count as u64 == left;
        let theirs = file.share();
        let blocks = disk::act(move || read_blocks(&theirs, count, is_last)).await?;
        linked.link.send(&blocks, meter, stalled).await?;
        sent += count as u64;
        link::pay(meter, count as u64).await?;
        if is_last {
            return Ok(sent);
        }
    }
}

fn read_blocks(file: &File, count: usize, is_last: bool) -> Result<Vec<u8>, Broken> {
    let headers = block::HEADER * (count / usize::from(block::MOST) + 1);
    let mut blocks = Vec::with_capacity(count + headers);
    let mut left = count;
    loop {
        let part = left.min(usize::from(block::MOST));
        left -= part;
        let count = u16::try_from(part).unwrap_or(block::MOST);
        blocks.extend(block::header(count, is_last && left == 0));
        let read = io::Read::take(file, part as u64).read_to_end(&mut blocks);
        if read.map_err(Broken::Disk)? < part {
            let words = "The file became shorter while it was sent";
            return Err(Broken::Refused(code::LOCAL_ERROR, words.to_owned()));
        }
        if left == 0 {
            return Ok(blocks);
        }
    }
}

/// Receives a file to the block that ends it; gives the upload back.
pub(super) async fn receive(
    mut linked: Linked,
    upload: Upload,
    meter: Meter,
    stalled: Duration,
) -> (Moved, Upload) {
    // A thread gives the upload back through this place.
    let upload = Arc::new(upload);
    let received = receive_blocks(&mut linked, &upload, &meter, stalled).await;
    let upload =
        Arc::into_inner(upload).expect("every act has dropped its handle before it answered");
    let moved = match received {
        Err(broken) if broken.is_ours() => Moved {
            rest: Opened::Block(linked).into_rest(stalled, &meter.brake),
            ..Moved::new(Err(broken), meter)
        },
        received => linked.end(received, meter),
    };
    (moved, upload)
}

async fn receive_blocks(
    linked: &mut Linked,
    upload: &Arc<Upload>,
    meter: &Meter,
    stalled: Duration,
) -> Result<u64, Broken> {
    let (mut blocks, mut raw) = (Blocks::default(), Vec::new());
    let mut received = 0;
    while !blocks.has_ended() {
        raw.clear();
        linked.link.receive(&mut raw, meter, stalled).await?;
        let theirs = Arc::clone(upload);
        let stored = disk::act(move || {
            let stored = store(&mut blocks, &raw, &theirs);
            drop(theirs);
            (blocks, raw, stored)
        });
        let stored = stored.await;
        (blocks, raw) = (stored.0, stored.1);
        let bytes = stored.2?;
        received += bytes;
        link::pay(meter, bytes).await?;
    }
    Ok(received)
}

/// Writes the data among `raw`; returns how many bytes it was.
fn store(blocks: &mut Blocks, raw: &[u8], upload: &Upload) -> Result<u64, Broken> {
    let (mut file, mut bytes) = (upload.file(), 0);
    let used = blocks.read(raw, &mut |data| {
        upload
            .ensure_room(data.len() as u64)
            .map_err(|error| super::upload::refused(&error))?;
        file.write_all(data).map_err(Broken::Disk)?;
        bytes += data.len() as u64;
        Ok(())
    })?;
    if used < raw.len() {
        let words = "More came behind the block that ends the file";
        return Err(Broken::Refused(code::ABORTED, words.to_owned()));
    }
    Ok(bytes)
}

/// Sends a listing whose first block is written already; `more`: there are more rows.
pub(super) async fn send_rows(
    mut linked: Linked,
    listing: Begun,
    meter: Meter,
    stalled: Duration,
) -> Moved {
    let sent = send_all_rows(&mut linked, listing, &meter, stalled).await;
    linked.end(sent, meter)
}

async fn send_all_rows(
    linked: &mut Linked,
    listing: Begun,
    meter: &Meter,
    stalled: Duration,
) -> Result<u64, Broken> {
    let Begun {
        mut rows,
        mut text,
        mut has_more,
    } = listing;
    let mut sent = 0;
    loop {
        let mut blocks = Vec::with_capacity(text.len() + 64);
        block::write(&text, !has_more, &mut blocks);
        linked.link.send(&blocks, meter, stalled).await?;
        sent += text.len() as u64;
        link::pay(meter, text.len() as u64).await?;
        if !has_more {
            return Ok(sent);
        }
        text.clear();
        (rows, text, has_more) = disk::thread(move || {
            rows.gather_crew();
            let has_more = rows.fill(&mut text, BLOCK);
            (rows, text, has_more)
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_became_shorter_has_no_block_that_ends_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let read = |count| read_blocks(&File::open(file.path()).unwrap(), count, true);
        assert_eq!(read(3).unwrap(), [64, 0, 3, b'a', b'b', b'c']);
        let shorter = read(4).unwrap_err();
        assert!(matches!(shorter, Broken::Refused(code::LOCAL_ERROR, _)));
    }
}
