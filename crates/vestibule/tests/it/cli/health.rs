//! `vestibule health`.

use super::folder;
use crate::process::{Server, run, stderr};

#[test]
fn health_tells_whether_the_server_is_ready() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--drain-delay", "30s"]);
    let address = server.ready["listen"]
        .as_str()
        .expect("an address")
        .to_owned();
    let health = || run(folder.path(), ["health", "--listen", &address]);
    assert_eq!(health().status.code(), Some(0));
    server.signal("TERM");
    while health().status.code() == Some(0) {}
    assert!(
        stderr(&health()).contains("draining"),
        "{}",
        stderr(&health())
    );
    drop(server);
    let gone = health();
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains(&address), "{}", stderr(&gone));
}
