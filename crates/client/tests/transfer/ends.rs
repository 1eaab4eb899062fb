//! How an upload ends: by a reset or by an end, and by what the server says of it.

use std::time::Duration;

use crate::{fake::Fake, noise, only_error, run, sending};

#[tokio::test]
async fn a_server_that_closes_behind_each_upload_gets_it_once() {
    for length in [0, 1000, 200_000] {
        let temp = tempfile::tempdir().unwrap();
        let content = noise(length);
        let server = Fake::default()
            .hook(|session, line| {
                line.starts_with("STOR") && {
                    let path = line.split_once(' ').unwrap().1.to_owned();
                    session.store(&path, 0);
                    session.hang_up();
                    true
                }
            })
            .start();
        let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
        assert!(server.content("/a").unwrap() == content);
        assert_eq!(
            (server.names(), server.count("STOR")),
            (vec!["/a".to_owned()], 1)
        );
    }
}

#[tokio::test]
async fn the_servers_reason_for_breaking_an_upload_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("STOR") && {
                session.say("150 go");
                let data = session.data();
                socket2::SockRef::from(&data)
                    .set_linger(Some(Duration::ZERO))
                    .unwrap();
                drop(data);
                session.say("552 quota exceeded");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &noise(30_000_000), "/a")).await;
    let error = only_error(&summary);
    assert!(error.to_string().ends_with("552 quota exceeded"), "{error}");
    assert_eq!(server.count("STOR"), 1);
}

#[tokio::test]
async fn an_upload_that_never_began_ends_by_a_reset_too() {
    for refusal in ["550 not today", "229 ok (|||1|)"] {
        let (told, heard) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new(told);
        let server = Fake::default()
            .hook(move |session, line| {
                line.starts_with("STOR") && {
                    let mut data = session.data();
                    session.say(refusal);
                    // In good order it would be the end of an empty file.
                    let came = std::io::copy(&mut data, &mut std::io::sink());
                    told.lock().unwrap().send(came.is_err()).unwrap();
                    true
                }
            })
            .start();
        let mut session = ftpc::remote::Dial::dial(&server.dialer()).await.unwrap();
        let start = ftpc::remote::Start::New;
        assert!(session.open_write("/a", start).await.is_err());
        assert!(heard.recv().unwrap(), "the end of the data was no reset");
        // What is no answer to STOR leaves nothing that could be trusted.
        assert_eq!(session.is_usable(), refusal.starts_with('5'), "{refusal}");
    }
}

#[tokio::test]
async fn an_answer_too_many_is_not_taken_for_that_of_a_removal() {
    for verb in ["DELE", "MKD"] {
        let server = Fake::default()
            .hook(move |session, line| {
                line.starts_with(verb) && {
                    session.say("226 once more");
                    session.say("550 what there is to say");
                    true
                }
            })
            .start();
        let mut session = ftpc::remote::Dial::dial(&server.dialer()).await.unwrap();
        let error = match verb {
            "DELE" => session.remove_file("/a").await.unwrap_err(),
            _ => session.make_dir("/a").await.unwrap_err(),
        };
        let error = error.to_string();
        assert!(error.contains("out of step: `226 once more`"), "{error}");
        assert!(!session.is_usable());
    }
}

#[tokio::test]
async fn a_server_that_says_226_to_all_that_is_done_is_believed() {
    let server = Fake::default()
        .hook(|session, line| {
            let is_done = ["DELE", "RMD", "RNTO"]
                .iter()
                .any(|verb| line.starts_with(verb));
            is_done && {
                session.say("226 done");
                true
            }
        })
        .file("/a", "x")
        .start();
    let mut session = ftpc::remote::Dial::dial(&server.dialer()).await.unwrap();
    session.rename("/a", "/b").await.unwrap();
    session.remove_file("/b").await.unwrap();
    session.remove_dir("/c").await.unwrap();
    assert!(session.is_usable());
}

#[tokio::test]
async fn an_upload_that_is_cut_ends_by_a_reset_and_the_reply_is_read() {
    let (told, heard) = std::sync::mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let server = Fake::default()
        .hook(move |session, line| {
            line.starts_with("STOR") && {
                session.say("150 go");
                let mut data = session.data();
                let came = std::io::copy(&mut data, &mut std::io::sink());
                told.lock().unwrap().send(came.is_err()).unwrap();
                session.say("451 the disk says no");
                true
            }
        })
        .start();
    let mut session = ftpc::remote::Dial::dial(&server.dialer()).await.unwrap();
    let mut data = session
        .open_write("/a", ftpc::remote::Start::New)
        .await
        .unwrap();
    data.send(b"half").await.unwrap();
    let error = data.cut().await.unwrap_err();
    assert!(
        error.to_string().ends_with("451 the disk says no"),
        "{error}"
    );
    assert!(heard.recv().unwrap(), "the end of the data was no reset");
    assert!(session.is_usable());
    assert_eq!(session.size("/a").await.unwrap(), None);
}

#[tokio::test]
async fn a_reply_that_can_be_no_end_leaves_nothing_to_the_next_command() {
    for verb in ["RETR", "STOR"] {
        for odd in ["150 still", "200 ok", "350 go on"] {
            let server = Fake::default()
                .hook(move |session, line| {
                    line.starts_with(verb) && {
                        session.say("150 go");
                        drop(session.data());
                        session.say(odd);
                        session.say("226 done");
                        true
                    }
                })
                .file("/a", "")
                .file("/b", "other")
                .start();
            let mut session = ftpc::remote::Dial::dial(&server.dialer()).await.unwrap();
            let begun = match verb {
                "RETR" => session.open_read("/a", 0).await,
                _ => session.open_write("/a", ftpc::remote::Start::New).await,
            };
            let error = begun.unwrap().finish().await.unwrap_err();
            // A 2xx is its last word: it would come again.
            let words = match odd {
                "200 ok" => format!("{verb} `/a`: 200 ok"),
                _ => format!("{verb}: the server is out of step: `{odd}`"),
            };
            assert_eq!(error.to_string(), words);
            assert_eq!(error.is_transient(), odd != "200 ok");
            assert!(!session.is_usable(), "{verb} {odd}");
            assert!(session.size("/b").await.is_err());
        }
    }
}
