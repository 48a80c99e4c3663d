//! `vestibule print`: configuration of the programs that Vestibule works with, ready for the settings in force. What is
//! printed stands in a file for each program; here are the values in it.

mod unit;

use std::net::{IpAddr, SocketAddr};

use clap::{Arg, ArgMatches, Command};

use super::{Ended, Failure, health::reachable, output::say, warn};
use crate::config::{Config, Loaded, Origin};

/// A program for which something is printed.
struct Printed {
    /// As it is asked for.
    name: &'static str,
    /// What `--help` says of it.
    about: &'static str,
    /// Adds what can be chosen.
    with_choices: fn(Command) -> Command,
    /// The text that was chosen, with the name of each value in double braces.
    template: fn(&ArgMatches) -> &'static str,
}

const PRINTED: &[Printed] = &[
    Printed {
        name: "nginx",
        about: "A site of nginx, in front of an app (auth_request)",
        with_choices: with_app,
        template: |_| include_str!("print/nginx.conf"),
    },
    Printed {
        name: "caddy",
        about: "A site of Caddy, in front of an app (forward_auth)",
        with_choices: with_app,
        template: |_| include_str!("print/Caddyfile"),
    },
    Printed {
        name: "traefik",
        about: "Routers and middlewares of Traefik, in front of an app (forwardAuth)",
        with_choices: with_app,
        template: |_| include_str!("print/traefik.yml"),
    },
    Printed {
        name: "haproxy",
        about: "Frontend and backend of HAProxy, in front of Vestibule",
        with_choices: |command| command,
        template: |_| include_str!("print/haproxy.cfg"),
    },
    Printed {
        name: "compose",
        about: "A file for Docker Compose, of an image built with deploy/Dockerfile",
        with_choices: with_database,
        template: compose,
    },
    Printed {
        name: "systemd",
        about: "A unit of systemd that runs Vestibule, with what it has no use for taken away",
        with_choices: |command| command,
        template: |_| include_str!("print/vestibule.service"),
    },
];

/// Files for Docker Compose: how they are asked for, and the text. They can be used as they lie in `deploy/compose`, too.
const COMPOSE: &[(&str, &str)] = &[
    (
        "sqlite",
        include_str!("../../../../deploy/compose/sqlite.yml"),
    ),
    (
        "postgres",
        include_str!("../../../../deploy/compose/postgres.yml"),
    ),
    (
        "mariadb",
        include_str!("../../../../deploy/compose/mariadb.yml"),
    ),
];
/// How these files have the public URL of their environment.
const PUBLIC_URL_OF_COMPOSE: &str = "${VESTIBULE_PUBLIC_URL:-http://localhost:8080}";

pub(super) fn command() -> Command {
    let commands = PRINTED
        .iter()
        .map(|printed| (printed.with_choices)(Command::new(printed.name).about(printed.about)));
    Command::new("print")
        .about("Print the configuration of another program, ready for these settings")
        .subcommand_required(true)
        .subcommands(commands)
}

pub(super) fn run(matches: &ArgMatches, loaded: &Loaded) -> Ended {
    let no_such = || Failure::Usage("no such command; see vestibule print --help".to_owned());
    let (name, matches) = matches.subcommand().ok_or_else(no_such)?;
    let printed = PRINTED.iter().find(|printed| printed.name == name);
    let printed = printed.ok_or_else(no_such)?;
    let app = matches.try_get_one::<Origin>("app").ok().flatten();
    warn(loaded);
    if loaded.config.own_origins().len() > 1 {
        let url = &loaded.config.public_url;
        eprintln!(
            "warning: public_url is {url}, where this server itself listens; set it to the address at which browsers \
             will reach the proxy, for instance --public-url https://example.org"
        );
    }
    let mut values = Values::of(&loaded.config, app)?;
    values.0.extend(unit::values(loaded));
    let public_url = loaded.config.public_url.to_string();
    let text = values.put_into((printed.template)(matches));
    let text = text.replace(PUBLIC_URL_OF_COMPOSE, &public_url);
    say!("{}", text.trim_end());
    Ok(())
}

fn with_app(command: Command) -> Command {
    command.arg(
        Arg::new("app")
            .long("app")
            .value_name("URL")
            .value_parser(app_named)
            .default_value("http://127.0.0.1:3000")
            .help("Where the app is"),
    )
}

fn with_database(command: Command) -> Command {
    command.arg(
        Arg::new("database")
            .value_name("DATABASE")
            .value_parser(COMPOSE.iter().map(|(name, _)| *name).collect::<Vec<_>>())
            .default_value(COMPOSE[0].0)
            .help("The database it stands on"),
    )
}

fn compose(matches: &ArgMatches) -> &'static str {
    let database = matches.get_one::<String>("database");
    let chosen = COMPOSE
        .iter()
        .find(|(name, _)| database.is_some_and(|database| database == name));
    chosen.map_or(COMPOSE[0].1, |(_, text)| text)
}

fn app_named(text: &str) -> Result<Origin, String> {
    Origin::parse(text).ok_or("expected a URL such as http://127.0.0.1:3000, without a path".into())
}

/// What the templates name, each with its text.
struct Values(Vec<(&'static str, String)>);

impl Values {
    fn of(config: &Config, app: Option<&Origin>) -> Result<Self, Failure> {
        let public_url = &config.public_url;
        let vestibule = reachable(config.listen);
        if vestibule.port() == 0 {
            let reason = "listen has the port 0: name the one at which the proxy finds this server";
            return Err(Failure::Usage(reason.to_owned()));
        }
        let (host, port) = (public_url.host(), public_url.port());
        // A name of this machine alone is for trying out, which is nobody else's business.
        let loopback = loopback_of(host).map(|address| SocketAddr::new(address, port));
        let is_https = public_url.is_https();
        let on_https = |text: String| if is_https { text } else { String::new() };
        let certificates = format!("/etc/letsencrypt/live/{host}");
        let bind = loopback.map_or_else(|| format!(":{port}"), |address| address.to_string());
        let pem = on_https(format!(" ssl crt {certificates}/haproxy.pem"));
        let listen = loopback.map_or_else(|| port.to_string(), |address| address.to_string());
        let mut values = vec![
            ("public_url", public_url.to_string()),
            ("host", host.to_owned()),
            ("scheme", public_url.url().scheme().to_owned()),
            ("vestibule", vestibule.to_string()),
            ("trust", trust(config, vestibule.ip())),
            ("listen", format!("{listen}{}", on_https(" ssl".to_owned()))),
            ("bind", format!("{bind}{pem}")),
            (
                "certificate",
                on_https(format!(
                    "\n    ssl_certificate {certificates}/fullchain.pem;\n    ssl_certificate_key {certificates}/privkey.pem;"
                )),
            ),
            ("tls", on_https("\n      tls: {}".to_owned())),
            (
                "caddy_bind",
                loopback.map_or_else(String::new, |address| format!("\n\tbind {}", address.ip())),
            ),
        ];
        if let Some(app) = app {
            values.push(("app", app.to_string()));
        }
        Ok(Self(values))
    }

    fn put_into(&self, template: &str) -> String {
        self.0
            .iter()
            .fold(template.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{{{name}}}}}"), value)
            })
    }
}

/// The address of this machine that a host name stands for on every machine.
fn loopback_of(host: &str) -> Option<IpAddr> {
    let address = match host {
        "localhost" => "127.0.0.1",
        host => host.trim_matches(['[', ']']),
    };
    address.parse().ok().filter(IpAddr::is_loopback)
}

/// What is to be set for the word of the proxy to count, as the end of a comment.
fn trust(config: &Config, vestibule: IpAddr) -> String {
    let proxy = vestibule.is_loopback().then_some(vestibule);
    let is_trusted = |address| {
        config
            .trusted_proxies
            .iter()
            .any(|network| network.contains(&address))
    };
    match proxy {
        Some(address) if is_trusted(address) => {
            "It is one of trusted_proxies, so its word about visitors counts.".to_owned()
        }
        Some(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            format!("For its word about visitors to count, set in vestibule.toml:\n#   trusted_proxies = [\"{address}/{bits}\"]")
        }
        None => "For its word about visitors to count, its address has to be one of trusted_proxies in vestibule.toml."
            .to_owned(),
    }
}
