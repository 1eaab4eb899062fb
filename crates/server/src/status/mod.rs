//! Who is here and what moves: the live table, its totals, and the ways to see them.

pub mod metrics;
pub mod place;
pub mod registry;
pub mod socket;
pub mod table;
pub mod totals;
pub mod wire;

pub use registry::{Moving, Registry, Row, Seat, TooManySessions};
pub use totals::Totals;
