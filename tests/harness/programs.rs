//! Where the programs under test are: beside this test's own executable, built when missing.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Returns the path of `ftpd` or `ftpc`.
///
/// # Panics
/// The program is not there and cannot be built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(name)
}

/// Builds both programs in the profile of this test; quick when they are fresh.
fn build() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let dir = own
        .parent()
        .and_then(Path::parent)
        .expect("tests lie in target/PROFILE/deps");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace");
    let there = dir.join("ftpd").is_file() && dir.join("ftpc").is_file();
    // A run of the whole workspace has built them just now.
    if std::env::var_os("FTP_E2E_BUILT").is_none() || !there {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(workspace)
            .args(["build", "--quiet", "-p", "ftpd", "-p", "ftpc"]);
        if dir.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(
            cargo.status().unwrap().success(),
            "ftpd and ftpc cannot be built"
        );
    }
    dir.to_path_buf()
}
