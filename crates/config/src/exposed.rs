//! Whether the share gives the server's own files away.

use std::path::{Path, PathBuf};

use crate::{ServerConfig, server::TlsMode};

/// Warns when the configuration, its list of users or the key of the certificate can be reached through the
/// share: who reads them has the users' hashes or the key, who writes them decides who logs in.
pub(crate) fn warn_exposed(warnings: &mut Vec<String>, path: &Path, config: &ServerConfig) {
    let homes = config.users.iter().map(|user| &user.home);
    let guests = config.anonymous.enabled.then_some(&config.anonymous.home);
    let homes: Vec<PathBuf> = homes
        .chain(guests)
        .filter_map(|home| std::fs::canonicalize(config.share.root.join(home.relative())).ok())
        .collect();
    let key = (config.tls.mode != TlsMode::Off).then_some(config.tls.key.as_path());
    let list = config.auth.allow_users_file.as_deref();
    for file in [path].into_iter().chain(key).chain(list) {
        let Ok(real) = std::fs::canonicalize(file) else {
            continue;
        };
        if homes.iter().any(|home| real.starts_with(home)) {
            warnings.push(format!(
                "`{}` lies inside the share, for its users to read and change: move it, or share another directory",
                file.display()
            ));
        }
    }
}
