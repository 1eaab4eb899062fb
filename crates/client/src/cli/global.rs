//! What every command takes, and where a line's command stands between it.

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use clap::{Arg, Args, CommandFactory as _, ValueEnum, ValueHint};
use ftp_config::{ByteRate, Encoding};

use super::Cli;

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// The configuration file [default: $FTP_CONFIG, ./config/ftp.toml,
    /// ~/.config/ftp/ftp.toml, /etc/ftp/ftp.toml]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Show the control connection (passwords never)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Machine-readable answers (ls, find, du, tree, put, get, sync, doctor, sites, trust list)
    #[arg(long, global = true)]
    pub json: bool,
    /// Sessions at once, 1 to 64 [default: the file's client.jobs, else 4]
    #[arg(short, long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// Limit of all transfers together, as in 5MiB/s; 0: none [default: client.limit]
    #[arg(long, global = true, value_name = "RATE")]
    pub limit: Option<ByteRate>,
    /// Give up when the server is silent for so long, as in 10s
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_wait)]
    pub timeout: Option<Duration>,
    /// Compare hashes after a transfer [default: client.verify, else auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub verify: Option<VerifyWhen>,
    /// How the server speaks TLS [default: the site's tls, else auto]
    #[arg(long, global = true, value_name = "HOW")]
    pub tls: Option<TlsHow>,
    /// Encoding of names: auto, utf-8, gbk, gb18030, big5, shift_jis, euc-kr, euc-jp, latin1
    /// [default: the site's encoding, else auto]
    #[arg(long, global = true, value_name = "NAME", value_parser = parse_encoding)]
    pub encoding: Option<EncodingChoice>,
    /// Log in as this user
    #[arg(short, long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Remember a new certificate without asking
    #[arg(long, global = true)]
    pub trust_new: bool,
}

/// Finds the first word that is no flag and no flag's value: a command, or a host.
#[must_use]
pub fn first_word(args: &[impl AsRef<OsStr>]) -> Option<usize> {
    let command = Cli::command();
    let takes_value = |is_it: &dyn Fn(&Arg) -> bool| {
        let mut known = command.get_arguments();
        known.any(|arg| is_it(arg) && arg.get_action().takes_values())
    };
    let mut is_value = false;
    for (at, arg) in args.iter().enumerate().skip(1) {
        let arg = arg.as_ref().to_string_lossy();
        if std::mem::take(&mut is_value) {
            continue;
        }
        let Some(flags) = arg.strip_prefix('-') else {
            return Some(at);
        };
        is_value = match flags.strip_prefix('-') {
            Some("") => return None,
            Some(long) => takes_value(&|arg| arg.get_long() == Some(long)),
            // The first of `-vu` that takes a value takes what follows it.
            None => flags
                .char_indices()
                .find(|(_, short)| takes_value(&|arg| arg.get_short() == Some(*short)))
                .is_some_and(|(at, short)| at + short.len_utf8() == flags.len()),
        };
    }
    None
}

/// An encoding, or `auto`.
#[derive(Clone, Copy, Debug)]
pub struct EncodingChoice(pub Option<Encoding>);

fn parse_wait(text: &str) -> Result<Duration, String> {
    match ftp_config::value::parse_duration(text) {
        Ok(wait) if wait.is_zero() => Err("0 would give up at once".to_owned()),
        Ok(wait) => Ok(wait),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_encoding(text: &str) -> Result<EncodingChoice, String> {
    match text {
        "auto" => Ok(EncodingChoice(None)),
        _ => text
            .parse()
            .map(|encoding| EncodingChoice(Some(encoding)))
            .map_err(|error: ftp_config::value::ValueError| {
                format!("{}; {}", error.what, error.fix)
            }),
    }
}

/// When hashes are compared.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum VerifyWhen {
    /// When offered, from 1 MiB
    Auto,
    /// Always; no hash is an error
    Always,
    /// Sizes only
    Never,
}

/// How TLS is spoken.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TlsHow {
    /// When offered
    Auto,
    /// Or nothing
    Required,
    /// Clear text
    Off,
    /// From the first byte
    Implicit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_behind_the_flags_and_their_values() {
        for (line, word) in [
            ("ftpc host", Some(1)),
            ("ftpc -v host", Some(2)),
            ("ftpc -u demo host", Some(3)),
            ("ftpc -vu demo host", Some(3)),
            ("ftpc -udemo host", Some(2)),
            ("ftpc --user demo --tls=off host -q", Some(4)),
            ("ftpc -v", None),
            ("ftpc -- host", None),
        ] {
            let args: Vec<&str> = line.split(' ').collect();
            assert_eq!(first_word(&args), word, "{line}");
        }
    }
}
