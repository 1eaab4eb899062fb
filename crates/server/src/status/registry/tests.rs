use std::time::Duration;

use ftp_config::{Rights, SharePath};

use super::*;
use crate::direction::Direction;

fn account(name: &str, max_sessions: u32) -> Arc<Account> {
    Arc::new(Account {
        name: name.parse().unwrap(),
        anonymous: false,
        home: SharePath::root(),
        rights: Rights::READ_WRITE,
        rate_down: ByteRate(2 << 20),
        rate_up: ByteRate::UNLIMITED,
        max_sessions,
    })
}

fn peer() -> SocketAddr {
    "192.168.1.7:4000".parse().unwrap()
}

#[test]
fn a_row_lives_as_long_as_the_last_clone_of_its_seat() {
    let registry = Registry::default();
    let seat = registry.seat(peer());
    let transfer_holds = seat.clone();
    drop(seat);
    assert_eq!(registry.rows().len(), 1);
    drop(transfer_holds);
    assert!(registry.is_empty());
    assert_eq!(registry.totals().sessions.get(), 1);
}

#[test]
fn an_account_has_no_more_sessions_than_it_may() {
    let registry = Registry::default();
    let (first, second) = (registry.seat(peer()), registry.seat(peer()));
    let ann = account("ann", 1);
    first.login(&ann).unwrap();
    let refused = second.login(&ann).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Too many sessions for `ann`: 1 at once are allowed"
    );
    first.login(&ann).unwrap();
    drop(first);
    second.login(&ann).unwrap();
    drop(second);
    assert!(lock(&registry.0.table).people.is_empty());
}

#[test]
fn what_moves_is_seen_and_counted() {
    let registry = Registry::default();
    let seat = registry.seat(peer());
    let path: SharePath = SharePath::root().join("a.iso").unwrap();
    let moving = seat.begin(Direction::Up, &path, Some(10));
    moving.add(4);
    let row = &registry.rows()[0].moving[0];
    assert_eq!(
        (row.bytes, row.size, row.path.as_str()),
        (4, Some(10), "/a.iso")
    );
    drop(moving);
    assert!(registry.rows()[0].moving.is_empty());
    seat.begin(Direction::Up, &path, None).complete(&path);
    let up = registry.totals().transfers(Direction::Up);
    assert_eq!(
        (up.bytes.get(), up.complete.get(), up.incomplete.get()),
        (4, 1, 1)
    );
    assert_eq!(up.durations.count(), 2);
}

#[test]
fn kicks_reach_the_session_by_number_and_by_name() {
    let registry = Registry::default();
    let (ann, bob) = (registry.seat(peer()), registry.seat(peer()));
    ann.login(&account("ann", 0)).unwrap();
    bob.login(&account("bob", 0)).unwrap();
    assert_eq!(registry.kick_user("ann", "Bye"), 1);
    assert!(ann.kicked().is_cancelled() && !bob.kicked().is_cancelled());
    assert_eq!(ann.kick_reason(), "Bye");
    assert!(registry.kick(bob.id(), "Bye too"));
    assert!(!registry.kick(999, "nobody"));
    assert_eq!(registry.leaving(), 2);
    drop((ann, bob));
    let _new = registry.seat(peer());
    assert_eq!(registry.leaving(), 0);
}

#[test]
fn sessions_of_one_user_pay_into_one_bucket() {
    let registry = Registry::default();
    let (one, two) = (registry.seat(peer()), registry.seat(peer()));
    assert!(one.throttle(Direction::Down).is_unlimited());
    one.login(&account("ann", 0)).unwrap();
    two.login(&account("ann", 0)).unwrap();
    let now = Instant::now();
    let _ = one.throttle(Direction::Down).take(2 << 20, now);
    let wait = two.throttle(Direction::Down).take(2 << 20, now);
    assert!(wait >= Duration::from_millis(1800), "{wait:?}");
    assert!(one.throttle(Direction::Up).is_unlimited());
}

#[test]
fn the_rates_of_a_login_hold_for_the_users_sessions_of_before() {
    let registry = Registry::default();
    let (one, two) = (registry.seat(peer()), registry.seat(peer()));
    one.login(&account("ann", 0)).unwrap();
    // A reload has changed them meanwhile.
    let changed = Account {
        rate_down: ByteRate::UNLIMITED,
        rate_up: ByteRate(1 << 20),
        ..Account::clone(&account("ann", 0))
    };
    two.login(&Arc::new(changed)).unwrap();
    for seat in [one, two] {
        assert!(seat.throttle(Direction::Down).is_unlimited());
        assert!(!seat.throttle(Direction::Up).is_unlimited());
    }
}
