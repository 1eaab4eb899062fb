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
    // The second comes on its own thread; the last one must be open to its owner meanwhile.
    for (name, mode) in [("a", 0o600), ("b", 0o755), ("c", 0o440)] {
        fs::write(temp.path().join(name), "old").unwrap();
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(temp.path().join(name), mode).unwrap();
        plan.push(Step::fetch(&format!("/{name}")));
    }
    let fake = Fake::default().file("/a", "new").file("/c", "new");
    let server = fake.file("/b", noise(2_000_000)).start();
    let force = Options {
        force: true,
        ..options()
    };
    let (summary, _) = run_with(&server, force, plan).await;
    assert_eq!(summary.files, 3, "{:?}", summary.failed);
    let mode = |name| {
        let meta = fs::metadata(temp.path().join(name)).unwrap();
        meta.permissions().mode() & 0o7777
    };
    let modes = ["a", "b", "c"].map(mode);
    assert_eq!(modes, [0o600, 0o755, 0o440]);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"new");
}
