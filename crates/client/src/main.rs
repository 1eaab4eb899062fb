//! ftpc.
fn main() {}
