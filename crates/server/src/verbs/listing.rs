//! LIST, NLST, MLSD over the data connection; MLST and STAT with a name over the control one.

mod send;

use std::sync::Arc;

use ftp_config::SharePath;

use self::send::send;
use super::{
    dial::Dial,
    facts::is_folded,
    goodbye, help,
    rows::{Form, Rows, Wish, write_facts},
};
use crate::{
    code,
    data::meter::Meter,
    direction::Direction,
    protocol::{Reply, command::ListArgs},
    session::{Answer, Running, Session, disk},
    share::throttle::Throttle,
};

/// A listing up to this many bytes goes out in one write from the session's own task.
const SMALL: usize = 32 << 10;
/// The most that STAT sends over the control connection.
const MOST_STAT: usize = 1 << 20;

/// A listing that was found, with its first lines.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) rows: Rows,
    /// The lines that are not sent yet.
    pub(super) text: Vec<u8>,
    /// Whether `rows` may have more.
    pub(super) has_more: bool,
}

impl Begun {
    /// Returns all lines, up to so many bytes.
    async fn text(self, most: usize) -> Vec<u8> {
        let Self {
            mut rows,
            mut text,
            has_more,
        } = self;
        if !has_more {
            return text;
        }
        disk::thread(move || {
            if rows.fill(&mut text, most) {
                text.extend(b"and more; use LIST\r\n");
            }
            text
        })
        .await
    }
}

pub(super) async fn list(session: &mut Session, args: ListArgs) -> Result<Answer, Reply> {
    over_data(session, args, Form::long(), "LIST").await
}

/// With `-l` as LIST, as `ls -l` in old clients asks for it.
pub(super) async fn nlst(session: &mut Session, args: ListArgs) -> Result<Answer, Reply> {
    let form = if args.long {
        Form::long()
    } else {
        Form::Names(Vec::new())
    };
    over_data(session, args, form, "NLST").await
}

pub(super) async fn mlsd(session: &mut Session, name: Option<Vec<u8>>) -> Result<Answer, Reply> {
    let form = Form::Facts(session.facts);
    let args = ListArgs {
        name,
        ..ListArgs::default()
    };
    over_data(session, args, form, "MLSD").await
}

/// The listing is found, and its first block written, before the 150: what is missing is 550, never
/// 150 and then 550.
async fn over_data(
    session: &mut Session,
    args: ListArgs,
    form: Form,
    verb: &'static str,
) -> Result<Answer, Reply> {
    Dial::check(session)?;
    let listing = open(session, args, form).await?;
    let dial = Dial::take(session, Direction::Down);
    let brake = Arc::clone(&dial.brake);
    let code = dial.first_code();
    let meter = Meter {
        brake: Arc::clone(&dial.brake),
        moving: None,
        throttle: Throttle::default(),
    };
    let limit = goodbye::limit(session, false);
    let work = Box::pin(send(dial, listing, meter, limit));
    let running = Running {
        work,
        brake,
        what: verb.into(),
        size: None,
        look: None,
    };
    let first = Reply::new(code, "Here comes the listing");
    Ok(Answer::Send(first, running))
}

async fn open(session: &mut Session, args: ListArgs, form: Form) -> Result<Begun, Reply> {
    let only_dir = form.is_of_directories();
    let wish = wish(session, args, only_dir).await?;
    let home = session.home()?;
    let names = session.names.clone();
    let show_owner = session.snapshot.config.share.show_owner;
    disk::thread(move || {
        let mut rows = Rows::open(home, &wish, form, names, show_owner)?;
        let mut text = Vec::new();
        let has_more = rows.fill(&mut text, SMALL);
        Ok(Begun {
            rows,
            text,
            has_more,
        })
    })
    .await
    .map_err(|error| match error {
        // RFC 3659 §7.2.1: MLSD of something that is no directory.
        crate::share::ShareError::NotDirectory { .. } if only_dir => {
            let (_, text) = error.reply();
            Reply::new(code::SYNTAX, session.names.bytes(&text))
        }
        error => session.refuse(&error),
    })
}

/// `-x` may be flags or a name: a name that exists is that name.
async fn wish(session: &mut Session, args: ListArgs, only_dir: bool) -> Result<Wish, Reply> {
    let (name, is_typed) = named(session, &args).await?;
    let all = args.all && !is_typed || session.snapshot.config.share.show_dotfiles;
    Ok(Wish {
        meanings: session.ordered(&name).await?,
        all,
        only_dir,
    })
}

/// Returns the name that is meant, and whether it is all that was typed: what looks like options may be one.
async fn named(session: &mut Session, args: &ListArgs) -> Result<(Vec<u8>, bool), Reply> {
    if let Some(typed) = &args.typed
        && !is_folded(session, typed).await?
    {
        let path = session.existing(typed).await?;
        let exists = session
            .on_home(move |home| Ok(home.metadata(&path).is_ok()))
            .await?;
        if exists {
            return Ok((typed.clone(), true));
        }
    }
    Ok((args.name.clone().unwrap_or_default(), false))
}

/// RFC 3659 §7: the facts of one name, over the control connection.
pub(super) async fn mlst(session: &mut Session, name: Option<Vec<u8>>) -> Result<Reply, Reply> {
    let path: SharePath = match name {
        Some(name) => session.existing(&name).await?,
        None => session.cwd.clone(),
    };
    let asked = path.clone();
    let meta = session.on_home(move |home| home.metadata(&asked)).await?;
    let mut line = Vec::new();
    write_facts(session.facts, &meta, None, &session.home()?, &mut line);
    session.names.write(path.as_str(), &mut line);
    let mut head = b"Facts of ".to_vec();
    session.names.write(path.as_str(), &mut head);
    Ok(Reply::new(code::FILE_OK, head).line(line).line("End"))
}

/// STAT: the session's status, or a listing over the control connection (RFC 959 §4.1.3): 213 for
/// a file, 212 for a directory.
pub(super) async fn stat(session: &mut Session, args: ListArgs) -> Result<Reply, Reply> {
    if args.name.is_none() && args.typed.is_none() {
        return Ok(help::status(session));
    }
    session.home()?;
    let (name, _) = named(session, &args).await?;
    let path = session.existing(&name).await?;
    let is_file = session
        .on_home(move |home| {
            Ok(home
                .metadata(&path)
                .is_ok_and(|m| m.kind != crate::share::Kind::Dir))
        })
        .await?;
    let text = open(session, args, Form::long())
        .await?
        .text(MOST_STAT)
        .await;
    let code = if is_file {
        code::FILE_STATUS
    } else {
        code::DIRECTORY_STATUS
    };
    let mut head = b"Status of ".to_vec();
    match name.is_empty() {
        true => session.names.write(session.cwd.as_str(), &mut head),
        false => head.extend(&name),
    }
    let mut reply = Reply::new(code, head);
    for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        reply = reply.line(line.strip_suffix(b"\r").unwrap_or(line));
    }
    Ok(reply.line("End"))
}
