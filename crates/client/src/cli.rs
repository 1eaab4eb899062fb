//! The words of the command line; their doc comments are the help.

mod patterns;

pub use patterns::Patterns;

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use clap::{Arg, Args, CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};
use ftp_config::{ByteRate, Encoding};

use crate::exit;

const EXAMPLES: &str = "Examples:
  ftpc put report.pdf                     to the default site
  ftpc get -r ftp://ann@nas.local/photos  a tree, from any server
  ftpc sync ./site web:/htdocs --dry-run  what would change";

/// Moves files and trees to and from any FTP server
#[derive(Debug, Parser)]
#[command(name = "ftpc", version, after_help = format!("{EXAMPLES}\n\n{}", exit::TABLE))]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command; without one, the shell.
    #[command(subcommand)]
    pub command: Option<Command>,
}

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

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send files: ftpc put FILE... site:DIR/ (or a URL)
    Put(Put),
    /// Fetch files: ftpc get FILE... LOCAL
    Get(Get),
    /// Make one tree like another: ftpc sync FROM TO
    Sync(Sync),
    /// List a directory
    Ls(Ls),
    /// Show a directory as a tree
    Tree(Where),
    /// Add up sizes
    Du(Where),
    /// Find names below a directory
    Find(Find),
    /// Print a file
    Cat(Paths),
    /// Remove files; -r: trees
    Rm(Rm),
    /// Rename or move
    Mv(Mv),
    /// Make directories; -p: with their parents
    Mkdir(Mkdir),
    /// Remove empty directories
    Rmdir(Paths),
    /// Change permission bits
    Chmod(Chmod),
    /// Send a raw command
    Quote(Quote),
    /// Open the shell: ftpc shell HOST (or a URL, or a site)
    Shell(Shell),
    /// Show the sites of the configuration
    Sites,
    /// Remembered certificates
    #[command(subcommand)]
    Trust(Trust),
    /// Check a connection step by step
    Doctor(Where),
    /// Find servers announced on the LAN
    Discover(Discover),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write one page a command to a directory
    Man {
        /// Write ftpc.1 and one page a command here
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// `put`
#[derive(Args, Debug)]
pub struct Put {
    /// Local files (`-`: standard input), then where they go
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The remote name
    #[arg(short, long, value_name = "NAME", allow_hyphen_values = true)]
    pub output: Option<String>,
    /// Directories with all they hold
    #[arg(short, long)]
    pub recursive: bool,
    /// Remove local files once they are whole on the other side
    #[arg(long = "move")]
    pub move_files: bool,
    /// Begin anew instead of going on
    #[arg(long)]
    pub no_resume: bool,
    /// What takes part.
    #[command(flatten)]
    pub patterns: Patterns,
}

/// `get`
#[derive(Args, Debug)]
pub struct Get {
    /// Remote files or patterns, then where they go
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// The local name (`-`: standard output)
    #[arg(short, long, value_name = "NAME", allow_hyphen_values = true)]
    pub output: Option<PathBuf>,
    /// Directories with all they hold
    #[arg(short, long)]
    pub recursive: bool,
    /// Replace local files that exist
    #[arg(short, long)]
    pub force: bool,
    /// Begin anew instead of going on
    #[arg(long)]
    pub no_resume: bool,
    /// What takes part.
    #[command(flatten)]
    pub patterns: Patterns,
}

/// `sync`
#[derive(Args, Debug)]
pub struct Sync {
    /// The tree that is right
    pub from: String,
    /// The tree that is made like it
    pub to: String,
    /// Show what would be done
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Remove what the right tree lacks
    #[arg(long)]
    pub delete: bool,
    /// Ask before more than this is removed; in a script, refuse
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub max_delete: u64,
    /// Compare hashes, not times
    #[arg(long)]
    pub checksum: bool,
    /// Leave alone what is newer on the other side
    #[arg(long)]
    pub update: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// What takes part.
    #[command(flatten)]
    pub patterns: Patterns,
}

/// `ls`
#[derive(Args, Debug)]
pub struct Ls {
    /// The directory, a file, or a pattern
    #[arg(default_value = "")]
    pub path: String,
    /// Sizes, times and modes
    #[arg(short, long)]
    pub long: bool,
    /// Directories below too
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// Names that begin with a dot too
    #[arg(short, long)]
    pub all: bool,
}

/// A remote directory.
#[derive(Args, Debug)]
pub struct Where {
    /// The directory
    #[arg(default_value = "")]
    pub path: String,
}

/// `find`
#[derive(Args, Debug)]
pub struct Find {
    /// The directory
    #[arg(default_value = "")]
    pub path: String,
    /// Only names that match
    #[arg(long, value_name = "PATTERN")]
    pub name: Option<String>,
}

/// Remote paths.
#[derive(Args, Debug)]
pub struct Paths {
    /// The paths
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
}

/// `rm`
#[derive(Args, Debug)]
pub struct Rm {
    /// Files or patterns
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Directories with all they hold
    #[arg(short, long)]
    pub recursive: bool,
    /// Do not ask before all that a server or a site holds is removed
    #[arg(short, long)]
    pub yes: bool,
}

/// `mv`
#[derive(Args, Debug)]
pub struct Mv {
    /// What
    pub from: String,
    /// The new name, or a directory
    pub to: String,
}

/// `mkdir`
#[derive(Args, Debug)]
pub struct Mkdir {
    /// The directories
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Parents too; what exists is fine
    #[arg(short, long)]
    pub parents: bool,
}

/// `chmod`
#[derive(Args, Debug)]
pub struct Chmod {
    /// The octal mode, as in 644
    #[arg(value_parser = parse_mode)]
    pub mode: u32,
    /// The paths
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
}

fn parse_mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| "write an octal mode, as in 644".to_owned())
}

/// `quote`
#[derive(Args, Debug)]
pub struct Quote {
    /// The site or URL; without one, the default site
    #[arg(long, value_name = "SITE")]
    pub on: Option<String>,
    /// The command and its words
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// `shell`
#[derive(Args, Debug)]
pub struct Shell {
    /// A host, a URL or a site
    pub server: Option<String>,
    /// In a script, go on after a failure
    #[arg(short, long)]
    pub keep_going: bool,
}

/// `discover`
#[derive(Args, Debug)]
pub struct Discover {
    /// How long to listen, as in 3s
    #[arg(long, default_value = "3s", value_parser = |text: &str| ftp_config::value::parse_duration(text))]
    pub wait: Duration,
}

/// `trust`
#[derive(Debug, Subcommand)]
pub enum Trust {
    /// Show what is remembered
    List,
    /// Remember the certificate that a server shows, or the one given
    Add {
        /// Host and port, or a URL, or a site
        server: String,
        /// The fingerprint you were told
        fingerprint: Option<String>,
    },
    /// Forget a server
    Remove {
        /// Host and port
        server: String,
    },
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
