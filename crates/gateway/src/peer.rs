// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who calls, as far as a budget needs to know: a keyed hash that means nothing outside this process.
//!
//! This is the only place that sees an address. It turns it at once into [`Peer`]; nothing keeps or logs
//! the address itself. The key is drawn when the process starts and dies with it, so no peer can be
//! recognised across a restart or from a dump of a metric.
//!
//! Spec: `docs/book/protocol.md`, 2 (budgets by address). `serve` calls it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// A caller's budget key: 8 bytes of HMAC-SHA256 over its IPv4 address and 8 of zero, or 8 bytes over its IPv6 /48 and 8
/// over its /64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer {
    key: [u8; 16],
    loopback: bool,
}

impl Peer {
    /// The budget key.
    #[must_use]
    pub fn key(&self) -> [u8; 16] {
        self.key
    }

    /// Whether it is this machine: counters are shown to it alone.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// The key of this process. Not stored, not cloned, not printed.
pub struct PeerKey([u8; 32]);

impl PeerKey {
    /// Draws a key from the system.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    /// Hashes an address: IPv4 whole, IPv6 by its /48 and its /64, since one customer has all of it. The port is
    /// left out.
    #[must_use]
    pub fn peer(&self, address: SocketAddr) -> Peer {
        let ip = address.ip().to_canonical();
        let mut key = [0; 16];
        let (network, own) = key.split_at_mut(8);
        match ip {
            IpAddr::V4(v4) => self.hash(v4.to_ipv6_mapped(), network),
            IpAddr::V6(v6) => {
                self.hash(Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80), network);
                self.hash(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64), own);
            }
        }
        Peer { key, loopback: ip.is_loopback() }
    }

    fn hash(&self, network: Ipv6Addr, to: &mut [u8]) {
        // HMAC takes a key of any length: there is no error to handle, only one to pass over.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(&network.octets());
            to.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_its_network_under_this_process_alone() {
        let (one, two) = (PeerKey([1; 32]), PeerKey([2; 32]));
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let key = |hash: &PeerKey, text: &str| hash.peer(at(text)).key();
        assert_eq!(key(&one, "192.0.2.1:1"), key(&one, "[::ffff:192.0.2.1]:2"));
        assert_ne!(key(&one, "192.0.2.1:1"), key(&one, "192.0.2.2:1"));
        assert_eq!(key(&one, "[2001:db8::1]:1"), key(&one, "[2001:db8::2]:1"));
        assert_ne!(key(&one, "[2001:db8::1]:1"), key(&one, "[2001:db8:0:1::1]:1"));
        assert_eq!(key(&one, "[2001:db8::1]:1")[..8], key(&one, "[2001:db8:0:1::1]:1")[..8]);
        assert_ne!(key(&one, "[2001:db8::1]:1")[..8], key(&one, "[2001:db8:1::1]:1")[..8]);
        assert_eq!(key(&one, "192.0.2.1:1")[8..], [0; 8]);
        assert_ne!(key(&one, "192.0.2.1:1"), key(&two, "192.0.2.1:1"));
        assert!(one.peer(at("127.0.0.1:1")).is_loopback());
        assert!(!one.peer(at("192.0.2.1:1")).is_loopback());
    }
}
