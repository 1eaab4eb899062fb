//! A unit test that this machine does not let run says so, and fails where nothing may be missing.

/// Says loudly that a test, or a part of it, is skipped.
///
/// # Panics
/// `FTP_REQUIRE_PEERS` is set.
#[track_caller]
pub(crate) fn skip(why: &str) {
    assert!(
        std::env::var_os("FTP_REQUIRE_PEERS").is_none(),
        "required: {why}"
    );
    eprintln!("SKIPPED: {why}");
}
