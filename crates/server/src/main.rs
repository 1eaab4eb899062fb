//! ftpd.
fn main() {}
