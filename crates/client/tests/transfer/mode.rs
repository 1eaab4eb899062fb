//! The mode of a local file that another one replaces.

use std::{fs, os::unix::fs::PermissionsExt as _};

use ftpc::{
    plan::{Plan, Step},
    transfer::Options,
};

use crate::{fake::Fake, noise, options, run_with};

#[tokio::test]
async fn a_file_that_replaces_another_takes_over_its_mode() {
    let temp = tempfile::tempdir().unwrap();
    let mut plan = Plan::new(temp.path());
    // One comes on its own thread, the other without.
    for (name, mode) in [("a", 0o600), ("b", 0o755)] {
        fs::write(temp.path().join(name), "old").unwrap();
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(temp.path().join(name), mode).unwrap();
        plan.push(Step::fetch(&format!("/{name}")));
    }
    let fake = Fake::default().file("/a", "new");
    let server = fake.file("/b", noise(2_000_000)).start();
    let force = Options {
        force: true,
        ..options()
    };
    let (summary, _) = run_with(&server, force, plan).await;
    assert_eq!(summary.files, 2, "{:?}", summary.failed);
    let mode = |name| {
        let meta = fs::metadata(temp.path().join(name)).unwrap();
        meta.permissions().mode() & 0o7777
    };
    assert_eq!((mode("a"), mode("b")), (0o600, 0o755));
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"new");
}
