//! What the parts of a request cost in one process, by way of what the crates offer: recognising a caller, issuing an
//! access token, a refresh, a login, and finding the file for a path. The whole way of a request, with its connection, is measured by
//! `xtask/outside/bench_speed.py`.

use std::{collections::BTreeMap, hint::black_box, net::Ipv4Addr, path::Path};

use accounts::{Accounts, Clock, Login, Mode, Peer, Proof, Registration};
use anyhow::{Context as _, Result, bail};
use axum::http::{HeaderMap, Method};
use criterion::Criterion;
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::Mutex};
use vestibule::{
    app,
    config::{Config, Inputs, load_from},
    site::{Judged, Site},
};

const EMAIL: &str = "user-000001@example.org";
const PASSWORD: &str = "a long and uncommon sentence";

fn main() -> Result<()> {
    let runtime = Runtime::new()?;
    let installation = runtime.block_on(Installation::found())?;
    let mut criterion = Criterion::default().configure_from_args();
    callers(&mut criterion, &runtime, &installation);
    sessions(&mut criterion, &runtime, &installation);
    paths(&mut criterion, &runtime, &installation);
    criterion.final_summary();
    Ok(())
}

/// Accounts and a site on a database of their own, with one user.
struct Installation {
    accounts: Accounts,
    site: Site,
    peer: Peer,
    access_token: String,
    refresh_token: String,
    cookie: String,
    /// Gone with this value.
    _folder: TempDir,
}

impl Installation {
    async fn found() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = config(folder.path())?;
        app::prepare_data_dir(&config)?;
        let database = app::open_database(&config).await?;
        let accounts = app::open_accounts(&config, &database, Clock::system()).await?;
        let chores = accounts.clone();
        tokio::spawn(async move { chores.keep_revocations_current().await });
        let peer = Peer::new(Ipv4Addr::LOCALHOST.into(), None, None);
        let registration = Registration {
            email: EMAIL.to_owned(),
            password: PASSWORD.to_owned().into(),
            username: None,
            name: None,
        };
        let opened = accounts.register(registration, Mode::Token, &peer).await?;
        let Proof::Tokens {
            access_token,
            refresh_token,
            ..
        } = opened.proof
        else {
            bail!("tokens were asked for");
        };
        let Proof::Cookie { value: cookie, .. } = log_in(&accounts, Mode::Cookie, &peer).await?
        else {
            bail!("a cookie was asked for");
        };
        Ok(Self {
            accounts,
            site: app::open_site(&config)?.context("a site is configured")?,
            peer,
            access_token,
            refresh_token,
            cookie,
            _folder: folder,
        })
    }
}

/// The example site with its members' area, and no limits.
fn config(folder: &Path) -> Result<Config> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/site");
    let settings = [
        ("data_dir", folder.join("data").display().to_string()),
        ("site.dir", site.display().to_string()),
        ("site.protect", "/members/**".to_owned()),
        ("limits.refresh_per_ip", "off".to_owned()),
        ("limits.login_per_ip", "off".to_owned()),
        ("limits.login_per_account", "off".to_owned()),
    ];
    let flags: BTreeMap<_, _> = settings
        .into_iter()
        .map(|(key, value)| (key, vec![value]))
        .collect();
    let inputs = Inputs {
        flags,
        ..Inputs::default()
    };
    match load_from(inputs) {
        Ok(loaded) => Ok(loaded.config),
        Err(problems) => bail!("{problems}"),
    }
}

async fn log_in(accounts: &Accounts, mode: Mode, peer: &Peer) -> Result<Proof> {
    let login = Login {
        login: EMAIL.to_owned(),
        password: PASSWORD.to_owned().into(),
    };
    Ok(accounts.login(login, mode, peer).await?.proof)
}

fn callers(criterion: &mut Criterion, runtime: &Runtime, installation: &Installation) {
    let accounts = &installation.accounts;
    criterion.bench_function("caller of an access token that was seen before", |bench| {
        bench.to_async(runtime).iter(|| async {
            let caller = accounts.caller_of_bearer(&installation.access_token).await;
            black_box(caller.expect("the session goes on"))
        });
    });
    // Its signature is that of the same text by no key, so it is never remembered.
    let forged = with_last_letter_changed(&installation.access_token);
    criterion.bench_function("signature of an access token, which is forged", |bench| {
        bench.to_async(runtime).iter(|| async {
            let refusal = accounts.caller_of_bearer(&forged).await;
            black_box(refusal.expect_err("the signature is wrong"))
        });
    });
    criterion.bench_function("caller of a session cookie", |bench| {
        bench.to_async(runtime).iter(|| async {
            let caller = accounts.caller_of_cookie(&installation.cookie).await;
            black_box(caller.expect("the session goes on"))
        });
    });
}

fn sessions(criterion: &mut Criterion, runtime: &Runtime, installation: &Installation) {
    let (accounts, peer) = (&installation.accounts, &installation.peer);
    // A new token for a session that is remembered, which is to sign one and next to nothing else.
    criterion.bench_function("access token issued for a session cookie", |bench| {
        bench.to_async(runtime).iter(|| async {
            let granted = accounts.refresh_by_cookie(&installation.cookie, peer).await;
            black_box(granted.expect("the session goes on").access_token)
        });
    });
    let made_up = with_last_letter_changed(&installation.refresh_token);
    criterion.bench_function("refresh token that nobody has issued", |bench| {
        bench.to_async(runtime).iter(|| async {
            let refusal = accounts.refresh(&made_up, peer).await;
            black_box(refusal.err().expect("the token was made up"))
        });
    });
    let token = Mutex::new(installation.refresh_token.clone());
    criterion.bench_function("refresh, with its durable commit on SQLite", |bench| {
        bench.to_async(runtime).iter(|| async {
            let mut token = token.lock().await;
            let opened = accounts.refresh(&token, peer).await;
            if let Proof::Tokens { refresh_token, .. } = opened.expect("the session goes on").proof
            {
                *token = refresh_token;
            }
        });
    });
    criterion.bench_function("login, with its hash", |bench| {
        bench.to_async(runtime).iter(|| async {
            let proof = log_in(accounts, Mode::Token, peer).await;
            black_box(proof.expect("the password is right"))
        });
    });
}

fn paths(criterion: &mut Criterion, runtime: &Runtime, installation: &Installation) {
    let (site, fields) = (&installation.site, HeaderMap::new());
    for (name, path) in [
        // Who judges does not remember what was found.
        ("rule and file for a path", "/members/index.html?page=2"),
        ("path that is no file's", "/members/a/../b%2Fc"),
    ] {
        criterion.bench_function(name, |bench| {
            bench.to_async(runtime).iter(|| async {
                let wanted = site.wanted(black_box(path))?;
                Some(black_box(site.judge(wanted, &fields).await))
            });
        });
    }
    criterion.bench_function("rule, file and answer, remembered for a second", |bench| {
        bench.to_async(runtime).iter(|| async {
            let wanted = site.wanted(black_box("/members/")).expect("a path");
            let Judged::Protected(target, _) = site.judge(wanted, &fields).await else {
                panic!("a rule protects it");
            };
            black_box(site.serve(target, &Method::GET, &fields).await)
        });
    });
}

/// A token as somebody would make it up who has seen one: its last bits are others.
fn with_last_letter_changed(token: &str) -> String {
    // The last letter of base64url may hold bits that count for nothing; the one before counts whole.
    let at = token.len() - 2;
    let other = if token.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}
