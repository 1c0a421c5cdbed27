// SPDX-License-Identifier: AGPL-3.0-or-later
//! TLS 1.3, hybrid key exchange, nothing else.
//!
//! `tls/` holds a self-signed certificate for localhost, made for these tests with
//! `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=localhost
//! -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE`.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, Error, NamedGroup, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};

use crate::daemon::Daemon;

#[test]
fn the_key_exchange_is_post_quantum_and_nothing_is_resumed() {
    let data = tempfile::tempdir().unwrap();
    let daemon = start(&data);
    let config = client(&[&TLS13]);
    for _ in 0..2 {
        let mut stream = connect(&daemon, config.clone()).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        assert!(reply.contains("strict-transport-security: max-age="), "{reply}");
        assert!(reply.contains("connect-src 'self' wss://localhost;"), "{reply}");
        let connection = &stream.conn;
        assert_eq!(connection.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        let group = connection.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, NamedGroup::X25519MLKEM768);
        assert_eq!(connection.handshake_kind(), Some(rustls::HandshakeKind::Full));
        assert_eq!(connection.tls13_tickets_received(), 0);
    }
}

#[test]
fn tls_1_2_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let daemon = start(&data);
    let error = connect(&daemon, client(&[&TLS12])).map(drop).unwrap_err();
    let error = error.downcast::<Error>().unwrap();
    assert!(matches!(*error, Error::AlertReceived(_)), "{error}");
}

#[test]
fn a_caller_that_never_shakes_hands_holds_nobody_up() {
    let data = tempfile::tempdir().unwrap();
    let daemon = start(&data);
    let _silent = (0..50).map(|_| TcpStream::connect(&daemon.address).unwrap()).collect::<Vec<_>>();
    connect(&daemon, client(&[&TLS13])).unwrap();
}

#[test]
fn not_even_a_thousand_of_them() {
    let data = tempfile::tempdir().unwrap();
    let daemon = start(&data);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let silent = (0..1100).map(|_| TcpStream::connect(&daemon.address).unwrap());
    let silent = silent.collect::<Vec<_>>();
    connect(&daemon, client(&[&TLS13])).unwrap();
    // The first of them were dropped, not all.
    let mut first = &silent[0];
    assert!(matches!(first.read(&mut [0; 1]), Ok(0) | Err(_)));
}

fn start(data: &tempfile::TempDir) -> Daemon {
    let (certificate, key) = (file("cert.pem"), file("key.pem"));
    let options = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    Daemon::start(data.path(), &options)
}

fn client(versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("cert.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(
    daemon: &Daemon,
    config: Arc<ClientConfig>,
) -> Result<Stream, Box<dyn std::error::Error>> {
    let name = ServerName::try_from("localhost")?;
    let mut tcp = TcpStream::connect(&daemon.address)?;
    // Half of what a silent caller has: whoever is let in only when they are gone comes too late.
    tcp.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut connection = ClientConnection::new(config, name)?;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut tcp) {
            return Err(match error.downcast::<Error>() {
                Ok(error) => Box::new(error),
                Err(error) => Box::new(error),
            });
        }
    }
    Ok(StreamOwned::new(connection, tcp))
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "it", "tls", name].iter().collect()
}
