//! Whether the share, or a mode, gives the server's own files away.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{ServerConfig, server::TlsMode};

/// Warns when others can read the key of the certificate: they could pass for this server.
pub(crate) fn warn_key(warnings: &mut Vec<String>, config: &ServerConfig) {
    let key = &config.tls.key;
    let mode = key.metadata().map_or(0, |meta| meta.mode() & 0o777);
    if config.tls.mode != TlsMode::Off && mode & 0o007 != 0 {
        warnings.push(format!(
            "`{0}` may be read or written by others (mode {mode:o}), who could pass for this server: run `chmod \
             o= {0}`",
            key.display()
        ));
    }
}

/// Warns when the configuration, its list of users, the key of the certificate or the transfer record can be
/// reached through the share: who reads them has the users' hashes or the key, who writes them decides who logs
/// in, or what was recorded.
pub(crate) fn warn_exposed(warnings: &mut Vec<String>, path: &Path, config: &ServerConfig) {
    let homes = config.users.iter().map(|user| &user.home);
    let guests = config.anonymous.enabled.then_some(&config.anonymous.home);
    let homes: Vec<PathBuf> = homes
        .chain(guests)
        .filter_map(|home| std::fs::canonicalize(config.share.root.join(home.relative())).ok())
        .collect();
    let key = (config.tls.mode != TlsMode::Off).then_some(config.tls.key.as_path());
    let list = config.auth.allow_users_file.as_deref();
    let record = config.log.xferlog.as_deref();
    for file in [path].into_iter().chain(key).chain(list).chain(record) {
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
