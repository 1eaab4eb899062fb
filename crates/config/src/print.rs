//! Prints the configuration as a file again: loading what was printed gives the same configuration.

use std::fmt::Write as _;

use crate::{
    ByteRate, ClientConfig, Rights, ServerConfig, Site, Word, defaults,
    server::{AllowFrom, Log, PassiveAddress, Password, Uploads, User},
    value::format_duration,
};

/// A page that is built key by key.
struct Page(String);

impl Page {
    fn table(&mut self, header: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{gap}{header}");
    }

    fn text(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {}", quoted(&value.to_string()));
    }

    fn optional(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn bare(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn list(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().map(|value| quoted(&value)).collect();
        let _ = writeln!(self.0, "{key} = [{}]", values.join(", "));
    }

    fn rights(&mut self, can: Rights) {
        match can.preset() {
            Some(preset) => self.text("can", preset),
            None => self.list("can", can.iter().map(|right| right.word().to_owned())),
        }
    }

    fn rates(&mut self, down: ByteRate, up: ByteRate) {
        self.text("rate_down", down);
        self.text("rate_up", up);
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl ServerConfig {
    /// Returns a file that says every key of the server, defaults included.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut page = Page(String::new());
        print_server(&mut page, self);
        print_auth(&mut page, self);
        self.users
            .iter()
            .for_each(|user| print_user(&mut page, user));
        print_network(&mut page, self);
        print_rest(&mut page, self);
        page.0
    }
}

fn print_server(page: &mut Page, config: &ServerConfig) {
    page.table("[server]");
    page.list(
        "listen",
        config.server.listen.iter().map(ToString::to_string),
    );
    page.bare("ascii_conversion", config.server.ascii_conversion);
    page.text("engine", config.server.engine.word());
    page.text("greeting", &config.server.greeting);
    page.list(
        "allow_from",
        config.server.allow_from.iter().map(|from| match from {
            AllowFrom::Lan => "lan".to_owned(),
            AllowFrom::Net(network) => network.to_string(),
        }),
    );
    page.optional("run_as", config.server.run_as.as_ref());
    page.table("[share]");
    page.text("root", config.share.root.display());
    page.text("reserve", config.share.reserve);
    page.text("umask", format_args!("{:03o}", config.share.umask));
    page.bare("show_dotfiles", config.share.show_dotfiles);
    page.bare("show_owner", config.share.show_owner);
}

fn print_auth(page: &mut Page, config: &ServerConfig) {
    page.table("[auth]");
    // The names of the file are in the list already: printing both would say them twice.
    if let Some(allowed) = &config.auth.allow_users {
        page.list("allow_users", allowed.iter().map(ToString::to_string));
    }
    page.list(
        "deny_users",
        config.auth.deny_users.iter().map(ToString::to_string),
    );
    page.table("[auth.lockout]");
    page.bare("after", config.auth.lockout.after);
    page.text("for", format_duration(config.auth.lockout.first));
    page.text("max", format_duration(config.auth.lockout.max));
    let anonymous = &config.anonymous;
    page.table("[anonymous]");
    page.bare("enabled", anonymous.enabled);
    page.text("home", &anonymous.home);
    page.rights(anonymous.can);
    page.rates(anonymous.rate_down, anonymous.rate_up);
    page.bare("max_sessions", anonymous.max_sessions);
}

fn print_user(page: &mut Page, user: &User) {
    page.table("[[user]]");
    page.text("name", &user.name);
    match &user.password {
        Password::Hash(hash) => page.text("password", hash.expose()),
        Password::Sample => page.text("password", defaults::SAMPLE_PASSWORD),
        Password::Unset => {}
    }
    page.text("home", &user.home);
    page.rights(user.can);
    page.rates(user.rate_down, user.rate_up);
    page.bare("max_sessions", user.max_sessions);
}

fn print_network(page: &mut Page, config: &ServerConfig) {
    page.table("[passive]");
    page.text("ports", config.passive.ports);
    match config.passive.address {
        PassiveAddress::Auto => page.text("address", "auto"),
        PassiveAddress::Fixed(address) => page.text("address", address),
    }
    page.table("[active]");
    page.bare("enabled", config.active.enabled);
    page.table("[tls]");
    page.text("mode", config.tls.mode.word());
    page.bare("require_reuse", config.tls.require_reuse);
    if !config.tls.self_signed {
        page.text("cert", config.tls.cert.display());
        page.text("key", config.tls.key.display());
    }
    page.table("[limits]");
    page.bare("max_clients", config.limits.max_clients);
    page.bare("max_per_ip", config.limits.max_per_ip);
    page.rates(config.limits.rate_down, config.limits.rate_up);
    page.text("session_rate_down", config.limits.session_rate_down);
    page.text("session_rate_up", config.limits.session_rate_up);
    page.table("[timeouts]");
    let waits = &config.timeouts;
    for (key, wait) in [
        ("login", waits.login),
        ("idle", waits.idle),
        ("stalled", waits.stalled),
        ("data_connect", waits.data_connect),
        ("tls_handshake", waits.tls_handshake),
        ("shutdown_grace", waits.shutdown_grace),
    ] {
        page.text(key, format_duration(wait));
    }
}

fn print_uploads(page: &mut Page, uploads: &Uploads) {
    page.table("[uploads]");
    page.text("on_duplicate", uploads.on_duplicate.word());
    page.text(
        "keep_partial_for",
        format_duration(uploads.keep_partial_for),
    );
    page.text("fsync", uploads.fsync.word());
    page.text("mode", format_args!("{:03o}", uploads.mode));
}

fn print_log(page: &mut Page, log: &Log) {
    page.table("[log]");
    page.text("level", log.level.word());
    page.text("format", log.format.word());
    page.optional("xferlog", log.xferlog.as_ref().map(|path| path.display()));
}

fn print_rest(page: &mut Page, config: &ServerConfig) {
    print_uploads(page, &config.uploads);
    page.table("[names]");
    match config.names.fallback {
        Some(fallback) => page.text("fallback", fallback),
        None => page.text("fallback", "none"),
    }
    print_log(page, &config.log);
    page.table("[metrics]");
    page.optional("listen", config.metrics.listen);
    page.table("[announce]");
    page.bare("mdns", config.announce.mdns);
    page.optional("name", config.announce.name.as_ref());
}

impl ClientConfig {
    /// Returns a file that says every key of the client, defaults included; passwords are left out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut page = Page(String::new());
        page.table("[client]");
        page.optional("site", self.site.as_ref());
        page.bare("jobs", self.jobs);
        page.text("verify", self.verify.word());
        page.text("limit", self.limit);
        self.sites
            .iter()
            .for_each(|(name, site)| print_site(&mut page, name, site));
        page.0
    }
}

fn print_site(page: &mut Page, name: &str, site: &Site) {
    page.table(&format!("[site.{}]", quoted(name)));
    page.text("url", &site.url);
    page.optional("password_command", site.password_command.as_ref());
    page.bare("netrc", site.netrc);
    page.text("tls", site.tls.word());
    match site.encoding {
        Some(encoding) => page.text("encoding", encoding),
        None => page.text("encoding", "auto"),
    }
    page.optional("ca_file", site.ca_file.as_ref().map(|path| path.display()));
}
