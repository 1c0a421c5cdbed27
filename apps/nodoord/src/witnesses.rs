// SPDX-License-Identifier: AGPL-3.0-or-later
//! Asks a witness for its cosignature: one HTTP request, one connection, HTTP/1.1.
//!
//! `https` trusts Mozilla's roots; `http` reaches this machine alone. Nothing of a witness is believed but a line that
//! verifies, which the ledger checks.
//!
//! Spec: C2SP tlog-witness v1.0.0, `add-checkpoint`. `ledger` calls it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use nodoor_server::ledger::Ledger;
use nodoor_transparency::ledger::{checkpoint::SignedCheckpoint, witness::AddCheckpoint};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// For one request, from dialling to the last byte.
const WITHIN: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const ANSWER: usize = 64 * 1024;

/// How witnesses are reached.
pub(crate) struct Witnesses(TlsConnector);

/// What a witness said.
pub(crate) enum Asked {
    /// Its lines.
    Cosigned(Bytes),
    /// It stands at another size.
    StandsAt(u64),
}

impl Witnesses {
    /// Ready to ask.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn new() -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Offers a checkpoint to the witness at `url`, from the size on which it stands.
    ///
    /// # Errors
    /// It cannot be reached, or did not cosign.
    pub(crate) async fn ask(
        &self,
        ledger: &Ledger,
        url: &str,
        from: u64,
        checkpoint: &SignedCheckpoint,
    ) -> Result<Asked> {
        let from = from.min(checkpoint.head().size);
        let (status, body) = self.add_checkpoint(ledger, url, from, checkpoint).await?;
        let stands_at = match status {
            StatusCode::OK => return Ok(Asked::Cosigned(body)),
            StatusCode::CONFLICT => {
                let text = std::str::from_utf8(&body).unwrap_or_default();
                text.trim_end().parse().context("a conflict without a size")?
            }
            status => bail!("it answered {status}"),
        };
        if stands_at > checkpoint.head().size || stands_at == from {
            return Ok(Asked::StandsAt(stands_at));
        }
        match self.add_checkpoint(ledger, url, stands_at, checkpoint).await? {
            (StatusCode::OK, body) => Ok(Asked::Cosigned(body)),
            (StatusCode::CONFLICT, _) => Ok(Asked::StandsAt(stands_at)),
            (status, _) => bail!("it answered {status}"),
        }
    }

    async fn add_checkpoint(
        &self,
        ledger: &Ledger,
        url: &str,
        from: u64,
        checkpoint: &SignedCheckpoint,
    ) -> Result<(StatusCode, Bytes)> {
        let consistency = ledger.consistency(from, checkpoint.head().size).await?;
        let request = AddCheckpoint { old_size: from, consistency, checkpoint: checkpoint.clone() };
        let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        timeout(WITHIN, self.post(&url, request.to_string())).await.context("it is too slow")?
    }

    async fn post(&self, url: &str, body: String) -> Result<(StatusCode, Bytes)> {
        let uri: Uri = url.parse().context("not an address")?;
        let host = uri.host().context("an address without a host")?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let stream = TcpStream::connect((bare.as_str(), port)).await.context("nobody there")?;
        if tls {
            let name = ServerName::try_from(bare)?;
            let stream = self.0.connect(name, stream).await.context("no secure connection")?;
            return exchange(stream, &uri, body).await;
        }
        let here = stream.peer_addr()?.ip().to_canonical().is_loopback();
        ensure!(uri.scheme_str() == Some("http") && here, "a witness elsewhere takes https");
        exchange(stream, &uri, body).await
    }
}

async fn exchange<S>(stream: S, uri: &Uri, body: String) -> Result<(StatusCode, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let authority = uri.authority().context("an address without a host")?.as_str();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path)
        .header(header::HOST, authority)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(Full::new(Bytes::from(body)))?;
    let answered = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER).collect().await;
        let body = body.map_err(|_| anyhow::anyhow!("its answer is too long or broke off"))?;
        Ok((status, body.to_bytes()))
    }
    .await;
    driving.abort();
    answered
}
