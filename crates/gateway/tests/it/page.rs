// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files, their headers, and the small HTTP paths.

use nodoor_wire::{
    code::Code,
    limits,
    proto::{FromServer, Lookup, Request, answer, from_server, lookup, request},
};
use prost::Message as _;

use crate::Door;

#[tokio::test]
async fn every_page_may_reach_this_server_and_nothing_else() {
    let door = Door::open().await;
    for path in ["/", "/index.html", "/engine-0123456789abcdef.wasm", "/nothing", "/health"] {
        let reply = door.get(path).await;
        let policy = reply.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types nodoor",
        ] {
            assert!(policy.contains(part), "{path}: {part}");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}: {name}");
        }
        assert!(reply.header("permissions-policy").unwrap().contains("geolocation=()"));
        for never in ["set-cookie", "server", "access-control-allow-origin"] {
            assert_eq!(reply.header(never), None, "{path}: {never}");
        }
    }
}

#[tokio::test]
async fn a_page_may_open_a_websocket_to_its_own_host_only() {
    let door = Door::open().await;
    let reply = door.get("/").await;
    let policy = reply.header("content-security-policy").unwrap();
    let connect = policy.split("; ").find(|part| part.starts_with("connect-src")).unwrap();
    assert_eq!(connect, format!("connect-src 'self' ws://{}", door.address));
}

#[tokio::test]
async fn index_is_asked_for_again_and_hashed_files_are_kept() {
    let door = Door::open().await;
    let index = door.get("/").await;
    assert_eq!((index.status, index.text()), (200, "<!doctype html>"));
    assert_eq!(index.header("cache-control"), Some("no-cache"));
    let etag = format!("If-None-Match: {}", index.header("etag").unwrap());
    let again = door.http("GET /", &[&etag], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let engine = door.get("/engine-0123456789abcdef.wasm").await;
    assert_eq!(engine.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(engine.header("content-type"), Some("application/wasm"));
}

#[tokio::test]
async fn brotli_goes_to_who_takes_it() {
    let door = Door::open().await;
    for (accept, body, encoding) in [
        ("Accept-Encoding: gzip, br", "brotli bytes", Some("br")),
        ("Accept-Encoding: br;q=0, gzip", "plain bytes", None),
        ("Accept-Encoding: gzip", "plain bytes", None),
    ] {
        let reply = door.http("GET /engine-0123456789abcdef.wasm", &[accept], b"").await;
        assert_eq!((reply.text(), reply.header("content-encoding")), (body, encoding), "{accept}");
        assert_eq!(reply.header("vary"), Some("accept-encoding"));
    }
    let head = door.http("HEAD /engine-0123456789abcdef.wasm", &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(door.http("POST /", &[], b"").await.status, 405);
    assert_eq!(door.get("/../Cargo.toml").await.status, 404);
}

#[tokio::test]
async fn a_browser_that_knows_waict_finds_the_manifest_and_an_empty_proof() {
    let door = Door::open().await;
    assert_eq!(door.get("/integrity.json").await.text(), "{\"hashes\":{}}");
    for path in ["/", "/index.html"] {
        let page = door.get(path).await;
        let policy = page.header("integrity-policy-waict-v1").unwrap();
        let manifest = policy.strip_prefix("max-age=0, mode=report, manifest=\"").unwrap();
        let manifest = door.get(manifest.strip_suffix('"').unwrap()).await;
        assert_eq!((manifest.status, manifest.text()), (200, "{\"hashes\":{}}\n\n"));
        let header = |name| manifest.header(name);
        assert_eq!(header("content-type"), Some("application/waict-integrity-manifest"));
        assert_eq!(header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(header("integrity-policy-waict-v1"), None);
    }
}

#[tokio::test]
async fn health_readiness_and_counters_answer() {
    let door = Door::open().await;
    assert_eq!(door.get("/health").await.text(), "ok\n");
    assert_eq!(door.get("/ready").await.text(), "ready\n");
    let metrics = door.get("/metrics").await;
    assert!(metrics.text().contains("nodoor_websockets 0\n"), "{}", metrics.text());
    assert!(metrics.text().contains("nodoor_websockets_closed_total{reason=\"silent\"} 0\n"));
}

#[tokio::test]
async fn one_request_needs_no_websocket() {
    let door = Door::open().await;
    let of = Some(lookup::Of::Handle("nobody".into()));
    let body = Some(request::Body::Lookup(Lookup { of }));
    let reply = door.http("POST /v1/rpc", &[], &Request { id: 9, body }.encode_to_vec()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(refused(&reply.body), (9, Code::NotFound.number()));

    let reply = door.http("POST /v1/rpc", &[], b"\xff").await;
    assert_eq!((reply.status, refused(&reply.body)), (400, (0, Code::Malformed.number())));

    let reply = door.http("POST /v1/rpc", &[], &vec![0; limits::REQUEST + 1]).await;
    assert_eq!((reply.status, refused(&reply.body)), (413, (0, Code::TooLarge.number())));

    let foreign = ["Origin: https://elsewhere.example"];
    assert_eq!(door.http("POST /v1/rpc", &foreign, b"").await.status, 403);
    assert_eq!(door.get("/v1/rpc").await.status, 405);
}

fn refused(bytes: &[u8]) -> (u64, u32) {
    match FromServer::decode(bytes).unwrap().body {
        Some(from_server::Body::Answer(answer)) => match answer.body {
            Some(answer::Body::Refusal(refusal)) => (answer.id, refusal.code),
            _ => panic!("not refused"),
        },
        _ => panic!("no answer"),
    }
}
