//! Whether many clients are taken for one, as happens behind a proxy that is not named in `trusted_proxies`: all who come
//! through it then share the limits of one address. What is remembered to notice it is bounded. How the address of a
//! client is found is left to `http/peer.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ipnet::IpNet;
use uuid::Uuid;

/// So many accounts at one address within [`WINDOW`] are more than a household, and worth a word.
pub(crate) const CROWD: usize = 20;
/// For how long an account counts, and how often at the most the same is said of an address.
const WINDOW: Duration = Duration::from_hours(1);
/// Addresses that are remembered. Proxies are few; who is forgotten is counted anew.
const MOST_ADDRESSES: usize = 256;

/// The addresses from which a proxy may speak, with the accounts that were seen there.
#[derive(Default)]
pub(crate) struct ClientAddresses(Mutex<Vec<Entry>>);

struct Entry {
    address: IpAddr,
    /// The accounts, each with the time at which it was seen last; [`CROWD`] at the most.
    accounts: Vec<(Uuid, Duration)>,
    /// When it was last spoken of, on whatever grounds.
    told: Option<Duration>,
}

/// A proxy that is probably there and does not tell whose requests it passes on, for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded {
    /// Where it seems to be.
    pub(crate) address: IpAddr,
    /// What makes it seem so.
    pub(crate) grounds: Grounds,
}

/// Why an address is taken for a proxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grounds {
    /// It names clients in a header, which is ignored.
    Forwards,
    /// At least so many accounts were used from there, within an hour or among the newest logins.
    Accounts(usize),
}

impl ClientAddresses {
    /// Notes that a connection from `address`, which is not trusted, names a client in a header. Gives what is to be
    /// said about it, once in an hour. Of addresses of the internet nothing is said: there anybody may send anything.
    pub(crate) fn forwards(&self, address: IpAddr, now: Duration) -> Option<Crowded> {
        if !is_inside(address) {
            return None;
        }
        self.with(address, now, |entry| entry.tell(Grounds::Forwards, now))
    }

    /// Notes that `account` proved at `now` to be at `address`, whose requests come with headers that are ignored if it
    /// `forwards`. Gives what is to be said about it, once in an hour.
    pub(crate) fn account_at(
        &self,
        address: IpAddr,
        forwards: bool,
        account: Uuid,
        now: Duration,
    ) -> Option<Crowded> {
        if !forwards && !is_inside(address) {
            return None;
        }
        self.with(address, now, |entry| {
            entry
                .accounts
                .retain(|(known, seen)| *known != account && now.saturating_sub(*seen) < WINDOW);
            if entry.accounts.len() < CROWD {
                entry.accounts.push((account, now));
            }
            let count = entry.accounts.len();
            (count >= CROWD).then(|| entry.tell(Grounds::Accounts(count), now))?
        })
    }

    fn with<T>(&self, address: IpAddr, now: Duration, look: impl FnOnce(&mut Entry) -> T) -> T {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.iter().position(|entry| entry.address == address);
        let place = known.unwrap_or_else(|| {
            if entries.len() == MOST_ADDRESSES {
                let fewest = (0..entries.len()).min_by_key(|&place| entries[place].weight(now));
                entries.swap_remove(fewest.expect("a full list is not empty"));
            }
            entries.push(Entry {
                address,
                accounts: Vec::new(),
                told: None,
            });
            entries.len() - 1
        });
        look(&mut entries[place])
    }
}

impl Entry {
    fn tell(&mut self, grounds: Grounds, now: Duration) -> Option<Crowded> {
        if self.is_told(now) {
            return None;
        }
        self.told = Some(now);
        Some(Crowded {
            address: self.address,
            grounds,
        })
    }

    fn is_told(&self, now: Duration) -> bool {
        self.told
            .is_some_and(|told| now.saturating_sub(told) < WINDOW)
    }

    /// The less, the sooner it is forgotten.
    fn weight(&self, now: Duration) -> (bool, usize) {
        (self.is_told(now), self.accounts.len())
    }
}

/// The addresses of our own networks from which at least [`CROWD`] accounts were used, out of what was recorded.
pub(crate) fn crowded(logins: impl IntoIterator<Item = (IpAddr, Uuid)>) -> Vec<Crowded> {
    let mut accounts: BTreeMap<IpAddr, BTreeSet<Uuid>> = BTreeMap::new();
    for (address, account) in logins {
        if is_inside(address) {
            accounts.entry(address).or_default().insert(account);
        }
    }
    let crowds = accounts
        .into_iter()
        .filter(|(_, accounts)| accounts.len() >= CROWD);
    crowds
        .map(|(address, accounts)| Crowded {
            address,
            grounds: Grounds::Accounts(accounts.len()),
        })
        .collect()
}

impl Crowded {
    /// What to do about it, where these networks are trusted already.
    pub(crate) fn fix(&self, trusted: &[IpNet]) -> String {
        let address = self.address;
        if is_trusted(address, trusted) {
            return format!(
                "{address} is one of trusted_proxies; let that proxy name its clients in the header X-Forwarded-For"
            );
        }
        let all = trusted.iter().map(|network| match network.prefix_len() {
            length if length == network.max_prefix_len() => network.addr().to_string(),
            _ => network.to_string(),
        });
        let all: Vec<_> = all
            .chain([address.to_string()])
            .map(|network| format!("\"{network}\""))
            .collect();
        format!(
            "if a proxy of yours is there, and only then, set trusted_proxies = [{}]",
            all.join(", ")
        )
    }
}

/// What was seen, as half a sentence.
impl fmt::Display for Crowded {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        match self.grounds {
            Grounds::Forwards => write!(
                form,
                "requests from {address} name their client in a header, which is ignored, so that limits count all of \
                 them as one client"
            ),
            Grounds::Accounts(count) => write!(
                form,
                "{count} accounts or more were used from {address}, and limits count all of them as one client"
            ),
        }
    }
}

/// Whether one of these networks holds the address.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// Whether it is an address of this machine or of a private network, where proxies stand and few clients do.
pub(crate) fn is_inside(address: IpAddr) -> bool {
    /// Shared by the customers of a provider, and by containers of some platforms (RFC 6598).
    const SHARED: [u8; 2] = [100, 64];
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || [first, second & 0b1100_0000] == SHARED
        }
        IpAddr::V6(address) => {
            address == Ipv6Addr::LOCALHOST
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_hours(5);

    fn at(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn account(number: usize) -> Uuid {
        Uuid::from_u128(number as u128)
    }

    /// What is said when so many accounts have come from there.
    fn said(addresses: &ClientAddresses, from: &str, forwards: bool, count: usize) -> usize {
        let said = (0..count)
            .filter_map(|number| addresses.account_at(at(from), forwards, account(number), NOW));
        said.count()
    }

    #[test]
    fn many_accounts_at_a_private_address_are_told_of_once_an_hour() {
        let addresses = ClientAddresses::default();
        assert_eq!(said(&addresses, "172.18.0.2", false, CROWD - 1), 0);
        // The same ones again are no more.
        assert_eq!(said(&addresses, "172.18.0.2", false, CROWD - 1), 0);
        assert_eq!(said(&addresses, "172.18.0.2", false, CROWD + 5), 1);
        let later = NOW + WINDOW;
        let (proxy, newcomer) = (at("172.18.0.2"), account(99));
        assert_eq!(addresses.account_at(proxy, false, newcomer, later), None);
    }

    #[test]
    fn a_crowd_on_the_internet_is_one_where_it_names_its_clients_alone() {
        assert_eq!(said(&ClientAddresses::default(), "192.0.2.1", false, 99), 0);
        assert_eq!(said(&ClientAddresses::default(), "192.0.2.1", true, 99), 1);
    }

    #[test]
    fn a_header_of_a_stranger_is_no_reason_to_trust_them() {
        let addresses = ClientAddresses::default();
        assert_eq!(addresses.forwards(at("192.0.2.1"), NOW), None);
        let told = addresses.forwards(at("127.0.0.1"), NOW).expect("a word");
        assert_eq!(told.grounds, Grounds::Forwards);
        assert_eq!(addresses.forwards(at("127.0.0.1"), NOW), None);
        assert!(addresses.forwards(at("127.0.0.1"), NOW + WINDOW).is_some());
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_who_is_most_crowded() {
        let addresses = ClientAddresses::default();
        assert_eq!(said(&addresses, "10.9.9.9", false, CROWD - 1), 0);
        for number in 0..=u8::MAX {
            for more in 0..8 {
                let address = at(&format!("10.0.{more}.{number}"));
                addresses.account_at(address, false, account(1), NOW);
            }
        }
        assert_eq!(addresses.0.lock().unwrap().len(), MOST_ADDRESSES);
        assert_eq!(said(&addresses, "10.9.9.9", false, CROWD), 1);
    }

    #[test]
    fn the_setting_to_add_is_said_whole() {
        let crowd = |from| Crowded {
            address: at(from),
            grounds: Grounds::Forwards,
        };
        let trusted = ["10.0.0.0/8", "192.0.2.1/32"].map(|text| text.parse().expect("a network"));
        assert!(
            crowd("172.18.0.2")
                .fix(&[])
                .ends_with("set trusted_proxies = [\"172.18.0.2\"]")
        );
        assert!(
            crowd("::1")
                .fix(&trusted)
                .ends_with("set trusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\", \"::1\"]")
        );
        assert!(
            crowd("10.1.2.3")
                .fix(&trusted)
                .contains("let that proxy name its clients")
        );
    }

    #[test]
    fn what_was_recorded_is_judged_alike() {
        let recorded = |from, count| (0..count).map(move |number| (at(from), account(number)));
        assert_eq!(crowded(recorded("10.0.0.1", CROWD - 1)), []);
        assert_eq!(crowded(recorded("192.0.2.1", CROWD)), []);
        let found = crowded(recorded("100.64.0.1", CROWD).chain(recorded("fe80::1", 3)));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("20 accounts or more"));
    }
}
