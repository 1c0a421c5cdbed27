// SPDX-License-Identifier: AGPL-3.0-or-later
//! Tokens of the anonymous connection, and the rendezvous of two devices.

use nodoor_server::{Connection, FileError};
use nodoor_transparency::ledger::{
    entry::{Entry, GovernanceKind},
    proof::Inclusion,
    tree::leaf_hash,
};
use nodoor_wire::{
    code::Code,
    proto::{self, answer::Body as Answer, request::Body as Ask},
};
use rand_core_06::{CryptoRng, RngCore};
use voprf::{EvaluationElement, Group as _, Proof, Ristretto255, VoprfClient};

use crate::{
    ledger::Deployment,
    person::{NOW, Person, ask, assert_done, assert_refused, random},
};

const DAY_MS: u64 = 86_400_000;

/// The system's randomness as voprf asks for it.
struct Draws;

impl RngCore for Draws {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(random())
    }
    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(random())
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Draws {}

type Blinded = (Vec<[u8; 32]>, Vec<VoprfClient<Ristretto255>>, proto::TokenIssue);

fn blind(day: u32, count: usize) -> Blinded {
    let mut nonces = Vec::new();
    let mut clients = Vec::new();
    let mut blinded = Vec::new();
    for _ in 0..count {
        let nonce: [u8; 32] = random();
        let one = VoprfClient::blind(&nonce, &mut Draws).unwrap();
        blinded.push(one.message.serialize().to_vec().into());
        clients.push(one.state);
        nonces.push(nonce);
    }
    (nonces, clients, proto::TokenIssue { day, blinded })
}

/// Tokens as a client makes them: blinded, evaluated, verified against the key of `Hello`, unblinded.
async fn tokens(deployment: &Deployment, person: &Person, count: usize) -> Vec<proto::SpentToken> {
    let hello = said(deployment, None, proto::ConnectionKind::Login).await;
    let key = hello.token_keys.last().unwrap();
    let (nonces, clients, issue) = blind(key.day, count);
    let Answer::TokenIssue(answer) = person.ask(&deployment.world, Ask::TokenIssue(issue)).await
    else {
        panic!()
    };
    let evaluated: Vec<_> = answer
        .evaluated
        .iter()
        .map(|one| EvaluationElement::<Ristretto255>::deserialize(one).unwrap())
        .collect();
    let proof = Proof::deserialize(&answer.proof).unwrap();
    let public = Ristretto255::deserialize_elem(&key.public_key).unwrap();
    let inputs: Vec<&[u8]> = nonces.iter().map(<[u8; 32]>::as_slice).collect();
    let outputs =
        VoprfClient::batch_finalize(&inputs, &clients, &evaluated, &proof, public).unwrap();
    let outputs: Vec<_> = outputs.map(Result::unwrap).collect();
    nonces
        .iter()
        .zip(outputs)
        .map(|(nonce, output)| proto::SpentToken {
            day: key.day,
            nonce: nonce.to_vec().into(),
            output: output.to_vec().into(),
        })
        .collect()
}

fn hello_with(token: Option<proto::SpentToken>, kind: proto::ConnectionKind) -> Ask {
    Ask::Hello(proto::Hello { versions: vec![1], kind: kind.into(), token })
}

async fn said(
    deployment: &Deployment,
    token: Option<proto::SpentToken>,
    kind: proto::ConnectionKind,
) -> proto::HelloAnswer {
    let connection = deployment.world.server.connect([1; 16]);
    match ask(&deployment.world.server, &connection, hello_with(token, kind)).await {
        Answer::Hello(hello) => hello,
        other => panic!("{other:?}"),
    }
}

async fn spend(deployment: &Deployment, token: proto::SpentToken) -> (Connection, Answer) {
    let connection = deployment.world.server.connect([1; 16]);
    let hello = hello_with(Some(token), proto::ConnectionKind::Anonymous);
    let answer = ask(&deployment.world.server, &connection, hello).await;
    (connection, answer)
}

fn nothing_there() -> Ask {
    let of = Some(proto::lookup::Of::Account(vec![7; 16].into()));
    Ask::Lookup(proto::Lookup { of })
}

#[tokio::test]
async fn a_token_is_taken_once_and_opens_a_budget_of_its_own() {
    let deployment = Deployment::new().await;
    let alice = deployment.world.person("alice").await;
    let mut fresh = tokens(&deployment, &alice, 3).await;
    let token = fresh.pop().unwrap();

    // Mallory makes one herself, changes one, or moves one to another day.
    let made = proto::SpentToken { output: vec![1; 64].into(), ..token.clone() };
    let changed = proto::SpentToken { nonce: vec![2; 32].into(), ..token.clone() };
    let moved = proto::SpentToken { day: token.day - 1, ..token.clone() };
    let future = proto::SpentToken { day: token.day + 1, ..token.clone() };
    let cut = proto::SpentToken { nonce: token.nonce.slice(..31), ..token.clone() };
    for bad in [made, changed, moved, future, cut] {
        let (_, answer) = spend(&deployment, bad).await;
        assert_refused(&answer, Code::Unauthorised);
    }
    let (connection, answer) = spend(&deployment, token.clone()).await;
    assert!(matches!(answer, Answer::Hello(_)), "{answer:?}");
    let (_, again) = spend(&deployment, token.clone()).await;
    assert_refused(&again, Code::Unauthorised);

    // Two thousand requests, whatever the address asked for.
    let server = &deployment.world.server;
    for _ in 0..2000 {
        let answer = ask(server, &connection, nothing_there()).await;
        assert_refused(&answer, Code::NotFound);
    }
    assert_refused(&ask(server, &connection, nothing_there()).await, Code::SlowDown);
    // Another token opens another connection, and no token belongs on a login connection.
    let (other, _) = spend(&deployment, fresh.pop().unwrap()).await;
    assert_refused(&ask(server, &other, nothing_there()).await, Code::NotFound);
    let login = server.connect([1; 16]);
    let hello = hello_with(fresh.pop(), proto::ConnectionKind::Login);
    assert_refused(&ask(server, &login, hello).await, Code::Malformed);
}

#[tokio::test]
async fn a_spent_token_stays_spent_after_a_restart_and_counts_until_the_day_after() {
    let deployment = Deployment::new().await;
    let alice = deployment.world.person("alice").await;
    let mut fresh = tokens(&deployment, &alice, 3).await;
    let (spent, later, too_late) =
        (fresh.pop().unwrap(), fresh.pop().unwrap(), fresh.pop().unwrap());
    assert!(matches!(spend(&deployment, spent.clone()).await.1, Answer::Hello(_)));
    let deployment = deployment.restarted(None).await.unwrap();
    assert_refused(&spend(&deployment, spent.clone()).await.1, Code::Unauthorised);
    deployment.world.clock.set(NOW + DAY_MS);
    assert!(matches!(spend(&deployment, later).await.1, Answer::Hello(_)));
    assert_refused(&spend(&deployment, spent.clone()).await.1, Code::Unauthorised);
    deployment.world.clock.set(NOW + 2 * DAY_MS);
    assert_refused(&spend(&deployment, too_late).await.1, Code::Unauthorised);
    assert_refused(&spend(&deployment, spent).await.1, Code::Unauthorised);
}

#[tokio::test]
async fn an_account_has_so_many_tokens_a_day_and_everybody_the_same_key() {
    let deployment = Deployment::new().await;
    let (alice, bob) =
        (deployment.world.person("alice").await, deployment.world.person("bob").await);
    for _ in 0..15 {
        tokens(&deployment, &alice, 64).await;
    }
    tokens(&deployment, &alice, 60).await;
    let day = u32::try_from(NOW / DAY_MS).unwrap();
    let refused = async |person: &Person, day: u32, count: usize| {
        let (_, _, issue) = blind(day, count);
        person.ask(&deployment.world, Ask::TokenIssue(issue)).await
    };
    assert_refused(&refused(&alice, day, 5).await, Code::SlowDown);
    assert_refused(&refused(&alice, day, 65).await, Code::TooLarge);
    assert_refused(&refused(&alice, day, 0).await, Code::TooLarge);
    assert_refused(&refused(&alice, day + 1, 1).await, Code::NotFound);
    assert_refused(&refused(&alice, day - 2, 1).await, Code::NotFound);
    let bad = proto::TokenIssue { day, blinded: vec![vec![0xff; 32].into()] };
    assert_refused(&alice.ask(&deployment.world, Ask::TokenIssue(bad)).await, Code::BadSignature);
    tokens(&deployment, &alice, 4).await;
    for _ in 0..16 {
        tokens(&deployment, &bob, 64).await;
    }
    assert_refused(&refused(&bob, day, 1).await, Code::SlowDown);
    // Not on an anonymous connection: it would say whose they are.
    let (_, _, issue) = blind(day, 1);
    let answer = deployment.world.ask(Ask::TokenIssue(issue)).await;
    assert_refused(&answer, Code::WrongConnection);
    let keys = said(&deployment, None, proto::ConnectionKind::Anonymous).await.token_keys;
    assert_eq!(keys.iter().map(|key| key.day).collect::<Vec<_>>(), [day - 1, day]);
    assert_ne!(keys[0].public_key, keys[1].public_key);
}

#[tokio::test]
async fn where_tokens_are_needed_only_what_comes_before_an_account_goes_without() {
    let deployment = Deployment::with_tokens_needed().await;
    let alice = deployment.world.person("alice").await;
    let send = Ask::CatchUp(proto::CatchUp { room: vec![1; 16].into(), ..Default::default() });
    assert_refused(&deployment.world.ask(send.clone()).await, Code::Unauthorised);
    assert_refused(&deployment.world.ask(nothing_there()).await, Code::NotFound);
    let head = deployment.world.ask(Ask::LedgerHead(proto::LedgerHead {})).await;
    assert_refused(&head, Code::LedgerWaits);
    let token = tokens(&deployment, &alice, 1).await.pop().unwrap();
    let (connection, _) = spend(&deployment, token).await;
    let answer = ask(&deployment.world.server, &connection, send).await;
    assert_ne!(crate::person::code(&answer), Some(Code::Unauthorised));
}

fn put(id: u8, slot: u32, sealed: &[u8]) -> Ask {
    let sealed = sealed.to_vec().into();
    Ask::RendezvousPut(proto::RendezvousPut { id: vec![id; 16].into(), slot, r#box: sealed })
}

fn get(id: u8, slot: u32) -> Ask {
    Ask::RendezvousGet(proto::RendezvousGet { id: vec![id; 16].into(), slot })
}

async fn found(deployment: &Deployment, id: u8, slot: u32) -> Vec<u8> {
    match deployment.world.ask(get(id, slot)).await {
        Answer::RendezvousGet(found) => found.r#box.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rendezvous_slot_is_written_once() {
    let deployment = Deployment::new().await;
    let world = &deployment.world;
    assert_done(world.ask(put(1, 0, b"mine")).await);
    assert_done(world.ask(put(1, 0, b"mine")).await);
    assert_refused(&world.ask(put(1, 0, b"theirs")).await, Code::ListConflict);
    assert_done(world.ask(put(2, 0, b"theirs")).await);
    assert_eq!(found(&deployment, 1, 0).await, b"mine");
    assert_eq!(found(&deployment, 2, 0).await, b"theirs");
    for bad in [put(1, 16, b"x"), put(1, 1, b"")] {
        assert_refused(&world.ask(bad).await, Code::Malformed);
    }
    assert_refused(&world.ask(put(1, 1, &[0; 64 * 1024 + 1])).await, Code::TooLarge);
    // Five minutes later it is all gone, and may be written anew.
    world.clock.set(NOW + 5 * 60_000);
    world.server.tick();
    assert_done(world.ask(put(1, 0, b"anew")).await);
    assert_eq!(found(&deployment, 1, 0).await, b"anew");
}

#[tokio::test]
async fn who_waits_at_a_rendezvous_gets_the_box_when_it_comes_or_nothing_after_twenty_seconds() {
    let deployment = Deployment::new().await;
    let world = &deployment.world;
    let waiting = found(&deployment, 1, 3);
    let coming = async {
        assert_done(world.ask(put(1, 2, b"not this")).await);
        world.server.tick();
        assert_done(world.ask(put(1, 3, b"this")).await);
    };
    assert_eq!(tokio::join!(biased; waiting, coming).0, b"this");

    let waiting = found(&deployment, 1, 4);
    let ticking = async {
        for second in 1..=20 {
            tokio::task::yield_now().await;
            world.clock.set(NOW + second * 1000);
            world.server.tick();
        }
    };
    assert_eq!(tokio::join!(biased; waiting, ticking).0, b"");
}

#[tokio::test]
async fn strangers_cannot_fill_the_memory_at_a_rendezvous() {
    // One address pays for the bytes.
    let deployment = Deployment::new().await;
    let large = vec![0; 64 * 1024];
    for slot in 0..16 {
        assert_done(deployment.world.ask(put(9, slot, &large)).await);
    }
    let mut left = 3000 - 16 * 17;
    while crate::person::code(&deployment.world.ask(put(9, 0, &large)).await).is_none() {
        left -= 17;
    }
    assert!((0..17).contains(&left), "{left}");

    let deployment = Deployment::without_budgets().await;
    let world = &deployment.world;
    let sealed = vec![0; 64 * 1024];
    let mut refused = None;
    'all: for id in 0..=255 {
        for slot in 0..16 {
            let answer = world.ask(put(id, slot, &sealed)).await;
            if crate::person::code(&answer).is_some() {
                refused = Some((usize::from(id) * 16 + slot as usize, answer));
                break 'all;
            }
        }
    }
    let (boxes, answer) = refused.unwrap();
    assert_eq!(boxes, 1024, "64 MiB");
    assert_refused(&answer, Code::SlowDown);
}

#[tokio::test]
async fn one_address_does_not_keep_everybody_from_linking_a_device() {
    let deployment = Deployment::new().await;
    let server = &deployment.world.server;
    let begin = async |budget_key: [u8; 16], id: u8| {
        let answer = ask(server, &server.connect_anonymous(budget_key), put(id, 0, b"box")).await;
        crate::person::code(&answer)
    };
    let mallory = [6; 16];
    let began = async |budget_key: [u8; 16], ids: std::ops::Range<u8>| {
        let mut began = 0;
        for id in ids {
            began += usize::from(begin(budget_key, id).await.is_none());
        }
        began
    };
    assert_eq!(began(mallory, 0..100).await, 8);
    assert_eq!(begin([7; 16], 200).await, None, "others link");
    // What was begun goes on.
    let next = ask(server, &server.connect_anonymous(mallory), put(0, 1, b"next")).await;
    assert_done(next);
    // Nor does one network of many addresses.
    let mut all = 8;
    for host in 0..10 {
        let mut address = mallory;
        address[15] = host + 10;
        all += began(address, 100 + host * 9..109 + host * 9).await;
    }
    assert_eq!(all, 32);
    deployment.world.clock.set(NOW + 5 * 60_000);
    assert_eq!(begin(mallory, 250).await, None, "five minutes later it may again");
}

#[tokio::test]
async fn whoever_shows_tokens_that_do_not_count_pays_for_the_checks() {
    let deployment = Deployment::new().await;
    let day = u32::try_from(NOW / DAY_MS).unwrap();
    let made = proto::SpentToken { day, nonce: vec![2; 32].into(), output: vec![1; 64].into() };
    let mut checked = 0;
    while crate::person::code(&spend(&deployment, made.clone()).await.1) == Some(Code::Unauthorised)
    {
        checked += 1;
        assert!(checked < 1000);
    }
    assert_eq!(checked, 300);
    let answer = spend(&deployment, made).await.1;
    assert_refused(&answer, Code::SlowDown);
}

#[tokio::test]
async fn whoever_fetches_the_ledger_all_day_pays_for_it() {
    let deployment = Deployment::new().await;
    deployment.publish().await;
    let server = &deployment.world.server;
    let mut fetched = 0;
    while let Ok(file) = server.ledger_file([1; 16], "checkpoint").await {
        assert!(file.is_some());
        fetched += 1;
        assert!(fetched < 10_000);
    }
    assert_eq!(fetched, 3000);
    assert!(server.ledger_file([2; 16], "checkpoint").await.is_ok(), "others have their own");
    assert!(matches!(server.cosign([1; 16], b"").await, Err(FileError::TooMany)));
    // What somebody fetches takes no request from those who write at the same address.
    assert_refused(&deployment.world.ask(nothing_there()).await, Code::NotFound);
}

#[tokio::test]
async fn the_key_of_each_day_that_counts_and_of_the_next_is_shown_in_the_ledger() {
    let deployment = Deployment::new().await;
    let alice = deployment.world.person("alice").await;
    let hello = said(&deployment, None, proto::ConnectionKind::Login).await;
    let today = hello.token_keys.last().unwrap().clone();
    let ask = |day| Ask::TokenKeyGet(proto::TokenKeyGet { day });
    assert_refused(&alice.ask(&deployment.world, ask(today.day)).await, Code::LedgerWaits);
    deployment.publish().await;
    for day in [today.day, today.day + 1] {
        let answer = alice.ask(&deployment.world, ask(day)).await;
        let Answer::TokenKey(shown) = answer else { panic!("{answer:?}") };
        let (key, epoch) = (shown.key.unwrap(), shown.epoch.unwrap());
        assert_eq!(key.checkpoint, epoch.checkpoint);
        let inclusion = Inclusion::of_answer(&key).unwrap();
        inclusion.includes(&leaf_hash(&key.entry)).unwrap();
        let Ok(Entry::Governance(entry)) = Entry::decode(&key.entry) else { panic!() };
        assert_eq!(entry.kind, GovernanceKind::Tokens);
        let document = entry.document.unwrap();
        assert_eq!(document[..4], day.to_be_bytes());
        if day == today.day {
            assert_eq!(document[4..], today.public_key);
        }
    }
    assert_refused(&alice.ask(&deployment.world, ask(today.day + 2)).await, Code::LedgerWaits);
}
