//! libunftp's engine: one `Server` per connection over the same gate, share and seat as ours.
//!
//! The only room that names libunftp. What it cannot do is listed in `docs/engines.md`. A kick and
//! the end of a grace period close its socket from outside, because its sessions listen to nobody.

mod door;

use std::{
    collections::HashSet,
    fmt,
    net::IpAddr,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use ftp_config::{
    ServerConfig,
    server::{PassiveAddress, TlsMode},
};
use libunftp::{
    Server, ServerBuilder,
    options::{ActivePassiveMode, FtpsRequired, PassiveHost, TlsFlags},
};
use rustix::net::{SendFlags, Shutdown, send, shutdown};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use unftp_core::auth::UserDetailProvider;

use self::door::Door;
use super::Visit;
use crate::{
    account::Account,
    code,
    log::shown,
    session::{FAILED, NO_LOGIN, STOPS},
    share::backend::Backend,
    status::Seat,
};

/// How often a session's end looks whether its last upload has ended too.
const LINGER: Duration = Duration::from_millis(50);

/// Serves one connection to its end.
pub async fn serve(visit: Visit) {
    let socket = match visit.stream.as_fd().try_clone_to_owned() {
        Ok(socket) => socket,
        Err(error) => return warn!(%error, "no second handle of the session's socket"),
    };
    let door = Arc::new(Door::new(&visit));
    let server = match build(&visit, Arc::clone(&door)) {
        Ok(server) => server,
        Err(error) => return warn!(%error, "the libunftp engine cannot be built"),
    };
    let limit = visit.snapshot.config.timeouts.login;
    let Visit {
        stream,
        seat,
        ticket,
        stop,
        kill,
        ..
    } = visit;
    let serving = server.service(stream);
    tokio::pin!(serving);
    tokio::select! {
        result = &mut serving => log_end(result),
        reason = must_end(&seat, &door, limit, &stop, &kill) => {
            say_goodbye(&socket, &seat, &reason);
            let _ = shutdown(&socket, Shutdown::Both);
            log_end(serving.await);
        }
    }
    // An upload goes on after its control connection: the seat and the ticket stay taken.
    while seat.is_moving() && !kill.is_cancelled() {
        tokio::time::sleep(LINGER).await;
    }
    drop((seat, ticket));
}

/// Returns why the session must end, when it must.
async fn must_end(
    seat: &Seat,
    door: &Door,
    limit: Duration,
    stop: &CancellationToken,
    kill: &CancellationToken,
) -> String {
    let kicked = seat.kicked();
    tokio::select! {
        () = kill.cancelled() => STOPS.to_owned(),
        () = kicked.cancelled() => seat.kick_reason(),
        () = leave_when_idle(seat, stop) => STOPS.to_owned(),
        () = door.stays_shut(limit) => NO_LOGIN.to_owned(),
        () = door.failed.cancelled() => FAILED.to_owned(),
    }
}

async fn leave_when_idle(seat: &Seat, stop: &CancellationToken) {
    stop.cancelled().await;
    while seat.is_moving() {
        tokio::time::sleep(LINGER).await;
    }
}

/// Under TLS nothing can be said from outside the engine: bare bytes would break the stream.
fn say_goodbye(socket: &OwnedFd, seat: &Seat, reason: &str) {
    if !seat.is_tls() {
        let line = format!("{} {}\r\n", code::CLOSING, shown(reason));
        let _ = send(
            socket,
            line.as_bytes(),
            SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        );
    }
}

fn log_end<E: fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        debug!(%error, "session ended by an error");
    }
}

fn build(
    visit: &Visit,
    door: Arc<Door>,
) -> Result<Server<Backend, Account>, libunftp::ServerError> {
    let config = Arc::clone(&visit.snapshot.config);
    let (share, show_owner) = (visit.snapshot.share.clone(), config.share.show_owner);
    let seat = visit.seat.clone();
    let storage = Box::new(move || Backend::new(share.clone(), show_owner, seat.clone()));
    let provider: Arc<dyn UserDetailProvider<User = Account> + Send + Sync> = door.clone();
    let builder = ServerBuilder::<Backend, Account>::with_user_detail_provider(storage, provider)
        .authenticator(door)
        .greeting(leaked(&config.server.greeting))
        .idle_session_timeout(config.timeouts.idle.as_secs().max(1))
        .passive_ports(config.passive.ports.ports())
        .passive_host(passive_host(&config))
        .active_passive_mode(ActivePassiveMode::PassiveOnly);
    with_tls(builder, &config).build()
}

fn with_tls(
    builder: ServerBuilder<Backend, Account>,
    config: &ServerConfig,
) -> ServerBuilder<Backend, Account> {
    let required = match config.tls.mode {
        TlsMode::Off => return builder,
        TlsMode::Optional => FtpsRequired::None,
        TlsMode::Required => FtpsRequired::All,
    };
    builder
        .ftps(config.tls.cert.clone(), config.tls.key.clone())
        .ftps_required(required, required)
        .ftps_tls_flags(
            TlsFlags::V1_2 | TlsFlags::RESUMPTION_SESS_ID | TlsFlags::RESUMPTION_TICKETS,
        )
}

fn passive_host(config: &ServerConfig) -> PassiveHost {
    match config.passive.address {
        PassiveAddress::Fixed(IpAddr::V4(address)) => PassiveHost::Ip(address),
        PassiveAddress::Fixed(IpAddr::V6(_)) | PassiveAddress::Auto => PassiveHost::FromConnection,
    }
}

/// libunftp takes a greeting that lives for ever: leaked once for each text, not each session.
fn leaked(text: &str) -> &'static str {
    static TEXTS: OnceLock<Mutex<HashSet<&'static str>>> = OnceLock::new();
    let mut texts = TEXTS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(leaked);
    leaked
}
