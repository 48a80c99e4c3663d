//! The two servers of daily work, side by side: the program itself, and Vite, which reloads the pages
//! as they are edited and passes `/api` on. Neither is for production.

use std::process::{Child, ExitCode};
use std::sync::mpsc::{self, Sender};
use std::thread;

use anyhow::Result;

use crate::needs;
use crate::program::Program;

/// `cargo xtask dev [FLAG]...`; ends when either server does, or on Ctrl-C, which reaches both.
pub(crate) fn run(flags: &[&str]) -> ExitCode {
    match servers(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn servers(flags: &[&str]) -> Result<()> {
    needs::node()?;
    needs::npm_packages("sdk")?;
    needs::npm_packages("web")?;
    let mut server = Program::new("cargo").words(
        "run --quiet --package vestibule -- serve --site examples/site --protect /members/**",
    );
    for flag in flags {
        server = server.arg(flag);
    }
    let server = server.start()?;
    let pages = Program::new("npm").words("run dev").inside("web").start()?;
    let both = [server.id(), pages.id()];

    let (ended, first_end) = mpsc::channel();
    let waiting = [
        announce_end("vestibule", server, ended.clone()),
        announce_end("vite", pages, ended),
    ];
    println!("{} has ended; the other one follows", first_end.recv()?);
    for id in both {
        // One of the two is gone already, and `kill` may say so.
        Program::new("kill").arg(id.to_string()).ask();
    }
    for thread in waiting {
        thread.join().expect("waiting for a program does not panic");
    }
    Ok(())
}

fn announce_end(
    name: &'static str,
    mut child: Child,
    ended: Sender<&'static str>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        // The receiver is gone after the first announcement, and needs no second one.
        let _ = child.wait();
        let _ = ended.send(name);
    })
}
