//! The way in as libunftp knows it: the gate of one session, which also takes the account's seat.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use unftp_core::auth::{
    AuthenticationError, Authenticator, ChannelEncryptionState, Credentials, Principal,
    UserDetailError, UserDetailProvider,
};

use crate::{
    account::Account,
    auth::{Gate, MOST_FAILURES},
    engine::Visit,
    status::Seat,
};

/// The gate of one session, which also takes the account's seat.
#[derive(Debug)]
pub(super) struct Door {
    gate: Arc<Gate>,
    seat: Seat,
    /// Whence the password came that was proved last, and whether by TLS.
    proved: Mutex<Option<(IpAddr, bool)>>,
    is_in: AtomicBool,
    failures: AtomicU32,
    /// So many that the session ends.
    pub(super) failed: CancellationToken,
}

impl Door {
    pub(super) fn new(visit: &Visit) -> Self {
        Self {
            gate: Arc::clone(&visit.gate),
            seat: visit.seat.clone(),
            proved: Mutex::default(),
            is_in: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            failed: CancellationToken::new(),
        }
    }

    /// Returns when nobody has come in within the limit.
    pub(super) async fn stays_shut(&self, limit: Duration) {
        tokio::time::sleep(limit).await;
        if self.is_in.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Authenticator for Door {
    async fn authenticate(
        &self,
        username: &str,
        creds: &Credentials,
    ) -> Result<Principal, AuthenticationError> {
        let tls = creds.command_channel_security == ChannelEncryptionState::Tls;
        self.seat.set_tls(tls);
        let principal = self.gate.authenticate(username, creds).await;
        let principal = principal.inspect_err(|_| {
            if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_FAILURES {
                self.failed.cancel();
            }
        })?;
        let mut proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        *proved = Some((creds.source_ip, tls));
        Ok(principal)
    }
}

#[async_trait]
impl UserDetailProvider for Door {
    type User = Account;

    async fn provide_user_detail(&self, principal: &Principal) -> Result<Account, UserDetailError> {
        let account = Arc::new(self.gate.provide_user_detail(principal).await?);
        let proved = {
            let mut proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner);
            proved.take()
        };
        let (peer, tls) = proved.unwrap_or((IpAddr::V4(Ipv4Addr::UNSPECIFIED), false));
        self.seat.login(&account).map_err(|refused| {
            self.gate.turned_away(&principal.username, peer, &refused);
            UserDetailError::Generic(refused.to_string())
        })?;
        self.gate.let_in(&account, peer, tls);
        self.is_in.store(true, Ordering::Release);
        Ok(account.as_ref().clone())
    }
}
