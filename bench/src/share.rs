//! The share of a run: what the rows fetch, and what they have stored.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{peers::Place, scale::Scale};

/// Makes the share of a run: the files that the rows fetch, below `pub`.
pub(crate) fn make_share(share: &Path, scale: &Scale) -> Result<()> {
    let public = share.join("pub");
    fs::create_dir_all(&public)?;
    fs::set_permissions(share, Permissions::from_mode(0o755))?;
    fs::set_permissions(&public, Permissions::from_mode(0o777))?;
    fill(&public.join("big"), scale.big)?;
    fill(&public.join("mib"), 1 << 20)?;
    let small = public.join("small");
    fs::create_dir_all(&small)?;
    for i in 0..scale.small_files {
        fs::write(small.join(format!("f{i}")), vec![b'x'; scale.small_size])?;
    }
    for (dir, names) in ["names", "names-large"].iter().zip(scale.names) {
        let dir = public.join(dir);
        fs::create_dir_all(&dir)?;
        for i in 0..names {
            File::create(dir.join(format!("a file with a number {i:06}.txt")))?;
        }
    }
    uploads(share).try_for_each(|dir| make_open(&dir))
}

/// Returns the directories that take uploads.
fn uploads(share: &Path) -> impl Iterator<Item = PathBuf> {
    let public = share.join("pub");
    (0..8).map(move |i| public.join(format!("in{i}")))
}

fn make_open(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    Ok(fs::set_permissions(dir, Permissions::from_mode(0o777))?)
}

fn fill(path: &Path, bytes: u64) -> Result<()> {
    use std::io::Write as _;
    let mut block = vec![0u8; 1 << 20];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    for byte in &mut block {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
    let mut file = File::create(path)?;
    for _ in 0..bytes >> 20 {
        file.write_all(&block)?;
    }
    Ok(())
}

/// Writes as much as will be stored and removes it: on a virtual machine whoever first writes to a
/// piece of memory waits for the host, which would be the first server's bad luck.
pub(crate) fn warm(place: &Place, bytes: u64) -> Result<()> {
    let path = place.share().join("pub/in0/warm");
    fill(&path, bytes)?;
    Ok(fs::remove_file(path)?)
}

/// Lets the disk take what others have left for it to write, before a clock starts.
pub(crate) fn settle(place: &Place) -> Result<()> {
    Ok(rustix::fs::syncfs(File::open(place.share())?)?)
}

/// Puts a directory of many small files out of the way until the run ends. ext4 looks at the inodes that were freed
/// in the last minutes before it gives one: whoever came behind a removed tree would pay for it.
pub(crate) fn set_aside(place: &Place, dir: &Path) -> Result<()> {
    let spent = tempfile::tempdir_in(&place.dir)?.keep();
    Ok(fs::rename(dir, spent.join("tree"))?)
}

/// Puts small files that were stored out of the way.
pub(crate) fn set_uploads_aside(place: &Place) -> Result<()> {
    for dir in uploads(&place.share()) {
        if fs::read_dir(&dir)?.next().is_some() {
            set_aside(place, &dir)?;
            make_open(&dir)?;
        }
    }
    Ok(())
}

/// Removes large files that were stored.
pub(crate) fn remove_uploads(place: &Place) -> Result<()> {
    for dir in uploads(&place.share()) {
        for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
            fs::remove_file(entry?.path())?;
        }
    }
    Ok(())
}
