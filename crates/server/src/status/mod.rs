//! Who is here and what moves: the live table, its totals, and the ways to see them.

pub mod registry;
pub mod totals;

pub use registry::{Direction, Moving, Registry, Row, Seat, TooManySessions};
pub use totals::Totals;
