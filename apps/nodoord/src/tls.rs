// SPDX-License-Identifier: AGPL-3.0-or-later
//! TLS 1.3 with a post-quantum key exchange, and a listener that does its handshakes beside the accepting.
//!
//! TLS 1.2 is not compiled into the offer; X25519MLKEM768 comes first, so that what is recorded today stays shut. There is no
//! resumption and no ticket: two connections of one client, login and anonymous, must not be joined by either.
//!
//! Spec: `DESIGN.md` 4 (two connections) and 8; RFC 8446; draft-ietf-tls-ecdhe-mlkem. `run` calls it.

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use axum::serve::Listener;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::NoServerSessionStorage,
    version::TLS13,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::listen::NoDelay;

/// Reads certificate chain and key, both PEM, and sets what is offered.
///
/// # Errors
/// A file cannot be read, or the two do not belong together.
pub(crate) fn config(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .context("cannot read the certificate file")?;
    let key = PrivateKeyDer::from_pem_file(key).context("cannot read the key file")?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("certificate and key do not belong together")?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A listener whose connections have finished their handshake.
pub(crate) struct TlsListener {
    address: SocketAddr,
    shaken: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    /// Starts to accept. A handshake that takes longer than `within` is dropped; at most 1,024 are under way.
    pub(crate) fn new(
        listener: TcpListener,
        config: Arc<ServerConfig>,
        within: Duration,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let mut listener = NoDelay(listener);
        let (ready, shaken) = mpsc::channel(1024);
        let acceptor = TlsAcceptor::from(config);
        let accepting = tokio::spawn(async move {
            loop {
                // A place in the queue first: so handshakes under way are bounded as well.
                let Ok(place) = ready.clone().reserve_owned().await else { return };
                let (stream, peer) = Listener::accept(&mut listener).await;
                let handshake = acceptor.accept(stream);
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = tokio::time::timeout(within, handshake).await {
                        place.send((stream, peer));
                    }
                });
            }
        });
        Ok(Self { address, shaken, accepting })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.shaken.recv().await {
            Some(accepted) => accepted,
            // The accepting task ends only with the process; until then there is nothing to give.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
