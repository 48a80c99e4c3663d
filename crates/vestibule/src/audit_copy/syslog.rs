//! Messages to a syslog, in the form of RFC 5424, each in a datagram of its own (RFC 5426; a socket of the machine takes
//! the same). Nothing comes back: that a message has arrived is known of a socket of the machine alone.

use std::{io, sync::LazyLock};

use accounts::{AuditKind, AuditRecord};
use tokio::net::{UdpSocket, UnixDatagram};

use crate::config::SyslogAddress;

/// Messages about security and authorisation that not everybody may read (RFC 5424 section 6.2.1).
const AUTHPRIV: u8 = 10;

/// The event as a message; `json` is what it says.
pub(super) fn message(event: &AuditRecord, json: &str) -> Vec<u8> {
    let priority = AUTHPRIV * 8 + severity(&event.event);
    let (at, host, process) = (event.at, &*HOST, std::process::id());
    let kind = &event.event;
    format!("<{priority}>1 {at} {host} vestibule {process} {kind} - {json}").into_bytes()
}

/// Sends all of them, in order, or fails; then some may have been sent.
pub(super) async fn send(address: &SyslogAddress, messages: &[Vec<u8>]) -> io::Result<()> {
    match address {
        SyslogAddress::Unix(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            for message in messages {
                socket.send(message).await?;
            }
        }
        SyslogAddress::Udp(host, port) => {
            let mut found = tokio::net::lookup_host((host.as_str(), *port)).await?;
            let address = found.next().ok_or(io::ErrorKind::HostUnreachable)?;
            let any = if address.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            };
            let socket = UdpSocket::bind(any).await?;
            socket.connect(address).await?;
            for message in messages {
                socket.send(message).await?;
            }
        }
    }
    Ok(())
}

/// How much it matters (RFC 5424 section 6.2.1): a warning, a notice, or for information.
fn severity(event: &str) -> u8 {
    match AuditKind::named(event) {
        Some(AuditKind::RefreshedReuse) => 4,
        Some(AuditKind::LoginFailed | AuditKind::LoginLimited) => 5,
        _ => 6,
    }
}

/// The name of this machine, or the sign for none.
static HOST: LazyLock<String> = LazyLock::new(|| {
    // The kernel is asked itself: a unit of systemd may see nothing of it below /proc.
    let machine = rustix::system::uname();
    let name = machine.nodename().to_str().unwrap_or_default();
    let is_one = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one { name } else { "-" }.to_owned()
});

#[cfg(test)]
mod tests {
    use accounts::Timestamp;

    use super::*;

    fn event(kind: AuditKind) -> AuditRecord {
        AuditRecord {
            id: uuid::Uuid::nil(),
            at: Timestamp::from_micros(1_769_860_800_000_001),
            event: kind.as_str().to_owned(),
            actor_kind: "anonymous".to_owned(),
            actor: None,
            subject: None,
            address: None,
            user_agent: None,
            request_id: None,
            detail: None,
        }
    }

    #[test]
    fn a_message_has_the_form_of_rfc_5424() {
        for (kind, priority) in [
            (AuditKind::RefreshedReuse, 84),
            (AuditKind::LoginFailed, 85),
            (AuditKind::Login, 86),
        ] {
            let message = String::from_utf8(message(&event(kind), "{}")).expect("UTF-8");
            let expected = format!(
                "<{priority}>1 2026-01-31T12:00:00.000001Z {} vestibule {} {} - {{}}",
                *HOST,
                std::process::id(),
                kind.as_str()
            );
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn the_machine_has_the_name_that_it_gives_itself() {
        let said = std::process::Command::new("uname").arg("-n").output();
        let said = String::from_utf8(said.expect("uname runs").stdout).expect("UTF-8");
        assert_eq!(*HOST, said.trim());
    }

    #[tokio::test]
    async fn messages_arrive_in_order_at_a_socket_and_by_udp() {
        let messages = [b"one".to_vec(), b"two".to_vec()];
        let mut buffer = [0; 16];
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let receiver = UnixDatagram::bind(&path).expect("binds");
        let address = SyslogAddress::Unix(path);
        send(&address, &messages).await.expect("sends");
        for message in &messages {
            let length = receiver.recv(&mut buffer).await.expect("receives");
            assert_eq!(buffer[..length], message[..]);
        }
        drop(receiver);
        assert!(send(&address, &messages).await.is_err());

        let receiver = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
        let port = receiver.local_addr().expect("an address").port();
        let address = SyslogAddress::Udp("127.0.0.1".to_owned(), port);
        send(&address, &messages).await.expect("sends");
        for message in &messages {
            let length = receiver.recv(&mut buffer).await.expect("receives");
            assert_eq!(buffer[..length], message[..]);
        }
    }
}
