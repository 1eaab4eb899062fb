//! Passive ports that root could open, and the user of `run_as` cannot. For `ftpd doctor` and `ftpd check`.

use ftp_config::{PortRange, ServerConfig};

use super::becomes_another;

/// Where the system tells from which port on it asks for no privilege.
const FIRST_FREE: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
/// What it says unless somebody changed that.
const USUAL_FIRST_FREE: u16 = 1024;

/// Says which passive ports will not open, as root is gone by then.
#[must_use]
pub fn closed_ports(config: &ServerConfig) -> Option<String> {
    if !becomes_another(config) {
        return None;
    }
    let told = std::fs::read_to_string(FIRST_FREE).ok();
    let first_free = told.and_then(|told| told.trim().parse().ok());
    closed_below(config.passive.ports, first_free.unwrap_or(USUAL_FIRST_FREE))
}

fn closed_below(range: PortRange, first_free: u16) -> Option<String> {
    (range.first() < first_free).then(|| {
        format!(
            "the user of server.run_as cannot open the ports of passive.ports = \"{range}\" below {first_free}: \
             transfers fail with 425"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_only_root_opens_are_told() {
        let told = |range: &str, first_free| closed_below(range.parse().unwrap(), first_free);
        let warning = told("100-200", 1024).unwrap();
        assert!(warning.contains("\"100-200\" below 1024"), "{warning}");
        assert!(told("1000-2000", 1024).is_some());
        assert_eq!(told("1024-2000", 1024), None);
        assert_eq!(told("100-200", 80), None);
    }
}
