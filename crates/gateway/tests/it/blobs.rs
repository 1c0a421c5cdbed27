// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files over HTTP: up in pieces, down from any place, and only with a pass.

use std::sync::Arc;

use nodoor_server::{Server, storage::blobs_memory::BlobsMemory};
use nodoor_wire::proto::{self, answer, request};
use sha2::{Digest as _, Sha256};

use crate::door::{Door, Reply};

const SECRET: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an anonymous connection is given.
async fn pass(server: &Server, bytes: u64) -> String {
    let connection = server.connect_anonymous([1; 16]);
    let body = Some(request::Body::BlobPass(proto::BlobPass { bytes }));
    match server.handle(&connection, proto::Request { id: 1, body }).await.body.unwrap() {
        answer::Body::BlobPass(given) => hex(&given.pass),
        other => panic!("{other:?}"),
    }
}

struct Files {
    door: Door,
    blobs: BlobsMemory,
}

impl Files {
    async fn open(room: u64) -> Self {
        let mut door = Door::open().await;
        let blobs = BlobsMemory::new(room);
        door.server = door.server.with_blobs(Arc::new(blobs.clone()));
        Self { door, blobs }
    }

    async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let headers: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        self.door.http(line, &headers, body).await
    }

    async fn begin(&self, pass: &str, size: usize) -> Reply {
        let size = size.to_string();
        let headers = [("nodoor-pass", pass), ("nodoor-upload", SECRET), ("nodoor-size", &size)];
        self.ask("POST /v1/upload", &headers, b"").await
    }

    async fn put(&self, at: usize, bytes: &[u8]) -> Reply {
        let at = at.to_string();
        let headers = [("nodoor-upload", SECRET), ("nodoor-position", &at)];
        self.ask("PUT /v1/upload", &headers, bytes).await
    }

    async fn done(&self, hash: &str) -> Reply {
        let headers = [("nodoor-upload", SECRET), ("nodoor-hash", hash)];
        self.ask("POST /v1/upload/done", &headers, b"").await
    }
}

#[tokio::test]
async fn a_file_goes_up_in_pieces_and_comes_down_from_any_place() {
    let files = Files::open(u64::MAX).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 249) as u8).collect();
    let hash = hex(&Sha256::digest(&bytes));
    let blob = format!("/v1/blob/{hash}");
    let server = &files.door.server;

    let begun = files.begin(&pass(server, 3_000_000).await, bytes.len()).await;
    assert_eq!((begun.status, begun.text()), (200, "0\n"));
    assert_eq!(files.put(0, &bytes[..2_000_000]).await.text(), "2000000\n");
    let twice = files.put(0, &bytes[..2_000_000]).await;
    assert_eq!((twice.status, twice.text()), (409, "2000000\n"), "a lost answer: go on from there");
    assert_eq!(
        files.ask("GET /v1/upload", &[("nodoor-upload", SECRET)], b"").await.text(),
        "2000000\n"
    );
    assert_eq!(files.door.http(&format!("HEAD {blob}"), &[], b"").await.status, 404);
    assert_eq!(files.put(2_000_000, &bytes[2_000_000..]).await.text(), "3000000\n");
    assert_eq!(files.done(&hash).await.status, 200);
    assert_eq!(files.done(&hash).await.status, 200, "a lost answer: it is there");
    let there = files.door.http(&format!("HEAD {blob}"), &[], b"").await;
    assert_eq!((there.status, there.header("content-length")), (200, Some("3000000")));

    let paid = pass(server, 3_000_000 + 1_000).await;
    let all = files.ask(&format!("GET {blob}"), &[("nodoor-pass", &paid)], b"").await;
    assert_eq!(all.status, 200);
    assert!(all.body == bytes);
    let range = [("nodoor-pass", paid.as_str()), ("range", "bytes=2999000-")];
    let rest = files.ask(&format!("GET {blob}"), &range, b"").await;
    assert_eq!(rest.status, 206);
    assert_eq!(rest.header("content-range"), Some("bytes 2999000-2999999/3000000"));
    assert!(rest.body == bytes[2_999_000..]);
    let again = files.ask(&format!("GET {blob}"), &range, b"").await;
    assert_eq!(again.status, 401, "the pass is used up");
}

#[tokio::test]
async fn without_a_pass_nothing_goes_in_or_out_and_a_full_server_says_so() {
    let files = Files::open(100).await;
    let server = &files.door.server;
    assert_eq!(files.begin(SECRET, 10).await.status, 401, "an invented pass");
    assert_eq!(files.begin(&pass(server, 9).await, 10).await.status, 401, "a pass for less");
    assert_eq!(files.begin(&pass(server, 101).await, 101).await.status, 507);
    let paid = pass(server, 1_000).await;
    assert_eq!(files.begin(&paid, 10).await.status, 200);
    assert_eq!(files.put(0, &[0; 11]).await.status, 400, "more than was announced");
    assert_eq!(files.put(0, b"0123456789").await.status, 200);
    assert_eq!(files.done(&"ab".repeat(32)).await.status, 422, "another hash");
    assert_eq!(files.put(10, b"").await.status, 404, "and the upload is gone");
    let blob = format!("/v1/blob/{}", "ab".repeat(32));
    assert_eq!(files.door.get(&blob).await.status, 401);
    assert_eq!(files.ask(&format!("GET {blob}"), &[("nodoor-pass", &paid)], b"").await.status, 404);
    assert_eq!(files.door.get("/v1/blob/abc").await.status, 400);
    let too_large = vec![0; 8 * 1024 * 1024 + 1];
    files.blobs.set_room(u64::MAX);
    assert_eq!(files.begin(&pass(server, 9_000_000).await, 9_000_000).await.status, 200);
    assert_eq!(files.put(0, &too_large).await.status, 413);
    let page = [("origin", "https://elsewhere.example"), ("nodoor-upload", SECRET)];
    assert_eq!(files.ask("GET /v1/upload", &page, b"").await.status, 503, "another site's page");
}

#[tokio::test]
async fn a_pass_costs_the_connection_what_it_is_worth() {
    let files = Files::open(u64::MAX).await;
    let connection = files.door.server.connect_anonymous([9; 16]);
    let mut given = 0;
    for id in 0..100 {
        let body = Some(request::Body::BlobPass(proto::BlobPass { bytes: 1 << 31 }));
        match files.door.server.handle(&connection, proto::Request { id, body }).await.body {
            Some(answer::Body::BlobPass(_)) => given += 1,
            Some(answer::Body::Refusal(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(given, 3000 / 513, "an address without tokens has so many requests");
}
