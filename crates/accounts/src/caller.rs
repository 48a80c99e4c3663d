//! Who asks: the network side of a request, and the user that it proved to come from.

use std::net::IpAddr;

use store::User;
use uuid::Uuid;

use crate::Mode;

/// User agents are kept up to this many bytes.
const LONGEST_USER_AGENT: usize = 256;

/// The network side of a request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address of the client, with trusted proxies taken into account.
    pub address: IpAddr,
    /// What the client says that it is, cut to 256 bytes.
    pub user_agent: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

impl Peer {
    /// A peer; a longer `user_agent` is cut.
    #[must_use]
    pub fn new(address: IpAddr, user_agent: Option<&str>, request_id: Option<String>) -> Self {
        let user_agent = user_agent.map(|text| {
            let end = text.floor_char_boundary(LONGEST_USER_AGENT);
            text[..end].to_owned()
        });
        Self {
            address,
            user_agent,
            request_id,
        }
    }
}

/// By what a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An access token in the `Authorization` header (RFC 6750).
    Bearer,
    /// The session cookie.
    Cookie,
}

/// A user who proved to be the one that makes this request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user, as of now.
    pub user: User,
    /// The session that the proof belongs to.
    pub session: Uuid,
    /// What the device holds of that session. An access token may be of either kind.
    pub mode: Mode,
    /// The kind of proof.
    pub credential: Credential,
}

impl Caller {
    /// Whether the user has one of `roles`.
    #[must_use]
    pub fn has_any_role(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| self.user.roles.contains(role))
    }
}
