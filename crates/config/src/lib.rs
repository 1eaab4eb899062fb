//! The words of `ftp.toml`, for both programs.
//!
//! `reader` collects every fault of a table; [`ServerConfig`] and [`ClientConfig`] are what the
//! programs use; `resolve` is the only passage between. Nothing here opens a socket, hashes a
//! password or knows a command line.

pub mod client;
pub mod defaults;
mod error;
mod exposed;
mod find;
mod load;
pub mod lossless;
mod mask;
mod named;
mod print;
mod reader;
mod resolve;
pub mod rights;
pub mod server;
pub mod shown;
mod source;
pub mod value;
mod word;

pub use error::{ConfigError, Fault};
pub use find::{Environment, Found, find_config};
pub use load::{Loaded, ensure_trusted, load_client, load_server};
pub use named::files_named;
pub use reader::nearest;
pub use source::Place;
pub use word::Word;

pub use client::{ClientConfig, Site, SiteTls};
pub use rights::{Right, Rights};
pub use server::ServerConfig;
pub use value::{ByteRate, ByteSize, Encoding, PortRange, Reserve, Secret, SharePath, UserName};
