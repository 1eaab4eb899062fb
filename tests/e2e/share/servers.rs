//! Two servers of one share: what both have confirmed is there.

use std::{fs, thread};

use harness::{Server, Site, Wire};

/// Appends a record; tells whether it was confirmed. Else the file had been changed meanwhile.
fn append(wire: &mut Wire, record: &str) -> bool {
    let data = wire.passive();
    if wire.expect_any("APPE log", &[125, 150, 450]).code == 450 {
        return false;
    }
    wire.guard(data).offer(record.as_bytes());
    let reply = wire.reply();
    assert!(matches!(reply.code, 226 | 450), "{}", reply.text());
    reply.code == 226
}

/// So many tries that without a common lock some were lost each time.
fn append_many(mut wire: Wire, who: usize) -> Vec<String> {
    let records = (0..900).map(|n| format!("<{who}.{n}>"));
    records.filter(|record| append(&mut wire, record)).collect()
}

#[test]
fn no_append_is_lost_between_two_servers_of_one_share() {
    let one = Site::with_ann().user("bob", "read-write").start();
    let root = format!("root = \"{}\"", one.site.share().display());
    let two = Site::with_ann().user("bob", "read-write");
    let two = two.key("share", &root).start();
    let login = |server: &Server, user: &str| {
        let mut wire = server.wire();
        wire.login(user);
        wire
    };
    let wires = [(&one, "ann"), (&two, "ann"), (&one, "bob"), (&two, "bob")];
    let wires = wires.map(|(server, user)| login(server, user));
    let confirmed: Vec<String> = thread::scope(|scope| {
        let begin = |(who, wire)| scope.spawn(move || append_many(wire, who));
        let all: Vec<_> = wires.into_iter().enumerate().map(begin).collect();
        all.into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let log = fs::read_to_string(one.site.disk("log")).unwrap();
    let lost: Vec<_> = confirmed
        .iter()
        .filter(|record| !log.contains(*record))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:?}",
        lost.len(),
        confirmed.len()
    );
    assert_eq!(
        log.len(),
        confirmed.iter().map(String::len).sum::<usize>(),
        "none twice"
    );
}
