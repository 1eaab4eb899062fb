//! Who is here and what moves: the live table, its totals, and the ways to see them.

pub mod metrics;
pub mod place;
pub mod registry;
pub mod row;
pub mod socket;
pub mod table;
pub mod totals;
pub mod wire;

pub use registry::{Moving, Registry, Seat, TooManySessions};
pub use row::{MovingRow, Row};
pub use totals::Totals;
