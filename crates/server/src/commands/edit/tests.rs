//! A file that was changed has its comments, its order and its line ends still.

use super::*;

const FILE: &str = r#"# my share
[share]
root = "share"  # here

[auth]
allow_users = ["ann"]

[[user]]
name = "ann"
password = "old"  # hers
"#;

fn editor(text: &str) -> Editor {
    Editor::parse("ftp.toml".into(), "ftp.toml".into(), text).unwrap()
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

#[test]
fn a_new_user_comes_last_and_joins_the_allow_list() {
    let mut editor = editor(FILE);
    let can = Rights::from_iter([Right::List, Right::Write]);
    let hash = Secret::new("$h");
    editor
        .add(&name("bob"), &hash, Some("/bob"), Some(can))
        .unwrap();
    insta::assert_snapshot!(editor.document, @r#"
    # my share
    [share]
    root = "share"  # here

    [auth]
    allow_users = ["ann", "bob"]

    [[user]]
    name = "ann"
    password = "old"  # hers

    [[user]]
    name = "bob"
    password = "$h"
    home = "/bob"
    can = ["list", "write"]
    "#);
    assert!(editor.add(&name("bob"), &hash, None, None).is_err());
}

#[test]
fn a_new_password_keeps_the_comment_beside_it() {
    let mut editor = editor(FILE);
    editor
        .set_password(&name("ann"), &Secret::new("$new"))
        .unwrap();
    assert!(
        editor
            .document
            .to_string()
            .contains("password = \"$new\"  # hers")
    );
    assert!(
        editor
            .set_password(&name("eve"), &Secret::new("x"))
            .is_err()
    );
}

#[test]
fn a_removed_user_leaves_the_lists_too() {
    let mut editor = editor(FILE);
    editor.remove(&name("ann")).unwrap();
    let text = editor.document.to_string();
    assert!(
        !text.contains("ann") && text.contains("# my share"),
        "{text}"
    );
    assert!(editor.remove(&name("ann")).is_err());
}

/// The file that is shipped.
const SAMPLE: &str = include_str!("../../../../../config/ftp.toml");

#[test]
fn the_samples_comments_stay_with_their_tables() {
    let mut added = editor(SAMPLE);
    added
        .add(&name("ann"), &Secret::new("$h"), None, None)
        .unwrap();
    let added = added.document.to_string();
    let ann = "[[user]]\nname = \"ann\"\npassword = \"$h\"\n";
    let expected = SAMPLE.replace(
        "#max_sessions = 0\n\n# Logins as",
        &format!("#max_sessions = 0\n\n{ann}\n# Logins as"),
    );
    assert_eq!(added, expected);

    let mut without_ann = editor(&added);
    without_ann.remove(&name("ann")).unwrap();
    assert_eq!(without_ann.document.to_string(), SAMPLE);

    let mut without_demo = editor(&added);
    without_demo.remove(&name("demo")).unwrap();
    let (before, rest) = added.split_once("[[user]]\nname = \"demo\"").unwrap();
    let (_, after) = rest.split_once("#max_sessions = 0\n").unwrap();
    assert_eq!(
        without_demo.document.to_string(),
        format!("{before}{after}")
    );
}

#[test]
fn a_user_at_the_end_of_a_file_keeps_its_comments() {
    let mut editor = editor("[[user]]\nname = \"ann\"\n#home = \"/\"\n\n# the end");
    editor
        .add(&name("bob"), &Secret::new("$h"), None, None)
        .unwrap();
    insta::assert_snapshot!(editor.document, @r#"
    [[user]]
    name = "ann"
    #home = "/"

    [[user]]
    name = "bob"
    password = "$h"

    # the end
    "#);
}

#[test]
fn a_file_without_users_gets_its_first() {
    let mut editor = editor("");
    editor
        .add(
            &name("bob"),
            &Secret::new("$h"),
            None,
            Some(Rights::READ_ONLY),
        )
        .unwrap();
    assert_eq!(
        editor.document.to_string(),
        "\n[[user]]\nname = \"bob\"\npassword = \"$h\"\ncan = \"read-only\"\n"
    );
}

#[test]
fn an_editors_mark_and_line_ends_stay() {
    let text = format!("{MARK}{}", FILE.replace('\n', "\r\n"));
    let mut editor = editor(&text);
    editor
        .set_password(&name("ann"), &Secret::new("$new"))
        .unwrap();
    assert_eq!(editor.text(), text.replace("\"old\"", "\"$new\""));
}
