// SPDX-License-Identifier: AGPL-3.0-or-later
//! Devices that are not connected are called, by a real server at a push service that opens what it gets.

use std::{net::TcpListener, time::Duration};

use nodoor_testkit::push::PushService;

use crate::world::{Person, Server};

/// Longer than a call waits.
const CALLED: Duration = Duration::from_secs(10);
/// Time enough for a call that must not come.
const NEVER: Duration = Duration::from_secs(7);

fn introduced(alice: &Person, bob: &Person) {
    alice.json(&["send", "@bob", "Hi, we met at the fair."]);
    bob.json(&["accept", "@alice"]);
    bob.json(&["receive"]);
    alice.json(&["receive"]);
}

fn called_at(person: &Person, service: &PushService) {
    let (endpoint, key, auth) = (service.endpoint(), service.key(), service.auth());
    person.json(&["push", "set", &endpoint, "--key", &key, "--auth", &auth]);
}

#[test]
fn whoever_is_away_is_called_and_the_call_says_nothing() {
    let server = Server::start_with(&["--push-to-loopback", "--push-contact", "mailto:olga@x.org"]);
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    introduced(&alice, &bob);
    let (hers, his) = (PushService::start(), PushService::start());
    called_at(&bob, &his);
    let shown = &bob.json(&["push", "show"])[0];
    assert_eq!(shown["endpoint"], his.endpoint());
    assert_eq!(shown["told"], true);

    alice.json(&["send", "@bob", "x"]);
    let first = his.wait(1, CALLED).pop().unwrap();
    bob.json(&["receive"]);
    for number in 0..5 {
        alice.json(&["send", "@bob", &"long ".repeat(number * 300 + 1)]);
    }
    let posts = his.wait(2, CALLED);
    assert_eq!(posts.len(), 2, "one call for all of them");
    let second = posts.last().unwrap();
    for post in [&first, second] {
        assert_eq!(his.open(&post.body).unwrap(), [1]);
        assert!(hers.open(&post.body).is_err(), "sealed to Bob's browser");
        let (claims, key) = post.signed();
        assert_eq!(shown["server_key"], key);
        let origin = format!(r#"{{"aud":"http://127.0.0.1:{}","exp":"#, his.port());
        assert!(claims.starts_with(&origin) && claims.contains("mailto:olga@x.org"), "{claims}");
    }
    // But for what is random and the time, both are the same.
    assert_eq!((first.body.len(), second.body.len()), (128, 128));
    let rest = |head: &str| -> Vec<String> {
        let lines = head.lines().filter(|line| !line.to_lowercase().starts_with("authorization"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(rest(&first.head), rest(&second.head));
    assert_eq!(first.head.len(), second.head.len());
    // Bob's receipts call nobody. (Of what she wrote herself she has the copies first: those are messages like others.)
    alice.json(&["receive"]);
    called_at(&alice, &hers);
    bob.json(&["receive"]);
    assert!(hers.wait(1, NEVER).is_empty());

    bob.json(&["push", "off"]);
    assert!(bob.json(&["push", "show"])[0]["endpoint"].is_null());
    alice.json(&["send", "@bob", "nobody hears this"]);
    assert_eq!(his.wait(3, NEVER).len(), 2);
}

#[test]
fn a_request_calls_nobody() {
    let server = Server::start_with(&["--push-to-loopback"]);
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    let his = PushService::start();
    called_at(&bob, &his);
    alice.json(&["send", "@bob", "Buy this."]);
    assert!(his.wait(1, NEVER).is_empty());
}

#[test]
fn a_redirect_is_not_followed_and_nothing_that_never_ends_is_read() {
    let server = Server::start_with(&["--push-to-loopback"]);
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    introduced(&alice, &bob);
    let (his, other) = (PushService::start(), PushService::start());
    let head = format!("HTTP/1.1 307 Go\r\nLocation: {}\r\n", other.endpoint());
    // The head promises a body of a terabyte, and begins it.
    let head = format!("{head}content-length: 1000000000000\r\n\r\n");
    his.answer(&[head.as_bytes(), &[0; 1 << 20]].concat());
    bob.json(&["push", "set", &his.endpoint()]);
    alice.json(&["send", "@bob", "one"]);
    let post = his.wait(1, CALLED).pop().unwrap();
    assert!(post.body.is_empty(), "nobody could open it");
    // And whoever redirects was no push resource.
    bob.json(&["receive"]);
    alice.json(&["send", "@bob", "two"]);
    assert_eq!(his.wait(2, NEVER).len(), 1);
    assert!(other.wait(1, Duration::ZERO).is_empty());
}

#[test]
fn an_address_behind_the_server_is_never_dialled() {
    let server = Server::start();
    let (alice, bob) = (Person::registered(&server, "alice"), Person::registered(&server, "bob"));
    introduced(&alice, &bob);
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = inside.local_addr().unwrap().port();
    let plain = format!("http://127.0.0.1:{port}/");
    assert!(!bob.run(&["push", "set", &plain]).status.success(), "not without TLS");
    for (place, wrong) in [("ftp://push.example/", 2), ("https://push.example/a b", 2)] {
        assert_eq!(bob.run(&["push", "set", place]).status.code(), Some(wrong), "{place}");
    }
    // It is named all the same; only who looks it up learns where it leads.
    bob.json(&["push", "set", &format!("https://localhost:{port}/")]);
    alice.json(&["send", "@bob", "one"]);
    inside.set_nonblocking(true).unwrap();
    std::thread::sleep(NEVER);
    assert!(inside.accept().is_err(), "somebody knocked");
}

#[test]
fn a_server_may_call_nobody() {
    let server = Server::start_with(&["--without-push"]);
    let bob = Person::registered(&server, "bob");
    let said = bob.run(&["push", "set", "https://push.example/a"]);
    assert!(!said.status.success());
    assert!(String::from_utf8_lossy(&said.stderr).contains("This server calls nobody."));
}
