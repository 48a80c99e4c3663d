//! Where a shared Redis is, as an operator writes it. What is wrong with a URL is said here, before anything connects.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};

/// What a URL may look like, as the end of the sentence "expected …".
const ANY_URL: &str = "the URL of a Redis, such as redis://host:6379, rediss://user:password@host or \
                       unix:///run/redis.sock";

/// Where a shared Redis is, and how to log in there. What is shown of it holds no password.
#[derive(Clone)]
pub struct RedisUrl(ConnectionInfo);

impl RedisUrl {
    /// Reads `redis://USER:PASSWORD@HOST:PORT/DATABASE`, the same with `rediss` for TLS, or `unix:///PATH?db=DATABASE`.
    /// All but the host and the path may be left out.
    ///
    /// # Errors
    /// What was expected instead. It repeats nothing of the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let info = text
            .into_connection_info()
            .map_err(|_| ANY_URL.to_owned())?;
        if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(
                "a URL without #insecure: whoever is on the way could answer for Redis".to_owned(),
            );
        }
        // News come over the same connection as answers, which the older protocol cannot do.
        let login = info.redis_settings().clone();
        let login = login
            .set_protocol(ProtocolVersion::RESP3)
            // Releases before 7.2 do not know what it is set with, and access lists would have to allow it.
            .set_skip_set_lib_name();
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        Ok(Self(info.set_redis_settings(login).set_tcp_settings(tcp)))
    }

    /// What connects there.
    pub(super) fn client(&self) -> redis::Client {
        redis::Client::open(self.0.clone()).expect("the URL was read before")
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.0.redis_settings().db();
        match self.0.addr() {
            ConnectionAddr::Unix(path) => write!(f, "unix://{}?db={database}", path.display()),
            address @ ConnectionAddr::TcpTls { .. } => write!(f, "rediss://{address}/{database}"),
            address => write!(f, "redis://{address}/{database}"),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_it_takes_to_log_in() {
        for (written, shown) in [
            ("redis://localhost", "redis://localhost:6379/0"),
            (
                "redis://ada:canary@10.0.0.7:7000/3",
                "redis://10.0.0.7:7000/3",
            ),
            (
                "rediss://:canary@cache.example.org",
                "rediss://cache.example.org:6379/0",
            ),
            (
                "unix:///run/redis.sock?db=2&pass=canary",
                "unix:///run/redis.sock?db=2",
            ),
            (
                "redis+unix:///run/redis.sock",
                "unix:///run/redis.sock?db=0",
            ),
            ("valkey://localhost/1", "redis://localhost:6379/1"),
        ] {
            let url = RedisUrl::parse(written).expect(written);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn what_is_no_url_of_a_redis_is_refused_without_being_repeated() {
        for text in [
            "",
            "localhost:6379",
            "http://canary",
            "redis://",
            "redis://host/canary",
            "redis://0.0.0.0",
            "rediss://canary/#insecure",
            "unix:canary",
        ] {
            let expected = RedisUrl::parse(text).expect_err(text);
            assert!(!expected.contains("canary"), "{expected}");
        }
    }
}
