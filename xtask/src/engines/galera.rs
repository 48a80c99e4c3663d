//! A Galera cluster: three MariaDBs that replicate to each other, all on this machine.
//! Which of them is written to is up to the suites.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::folder::{Folder, Medium};
use super::server::{Recipe, Server};
use super::{Address, mariadb};
use crate::needs;
use crate::program::Program;

const NODES: usize = 3;

/// Said by a node that has all the data of the others.
const SYNCED: &str = "WSREP: Synchronized with group, ready for connections";

/// The nodes, up.
pub(crate) struct Cluster {
    nodes: Vec<(Server, Address)>,
    /// Behind the servers, so that it is removed after their end.
    _folder: Folder,
}

impl Cluster {
    /// Makes an empty cluster: its first node, from which the others take their data.
    pub(crate) fn start() -> Result<Self> {
        super::install()?;
        let provider = needs::galera()?;
        let folder = Folder::new(Medium::Memory)?;
        let helpers = transfer_programs(&folder)?;
        let first = Address::free()?;
        let founder = group_address(&Address::free()?);
        let mut nodes: Vec<(Server, Address)> = Vec::new();
        for number in 1..=NODES {
            // Accounts are part of the data, so all nodes have the same.
            let address = Address {
                port: Address::free()?.port,
                password: first.password.clone(),
            };
            let member = match number {
                1 => settings(&provider, &founder, "gcomm://", number)?,
                _ => settings(
                    &provider,
                    &group_address(&Address::free()?),
                    &format!("gcomm://{founder}"),
                    number,
                )?,
            };
            let member: Vec<&str> = member.iter().map(String::as_str).collect();
            let name = format!("galera-{number}");
            let node = Server::new(Recipe {
                name: "MariaDB of a cluster",
                helpers: Some(helpers.clone()),
                ready: SYNCED,
                ..mariadb::recipe(&folder, &name, &address, &member)?
            })?;
            nodes.push((node, address));
        }
        Ok(Self {
            nodes,
            _folder: folder,
        })
    }

    /// Tells a program, by the environment, to take the first node for the MariaDB of the tests, and where all are.
    pub(crate) fn known_to(&self, program: Program) -> Program {
        let urls: Vec<String> = self
            .nodes
            .iter()
            .map(|(_, address)| address.url("mysql", ""))
            .collect();
        program
            .env("VESTIBULE_TEST_MARIADB", &urls[0])
            .env("VESTIBULE_TEST_GALERA", urls.join(" "))
    }
}

/// What makes a node of a server: it speaks to the others at `own`, and asks at `cluster` to be let in.
fn settings(provider: &Path, own: &str, cluster: &str, number: usize) -> Result<Vec<String>> {
    let (increments, transfers) = (Address::free()?, Address::free()?);
    let own_port = own.rsplit(':').next().unwrap_or_default();
    Ok(vec![
        "binlog-format=ROW".to_owned(),
        "innodb-autoinc-lock-mode=2".to_owned(),
        "wsrep-on=ON".to_owned(),
        format!("wsrep-provider={}", provider.display()),
        "wsrep-cluster-name=vestibule".to_owned(),
        format!("wsrep-cluster-address={cluster}"),
        format!("wsrep-node-name=galera-{number}"),
        "wsrep-node-address=127.0.0.1".to_owned(),
        format!(
            "wsrep-provider-options=base_port={own_port};gmcast.listen_addr=tcp://{own};ist.recv_addr={}",
            group_address(&increments)
        ),
        "wsrep-sst-method=rsync".to_owned(),
        format!("wsrep-sst-receive-address={}", group_address(&transfers)),
    ])
}

fn group_address(address: &Address) -> String {
    format!("127.0.0.1:{}", address.port)
}

/// The scripts by which a node takes over the data of another one. They belong to a package that would make a service
/// of the server, and so are taken out of it.
fn transfer_programs(folder: &Folder) -> Result<PathBuf> {
    let from = needs::debian_files("mariadb-server")?.join("usr/bin");
    let programs = folder.make("helpers")?;
    for name in ["wsrep_sst_common", "wsrep_sst_rsync"] {
        let copy = folder.write(
            &format!("helpers/{name}"),
            &std::fs::read_to_string(from.join(name))?,
        )?;
        std::fs::set_permissions(copy, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(programs)
}
