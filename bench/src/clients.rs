//! The client's rows: `ftpc` beside curl, lftp and ncftp, against one fixed server at a time.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::{
    commands::command,
    peers::{self, Kind, Place, Server},
    proc,
    scale::Scale,
    share::{set_aside, set_uploads_aside, settle, warm},
};

const GIB: f64 = (1u64 << 30) as f64;

/// What a client is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// The big file, down.
    Get {
        /// Over TLS.
        tls: bool,
    },
    /// The big file, up.
    Put {
        /// Over TLS.
        tls: bool,
    },
    /// The tree of small files, down.
    GetTree {
        /// Sessions at once.
        jobs: usize,
    },
    /// The tree of small files, up.
    PutTree {
        /// Sessions at once.
        jobs: usize,
    },
    /// Start, log in, list, leave.
    List,
}

/// One client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Ours.
    Ftpc,
    /// curl.
    Curl,
    /// lftp.
    Lftp,
    /// ncftpget and ncftpput.
    Ncftp,
}

/// Wall seconds, and CPU seconds (per GiB for a big file).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Wall seconds.
    pub(crate) wall: f64,
    /// CPU seconds of the client.
    pub(crate) cpu: f64,
}

impl Client {
    /// Every client, ours first.
    pub(crate) const ALL: [Self; 4] = [Self::Ftpc, Self::Curl, Self::Lftp, Self::Ncftp];

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ftpc => "ftpc",
            Self::Curl => "curl",
            Self::Lftp => "lftp",
            Self::Ncftp => "ncftp",
        }
    }

    pub(crate) fn program(self, place: &Place) -> Option<PathBuf> {
        match self {
            Self::Ftpc => Some(place.bin.join("ftpc")).filter(|path| path.is_file()),
            Self::Curl => place.program("usr/bin/curl"),
            Self::Lftp => place.program("usr/bin/lftp"),
            Self::Ncftp => place.program("usr/bin/ncftpget"),
        }
    }

    /// Returns what the client says of its version, in one line.
    pub(crate) fn version(self, place: &Place) -> String {
        self.program(place)
            .and_then(|program| peers::said(place, &program, "--version"))
            .unwrap_or_else(|| "not found".to_owned())
    }
}

impl Job {
    /// Every job, in the order of the table.
    pub(crate) const ALL: [Self; 9] = [
        Self::Get { tls: false },
        Self::Put { tls: false },
        Self::Get { tls: true },
        Self::Put { tls: true },
        Self::GetTree { jobs: 1 },
        Self::GetTree { jobs: 4 },
        Self::PutTree { jobs: 1 },
        Self::PutTree { jobs: 4 },
        Self::List,
    ];

    /// The job's name, as `--only` takes it.
    pub(crate) fn name(self) -> String {
        let kind = |tls| if tls { "tls" } else { "plain" };
        match self {
            Self::Get { tls } => format!("client-get-{}", kind(tls)),
            Self::Put { tls } => format!("client-put-{}", kind(tls)),
            Self::GetTree { jobs } => format!("client-get-tree-{jobs}"),
            Self::PutTree { jobs } => format!("client-put-tree-{jobs}"),
            Self::List => "client-ls".to_owned(),
        }
    }

    /// Tells whether the connections are encrypted.
    pub(crate) fn is_over_tls(self) -> bool {
        matches!(self, Self::Get { tls: true } | Self::Put { tls: true })
    }

    /// Tells whether it moves one big file.
    fn is_big(self) -> bool {
        matches!(self, Self::Get { .. } | Self::Put { .. })
    }

    /// The servers that the clients are measured against: the fastest of the run, so that the rows
    /// tell of the clients, and the fastest peer.
    pub(crate) const SERVERS: [Kind; 2] = [Kind::Ftpd, Kind::Vsftpd];

    /// Runs the job once; `None` when this client has no way to do it.
    pub(crate) fn run(
        self,
        place: &Place,
        server: &Server,
        client: Client,
        scale: &Scale,
    ) -> Result<Option<Cost>> {
        let out = place.dir.join("client-out");
        let _ = fs::remove_dir_all(&out);
        fs::create_dir_all(&out)?;
        let Some(mut command) = command(self, place, server, client, &out)? else {
            return Ok(None);
        };
        if self.is_big() {
            warm(place, scale.big)?;
        }
        settle(place)?;
        let before = proc::children_cpu_seconds();
        let begun = Instant::now();
        let said = command
            .current_dir(&out)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .with_context(|| client.name().to_owned())?;
        let wall = begun.elapsed().as_secs_f64();
        let cpu = proc::children_cpu_seconds() - before;
        let (name, job) = (client.name(), self.name());
        ensure!(
            said.status.success(),
            "{name} {job}: {}",
            String::from_utf8_lossy(&said.stderr)
        );
        self.check(place, &out, scale)
            .with_context(|| format!("{name} {job}"))?;
        let per = if self.is_big() {
            scale.big as f64 / GIB
        } else {
            1.0
        };
        Ok(Some(Cost {
            wall,
            cpu: cpu / per,
        }))
    }

    /// A client that moved nothing must not win.
    fn check(self, place: &Place, out: &Path, scale: &Scale) -> Result<()> {
        let upload = place.share().join("pub/in0");
        match self {
            Self::Get { .. } => {
                let got = fs::metadata(out.join("big"))?.len();
                ensure!(got == scale.big, "{got} bytes of {}", scale.big);
            }
            Self::Put { .. } => {
                let got = fs::metadata(upload.join("big"))?.len();
                ensure!(got == scale.big, "{got} bytes of {}", scale.big);
                fs::remove_file(upload.join("big"))?;
            }
            Self::GetTree { .. } => {
                ensure_files(out, scale.small_files)?;
                set_aside(place, out)?;
            }
            Self::PutTree { .. } => {
                ensure_files(&upload, scale.small_files)?;
                set_uploads_aside(place)?;
            }
            Self::List => {}
        }
        Ok(())
    }
}

fn ensure_files(dir: &Path, want: usize) -> Result<()> {
    let mut dirs = vec![dir.to_path_buf()];
    let mut found = 0;
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                found += 1;
            }
        }
    }
    ensure!(found == want, "{found} files of {want}");
    Ok(())
}
