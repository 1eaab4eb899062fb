//! What `rm` takes and what it leaves: links, odd names, a whole site.

use crate::{fake::Fake, says, write};

/// A server on which `par/l2` leads to `real`, and is listed as a directory.
fn with_hidden_link() -> Fake {
    let fake = Fake::default()
        .file("real/precious", "only")
        .file("par/z", "z");
    // What makes them directories that RMD removes.
    let fake = fake.file("par/", "").file("real/", "");
    fake.hook(|session, line| match line {
        "MLSD par" => {
            let z = session
                .content("par/z")
                .map_or("", |_| "type=file;size=1; z\r\n");
            session.sends(format!("type=dir; l2\r\n{z}"))
        }
        "MLSD par/l2" => session.sends("type=file;size=4; precious\r\n"),
        "DELE par/l2/precious" => session.answer("DELE real/precious"),
        "DELE par/l2" => {
            session.say("250 gone");
            true
        }
        _ => false,
    })
}

#[test]
fn a_link_that_is_listed_as_a_directory_goes_and_its_target_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = with_hidden_link().start();
    says(here, &server, &["rm", "-r", "@/par"], 0, "");
    assert_eq!(server.names(), ["real/", "real/precious"]);

    write(here, "par/new", "new");
    let server = with_hidden_link().start();
    let sync = ["sync", "--delete", "par", "@/par"];
    let said = says(here, &server, &sync, 0, "2 removed");
    assert!(!said.contains("precious"), "{said}");
    assert_eq!(
        server.names(),
        ["par/", "par/new", "real/", "real/precious"]
    );
}

#[test]
fn a_link_named_itself_goes_and_its_target_stays() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    // Without MLST a link to a directory is what can be entered.
    let linked = || {
        let fake = Fake::default()
            .feat(&["SIZE"])
            .file("real/precious", "only");
        fake.file("link", "").hook(|session, line| match line {
            "SIZE link" | "SIZE broken" | "CWD broken" => {
                session.say("550 not a file");
                true
            }
            "LIST -a" => session.sends(
                "lrwxrwxrwx 1 ann ann 4 Jan 01 2024 link -> real\r\n\
                 lrwxrwxrwx 1 ann ann 4 Jan 01 2024 broken -> none\r\n\
                 drwxr-xr-x 1 ann ann 4 Jan 01 2024 real\r\n",
            ),
            _ => false,
        })
    };
    for args in [&["rm", "-r", "@/link/"][..], &["rm", "@/link"]] {
        let server = linked().start();
        says(here, &server, args, 0, "");
        assert_eq!(server.names(), ["real/precious"], "{args:?}");
        assert_eq!(server.count("RMD"), 0);
    }
    let server = linked().file("broken", "").start();
    says(here, &server, &["rm", "@/broken"], 0, "");
    assert_eq!(server.names(), ["link", "real/precious"]);
}

#[test]
fn rm_takes_all_that_is_no_directory_and_nothing_it_cannot_name() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let tree = || {
        let fake = Fake::default().file("t/", "").file("t/d/", "");
        fake.file("t/d/x.ftpc-part", "x").file("t/sock", "")
    };
    let server = tree()
        .hook(|session, line| {
            line == "MLSD t" && session.sends("type=OS.UNIX=SLINK; sock\r\ntype=dir; d\r\n")
        })
        .start();
    says(here, &server, &["rm", "-r", "@/t"], 0, "");
    assert!(server.names().is_empty(), "{:?}", server.names());

    let server = tree()
        .hook(|session, line| {
            line == "MLSD t" && session.sends("type=file; a\tb\r\ntype=file; sock\r\n")
        })
        .start();
    says(
        here,
        &server,
        &["rm", "-r", "@/t"],
        1,
        "it holds a control character",
    );
    assert_eq!(server.count("RMD"), 0);
    assert!(server.content("t/sock").is_some());
}

#[test]
fn all_of_a_site_is_not_removed_for_an_empty_variable() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = Fake::default()
        .file("a", "1")
        .file("d/", "")
        .file("d/b", "2")
        .start();
    let server_only = server.address.to_string();
    for top in ["@/", "@", "@//", "@/."] {
        let said = says(here, &server, &["rm", "-r", top], 2, "would be removed");
        assert!(
            said.contains(&server_only) && !said.contains("hunter2"),
            "{said}"
        );
    }
    assert_eq!(server.names(), ["a", "d/", "d/b"]);
    assert_eq!(server.count("DELE"), 0);
}

#[test]
fn a_refusal_keeps_only_what_it_is_about() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("t/", "")
        .file("t/a/", "")
        .file("t/a/1", "1")
        .file("t/b/", "")
        .file("t/b/2", "2")
        .file("t/b/3", "3")
        .file("x", "x")
        .answers("DELE t/b/2", "550 not yours")
        .start();
    let args = ["rm", "-r", "@/t", "@/x"];
    let said = says(temp.path(), &server, &args, 1, "`t/b/2`: 550 not yours");
    assert_eq!(said.matches("550").count(), 1, "{said}");
    assert_eq!(server.names(), ["t/", "t/b/", "t/b/2"]);
    // Alone it is the whole cause.
    let args = ["rm", "@/t/b/2"];
    says(temp.path(), &server, &args, 6, "`t/b/2`: 550 not yours");
}
