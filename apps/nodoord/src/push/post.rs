// SPDX-License-Identifier: AGPL-3.0-or-later
//! One call: one connection, one request, the head of its answer.
//!
//! An address that a device named is somebody else's word. So it is looked up for each call, and only what is an address of the open
//! internet is dialled, the very one that was looked at; nothing is followed; nothing of a body is read; and nothing of all this
//! is told to anybody, so that it can be used neither to reach nor to find what stands behind this server.
//!
//! Spec: RFC 8030, 5; `docs/book/protocol.md`, 10. `push` calls it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use axum::body::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, Uri, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use nodoor_server::Called;
use nodoor_wire::proto::PushPut;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::push::{seal::seal, vapid::Identity};

/// From the look-up to the head of the answer.
const WITHIN: Duration = Duration::from_secs(10);
/// Bytes of that head.
const HEAD: usize = 16 * 1024;
/// How long a push service keeps a call for a device that is off, seconds: 28 days, the most that the large ones keep.
const TTL: &str = "2419200";

/// Posts calls.
pub(crate) struct Poster {
    identity: Identity,
    tls: TlsConnector,
    to_loopback: bool,
}

/// Where a call goes.
struct Target {
    uri: Uri,
    host: String,
    port: u16,
    tls: bool,
}

/// It must not be called.
#[derive(Debug, thiserror::Error)]
#[error("not an address of a push service")]
struct Refused;

impl Poster {
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn new(identity: Identity, to_loopback: bool) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { identity, tls: TlsConnector::from(Arc::new(config)), to_loopback })
    }

    /// Posts a call.
    pub(crate) async fn post(&self, to: &PushPut) -> Called {
        match timeout(WITHIN, self.try_post(to)).await {
            Ok(Ok(answer)) => said(&answer),
            Ok(Err(error)) if error.is::<Refused>() => Called::Gone,
            Ok(Err(_)) | Err(_) => Called::Later(0),
        }
    }

    async fn try_post(&self, to: &PushPut) -> Result<Response<Incoming>> {
        let target = target(&to.endpoint, self.to_loopback)?;
        let address = self.address(&target).await?;
        let request = self.request(to, &target)?;
        let stream = TcpStream::connect(address).await.context("nobody there")?;
        if !target.tls {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(target.host)?;
        exchange(self.tls.connect(name, stream).await?, request).await
    }

    /// The address to dial: looked up now, and dialled as it was found.
    async fn address(&self, target: &Target) -> Result<SocketAddr> {
        let found = lookup_host((target.host.as_str(), target.port)).await?;
        let mut found = found.peekable();
        ensure!(found.peek().is_some(), "no such host");
        let may = |address: &SocketAddr| {
            let ip = address.ip().to_canonical();
            if target.tls { is_public(ip) } else { self.to_loopback && ip.is_loopback() }
        };
        Ok(found.find(may).ok_or(Refused)?)
    }

    fn request(&self, to: &PushPut, target: &Target) -> Result<Request<Full<Bytes>>> {
        let authority = target.uri.authority().context("no host")?.as_str();
        let scheme = if target.tls { "https" } else { "http" };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let signed = self.identity.authorization(&format!("{scheme}://{authority}"), now)?;
        let path = target.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::post(path)
            .header(header::HOST, authority)
            .header(header::AUTHORIZATION, signed)
            .header("TTL", TTL)
            .header("Urgency", "high")
            // A later call takes the place of one that was not fetched yet.
            .header("Topic", "nodoor");
        if to.key.is_empty() {
            return Ok(request.body(Full::default())?);
        }
        // A key that is none was never a browser's.
        let sealed = seal(&to.key, &to.auth).map_err(|_| Refused)?;
        Ok(request
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Full::new(sealed.into()))?)
    }
}

/// Reads an address that a device named.
fn target(endpoint: &str, to_loopback: bool) -> Result<Target> {
    let uri: Uri = endpoint.parse().map_err(|_| Refused)?;
    let tls = uri.scheme_str() == Some("https");
    let plain = uri.scheme_str() == Some("http") && to_loopback;
    let authority = uri.authority().ok_or(Refused)?;
    if !(tls || plain) || authority.as_str().contains('@') {
        return Err(Refused.into());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    // Below 1024 stand other services than this, which might mind what they are sent.
    if host.is_empty() || port < 1024 && port != 443 {
        return Err(Refused.into());
    }
    Ok(Target { uri, host, port, tls })
}

/// Whether an address is one of the open internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        // "This network", shared (RFC 6598), protocol assignments, 6to4 relays, benchmarks, reserved.
        (0 | 240..=255, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _)
    );
    !(special
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Global unicast, without what carries an IPv4 address inside (Teredo, 6to4) and what is for documentation or tests.
    (0x2000..=0x3fff).contains(&a)
        && !matches!((a, b), (0x2001, 0..=0x01ff | 0x0db8) | (0x2002 | 0x3fff, _))
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    let (mut sender, connection) =
        builder.max_buf_size(HEAD).handshake(TokioIo::new(stream)).await?;
    tokio::pin!(connection);
    tokio::select! {
        // The head is there, and with it ends the connection.
        answer = sender.send_request(request) => Ok(answer?),
        ended = &mut connection => {
            ended?;
            anyhow::bail!("it hung up")
        }
    }
}

/// What an answer says. A redirect is none of a push resource's: it is not followed, and there is no second try.
fn said<T>(answer: &Response<T>) -> Called {
    let status = answer.status();
    if status.is_success() {
        return Called::Taken;
    }
    if status.is_redirection() || matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Called::Gone;
    }
    let pause = answer.headers().get(header::RETRY_AFTER);
    let pause = pause.and_then(|pause| pause.to_str().ok()).and_then(|text| text.parse().ok());
    Called::Later(pause.unwrap_or(0_u64).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_behind_this_server_is_called() {
        for inside in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "::127.0.0.1",
        ] {
            let ip: IpAddr = inside.parse().unwrap();
            assert!(!is_public(ip.to_canonical()), "{inside}");
        }
        for outside in ["9.9.9.9", "142.250.1.188", "172.32.0.1", "2a00:1450::1", "2606:4700::1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn only_what_may_be_a_push_resource_is_one() {
        for (endpoint, open, to_loopback) in [
            ("https://push.example/a?b=c", true, true),
            ("https://push.example:8443/a", true, true),
            ("https://[2a00:1450::1]/a", true, true),
            ("http://127.0.0.1:8080/a", false, true),
            ("http://push.example:8080/a", false, true),
            ("http://127.0.0.1/a", false, false),
            ("https://push.example:25/a", false, false),
            ("https://user@push.example/a", false, false),
            ("ftp://push.example/a", false, false),
            ("https:///a", false, false),
            ("/a", false, false),
            ("", false, false),
        ] {
            assert_eq!(target(endpoint, false).is_ok(), open, "{endpoint}");
            assert_eq!(target(endpoint, true).is_ok(), to_loopback, "{endpoint}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_here_is_not_called() {
        let identity = Identity::new(&[7; 32], None).unwrap();
        let poster = Poster::new(identity, false).unwrap();
        for endpoint in ["https://localhost:9/a", "https://127.0.0.1:8443/a", "https://[::1]/a"] {
            let to = PushPut { endpoint: endpoint.to_owned(), ..PushPut::default() };
            let error = poster.try_post(&to).await.err().unwrap();
            let refused = error.is::<Refused>();
            assert!(refused, "{endpoint}");
            assert_eq!(poster.post(&to).await, Called::Gone);
        }
    }

    #[test]
    fn answers_mean_what_they_say() {
        let answer = |status: u16| Response::builder().status(status).body(()).unwrap();
        for status in [200, 201, 202, 204] {
            assert_eq!(said(&answer(status)), Called::Taken);
        }
        for status in [301, 302, 307, 308, 404, 410] {
            assert_eq!(said(&answer(status)), Called::Gone, "{status}");
        }
        for status in [400, 401, 403, 413, 429, 500, 503] {
            assert_eq!(said(&answer(status)), Called::Later(0), "{status}");
        }
        let mut busy = answer(429);
        busy.headers_mut().insert(header::RETRY_AFTER, "120".parse().unwrap());
        assert_eq!(said(&busy), Called::Later(120_000));
    }
}
