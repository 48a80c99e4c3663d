//! Load on an HTTP server: one request again and again, or one for each of many values, over a number of connections,
//! as fast as the answers come or at a fixed rate. It prints a line when all are connected, sends when it is given one,
//! and prints one of JSON at the end; what is loaded, and what the figures mean, is up to `xtask/outside`.

#![expect(clippy::print_stdout, reason = "the figures are its answer")]

mod course;
mod figures;
mod request;

use std::{
    io::{self, BufRead},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    course::Course,
    figures::Figures,
    request::{Template, text_in},
};

/// What to ask, and how hard. In the path, in headers and in the body `{}` stands for a value.
#[derive(Parser)]
struct Arguments {
    /// Where the server listens.
    #[arg(long)]
    address: SocketAddr,
    #[arg(long, default_value = "GET")]
    method: String,
    #[arg(long, default_value = "/")]
    path: String,
    /// `Name: value`, as often as there are headers.
    #[arg(long = "header")]
    headers: Vec<String>,
    #[arg(long, default_value = "")]
    body: String,
    /// A file with a value in each line; requests take them in turn.
    #[arg(long)]
    values: Option<PathBuf>,
    /// The number of the first value, for a load that goes on where another has ended.
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Each connection keeps to its own value, in whose place comes what its last answer has in this field.
    #[arg(long)]
    chain: Option<String>,
    /// What each answer has in this field is written to the file `kept`, in lines.
    #[arg(long, requires = "kept")]
    keep: Option<String>,
    #[arg(long)]
    kept: Option<PathBuf>,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// For how long, in seconds.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// The most requests.
    #[arg(long)]
    requests: Option<usize>,
    /// Requests a second, whatever becomes of those before; else one follows the other on each connection.
    #[arg(long)]
    rate: Option<f64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arc::new(Arguments::parse());
    let template = Arc::new(Template::new(&arguments)?);
    let mut senders = Vec::new();
    for _ in 0..arguments.connections {
        senders.push(connect(arguments.address).await?);
    }
    // Whoever measures the server reads its clocks now, before the first request.
    println!("connected");
    wait_for_a_line(io::stdin().lock())?;
    let course = Arc::new(Course::begin(&arguments));
    let mut connections = JoinSet::new();
    for (index, sender) in senders.into_iter().enumerate() {
        let mut client = Client {
            arguments: arguments.clone(),
            template: template.clone(),
            course: course.clone(),
            figures: Figures::default(),
        };
        connections.spawn(async move {
            client
                .use_connection(sender, index)
                .await
                .map(|()| client.figures)
        });
    }
    let mut figures = Figures::default();
    while let Some(ended) = connections.join_next().await {
        figures.add(ended.context("a connection has panicked")??);
    }
    if let Some(path) = &arguments.kept {
        std::fs::write(path, figures.kept.join("\n"))?;
    }
    println!("{}", figures.summary(course.elapsed()));
    Ok(())
}

/// Fails where there is none, since whoever has started the load is gone.
fn wait_for_a_line(mut input: impl BufRead) -> Result<()> {
    let read = input.read_line(&mut String::new())?;
    ensure!(read > 0, "nobody has said when to begin");
    Ok(())
}

type Sender = SendRequest<Full<Bytes>>;

/// Whoever sends requests over one connection, and what came of them.
struct Client {
    arguments: Arc<Arguments>,
    template: Arc<Template>,
    course: Arc<Course>,
    figures: Figures,
}

impl Client {
    /// Sends one request after the other until the time is over.
    async fn use_connection(&mut self, mut sender: Sender, index: usize) -> Result<()> {
        let (chain, keep) = (&self.arguments.chain, &self.arguments.keep);
        let mut own = chain
            .as_ref()
            .map(|_| self.template.value(index).to_owned());
        while let Some(turn) = self.course.next().await {
            let value = match &own {
                Some(own) => own,
                None => self.template.value(turn.number),
            };
            if sender.is_closed() {
                sender = connect(self.arguments.address).await?;
            }
            sender.ready().await?;
            let answer = sender.send_request(self.template.request(value)?).await?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await?.to_bytes();
            let waited = self.course.since(turn.from);
            self.figures.answered(status, body.len(), waited);
            let found = |field: &String| {
                text_in(&body, field).with_context(|| format!("{status} without {field}"))
            };
            if let Some(field) = chain {
                own = Some(found(field)?);
            }
            if let Some(field) = keep {
                self.figures.kept.push(found(field)?);
            }
        }
        Ok(())
    }
}

async fn connect(address: SocketAddr) -> Result<Sender> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its failure is that of the request that waits for it.
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_begins_at_a_line_and_not_at_the_end_of_input() {
        assert!(wait_for_a_line(&b"go\n"[..]).is_ok());
        assert!(wait_for_a_line(&b""[..]).is_err());
    }
}
