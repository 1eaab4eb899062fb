//! Small helps that every room may call: a thread for what blocks, and what is left to chance.

use crate::{error::Error, hex};

/// Runs blocking work on its own thread.
///
/// # Errors
/// [`Error::BrokeOff`]: the work panicked, or the runtime is ending.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::BrokeOff)
}

/// A tag that no other run has.
pub(crate) fn chance_tag() -> String {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = std::process::id().to_le_bytes();
    }
    hex::of(&bytes)
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
    use crate::exit::ExitCode;

    #[tokio::test]
    async fn work_that_breaks_off_is_no_fault_of_the_session() {
        let broken = blocking(|| panic!("no luck")).await;
        let error = broken.unwrap_err();
        assert!(error.chain().starts_with("ftpc broke off"), "{error}");
        assert_eq!(ExitCode::from(&error), ExitCode::Local);
        assert!(!error.is_transient());
    }

    #[test]
    fn no_two_tags_are_alike() {
        assert_ne!(chance_tag(), chance_tag());
    }
}
