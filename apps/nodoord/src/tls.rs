// SPDX-License-Identifier: AGPL-3.0-or-later
//! TLS 1.3 with a post-quantum key exchange, and a listener that does its handshakes beside the accepting.
//!
//! TLS 1.2 is not compiled into the offer; X25519MLKEM768 comes first, so that what is recorded today stays shut. There is no
//! resumption and no ticket: two connections of one client, login and anonymous, must not be joined by either.
//!
//! Spec: `docs/book/protocol.md`, 2 (two connections); RFC 8446; draft-ietf-tls-ecdhe-mlkem. `run` calls it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

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
    task::{self, AbortHandle, JoinHandle, JoinSet},
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

/// How long a handshake may take, and how many may be under way.
#[derive(Clone, Copy)]
pub(crate) struct Handshakes {
    pub(crate) within: Duration,
    /// Of one address, an IPv6 /64 counting as one. With one more its oldest is dropped.
    pub(crate) of_peer: usize,
    /// Of all. With one more the oldest is dropped.
    pub(crate) at_once: usize,
}

impl TlsListener {
    /// Starts to accept, and never stops: who connects and says nothing makes way for those who come later, so it
    /// cannot keep them out. A handshake that is honest is over long before a thousand others came.
    pub(crate) fn new(
        listener: TcpListener,
        config: Arc<ServerConfig>,
        handshakes: Handshakes,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let mut listener = NoDelay(listener);
        let (ready, shaken) = mpsc::channel(1024);
        let acceptor = TlsAcceptor::from(config);
        let accepting = tokio::spawn(async move {
            let mut pending = Pending::default();
            let mut tasks = JoinSet::new();
            loop {
                let (stream, address) = tokio::select! {
                    Some(ended) = tasks.join_next_with_id() => {
                        pending.remove(match ended {
                            Ok((id, ())) => id,
                            Err(error) => error.id(),
                        });
                        continue;
                    }
                    accepted = Listener::accept(&mut listener) => accepted,
                };
                let handshake = acceptor.accept(stream);
                let ready = ready.clone();
                let task = tasks.spawn(async move {
                    if let Ok(Ok(stream)) = tokio::time::timeout(handshakes.within, handshake).await
                    {
                        // The other end goes with the process.
                        let _ = ready.send((stream, address)).await;
                    }
                });
                pending.add(address.ip(), task, handshakes);
            }
        });
        Ok(Self { address, shaken, accepting })
    }
}

/// Handshakes under way, by age.
#[derive(Default)]
struct Pending {
    next: u64,
    by_age: BTreeMap<u64, (IpAddr, AbortHandle)>,
    by_task: HashMap<task::Id, u64>,
    of_peer: HashMap<IpAddr, BTreeSet<u64>>,
}

impl Pending {
    fn add(&mut self, address: IpAddr, task: AbortHandle, handshakes: Handshakes) {
        let peer = network(address);
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.by_task.insert(task.id(), number);
        self.by_age.insert(number, (peer, task));
        let of_peer = self.of_peer.entry(peer).or_default();
        of_peer.insert(number);
        let too_many = of_peer.len() > handshakes.of_peer;
        let oldest = of_peer.first().copied().filter(|_| too_many);
        let all = self.by_age.first_key_value().map(|(number, _)| *number);
        let oldest = oldest.or(all.filter(|_| self.by_age.len() > handshakes.at_once));
        if let Some((_, task)) = oldest.and_then(|number| self.forget(number)) {
            task.abort();
        }
    }

    fn remove(&mut self, task: task::Id) {
        // Not there if it was dropped.
        if let Some(number) = self.by_task.get(&task).copied() {
            self.forget(number);
        }
    }

    fn forget(&mut self, number: u64) -> Option<(IpAddr, AbortHandle)> {
        let (peer, task) = self.by_age.remove(&number)?;
        self.by_task.remove(&task.id());
        if let Some(of_peer) = self.of_peer.get_mut(&peer) {
            of_peer.remove(&number);
            if of_peer.is_empty() {
                self.of_peer.remove(&peer);
            }
        }
        Some((peer, task))
    }
}

/// What counts as one peer.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
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
