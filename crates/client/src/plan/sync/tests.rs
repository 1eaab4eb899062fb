use std::time::{Duration, SystemTime};

use super::*;
use crate::plan::{compare::Facts, times::Skew};

fn tree(rows: &[(&str, Option<u64>, u64)]) -> Tree {
    let nodes = rows
        .iter()
        .map(|(path, size, secs)| Node {
            path: (*path).to_owned(),
            is_dir: size.is_none(),
            facts: Facts {
                size: *size,
                modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(*secs)),
                precision: Duration::from_secs(1),
            },
        })
        .collect();
    Tree {
        nodes,
        ..Tree::default()
    }
}

/// One word a step.
fn words(source: &Tree, target: &Tree, wishes: &Wishes) -> Vec<String> {
    plan(source, target, Path::new("/l"), "/r", wishes)
        .steps
        .iter()
        .map(|step| match step {
            Step::MakeRemoteDir { path } => format!("mkdir {path}"),
            Step::MakeLocalDir { path } => format!("mkdir {}", path.display()),
            Step::Send { local, remote, .. } => format!("{}>{remote}", local.display()),
            Step::Fetch { remote, local, .. } => format!("{remote}>{}", local.display()),
            Step::DeleteRemote { path, dir } => format!("rm {path} {dir}"),
            Step::DeleteLocal { path, dir } => format!("rm {} {dir}", path.display()),
            Step::UnlinkRemote { path } => format!("unlink {path}"),
            Step::ClearSent { dirs } => format!("clear {dirs:?}"),
            Step::Refuse { name, what } => format!("refuse {name}: {what}"),
            Step::Skip { name, reason } => format!("skip {name}: {reason}"),
        })
        .collect()
}

#[test]
fn new_and_changed_files_go_the_large_ones_first() {
    let source = tree(&[
        ("d", None, 0),
        ("a", Some(1), 9),
        ("b", Some(2), 9),
        ("d/c", Some(7), 9),
    ]);
    let target = tree(&[("a", Some(1), 9), ("b", Some(3), 9), ("x", Some(1), 1)]);
    let up = words(&source, &target, &Wishes::new(Way::Up));
    assert_eq!(
        up,
        [
            "mkdir /r/d",
            "skip a: same size and time",
            "/l/d/c>/r/d/c",
            "/l/b>/r/b"
        ]
    );
    let down = words(&source, &target, &Wishes::new(Way::Down));
    assert_eq!(
        down,
        [
            "mkdir d",
            "skip a: same size and time",
            "/r/d/c>d/c",
            "/r/b>b"
        ]
    );
}

#[test]
fn a_second_run_does_nothing() {
    let same = tree(&[("d", None, 5), ("d/a", Some(1), 9)]);
    let mut wishes = Wishes::new(Way::Up);
    wishes.delete = true;
    let plan = plan(&same, &same, Path::new("/l"), "/r", &wishes);
    assert!(plan.is_idle(), "{plan:?}");
}

#[test]
fn removals_come_last_children_first() {
    let source = tree(&[("a", Some(1), 1)]);
    let target = tree(&[("d", None, 0), ("d/e", None, 0), ("d/e/f", Some(1), 1)]);
    let mut wishes = Wishes::new(Way::Up);
    wishes.delete = true;
    let steps = words(&source, &target, &wishes);
    assert_eq!(
        steps,
        [
            "/l/a>/r/a",
            "unlink /r/d",
            "unlink /r/d/e",
            "rm /r/d/e/f false",
            "rm /r/d/e true",
            "rm /r/d true"
        ]
    );
}

/// Of a name that cannot be used the source has told nothing but that it is there.
#[test]
fn a_directory_above_what_was_not_read_stays() {
    let mut source = tree(&[("a", Some(1), 1)]);
    source.unread = vec!["d/e/x".to_owned()];
    let rows = [("d", None, 0), ("d/e", None, 0), ("d/e/f", Some(1), 1)];
    let target = tree(&[&rows[..], &[("de", Some(1), 1)]].concat());
    let mut wishes = Wishes::new(Way::Down);
    wishes.delete = true;
    let steps = words(&source, &target, &wishes);
    let stays = "not removed: the source was not read there";
    let [top, deep] = ["d", "d/e"].map(|dir| format!("skip {dir}: {stays}"));
    assert_eq!(
        steps,
        ["/r/a>a", &top, &deep, "rm de false", "rm d/e/f false"]
    );
}

#[test]
fn a_file_in_place_of_a_directory_goes_first_and_once() {
    let source = tree(&[("x", Some(1), 1)]);
    let target = tree(&[("x", None, 0), ("x/y", Some(1), 1)]);
    let mut wishes = Wishes::new(Way::Down);
    wishes.delete = true;
    let steps = words(&source, &target, &wishes);
    assert_eq!(steps, ["rm x/y false", "rm x true", "/r/x>x"]);
}

#[test]
fn without_delete_only_an_empty_directory_makes_room() {
    let source = tree(&[
        ("d", None, 0),
        ("d/e", None, 0),
        ("d/e/f", Some(1), 1),
        ("none", Some(1), 1),
        ("x", Some(1), 1),
    ]);
    let target = tree(&[
        ("d", Some(1), 1),
        ("none", None, 0),
        ("x", None, 0),
        ("x/only", Some(1), 1),
    ]);
    assert_eq!(
        words(&source, &target, &Wishes::new(Way::Up)),
        [
            "refuse .: `d`: the target has a file of that name; `--delete` replaces it",
            "unlink /r/none",
            "rm /r/none true",
            "refuse .: `x`: the target has a directory that is not empty of that name; \
             `--delete` replaces it",
            "/l/none>/r/none",
        ]
    );
}

#[test]
fn update_only_leaves_newer_targets_alone() {
    let source = tree(&[("a", Some(1), 100)]);
    let target = tree(&[("a", Some(2), 200)]);
    let mut wishes = Wishes::new(Way::Up);
    assert_eq!(words(&source, &target, &wishes), ["/l/a>/r/a"]);
    wishes.update_only = true;
    assert_eq!(
        words(&source, &target, &wishes),
        ["skip a: newer on the target"]
    );
    // Nor those of the same size whose hash differs.
    let source = tree(&[("a", Some(2), 100)]);
    wishes.different.insert("a".to_owned());
    assert_eq!(
        words(&source, &target, &wishes),
        ["skip a: newer on the target"]
    );
}

#[test]
fn what_was_not_read_is_not_removed() {
    let mut source = tree(&[("a", Some(1), 1)]);
    source.unread.push("locked".to_owned());
    let target = tree(&[
        ("locked", None, 0),
        ("locked/x", Some(1), 1),
        ("lock", Some(1), 1),
    ]);
    let mut wishes = Wishes::new(Way::Up);
    wishes.delete = true;
    let steps = words(&source, &target, &wishes);
    assert_eq!(
        steps
            .iter()
            .filter(|step| step.starts_with("rm"))
            .collect::<Vec<_>>(),
        ["rm /r/lock false"]
    );
    assert_eq!(
        steps
            .iter()
            .filter(|step| step.starts_with("skip locked"))
            .count(),
        2
    );
}

#[test]
fn a_directory_that_holds_what_was_left_out_is_not_removed() {
    let source = tree(&[("a", Some(1), 1)]);
    let mut target = tree(&[
        ("a", Some(1), 1),
        ("d", None, 0),
        ("l", None, 0),
        ("x", None, 0),
        ("d/e", None, 0),
        ("d/e/f", Some(1), 1),
    ]);
    target.holding.push("d/e".to_owned());
    target.unread.push("l/link".to_owned());
    let mut wishes = Wishes::new(Way::Down);
    wishes.delete = true;
    let why = "not removed: it holds what was left out";
    assert_eq!(
        words(&source, &target, &wishes),
        [
            "skip a: same size and time".to_owned(),
            format!("skip d: {why}"),
            format!("skip l: {why}"),
            format!("skip d/e: {why}"),
            "rm d/e/f false".to_owned(),
            "rm x true".to_owned(),
        ]
    );
}

#[test]
fn a_directory_that_holds_what_was_left_out_makes_no_room() {
    let source = tree(&[("d", Some(1), 1), ("e", Some(1), 1), ("l", Some(1), 1)]);
    let mut target = tree(&[("d", None, 0), ("e", None, 0), ("l", None, 0)]);
    target.holding.push("d".to_owned());
    target.unread.push("l/link".to_owned());
    let mut wishes = Wishes::new(Way::Up);
    let why = "the target has a directory of that name that holds what was left out";
    let refused = ["d", "l"].map(|name| format!("refuse .: `{name}`: {why}"));
    for delete in [false, true] {
        wishes.delete = delete;
        let steps = words(&source, &target, &wishes);
        let wanted = [
            &refused[0],
            "unlink /r/e",
            "rm /r/e true",
            &refused[1],
            "/l/e>/r/e",
        ];
        assert_eq!(steps, wanted, "{delete}");
    }
}

#[test]
fn nothing_is_sent_where_the_target_cannot_be_read() {
    let source = tree(&[
        ("locked", None, 0),
        ("open", Some(1), 1),
        ("locked/x", Some(1), 1),
    ]);
    let mut target = tree(&[("locked", None, 0)]);
    target.closed.push("locked".to_owned());
    let steps = words(&source, &target, &Wishes::new(Way::Up));
    let refused = "refuse .: `locked`: the target cannot be read there";
    assert_eq!(steps, [refused, "/l/open>/r/open"]);
}

#[test]
fn what_no_command_can_name_is_refused_before_anything_is_done() {
    let source = tree(&[
        ("a\nb", Some(1), 1),
        ("d\rx", None, 0),
        ("e", Some(1), 1),
        ("d\rx/y", Some(1), 1),
    ]);
    let target = tree(&[("old", Some(1), 1)]);
    let mut wishes = Wishes::new(Way::Up);
    wishes.delete = true;
    assert_eq!(
        words(&source, &target, &wishes),
        [
            r"refuse .: `a\nb`: cannot be sent: it holds a line end",
            r"refuse .: `d\rx`: cannot be sent: it holds a line end",
            "/l/e>/r/e",
            "skip old: not removed: something could not be copied",
        ]
    );
}

#[test]
fn a_server_that_keeps_no_times_is_not_sent_everything_again() {
    let source = tree(&[("a", Some(1), 100), ("b", Some(2), 100)]);
    let target = tree(&[("a", Some(1), 900), ("b", Some(1), 900)]);
    let mut wishes = Wishes::new(Way::Up);
    wishes.keeps_times = false;
    let steps = words(&source, &target, &wishes);
    assert_eq!(steps, ["skip a: same size, uploaded later", "/l/b>/r/b"]);
    // Changed since by our clock, which the target's is ahead of.
    wishes.skew = Skew::of_seconds(0, 1000);
    let steps = words(&source, &target, &wishes);
    assert_eq!(steps, ["/l/b>/r/b", "/l/a>/r/a"]);
}

#[test]
fn hashes_overrule_times() {
    let source = tree(&[("a", Some(1), 100), ("b", Some(1), 100)]);
    let target = tree(&[("a", Some(1), 900), ("b", Some(1), 100)]);
    let mut wishes = Wishes::new(Way::Up);
    wishes.equal.insert("a".to_owned());
    wishes.different.insert("b".to_owned());
    assert_eq!(
        words(&source, &target, &wishes),
        ["skip a: same content", "/l/b>/r/b"]
    );
}
