// SPDX-License-Identifier: AGPL-3.0-or-later
//! A gateway on a free port, and a bare HTTP client.

use std::{sync::Arc, time::Duration};

use nodoor_gateway::{Asset, Gateway, Limits, PeerKey, WebApp, serve};
use nodoor_server::{Clock, Config, Server, storage::memory::Memory};
use rand_core::UnwrapErr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

pub(crate) struct Door {
    pub(crate) address: String,
    pub(crate) server: Server,
    pub(crate) serving: JoinHandle<()>,
}

struct Fixed;
impl Clock for Fixed {
    fn now_ms(&self) -> u64 {
        1_800_000_000_000
    }
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let rng = Box::new(UnwrapErr(getrandom::SysRng));
        let store = Memory::new(nodoor_wire::id::DeploymentId([7; 16]));
        let server = Server::open(store, Config::default(), Arc::new(Fixed), rng).unwrap();
        let gateway = Gateway::new(server.clone(), app(), limits, PeerKey::draw().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(serve(listener, gateway, false));
        Self { address, server, serving }
    }

    /// One HTTP request on a connection of its own. `head`: method, path, and further header lines.
    pub(crate) async fn http(&self, line: &str, headers: &[&str], body: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let mut request = format!("{line} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for header in headers {
            request += &format!("{header}\r\n");
        }
        if !headers.iter().any(|header| header.starts_with("Connection")) {
            request += "Connection: close\r\n";
        }
        request += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        // The server may have answered and closed before it read all of a body that is too large.
        let _ = stream.write_all(body).await;
        let mut all = Vec::new();
        let _ = seconds(5, stream.read_to_end(&mut all)).await;
        Reply::read(&all)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.http(&format!("GET {path}"), &[], b"").await
    }
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn read(all: &[u8]) -> Self {
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&all[..end]).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let headers = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status, headers: headers.collect(), body: all[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Fails after so many seconds.
pub(crate) async fn seconds<T>(secs: u64, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(secs), future).await.expect("it takes too long")
}

fn app() -> WebApp {
    let asset = |path: &str, content_type: &str, bytes: &'static [u8], brotli| Asset {
        path: path.into(),
        content_type: content_type.into(),
        bytes: bytes.into(),
        brotli,
    };
    WebApp::new([
        asset("index.html", "text/html; charset=utf-8", b"<!doctype html>", None),
        asset("integrity.json", "application/json", b"{\"hashes\":{}}", None),
        asset(
            "engine-0123456789abcdef.wasm",
            "application/wasm",
            b"plain bytes",
            Some(b"brotli bytes".as_slice().into()),
        ),
        Asset {
            path: "large.bin".into(),
            content_type: "application/octet-stream".into(),
            // More than sockets keep for somebody who does not read.
            bytes: vec![0; 64 * 1024 * 1024].into(),
            brotli: None,
        },
    ])
}
