//! The words of the command line; their doc comments are the help.

mod global;
mod patterns;

pub use self::{
    global::{EncodingChoice, Global, TlsHow, VerifyWhen, first_word},
    patterns::Patterns,
};

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

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
    /// The remote name; `NAME/` is a directory to put into
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
    /// The local name; `NAME/` is a directory to fetch into (`-`: standard output)
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

/// Reads the mode that `chmod` is given, on the command line and at the prompt.
pub(crate) fn parse_mode(text: &str) -> Result<u32, String> {
    ftp_config::value::parse_mode(text, 0o7777)
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
