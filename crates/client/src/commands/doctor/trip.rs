//! A small file to the server and back, under a name of its own.

use std::time::SystemTime;

use super::{Finding, advice, ok, wrong};
use crate::{
    app::{App, Link},
    error::Error,
    remote::{Remote, names},
    transfer::stream::{fetch_into, send_from},
    ui::{escape::shown, table},
};

/// A small upload and its way back, under a name of its own, removed at the end.
pub(super) async fn round_trip(app: &App, link: &Link, dir: &str, findings: &mut Vec<Finding>) {
    let name = format!(".ftpc-doctor-{}", std::process::id());
    let path = names::join(dir, &name);
    let bytes: Vec<u8> = (0..4096u32).flat_map(u32::to_le_bytes).collect();
    let sent = SystemTime::now();
    match upload(app, link, &path, bytes.clone()).await {
        Err(error) => {
            findings.push(wrong(
                "upload",
                error.chain(),
                advice(
                    &error,
                    "if you should be able to write, look at `can` of the user, and at what may be \
                     written on the server",
                ),
            ));
            return;
        }
        Ok(()) => findings.push(ok("upload", table::size(bytes.len() as u64))),
    }
    findings.push(compare(&bytes, download(app, link, &path).await));
    if let Ok(mut session) = link.session().await {
        clock(&mut *session, &path, sent, findings).await;
        if let Err(error) = session.remove_file(&path).await {
            findings.push(wrong(
                "remove",
                error.to_string(),
                format!("remove `{}` by hand", shown(&path)),
            ));
        }
        link.pool.give_back(session);
    }
}

fn compare(sent: &[u8], back: Result<Vec<u8>, Error>) -> Finding {
    match back {
        Ok(back) if back == sent => ok("download", "the same bytes came back"),
        Ok(back) => wrong(
            "download",
            format!("{} bytes came back, changed", back.len()),
            "the server or something on the way converts files: report it",
        ),
        Err(error) => wrong(
            "download",
            error.chain(),
            advice(&error, "look at `can` of the user on the server"),
        ),
    }
}

async fn upload(app: &App, link: &Link, path: &str, bytes: Vec<u8>) -> Result<(), Error> {
    let mut session = link.session().await?;
    send_from(
        &mut *session,
        std::io::Cursor::new(bytes),
        path,
        &app.terms(),
    )
    .await?;
    link.pool.give_back(session);
    Ok(())
}

async fn download(app: &App, link: &Link, path: &str) -> Result<Vec<u8>, Error> {
    let sink = Sink::default();
    let mut session = link.session().await?;
    fetch_into(&mut *session, path, sink.clone(), &app.terms()).await?;
    link.pool.give_back(session);
    let bytes = sink
        .0
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(bytes.clone())
}

/// A writer whose bytes can be looked at afterwards.
#[derive(Clone, Default)]
struct Sink(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn clock(
    session: &mut dyn Remote,
    path: &str,
    sent: SystemTime,
    findings: &mut Vec<Finding>,
) {
    let Ok(Some(theirs)) = session.modified(path).await else {
        findings.push(wrong(
            "clock",
            "the server tells no times",
            "nothing to change here",
        ));
        return;
    };
    let off = match theirs.duration_since(sent) {
        Ok(ahead) => ahead,
        Err(behind) => behind.duration(),
    };
    findings.push(if off.as_secs() <= 60 {
        ok("clock", "within a minute of ours")
    } else {
        wrong(
            "clock",
            format!("{} apart", table::duration(off)),
            "set the clock, or the time zone, of one of the two machines",
        )
    });
}
