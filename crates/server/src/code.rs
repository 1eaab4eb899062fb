//! Reply codes by name (RFC 959, 2228, 2389, 2428, 3659 and 4217). Every room may call it.

#![allow(missing_docs, reason = "the names are what there is to say")]

pub const ALREADY_OPEN: u16 = 125;
pub const OPENING: u16 = 150;
pub const OK: u16 = 200;
pub const SUPERFLUOUS: u16 = 202;
pub const SYSTEM_STATUS: u16 = 211;
pub const DIRECTORY_STATUS: u16 = 212;
pub const FILE_STATUS: u16 = 213;
pub const HELP: u16 = 214;
pub const SYSTEM_TYPE: u16 = 215;
pub const READY: u16 = 220;
pub const GOODBYE: u16 = 221;
pub const NOTHING_TO_ABORT: u16 = 225;
pub const DONE: u16 = 226;
pub const PASSIVE: u16 = 227;
pub const EXTENDED_PASSIVE: u16 = 229;
pub const LOGGED_IN: u16 = 230;
pub const TLS_GOES_ON: u16 = 234;
pub const FILE_OK: u16 = 250;
pub const PATH: u16 = 257;
pub const NEED_PASSWORD: u16 = 331;
pub const NEED_MORE: u16 = 350;
pub const CLOSING: u16 = 421;
pub const NO_DATA_CONNECTION: u16 = 425;
pub const ABORTED: u16 = 426;
pub const BUSY: u16 = 450;
pub const LOCAL_ERROR: u16 = 451;
pub const NO_ROOM: u16 = 452;
pub const UNKNOWN: u16 = 500;
pub const SYNTAX: u16 = 501;
pub const NOT_IMPLEMENTED: u16 = 502;
pub const BAD_ORDER: u16 = 503;
pub const NOT_FOR_PARAMETER: u16 = 504;
pub const NETWORK_PROTOCOL: u16 = 522;
/// RFC 4217 §9, beside its older sense of RFC 2428.
pub const NOT_PROTECTED: u16 = 522;
pub const NOT_LOGGED_IN: u16 = 530;
pub const CONTROL_IN_CLEAR: u16 = 533;
pub const PROTECTION_DENIED: u16 = 534;
pub const NOT_SUPPORTED_LEVEL: u16 = 536;
pub const UNAVAILABLE: u16 = 550;
pub const OVER_ALLOCATION: u16 = 552;
pub const BAD_NAME: u16 = 553;
pub const BAD_OFFSET: u16 = 554;
