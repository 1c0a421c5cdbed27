// SPDX-License-Identifier: AGPL-3.0-or-later
//! Plain HTTP requests, for what is public: the ledger's files and a witness's answers.
//!
//! One connection a request, HTTP/1.1, TLS 1.3 as for the sockets (no resumption), no cookies, no redirects. What is
//! longer than the caller's limit is an error, not a truncation. `http` reaches this machine alone.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::native::{address::is_loopback, link::tls_config};

/// For one request, from dialling to the last byte.
const WITHIN: Duration = Duration::from_secs(30);

/// A request had no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// Not `https://HOST[:PORT]/...`, nor `http` on this machine.
    #[error("not an address that can be asked")]
    Address,
    /// Nobody there, or the connection broke.
    #[error("no answer")]
    NoAnswer,
    /// Longer than the caller takes.
    #[error("the answer is too long")]
    TooLong,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All of it.
    pub body: Bytes,
}

/// Asks.
#[derive(Clone)]
pub struct Http(Arc<ClientConfig>);

impl Http {
    /// Trusts Mozilla's roots, and those in the PEM file `more_roots`.
    ///
    /// # Errors
    /// That file is unreadable.
    pub fn new(more_roots: Option<&Path>) -> Result<Self, rustls::Error> {
        tls_config(more_roots).map(Self)
    }

    /// Asks for a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`HttpError`]; a status that is no success is an answer.
    pub async fn get(&self, url: &str, limit: usize) -> Result<Answer, HttpError> {
        self.ask(Method::GET, url, Bytes::new(), limit).await
    }

    /// Sends a body, and takes an answer of at most `limit` bytes.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn post(&self, url: &str, body: Bytes, limit: usize) -> Result<Answer, HttpError> {
        self.ask(Method::POST, url, body, limit).await
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        body: Bytes,
        limit: usize,
    ) -> Result<Answer, HttpError> {
        let uri: Uri = url.parse().map_err(|_| HttpError::Address)?;
        let host = uri.host().ok_or(HttpError::Address)?.to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_loopback(&host) => false,
            _ => return Err(HttpError::Address),
        };
        let asked = async {
            let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let stream = TcpStream::connect((bare, port)).await.map_err(|_| HttpError::NoAnswer)?;
            if tls {
                let name = ServerName::try_from(bare.to_owned()).map_err(|_| HttpError::Address)?;
                let connector = TlsConnector::from(Arc::clone(&self.0));
                let stream =
                    connector.connect(name, stream).await.map_err(|_| HttpError::NoAnswer)?;
                exchange(stream, method, &uri, body, limit).await
            } else {
                exchange(stream, method, &uri, body, limit).await
            }
        };
        timeout(WITHIN, asked).await.map_err(|_| HttpError::NoAnswer)?
    }
}

async fn exchange<S>(
    stream: S,
    method: Method,
    uri: &Uri,
    body: Bytes,
    limit: usize,
) -> Result<Answer, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| HttpError::NoAnswer)?;
    let connection = tokio::spawn(connection);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(header::CONNECTION, "close")
        .body(Full::new(body))
        .map_err(|_| HttpError::Address)?;
    let answer = sender.send_request(request).await.map_err(|_| HttpError::NoAnswer)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), limit).collect().await.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            HttpError::TooLong
        } else {
            HttpError::NoAnswer
        }
    })?;
    connection.abort();
    Ok(Answer { status, body: body.to_bytes() })
}

/// A connection that is asked one thing after the other.
pub(crate) struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
}

impl Http {
    /// Connects to the server at an address like `https://HOST[:PORT]`.
    ///
    /// # Errors
    /// [`HttpError`].
    pub(crate) async fn dial(&self, server: &str) -> Result<Line, HttpError> {
        let uri: Uri = server.parse().map_err(|_| HttpError::Address)?;
        let host = uri.host().ok_or(HttpError::Address)?.to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_loopback(&host) => false,
            _ => return Err(HttpError::Address),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((bare, port)).await.map_err(|_| HttpError::NoAnswer)?;
        let _ = stream.set_nodelay(true);
        let host = uri.authority().map_or_else(String::new, ToString::to_string);
        let sender = if tls {
            let name = ServerName::try_from(bare.to_owned()).map_err(|_| HttpError::Address)?;
            let connector = TlsConnector::from(Arc::clone(&self.0));
            let stream = connector.connect(name, stream).await.map_err(|_| HttpError::NoAnswer)?;
            handshake(stream).await?
        } else {
            handshake(stream).await?
        };
        Ok(Line { sender, host })
    }
}

async fn handshake<S>(stream: S) -> Result<http1::SendRequest<Full<Bytes>>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| HttpError::NoAnswer)?;
    tokio::spawn(connection);
    Ok(sender)
}

impl Line {
    /// Asks; the answer's body is the caller's to read, before it asks again.
    ///
    /// # Errors
    /// [`HttpError`].
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<hyper::Response<hyper::body::Incoming>, HttpError> {
        self.sender.ready().await.map_err(|_| HttpError::NoAnswer)?;
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body)).map_err(|_| HttpError::Address)?;
        self.sender.send_request(request).await.map_err(|_| HttpError::NoAnswer)
    }
}
