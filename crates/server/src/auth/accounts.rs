//! Who may log in: deny-list, allow-list, the users of the file and the guest account.
//!
//! Pure, built once a snapshot. Passwords are proved elsewhere; here they are only handed out.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use ftp_config::{
    ServerConfig, UserName,
    defaults::{GUEST, is_guest},
    server::{Anonymous, Password, User},
};

use super::RefusalReason;
use crate::account::Account;

/// One user of the file.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    account: Arc<Account>,
    password: Password,
}

/// Everyone who may be named at a login.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    users: BTreeMap<String, Entry>,
    allow: Option<HashSet<String>>,
    deny: HashSet<String>,
    guest: Option<Arc<Account>>,
}

/// What is known of a name that may log in.
#[derive(Debug)]
pub enum Known<'a> {
    /// A user, who must prove this password.
    User(&'a Arc<Account>, &'a Password),
    /// The guest account: any password will do.
    Guest(&'a Arc<Account>),
}

impl Accounts {
    /// Takes the accounts out of a configuration.
    #[must_use]
    pub fn new(config: &ServerConfig) -> Self {
        let names = |list: &[UserName]| list.iter().map(ToString::to_string).collect();
        Self {
            users: config
                .users
                .iter()
                .map(|user| (user.name.to_string(), entry(user)))
                .collect(),
            allow: config.auth.allow_users.as_deref().map(names),
            deny: names(&config.auth.deny_users),
            guest: guest(&config.anonymous),
        }
    }

    /// Finds who a name means; deny beats allow.
    ///
    /// # Errors
    /// The reason for the log, when the name may not log in.
    pub fn find(&self, name: &str) -> Result<Known<'_>, RefusalReason> {
        let is_guest_name = is_guest(name);
        let denies_guests = self.deny.iter().any(|name| is_guest(name));
        if self.deny.contains(name) || (is_guest_name && denies_guests) {
            return Err(RefusalReason::OnDenyList);
        }
        let user = self.users.get(name);
        if user.is_none() && is_guest_name {
            return self
                .guest
                .as_ref()
                .map(Known::Guest)
                .ok_or(RefusalReason::AnonymousOff);
        }
        if self
            .allow
            .as_ref()
            .is_some_and(|allow| !allow.contains(name))
        {
            return Err(RefusalReason::NotOnAllowList);
        }
        let user = user.ok_or(RefusalReason::NoSuchUser)?;
        if user.password == Password::Unset {
            return Err(RefusalReason::NoPassword);
        }
        Ok(Known::User(&user.account, &user.password))
    }

    /// Returns the names that can log in, for the ready line.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .users
            .keys()
            .filter(|name| self.find(name).is_ok())
            .cloned()
            .collect();
        if self.guest.is_some() && !self.users.contains_key(GUEST) && self.find(GUEST).is_ok() {
            names.push(GUEST.to_owned());
        }
        names
    }

    /// Tells whether a name stands for the same account with the same password as it did `earlier`.
    #[must_use]
    pub fn lets_in_as(&self, earlier: &Self, name: &str) -> bool {
        match (earlier.find(name), self.find(name)) {
            (Ok(Known::User(old, was)), Ok(Known::User(new, is))) => old == new && was == is,
            (Ok(Known::Guest(old)), Ok(Known::Guest(new))) => old == new,
            _ => false,
        }
    }

    /// Returns the names that could log in before and, after a reload to `new`, can no longer, or
    /// only with another password.
    #[must_use]
    pub fn changed_in(&self, new: &Self) -> Vec<(String, &'static str)> {
        let mut changed = Vec::new();
        for name in self.names() {
            let why = match (self.find(&name), new.find(&name)) {
                (Ok(Known::User(_, old)), Ok(Known::User(_, new))) if old != new => {
                    "The password of this account was changed"
                }
                (Ok(_), Err(_)) => "This account may no longer log in",
                _ => continue,
            };
            changed.push((name, why));
        }
        changed
    }
}

fn entry(user: &User) -> Entry {
    Entry {
        account: Arc::new(Account {
            name: user.name.clone(),
            anonymous: false,
            home: user.home.clone(),
            rights: user.can,
            rate_down: user.rate_down,
            rate_up: user.rate_up,
            max_sessions: user.max_sessions,
        }),
        password: user.password.clone(),
    }
}

fn guest(anonymous: &Anonymous) -> Option<Arc<Account>> {
    let name = GUEST.parse().ok()?;
    anonymous.enabled.then(|| {
        Arc::new(Account {
            name,
            anonymous: true,
            home: anonymous.home.clone(),
            rights: anonymous.can,
            rate_down: anonymous.rate_down,
            rate_up: anonymous.rate_up,
            max_sessions: anonymous.max_sessions,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftp_config::{ByteRate, Rights, Secret, SharePath};

    fn accounts(allow: Option<&[&str]>, deny: &[&str], guests: bool) -> Accounts {
        let user = |name: &str, password| {
            let account = Arc::new(Account {
                name: name.parse().unwrap(),
                anonymous: false,
                home: SharePath::root(),
                rights: Rights::READ_ONLY,
                rate_down: ByteRate(0),
                rate_up: ByteRate(0),
                max_sessions: 0,
            });
            (name.to_owned(), Entry { account, password })
        };
        let hash = |text: &str| Password::Hash(Secret::new(text));
        let set = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Accounts {
            users: [
                user("ann", hash("a")),
                user("bob", hash("b")),
                user("new", Password::Unset),
            ]
            .into(),
            allow: allow.map(set),
            deny: set(deny),
            guest: guest(&Anonymous {
                enabled: guests,
                home: SharePath::root(),
                can: Rights::READ_ONLY,
                rate_down: ByteRate(0),
                rate_up: ByteRate(0),
                max_sessions: 0,
            }),
        }
    }

    #[test]
    fn every_combination_of_the_lists_has_its_answer() {
        use RefusalReason as R;
        type Row = (
            Option<&'static [&'static str]>,
            &'static [&'static str],
            &'static str,
            Option<RefusalReason>,
        );
        let rows: &[Row] = &[
            (None, &[], "ann", None),
            (Some(&["ann"]), &[], "ann", None),
            (Some(&["ann"]), &[], "bob", Some(R::NotOnAllowList)),
            (Some(&["ann"]), &["ann"], "ann", Some(R::OnDenyList)),
            (None, &["ann"], "ann", Some(R::OnDenyList)),
            (None, &["ann"], "bob", None),
            (None, &[], "eve", Some(R::NoSuchUser)),
            (Some(&["eve"]), &[], "eve", Some(R::NoSuchUser)),
            (Some(&[]), &[], "ann", Some(R::NotOnAllowList)),
            (None, &[], "Ann", Some(R::NoSuchUser)),
            (None, &[], "new", Some(R::NoPassword)),
            (None, &[], "anonymous", Some(R::AnonymousOff)),
        ];
        for (allow, deny, name, expected) in rows {
            let accounts = accounts(*allow, deny, false);
            assert_eq!(
                accounts.find(name).err(),
                *expected,
                "{allow:?} {deny:?} {name}"
            );
        }
    }

    #[test]
    fn guests_come_by_either_name_unless_denied() {
        let open = accounts(Some(&["ann"]), &[], true);
        for name in ["anonymous", "ftp", "FTP"] {
            assert!(matches!(open.find(name), Ok(Known::Guest(_))), "{name}");
        }
        let denied = accounts(None, &["anonymous"], true);
        assert_eq!(denied.find("ftp").err(), Some(RefusalReason::OnDenyList));
        for alias in ["ftp", "Anonymous"] {
            let by_alias = accounts(None, &[alias], true);
            for name in ["anonymous", "ftp", "FTP"] {
                assert_eq!(by_alias.find(name).err(), Some(RefusalReason::OnDenyList));
            }
        }
        assert_eq!(open.names(), ["ann", "anonymous"]);
    }

    #[test]
    fn a_reload_names_those_who_must_leave() {
        let old = accounts(None, &[], true);
        let mut new = accounts(Some(&["ann"]), &[], true);
        let changed = old.changed_in(&new);
        assert_eq!(
            changed,
            [("bob".to_owned(), "This account may no longer log in")]
        );
        new.allow = None;
        if let Some(entry) = new.users.get_mut("ann") {
            entry.password = Password::Hash(Secret::new("other"));
        }
        assert_eq!(old.changed_in(&new)[0].0, "ann");
        assert!(old.changed_in(&old).is_empty());
    }

    #[test]
    fn a_login_under_way_holds_when_a_reload_changes_others_only() {
        let old = accounts(None, &[], true);
        let mut new = accounts(Some(&["ann", "bob"]), &[], true);
        for name in ["ann", "bob", "anonymous", "ftp"] {
            assert!(new.lets_in_as(&old, name), "{name}");
        }
        new.users.get_mut("ann").unwrap().password = Password::Hash(Secret::new("other"));
        let home = "/bob".parse().unwrap();
        Arc::make_mut(&mut new.users.get_mut("bob").unwrap().account).home = home;
        new.guest = None;
        for name in ["ann", "bob", "anonymous", "new", "eve"] {
            assert!(!new.lets_in_as(&old, name), "{name}");
        }
    }
}
