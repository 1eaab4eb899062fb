//! Small helps that every room may call: a thread for what blocks, and what is left to chance.

use crate::error::{Error, RemoteError};

/// Runs blocking work on its own thread.
///
/// # Errors
/// The work panicked, or the runtime is ending.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Remote(RemoteError::Poisoned))
}

/// A tag that no other run has.
pub(crate) fn chance_tag() -> String {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = std::process::id().to_le_bytes();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number from 0 to 1 by chance; the middle when the system has none to give.
pub(crate) fn chance() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tags_are_alike() {
        assert_ne!(chance_tag(), chance_tag());
    }
}
