//! What each command does, by concern. `session` calls [`obey`]; handlers change the session's
//! state, ask the share, and answer.

mod block;
mod channel;
mod crew;
mod dial;
mod download;
mod facts;
mod files;
mod goodbye;
mod hash;
pub(crate) mod help;
mod listing;
mod login;
mod navigate;
mod options;
mod rows;
mod secure;
mod site;
mod transfer;
mod upload;
mod zone;

pub(crate) use self::channel::listen_ahead;
use crate::{
    code,
    protocol::{Command, Fault, Reply},
    session::{Answer, Session, not_logged_in},
};

/// Verbs that may be used before a login (RFC 959 §5.4, RFC 4217 §3, RFC 2389).
const BEFORE_LOGIN: [&str; 17] = [
    "USER", "PASS", "ACCT", "QUIT", "REIN", "AUTH", "PBSZ", "PROT", "CCC", "FEAT", "OPTS", "HELP",
    "SYST", "NOOP", "CLNT", "ABOR", "STAT",
];

/// Obeys one line.
pub(crate) async fn obey(
    session: &mut Session,
    verb: &str,
    parsed: Result<Command, Fault>,
) -> Answer {
    let known = !matches!(parsed, Err(Fault::Unknown | Fault::Http));
    if known && session.login.is_none() && !BEFORE_LOGIN.contains(&verb) {
        return not_logged_in().into();
    }
    let answer = match parsed {
        Ok(command) => {
            let keeps = keeps_restart(&command);
            let renames = matches!(command, Command::Rnfr(_));
            let answer = dispatch(session, command).await;
            if !keeps {
                session.restart = None;
            }
            if !renames {
                session.rename_from = None;
            }
            return answer;
        }
        Err(fault) => fault_reply(verb, &fault),
    };
    session.restart = None;
    session.rename_from = None;
    answer
}

/// RFC 3659 §5.3: REST is for the command that comes next. Only what prepares a transfer may come
/// between: clients ask for the port after REST as often as before it.
fn keeps_restart(command: &Command) -> bool {
    matches!(
        command,
        Command::Rest(_)
            | Command::Pasv
            | Command::Epsv(_)
            | Command::Port(_)
            | Command::Eprt(_)
            | Command::TypeAscii
            | Command::TypeImage
            | Command::ModeStream
            | Command::ModeBlock
            | Command::Stru
            | Command::Allo(_)
            | Command::Size(_)
            | Command::Noop
            | Command::Pbsz
            | Command::ProtClear
            | Command::ProtPrivate
    )
}

fn fault_reply(verb: &str, fault: &Fault) -> Answer {
    match fault {
        Fault::Unknown => no_command(code::UNKNOWN, verb),
        Fault::NotImplemented => Reply::new(
            code::NOT_IMPLEMENTED,
            format!("{} is not offered", shown(verb)),
        ),
        Fault::Syntax(usage) => Reply::new(code::SYNTAX, format!("Usage: {usage}")),
        Fault::Parameter(why) => Reply::new(code::NOT_FOR_PARAMETER, *why),
        Fault::NetworkProtocol => Reply::new(
            code::NETWORK_PROTOCOL,
            "Network protocol not supported, use (1,2)",
        ),
        Fault::ProtectionLevel => {
            Reply::new(code::NOT_SUPPORTED_LEVEL, "Only PROT C and P are offered")
        }
        Fault::Http => return Answer::Vanish,
    }
    .into()
}

fn no_command(code: u16, verb: &str) -> Reply {
    Reply::new(code, format!("`{}` is not a command here", shown(verb)))
}

/// Returns a verb as it may be shown and kept: short, plain.
pub(crate) fn shown_verb(verb: &str) -> &str {
    let plain = verb.len() <= 12 && verb.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain { verb } else { "?" }
}

fn shown(verb: &str) -> String {
    crate::log::shown(verb)
}

async fn dispatch(session: &mut Session, command: Command) -> Answer {
    match command {
        Command::User(name) => login::user(session, &name).into(),
        Command::Pass(password) => login::pass(session, &password).await,
        Command::Acct => login::acct(session).into(),
        Command::Quit => Answer::Leave(Reply::new(code::GOODBYE, "Goodbye")),
        Command::Rein => Reply::new(code::NOT_IMPLEMENTED, "REIN is not offered").into(),

        Command::Cwd(name) => navigate::cwd(session, &name).await.into(),
        Command::Cdup => navigate::cdup(session).await.into(),
        Command::Pwd => navigate::pwd(session).into(),

        Command::Mkd(name) => files::mkd(session, &name).await.into(),
        Command::Rmd(name) => files::rmd(session, &name).await.into(),
        Command::Dele(name) => files::dele(session, &name).await.into(),
        Command::Rnfr(name) => files::rnfr(session, &name).await.into(),
        Command::Rnto(name) => files::rnto(session, &name).await.into(),
        Command::Allo(bytes) => files::allo(session, bytes).await.into(),
        Command::Avbl(name) => files::avbl(session, name.as_deref()).await.into(),

        Command::TypeAscii => options::type_(session, true).into(),
        Command::TypeImage => options::type_(session, false).into(),
        Command::ModeStream => options::mode(session, false).into(),
        Command::ModeBlock => options::mode(session, true).into(),
        Command::Stru => Reply::new(code::OK, "Structure is file").into(),
        Command::Opts(opts) => options::opts(session, opts).into(),
        Command::Clnt(name) => options::clnt(session, &name).into(),

        Command::Pasv => channel::pasv(session).await.into(),
        Command::Epsv(asked) => channel::epsv(session, asked).await.into(),
        Command::Port(address) => channel::active(session, address, "PORT").into(),
        Command::Eprt(address) => channel::active(session, address, "EPRT").into(),

        Command::Rest(offset) => transfer::rest(session, offset).into(),
        Command::Retr(name) => download::retr(session, &name).await.into(),
        Command::Stor(name) => upload::stor(session, &name).await.into(),
        Command::Appe(name) => upload::appe(session, &name).await.into(),
        Command::Stou(name) => upload::stou(session, name).await.into(),

        Command::List(args) => listing::list(session, args).await.into(),
        Command::Nlst(args) => listing::nlst(session, args).await.into(),
        Command::Mlsd(name) => listing::mlsd(session, name).await.into(),
        Command::Mlst(name) => listing::mlst(session, name).await.into(),
        Command::Stat(args) => listing::stat(session, args).await.into(),

        Command::Size(name) => facts::size(session, &name).await.into(),
        Command::Mdtm { name, set } => facts::mdtm(session, &name, set).await.into(),
        Command::Mfmt(time, name) => facts::mfmt(session, time, &name).await.into(),
        Command::Digest(args) => hash::digest(session, args).await.into(),
        Command::Site(site) => site::site(session, site).await.into(),

        Command::Feat => help::feat(session).into(),
        Command::Help(verb) => help::help(verb.as_deref()).into(),
        Command::Syst => Reply::new(code::SYSTEM_TYPE, "UNIX Type: L8").into(),
        Command::Noop => Reply::new(code::OK, "OK").into(),
        Command::Abor => transfer::abor(session).into(),

        Command::Auth => secure::auth(session),
        Command::Pbsz => secure::pbsz(session).into(),
        Command::ProtClear => secure::prot(session, false).into(),
        Command::ProtPrivate => secure::prot(session, true).into(),
        Command::Ccc => secure::ccc(session).into(),
    }
}
