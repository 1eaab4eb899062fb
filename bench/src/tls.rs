//! One certificate for every server of a run, and a client that trusts it blindly.

use std::{fs, path::Path, sync::Arc};

use anyhow::Result;
use rustls::{ClientConfig, crypto::aws_lc_rs};

use crate::trust::TrustAll;

/// Writes `cert.pem`, `key.pem` and `both.pem` into `dir`.
pub(crate) fn write_certificate(dir: &Path) -> Result<()> {
    let made =
        rcgen::generate_simple_self_signed(vec!["bench".to_owned(), "localhost".to_owned()])?;
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    fs::write(dir.join("cert.pem"), &cert)?;
    fs::write(dir.join("key.pem"), &key)?;
    fs::write(dir.join("both.pem"), key + &cert)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in ["key.pem", "both.pem"] {
            fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Returns a new TLS client with a session store of its own: one for each FTP session.
pub(crate) fn client() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}
