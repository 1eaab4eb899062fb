//! The gate, as libunftp asks it.

use async_trait::async_trait;
use ftp_config::Secret;
use unftp_core::auth::{
    AuthenticationError, Authenticator, ChannelEncryptionState, Credentials, Principal,
    UserDetailError, UserDetailProvider,
};

use super::{Gate, accounts::Known};
use crate::account::Account;

#[async_trait]
impl Authenticator for Gate {
    async fn authenticate(
        &self,
        username: &str,
        creds: &Credentials,
    ) -> Result<Principal, AuthenticationError> {
        let password = Secret::new(creds.password.as_deref().unwrap_or_default());
        let tls = creds.command_channel_security == ChannelEncryptionState::Tls;
        self.login(username, &password, creds.source_ip, tls)
            .await
            .map_err(|_| AuthenticationError::BadPassword)?;
        Ok(Principal {
            username: username.to_owned(),
        })
    }
}

#[async_trait]
impl UserDetailProvider for Gate {
    type User = Account;

    async fn provide_user_detail(&self, principal: &Principal) -> Result<Account, UserDetailError> {
        match self.current().accounts.find(&principal.username) {
            Ok(Known::User(account, _) | Known::Guest(account)) => Ok(account.as_ref().clone()),
            Err(_) => Err(UserDetailError::UserNotFound {
                username: principal.username.clone(),
            }),
        }
    }
}
