use std::path::Path;

use ftp_config::ServerConfig;

use super::*;
use crate::status::Registry;

const LAN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 9));

struct House {
    _dir: tempfile::TempDir,
    snapshot: Arc<Snapshot>,
    guard: Arc<Guard>,
}

/// A house with ann (password `right`), bob (same) and the text appended to the file.
fn house(more: &str) -> House {
    let dir = tempfile::tempdir().unwrap();
    let hash = password::hash(&Secret::new("right")).unwrap();
    let text = format!(
        "[share]\nroot = \"share\"\n[tls]\nmode = \"off\"\n{more}\n\
         [[user]]\nname = \"ann\"\npassword = \"{hash}\"\n\
         [[user]]\nname = \"bob\"\npassword = \"{hash}\"\n"
    );
    let config = ServerConfig::from_toml(&text, &dir.path().join("ftp.toml"))
        .unwrap_or_else(|e| panic!("{}", e.report("ftpd")));
    let snapshot = Arc::new(Snapshot::build(config, None).unwrap());
    House {
        _dir: dir,
        snapshot,
        guard: Arc::new(Guard::new(Registry::default()).unwrap()),
    }
}

impl House {
    async fn login(&self, name: &str, password: &str, peer: IpAddr) -> Result<String, Refusal> {
        let holder = Holder::new(Arc::clone(&self.snapshot));
        let gate = Gate::new(holder, Arc::clone(&self.guard));
        let secret = Secret::new(password);
        let admitted = gate.login(name, &secret, peer, false).await?;
        gate.let_in(&admitted.account, peer, false);
        Ok(admitted.account.to_string())
    }

    async fn reason(&self, name: &str, password: &str, peer: IpAddr) -> RefusalReason {
        let asked = tokio::time::Instant::now();
        let refusal = self.login(name, password, peer).await.unwrap_err();
        assert_eq!((refusal.code, refusal.text), (530, REFUSED));
        // The proof itself takes no time of this clock.
        assert_eq!(asked.elapsed().as_millis(), FIRST_DELAY.as_millis());
        refusal.reason
    }
}

#[tokio::test]
async fn a_login_that_a_reload_overtakes_is_decided_by_the_new_configuration() {
    for (more, is_let_in) in [("", true), ("[auth]\ndeny_users = [\"ann\"]", false)] {
        let (old, new) = (house(""), house(more));
        let holder = Holder::new(Arc::clone(&old.snapshot));
        let gate = Gate::new(holder.clone(), Arc::clone(&old.guard));
        let password = Secret::new("right");
        let login = gate.login("ann", &password, LAN, false);
        tokio::pin!(login);
        tokio::select! {
            biased;
            _ = &mut login => panic!("a proof takes a thread of its own"),
            () = std::future::ready(()) => {}
        }
        holder.replace(Arc::clone(&new.snapshot));
        let verdict = login.await;
        assert_eq!(verdict.is_ok(), is_let_in, "{more}: {verdict:?}");
        assert!(verdict.is_err() || Arc::ptr_eq(&verdict.unwrap().by, &new.snapshot));
    }
}

#[test]
fn delays_grow_to_a_limit() {
    let millis: Vec<_> = (0..7)
        .map(|n| doubled(FIRST_DELAY, n, LONGEST_DELAY).as_millis())
        .collect();
    assert_eq!(millis, [250, 500, 1000, 2000, 4000, 4000, 4000]);
}

#[tokio::test(start_paused = true)]
async fn every_refusal_has_the_same_words_and_its_own_reason() {
    let house = house("[auth]\nallow_users = [\"ann\"]\n");
    assert_eq!(house.login("ann", "right", LAN).await.unwrap(), "ann");
    assert_eq!(
        house.reason("ann", "wrong", LAN).await,
        RefusalReason::WrongPassword
    );
    assert_eq!(
        house.reason("bob", "right", LAN).await,
        RefusalReason::NotOnAllowList
    );
    assert_eq!(
        house.reason("eve", "right", LAN).await,
        RefusalReason::NotOnAllowList
    );
    assert_eq!(
        house.reason("anonymous", "", LAN).await,
        RefusalReason::AnonymousOff
    );
    let totals = house.guard.registry.totals();
    assert_eq!((totals.logins.get(), totals.failed_logins.get()), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_login_clears_the_failures_before_it() {
    let house = house("[auth.lockout]\nafter = 2\n");
    for _ in 0..3 {
        assert_eq!(
            house.reason("ann", "wrong", LAN).await,
            RefusalReason::WrongPassword
        );
        assert_eq!(house.login("ann", "right", LAN).await.unwrap(), "ann");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_stands_for_the_right_password_too_and_only_there() {
    let house = house("[auth.lockout]\nafter = 2\n");
    for _ in 0..2 {
        assert_eq!(
            house.reason("ann", "wrong", LAN).await,
            RefusalReason::WrongPassword
        );
    }
    let locked = house.reason("ann", "right", LAN).await;
    assert!(matches!(locked, RefusalReason::Locked { .. }), "{locked:?}");
    let neighbour = IpAddr::from([192, 168, 1, 10]);
    assert!(house.login("ann", "right", neighbour).await.is_ok());
    assert!(house.login("bob", "right", LAN).await.is_ok());
    assert_eq!(house.guard.lockout().unlock(Some("ann"), Instant::now()), 1);
    assert!(house.login("ann", "right", LAN).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_falls_while_a_password_is_proved_stands_for_that_one_too() {
    let house = house("[auth.lockout]\nafter = 2\n");
    let rules = house.snapshot.config.auth.lockout.clone();
    let others = async {
        for _ in 0..2 {
            house
                .guard
                .lockout()
                .failed("ann", LAN, &rules, Instant::now());
        }
    };
    let (guess, ()) = tokio::join!(house.reason("ann", "right", LAN), others);
    assert!(matches!(guess, RefusalReason::Locked { .. }), "{guess:?}");
    // It ended nothing: the lock stands, and is no longer for it.
    let left = house.guard.lockout().locked_for("ann", LAN, Instant::now());
    assert_eq!(left.unwrap().as_secs().div_ceil(60), 1);
}

#[tokio::test(start_paused = true)]
async fn loopback_is_never_locked() {
    let house = house("[auth.lockout]\nafter = 1\n");
    let loopback = IpAddr::from([127, 0, 0, 1]);
    for _ in 0..5 {
        assert_eq!(
            house.reason("ann", "wrong", loopback).await,
            RefusalReason::WrongPassword
        );
    }
    assert!(house.login("ann", "right", loopback).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn guests_come_in_with_any_password_when_they_may() {
    let house = house("[anonymous]\nenabled = true\n");
    assert_eq!(
        house.login("ftp", "me@here", LAN).await.unwrap(),
        "anonymous"
    );
    assert_eq!(
        house.login("anonymous", "", LAN).await.unwrap(),
        "anonymous"
    );
}

#[tokio::test(start_paused = true)]
async fn required_tls_is_asked_before_the_password() {
    let mut house = house("");
    let mut config = house.snapshot.config.as_ref().clone();
    config.tls.mode = TlsMode::Required;
    config.tls.cert = Path::new(&config.share.root).join("../c.pem");
    config.tls.key = Path::new(&config.share.root).join("../k.pem");
    house.snapshot = Arc::new(Snapshot::build(config, None).unwrap());
    assert_eq!(
        house.reason("ann", "right", LAN).await,
        RefusalReason::PlainText
    );
    let gate = Gate::new(
        Holder::new(Arc::clone(&house.snapshot)),
        Arc::clone(&house.guard),
    );
    assert!(
        gate.login("ann", &Secret::new("right"), LAN, true)
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_gate_asks_the_configuration_of_now() {
    let (before, after) = (house(""), house("[auth]\ndeny_users = [\"bob\"]\n"));
    let holder = Holder::new(Arc::clone(&before.snapshot));
    let gate = Gate::new(holder.clone(), Arc::clone(&before.guard));
    let right = Secret::new("right");
    assert!(gate.login("bob", &right, LAN, false).await.is_ok());
    holder.replace(Arc::clone(&after.snapshot));
    let refusal = gate.login("bob", &right, LAN, false).await.unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::OnDenyList);
}

#[tokio::test(start_paused = true)]
async fn the_sample_password_opens_to_this_machine_only() {
    let house = house("[[user]]\nname = \"demo\"\npassword = \"demo\"\n");
    let here = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    assert!(house.login("demo", "demo", here).await.is_ok());
    let afar = house.reason("demo", "demo", LAN).await;
    assert_eq!(afar, RefusalReason::SampleFromAfar);
}
