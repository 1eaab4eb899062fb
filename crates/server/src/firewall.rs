//! The lines that open a firewall for the server, and which firewall this machine has. Opens
//! nothing itself.

use std::path::Path;

use ftp_config::PortRange;

/// A firewall that people meet on Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firewall {
    /// Ubuntu's.
    Ufw,
    /// Fedora's.
    Firewalld,
    /// Rules of one's own.
    Nftables,
}

impl Firewall {
    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ufw => "ufw",
            Self::Firewalld => "firewalld",
            Self::Nftables => "nftables",
        }
    }

    /// Returns the line that opens `port` and the passive range: by ufw for good, by the others until the machine or
    /// its firewall starts anew.
    #[must_use]
    pub fn line(self, port: u16, passive: PortRange) -> String {
        let (first, last) = (passive.first(), passive.last());
        match self {
            Self::Ufw => format!("sudo ufw allow {port},{first}:{last}/tcp"),
            Self::Firewalld => {
                format!("sudo firewall-cmd --add-port={port}/tcp --add-port={first}-{last}/tcp")
            }
            Self::Nftables => format!(
                "sudo nft add rule inet filter input tcp dport '{{ {port}, {first}-{last} }}' accept"
            ),
        }
    }

    /// Returns the line that opens them for good, for a service.
    #[must_use]
    pub fn lasting_line(self, port: u16, passive: PortRange) -> String {
        let line = self.line(port, passive);
        match self {
            Self::Ufw => line,
            Self::Firewalld => {
                let lasting = line.replace("firewall-cmd", "firewall-cmd --permanent");
                format!("{line} && {lasting}")
            }
            Self::Nftables => {
                format!("{line}, and that rule in /etc/nftables.conf, for the next start")
            }
        }
    }

    /// Returns the firewall that is on, as far as files and processes below `root` tell.
    #[must_use]
    pub fn in_use(root: &Path) -> Option<Self> {
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
        if read("etc/ufw/ufw.conf")
            .lines()
            .any(|line| line.trim() == "ENABLED=yes")
        {
            return Some(Self::Ufw);
        }
        if runs(root, "firewalld") {
            return Some(Self::Firewalld);
        }
        let units = "etc/systemd/system/sysinit.target.wants/nftables.service";
        let is_enabled = root.join(units).symlink_metadata().is_ok();
        is_enabled.then_some(Self::Nftables)
    }
}

fn runs(root: &Path, name: &str) -> bool {
    let Ok(processes) = std::fs::read_dir(root.join("proc")) else {
        return false;
    };
    processes.flatten().any(|process| {
        let comm = process.path().join("comm");
        std::fs::read_to_string(comm).is_ok_and(|comm| comm.trim_end() == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_with(path: &str, text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        dir
    }

    #[test]
    fn the_firewall_that_is_on_is_found() {
        let found = |path, text| Firewall::in_use(root_with(path, text).path());
        assert_eq!(
            found("etc/ufw/ufw.conf", "# x\nENABLED=yes\n"),
            Some(Firewall::Ufw)
        );
        assert_eq!(found("etc/ufw/ufw.conf", "ENABLED=no\n"), None);
        assert_eq!(
            found("proc/7/comm", "firewalld\n"),
            Some(Firewall::Firewalld)
        );
        let unit = "etc/systemd/system/sysinit.target.wants/nftables.service";
        assert_eq!(found(unit, ""), Some(Firewall::Nftables));
    }

    #[test]
    fn lines_open_the_port_and_the_passive_range() {
        let range = "50000-50999".parse().unwrap();
        assert_eq!(
            Firewall::Ufw.line(2121, range),
            "sudo ufw allow 2121,50000:50999/tcp"
        );
        assert!(
            Firewall::Firewalld
                .line(21, range)
                .ends_with("--add-port=50000-50999/tcp")
        );
        assert!(
            Firewall::Nftables
                .line(21, range)
                .contains("{ 21, 50000-50999 }")
        );
    }

    #[test]
    fn a_service_is_let_through_after_the_next_start_too() {
        let range = "50000-50999".parse().unwrap();
        let ports = "--add-port=21/tcp --add-port=50000-50999/tcp";
        assert_eq!(
            Firewall::Firewalld.lasting_line(21, range),
            format!("sudo firewall-cmd {ports} && sudo firewall-cmd --permanent {ports}")
        );
        assert_eq!(
            Firewall::Ufw.lasting_line(21, range),
            Firewall::Ufw.line(21, range)
        );
        let nft = Firewall::Nftables.lasting_line(21, range);
        assert!(
            nft.ends_with("in /etc/nftables.conf, for the next start"),
            "{nft}"
        );
    }
}
