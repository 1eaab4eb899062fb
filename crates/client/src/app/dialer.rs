//! How a server is dialled: who logs in, and how TLS is used.

use std::{io::Write as _, sync::Arc};

use ftp_config::{Secret, Site, SiteTls};

use super::{App, Failure};
use crate::{
    cli::TlsHow,
    credentials::{Login, Sources},
    error::Error,
    remote::connect::{Deadlines, Dialer, Wire},
    target::{Scheme, Server},
    trust::{TrustCheck, verifier::Roots},
    ui::{ask, escape::shown},
};

impl App {
    pub(super) fn dialer(&self, server: &Server, site: Option<&Site>) -> Result<Dialer, Failure> {
        let endpoint = server.to_string();
        let (named, password) = match &self.named {
            Some((name, password)) => (Some(name.as_str()), password.as_ref()),
            None => (None, None),
        };
        let user = named
            .or(self.global.user.as_deref())
            .or(server.user.as_deref());
        // A password is for the user that it is written beside.
        let is_theirs = user == server.user.as_deref();
        let sources = Sources {
            user,
            url_password: match named {
                Some(_) => password.map(Secret::expose),
                None => server.password.as_deref().filter(|_| is_theirs),
            },
            environment: self.password.clone(),
            site: site.filter(|_| is_theirs || server.user.is_none()),
            by_chance: self.by_chance.as_deref(),
            netrc: self
                .home
                .as_ref()
                .filter(|_| site.is_none_or(|site| site.netrc))
                .map(|home| home.join(".netrc")),
        };
        if server.password.is_some() {
            self.ui
                .warn("a password in a URL is seen by everyone on this machine; use FTPC_PASSWORD");
        }
        let prompt = |user: &str| {
            let _rest = self.cancel.rest();
            ask::password(user, &endpoint)
        };
        let login = sources
            .find(&server.host, &endpoint, prompt)
            .map_err(Failure::Credentials)?;
        self.dialer_for(server, site, login)
    }

    pub(super) fn dialer_for(
        &self,
        server: &Server,
        site: Option<&Site>,
        login: Login,
    ) -> Result<Dialer, Failure> {
        let mut dialer = Dialer::new(&server.host, server.port, &login.user, login.password);
        dialer.tls = self.tls(server, site);
        dialer.encoding = match self.global.encoding {
            Some(choice) => choice.0,
            None => site.and_then(|site| site.encoding),
        };
        if let Some(limit) = self.global.timeout {
            dialer.deadlines = Deadlines::all(limit);
        }
        if dialer.tls != SiteTls::Off {
            dialer.roots = roots(site)?;
        }
        dialer.trust = Arc::clone(&self.store) as Arc<dyn TrustCheck>;
        if self.global.verbose > 0 {
            dialer.trace = Some(Arc::new(trace));
        }
        Ok(dialer)
    }

    fn tls(&self, server: &Server, site: Option<&Site>) -> SiteTls {
        match self.global.tls {
            Some(TlsHow::Auto) => SiteTls::Auto,
            Some(TlsHow::Required) => SiteTls::Required,
            Some(TlsHow::Off) => SiteTls::Off,
            Some(TlsHow::Implicit) => SiteTls::Implicit,
            None if server.scheme == Scheme::Ftps => SiteTls::Implicit,
            None => site.map_or(SiteTls::Auto, |site| site.tls),
        }
    }
}

fn roots(site: Option<&Site>) -> Result<Roots, Failure> {
    let pem = match site.and_then(|site| site.ca_file.as_ref()) {
        Some(path) => Some(std::fs::read(path).map_err(|error| Error::local("read", path, error))?),
        None => None,
    };
    Roots::load(pem.as_deref()).map_err(Failure::usage)
}

fn trace(wire: Wire<'_>) {
    let line = match wire {
        Wire::Sent(line) => format!("> {}", shown(line)),
        Wire::Received(line) => format!("< {}", shown(line)),
    };
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
