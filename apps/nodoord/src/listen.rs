// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where to listen, and the one rule about it: without TLS only this machine may call.

use std::{io, net::SocketAddr};

use anyhow::{Context as _, Result};
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::WrongUse;

/// Refuses plain HTTP beyond loopback.
///
/// # Errors
/// [`WrongUse`], with a hint.
pub(crate) fn allowed(listen: &[SocketAddr], tls: bool) -> Result<(), WrongUse> {
    let public = listen.iter().find(|address| !address.ip().to_canonical().is_loopback());
    match public {
        Some(address) if !tls => Err(WrongUse(format!(
            "{address} can be reached from other machines, and plain HTTP would show them everything; \
             give --tls-cert and --tls-key, or listen on 127.0.0.1"
        ))),
        _ => Ok(()),
    }
}

/// Binds. A restart may take the address over at once from connections that linger.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(4096)
    };
    bind().with_context(|| format!("cannot listen on {address}"))
}

/// A plain listener whose answers leave at once: small frames are the rule here.
pub(crate) struct NoDelay(pub(crate) TcpListener);

impl Listener for NoDelay {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without it answers are only slower.
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        for private in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(allowed(&[at(private)], false).is_ok(), "{private}");
        }
        for public in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
            assert!(allowed(&[at("127.0.0.1:1"), at(public)], false).is_err(), "{public}");
            assert!(allowed(&[at(public)], true).is_ok(), "{public}");
        }
    }
}
