//! Whatever stands in a file: no panic, no fault without a place to look, and printing agrees.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use ftp_config::{ClientConfig, ServerConfig};
use proptest::prelude::*;

const HASH: &str = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdHNhbHRzYWx0$wT2cXRgcBpbcRHWMvj2Jpg";

fn path() -> &'static Path {
    Path::new("/etc/ftp/ftp.toml")
}

/// A file that holds keys of every kind of value.
fn file() -> impl Strategy<Value = String> {
    let rights = proptest::sample::subsequence(
        vec![
            "list",
            "read",
            "write",
            "overwrite",
            "delete",
            "rename",
            "mkdir",
            "chmod",
        ],
        0..=8,
    );
    (
        (1024u16..=60_000, 0u16..=999, any::<bool>(), 0u32..=0o777),
        (1u64..1 << 40, 100u64..1 << 40, 0u32..=100_000),
        ("[a-z][a-z0-9._-]{0,12}", rights, "[ -~]{0,40}"),
    )
        .prop_map(
            |((port, more, flag, mode), (rate, millis, count), (name, rights, greeting))| {
                let greeting = greeting.replace('\\', "\\\\").replace('"', "\\\"");
                format!(
                    "[server]\nlisten = [\"127.0.0.1:{port}\"]\nascii_conversion = {flag}\n\
                 greeting = \"{greeting}\"\n[share]\numask = \"{mode:03o}\"\n\
                 [passive]\nports = \"{port}-{last}\"\n\
                 [limits]\nmax_clients = {count}\nrate_up = \"{rate} KiB/s\"\n\
                 [timeouts]\nidle = \"{millis}ms\"\n[uploads]\nkeep_partial_for = \"{millis}ms\"\n\
                 [[user]]\nname = \"{name}\"\npassword = \"{HASH}\"\nhome = \"/in/{{user}}\"\n\
                 can = {rights:?}\n",
                    last = port + more,
                )
            },
        )
}

proptest! {
    #[test]
    fn printing_and_loading_agree(text in file()) {
        let config = ServerConfig::from_toml(&text, path()).unwrap();
        let printed = config.to_toml();
        let again = ServerConfig::from_toml(&printed, path());
        prop_assert_eq!(again.unwrap(), config, "{}", printed);
    }

    #[test]
    fn a_damaged_file_is_reported_and_never_a_panic(
        text in file(),
        at in any::<prop::sample::Index>(),
        junk in "[\\PC\n]{0,6}",
    ) {
        let at = text.floor_char_boundary(at.index(text.len()));
        let damaged = format!("{}{junk}{}", &text[..at], &text[at..]);
        if let Err(error) = ServerConfig::from_toml(&damaged, path()) {
            prop_assert!(!error.faults().is_empty());
            prop_assert!(error.report("ftpd").starts_with("ftpd: config: "));
        }
        let _ = ClientConfig::from_toml(&damaged, path());
    }
}

#[test]
fn a_report_shows_every_fault() {
    let keys: String = (0..33).map(|i| format!("nokey{i} = 1\n")).collect();
    let error = ServerConfig::from_toml(&format!("[server]\n{keys}"), path()).unwrap_err();
    let report = error.report("ftpd");
    assert_eq!(error.faults().len(), 34, "33 keys, and nobody could log in");
    assert_eq!(report.matches("-->").count(), 34, "{report}");
}
