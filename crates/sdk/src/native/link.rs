// SPDX-License-Identifier: AGPL-3.0-or-later
//! One of the two connections: opened, kept open, opened again.
//!
//! It carries frames and looks into none. What was handed to a connection that broke is gone: each
//! connection has a queue of its own, so that nothing said before a greeting leaks into the next one; the engine
//! sends again what matters. TLS 1.3 alone, without resumption, so that two connections of one
//! person are not tied together by a ticket.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use nodoor_client::io::Wire;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use crate::native::address::Address;

/// Which connection, and the how manieth of its kind: what an older one still says counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its kind.
    pub(crate) wire: Wire,
    /// Counts up.
    pub(crate) number: u64,
}

/// What a connection tells the driver.
pub(crate) enum Happening {
    /// It stands; frames go into this queue. Dropping the queue sends the rest and closes.
    Up(mpsc::UnboundedSender<Vec<u8>>),
    /// It could not be opened, for whoever answers shows a certificate that is not trusted here.
    Untrusted,
    /// It is gone, or could not be opened.
    Down,
    /// A frame of the server.
    Frame(Vec<u8>),
}

/// Opens the connection and keeps it, until the driver stops listening or drops the frames' queue.
pub(crate) async fn keep(
    of: Kept,
    address: Address,
    told: mpsc::Sender<(Kept, Happening)>,
    tls: Option<Connector>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let dial =
            connect_async_tls_with_config(address.socket(), Some(config()), true, tls.clone());
        match tokio::time::timeout(DIAL_TIMEOUT, dial).await {
            Ok(Ok((socket, _))) => {
                let since = Instant::now();
                match carry(of, socket, &told).await {
                    Ended::Finished => return,
                    Ended::Broken if since.elapsed() > STEADY => pause = FIRST_PAUSE,
                    Ended::Broken => {}
                }
            }
            // That it is down comes next; a listener that is gone is noticed there.
            Ok(Err(error)) if is_untrusted(&error) => {
                let _ = told.send((of, Happening::Untrusted)).await;
            }
            Ok(Err(_)) | Err(_) => {}
        }
        if told.send((of, Happening::Down)).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(pause)) => {}
            // Nobody listens any more: there is nothing to come back for.
            () = told.closed() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether a connection failed for the certificate, wherever in the causes that stands.
fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inside = inside.map(|inside| inside as &(dyn std::error::Error + 'static));
        let at = inside.unwrap_or(error).downcast_ref::<rustls::Error>();
        if matches!(at, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The TLS side of a socket to an `https` server.
pub(crate) fn connector(more_roots: Option<&Path>) -> Result<Connector, rustls::Error> {
    tls_config(more_roots).map(Connector::Rustls)
}

/// TLS as every connection of this crate speaks it. Trusts Mozilla's roots, and those in the PEM file `more_roots`.
pub(crate) fn tls_config(more_roots: Option<&Path>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = more_roots {
        let unreadable =
            |_| rustls::Error::General("the file of certificates is unreadable".into());
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            roots.add(certificate.map_err(unreadable)?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

enum Ended {
    /// The driver wants no more of it.
    Finished,
    /// The network or the server ended it.
    Broken,
}

async fn carry(
    of: Kept,
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    told: &mpsc::Sender<(Kept, Happening)>,
) -> Ended {
    let (mut out, mut incoming) = socket.split();
    let (queue, mut frames) = mpsc::unbounded_channel::<Vec<u8>>();
    if told.send((of, Happening::Up(queue))).await.is_err() {
        return Ended::Finished;
    }
    let mut beat = tokio::time::interval_at(Instant::now() + BEAT, BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else {
                    // All that was queued went out before this.
                    let _ = tokio::time::timeout(FAREWELL, out.close()).await;
                    return Ended::Finished;
                };
                if out.send(Message::Binary(frame.into())).await.is_err() {
                    return Ended::Broken;
                }
            }
            message = incoming.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Binary(frame))) => {
                        if told.send((of, Happening::Frame(frame.into()))).await.is_err() {
                            return Ended::Finished;
                        }
                    }
                    // Answering a ping is the library's.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Text(_) | Message::Close(_) | Message::Frame(_)) | Err(_))
                    | None => return Ended::Broken,
                }
            }
            _ = beat.tick() => {
                // A network that vanished sends no end: silence over two beats is one.
                if heard.elapsed() > BEAT * 2
                    || out.send(Message::Ping(Vec::new().into())).await.is_err()
                {
                    return Ended::Broken;
                }
            }
        }
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME))
}

/// Half to one and a half of it, so that a thousand clients do not come back in one moment.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [128];
    // Without randomness the pause is merely the plain one.
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    pause.mul_f64(0.5 + f64::from(byte) / 255.0)
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A connection that held this long begins again with the first pause.
const STEADY: Duration = Duration::from_secs(10);
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
const BEAT: Duration = Duration::from_secs(25);
const FAREWELL: Duration = Duration::from_secs(1);
/// The server sends at most a window of entries with inline bodies, or one commit.
const LARGEST_FRAME: usize = 4 * nodoor_wire::limits::REQUEST;
