//! `vestibule health`: whether the server of this configuration is ready, for the health checks
//! of containers and supervisors.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use clap::Command;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{Ended, Failure, output::say};
use crate::config::Loaded;

/// A server that is well answers in far less, whatever it is asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// The start of the answer is all that is read.
const ENOUGH: u64 = 4096;

pub(super) fn command() -> Command {
    Command::new("health")
        .about("Ask the running server whether it is ready: exit code 0 if it is, 1 if not")
}

pub(super) async fn run(loaded: &Loaded) -> Ended {
    let address = reachable(loaded.config.listen);
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it takes too long");
    let answer = timeout(PATIENCE, ask(address))
        .await
        .map_err(late)
        .flatten();
    let answer = answer
        .map_err(|error| Failure::Failed(format!("no server answers on {address}: {error}")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => {
            say!("ready");
            Ok(())
        }
        Some(status) => Err(Failure::Failed(format!(
            "not ready, status {status}: {}",
            body.trim()
        ))),
        None => Err(Failure::Failed(format!(
            "what answers on {address} does not speak HTTP"
        ))),
    }
}

/// An address that is listened on everywhere is asked here.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let host = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, listen.port())
}

async fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ENOUGH).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
