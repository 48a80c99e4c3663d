//! The least that an axum server can be, which the start of the released program is compared with.
//! It listens on a free port and says on standard output that it is ready; it ends by a signal.

#![expect(clippy::print_stdout, reason = "whoever started it waits for its line")]

use anyhow::Result;
use axum::{Router, routing::get};

#[tokio::main]
#[expect(
    clippy::disallowed_methods,
    reason = "the comparison is with a server that bounds nothing"
)]
async fn main() -> Result<()> {
    let routes = Router::new().route("/", get(|| async { "hello" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!(r#"{{"event":"ready","url":"http://{address}"}}"#);
    axum::serve(listener, routes).await?;
    Ok(())
}
