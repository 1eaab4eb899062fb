//! The command line; its doc comments are the help and the man page. Only `main` and the man pages name
//! clap besides.

mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ftp_config::UserName;

use self::values::duration;
pub(crate) use self::values::{listen_address, user_name};

const EXAMPLES: &str = "\
Examples:
  ftpd --config config/ftp.toml    serve what the file says
  ftpd user add ann                let ann in
  ftpd share ~/photos --for 2h     share a directory at once, with no file

Exit codes:
  0  done
  1  it failed
  2  usage or configuration";

/// Serves one directory by FTP to the users of an allow-list.
#[derive(Debug, Parser)]
#[command(name = "ftpd", version, after_help = EXAMPLES, max_term_width = 80)]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do; `run` when absent.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Options of every verb.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// The configuration [default: $FTP_CONFIG, ./config/ftp.toml, ~/.config/ftp/ftp.toml,
    /// /etc/ftp/ftp.toml]
    #[arg(long, short, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Say more: -v each command and reply, -vv data connections too
    #[arg(long, short, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Say less: warnings and errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Colour in logs and tables
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Color,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What `ftpd` can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Serve (the default)
    Run,
    /// Check the configuration; say every fault, or what is served
    Check {
        /// Print the server's whole configuration in effect, defaults filled in
        #[arg(long)]
        print: bool,
    },
    /// Add, change, remove and list users in the configuration
    #[command(subcommand)]
    User(UserVerb),
    /// Show the certificate's fingerprint and dates, or make a new one
    Cert {
        /// Make a new self-signed certificate in place of the one made on first start
        #[arg(long)]
        renew: bool,
    },
    /// Show the running server: up since, sessions, totals, addresses, certificate
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show who is here and what moves
    Who {
        /// Show it again every second
        #[arg(long, short)]
        watch: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End sessions
    Kick {
        /// A session's number (see `ftpd who`) or a user's name
        target: String,
    },
    /// Let the running server read its configuration again
    Reload,
    /// Lift lock-outs after failed logins
    Unlock {
        /// Whose; everybody's when absent
        user: Option<String>,
    },
    /// Write a commented ftp.toml for this machine
    Init(Init),
    /// Share a directory at once: a user, a passphrase, a URL, a QR code
    Share(Share),
    /// Check the configuration and this machine from outside
    Doctor {
        /// The client's address, for the firewall and passive-address checks
        #[arg(long, value_name = "ADDRESS")]
        from: Option<std::net::IpAddr>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Turn a vsftpd.conf into an ftp.toml, printed
    ImportVsftpd(Import),
    /// Print the man page, or write all of them to a directory
    #[command(hide = true)]
    Man {
        /// Write ftpd.1 and one page a verb here
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Print completions for a shell
    #[command(hide = true)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// `ftpd user ...`
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// Add a user; asks for the password
    Add {
        /// The login name
        #[arg(value_parser = user_name)]
        name: UserName,
        /// The user's root inside the share [default: /]
        #[arg(long, value_name = "PATH")]
        home: Option<String>,
        /// read-only, read-write, dropbox, or rights: list,read,write,overwrite,delete,rename,mkdir,chmod
        /// [default: read-write]
        #[arg(long, value_name = "RIGHTS")]
        can: Option<String>,
        /// Read the password from the first line of stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// Change a user's password
    Passwd {
        /// The login name
        #[arg(value_parser = user_name)]
        name: UserName,
        /// Read the password from the first line of stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// Remove a user
    Remove {
        /// The login name
        #[arg(value_parser = user_name)]
        name: UserName,
    },
    /// List users and whether they can log in
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `ftpd init`
#[derive(Args, Debug)]
pub struct Init {
    /// The directory to share; asked for when absent (with --yes: ~/share, for root /srv/share)
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The first user's name; asked for when absent (with --yes: your own, for root ann)
    #[arg(long, value_name = "NAME", value_parser = user_name)]
    pub user: Option<UserName>,
    /// Where to listen; asked for when absent (default: `[::]:2121`)
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
    /// Ask nothing
    #[arg(long, short)]
    pub yes: bool,
}

/// `ftpd share`
#[derive(Args, Debug)]
pub struct Share {
    /// The directory to share
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Let nobody change anything
    #[arg(long)]
    pub read_only: bool,
    /// End by itself after this time: 10s, 30m, 2h [default: no end]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// The user's name
    #[arg(long, value_name = "NAME", default_value = "guest", value_parser = user_name)]
    pub name: UserName,
    /// The port; the first free one from 2121 when absent
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// The address to listen on and to print
    #[arg(long, value_name = "ADDRESS", visible_alias = "listen")]
    pub address: Option<std::net::IpAddr>,
    /// Refuse logins without TLS
    #[arg(long)]
    pub require_tls: bool,
    /// Do not announce by mDNS
    #[arg(long)]
    pub no_mdns: bool,
}

/// `ftpd import-vsftpd`
#[derive(Args, Debug)]
pub struct Import {
    /// The vsftpd.conf to read
    pub file: PathBuf,
    /// The chroot_list, in place of the one the file names
    #[arg(long, value_name = "FILE")]
    pub chroot_list: Option<PathBuf>,
    /// The userlist, in place of the one the file names
    #[arg(long, value_name = "FILE")]
    pub userlist: Option<PathBuf>,
    /// Take the names of the chroot_list as the allow-list
    #[arg(long)]
    pub chroot_list_is_allow_list: bool,
    /// Look up the paths that the file names below this directory
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}
