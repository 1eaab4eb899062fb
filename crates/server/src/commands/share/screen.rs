//! What `ftpd share` shows: where, who, until when, and what to type. Pure; at most 80 columns for
//! names of usual length.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
};

use ftp_config::PortRange;

use super::qr;
use crate::firewall::Firewall;

/// Bytes of a fingerprint on one line.
const HALF_FINGERPRINT: usize = 16 * 3;

/// Everything the screen tells.
#[derive(Clone, Debug)]
pub struct Screen<'a> {
    /// The shared directory.
    pub dir: &'a str,
    /// Whether nobody may change anything.
    pub read_only: bool,
    /// The address and port to tell.
    pub address: SocketAddr,
    /// The user.
    pub user: &'a str,
    /// The passphrase.
    pub passphrase: &'a str,
    /// The certificate's SHA-256, as `AB:CD:...`.
    pub fingerprint: &'a str,
    /// Whether logins without TLS are refused.
    pub tls_required: bool,
    /// Ports of data connections.
    pub passive: PortRange,
    /// When it ends by itself, as words.
    pub until: Option<&'a str>,
    /// Whether the QR code has colours.
    pub color: bool,
}

impl Screen<'_> {
    /// Returns the address without its user.
    fn site(&self) -> String {
        format!("ftp://{}@{}/", encoded(self.user), self.address)
    }

    /// Returns the URL that a phone or a file manager opens at once.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "ftp://{}:{}@{}/",
            encoded(self.user),
            self.passphrase,
            self.address
        )
    }

    /// Draws the screen.
    #[must_use]
    pub fn draw(&self) -> String {
        let mut out = String::new();
        let may = if self.read_only {
            "fetch files"
        } else {
            "fetch, add and change files"
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "Sharing {}", self.dir);
        let _ = writeln!(out, "Whoever has the passphrase may {may}.\n");
        self.draw_facts(&mut out);
        self.draw_lines_to_type(&mut out);
        self.draw_firewall(&mut out);
        let _ = writeln!(out);
        self.draw_code(&mut out);
        out
    }

    /// The last lines, which a small terminal shows: the code, its URL, and the end.
    fn draw_code(&self, out: &mut String) {
        let url = self.url();
        if let Some(code) = qr::draw(&url, self.color) {
            out.push_str(&code);
        }
        let _ = writeln!(out, "  {url}");
        let _ = match self.until {
            Some(until) => writeln!(out, "Shared until {until}; Ctrl-C ends it before."),
            None => writeln!(out, "Shared until Ctrl-C."),
        };
    }

    fn draw_facts(&self, out: &mut String) {
        let tls = if self.tls_required {
            "required"
        } else {
            "offered"
        };
        let _ = writeln!(out, "  user        {}", self.user);
        let _ = writeln!(out, "  passphrase  {}", self.passphrase);
        let _ = writeln!(out, "  TLS         {tls}; the certificate's SHA-256:");
        let middle = HALF_FINGERPRINT.min(self.fingerprint.len());
        let (first, second) = self.fingerprint.split_at(middle);
        let _ = writeln!(out, "              {first}\n              {second}");
    }

    fn draw_lines_to_type(&self, out: &mut String) {
        let (ip, port) = (self.address.ip(), self.address.port());
        let tls = if self.tls_required {
            "--ssl-reqd -k "
        } else {
            ""
        };
        let _ = writeln!(out, "\nOn the other machine:");
        let _ = writeln!(out, "  ftpc      ftpc ls {}", self.site());
        let _ = writeln!(
            out,
            "  curl      curl {tls}-u {} ftp://{}/",
            self.user, self.address
        );
        if self.tls_required {
            let _ = writeln!(out, "  ftp, Windows Explorer: these cannot do TLS");
        } else {
            let _ = writeln!(out, "  ftp       ftp {ip} {port}");
            let _ = writeln!(
                out,
                "  Explorer  type the ftp:// line below into the address bar"
            );
        }
    }

    fn draw_firewall(&self, out: &mut String) {
        if self.address.ip().is_loopback() {
            return;
        }
        let _ = writeln!(out, "\nIf they cannot connect, open the firewall here:");
        for firewall in [Firewall::Ufw, Firewall::Firewalld] {
            let _ = writeln!(
                out,
                "  {}",
                firewall.line(self.address.port(), self.passive)
            );
        }
    }
}

/// Encodes what a URL's user part cannot hold.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Returns the address to tell for one that is listened on.
#[must_use]
pub fn told(listening: SocketAddr, own: IpAddr) -> SocketAddr {
    match listening.ip().is_unspecified() {
        true => SocketAddr::new(own, listening.port()),
        false => listening,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen() -> Screen<'static> {
        Screen {
            dir: "/home/ann/photos",
            read_only: true,
            address: "192.168.100.100:2121".parse().unwrap(),
            user: "guest",
            passphrase: "lusab-babad-gutih-tugad",
            fingerprint: "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89",
            tls_required: false,
            passive: "50000-50999".parse().unwrap(),
            until: Some("18:25"),
            color: false,
        }
    }

    #[test]
    fn the_screen_tells_all_in_80_columns() {
        let drawn = screen().draw();
        assert!(
            drawn.lines().all(|line| line.chars().count() <= 80),
            "{drawn}"
        );
        let without_code: Vec<_> = drawn
            .lines()
            .filter(|line| !line.contains(['█', '▀', '▄']))
            .collect();
        insta::assert_snapshot!(without_code.join("\n"), @r"
        Sharing /home/ann/photos
        Whoever has the passphrase may fetch files.

          user        guest
          passphrase  lusab-babad-gutih-tugad
          TLS         offered; the certificate's SHA-256:
                      AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:
                      AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89

        On the other machine:
          ftpc      ftpc ls ftp://guest@192.168.100.100:2121/
          curl      curl -u guest ftp://192.168.100.100:2121/
          ftp       ftp 192.168.100.100 2121
          Explorer  type the ftp:// line below into the address bar

        If they cannot connect, open the firewall here:
          sudo ufw allow 2121,50000:50999/tcp
          sudo firewall-cmd --add-port=2121/tcp --add-port=50000-50999/tcp

          ftp://guest:lusab-babad-gutih-tugad@192.168.100.100:2121/
        Shared until 18:25; Ctrl-C ends it before.
        ");
    }

    #[test]
    fn a_terminal_of_24_lines_shows_the_code_and_the_url() {
        let drawn = screen().draw();
        let lines: Vec<_> = drawn.lines().collect();
        // The cursor stands on the line behind the last one.
        let (gone, seen) = lines.split_at(lines.len() - 23);
        let is_code = |line: &&str| line.contains(['█', '▀', '▄']);
        assert!(!gone.iter().any(is_code), "{drawn}");
        assert!(
            seen[0].chars().all(|c| c == '█'),
            "its border is whole: {drawn}"
        );
        assert!(
            seen.iter().any(|line| line.contains("ftp://guest:")),
            "{drawn}"
        );
    }

    #[test]
    fn the_longest_address_still_fits_80_columns() {
        let address = "[fd00:1111:2222:3333:4444:5555:6666:7777]:65535"
            .parse()
            .unwrap();
        let drawn = Screen {
            address,
            ..screen()
        }
        .draw();
        let widest = drawn.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(86), "{drawn}");
        let told = told("[::]:21".parse().unwrap(), "192.168.1.5".parse().unwrap());
        assert_eq!(told.to_string(), "192.168.1.5:21");
    }

    #[test]
    fn a_name_is_encoded_for_the_url() {
        assert_eq!(encoded("ann@home 安"), "ann%40home%20%E5%AE%89");
        let drawn = Screen {
            tls_required: true,
            ..screen()
        }
        .draw();
        assert!(drawn.contains("curl --ssl-reqd -k -u guest ftp://"));
    }
}
