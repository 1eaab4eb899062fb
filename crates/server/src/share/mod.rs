//! The shared directory.

pub mod throttle;
