// SPDX-License-Identifier: AGPL-3.0-or-later
//! A handle moves after a week in the log, unless the account that holds it says no.

use nodoor_server::storage::ledger::{Log as _, Note};
use nodoor_transparency::{
    handover::{logged_claim, verify_move},
    key::Signer,
    ledger::{policy::Policy, proof::verify_epoch},
    statement::{HandleClaim, HandleNo},
};
use nodoor_wire::{
    code::Code,
    handle::Handle,
    proto::{self, answer::Body as Answer, lookup::Of, request::Body as Ask},
};

use crate::{
    ledger::Deployment,
    person::{HOUR, NOW, Person, assert_done, assert_refused},
};

const DAY: u64 = 24 * HOUR;

fn bob() -> Handle {
    Handle::parse("bob").unwrap()
}

async fn ask_for(deployment: &Deployment, who: &Person, known: bool) -> Answer {
    ask_for_name(deployment, who, "bob", known).await
}

async fn ask_for_name(deployment: &Deployment, who: &Person, name: &str, known: bool) -> Answer {
    let claim = HandleClaim { handle: Handle::parse(name).unwrap(), account: who.account };
    let handle_claim = Some(claim.sign(Signer::Device(&who.device_key)));
    let asked = proto::HandleMove { handle_claim, known };
    who.ask(&deployment.world, Ask::HandleMove(asked)).await
}

async fn say_no(deployment: &Deployment, who: &Person, to: &Person) -> Answer {
    let no = HandleNo { handle: bob(), claimant: to.account };
    let no = Some(no.sign(Signer::Device(&who.device_key)));
    who.ask(&deployment.world, Ask::HandleNo(proto::HandleNo { no })).await
}

async fn day(deployment: &Deployment, day: u64) {
    deployment.world.clock.set(NOW + day * DAY);
    deployment.publish().await;
}

/// What the directory shows of @bob: his account, and whether it proves that the handle moved there.
async fn found(deployment: &Deployment) -> (Vec<u8>, bool) {
    let of = Some(Of::Handle("bob".to_owned()));
    let answer = deployment.world.ask(Ask::Lookup(proto::Lookup { of })).await;
    let Answer::Lookup(answer) = answer else { panic!("{answer:?}") };
    let proof = answer.directory.unwrap();
    let policy = Policy::unwitnessed(deployment.ledger.log_key()).unwrap();
    let epoch = verify_epoch(&proof.epoch.unwrap(), &policy, deployment.now_ms()).unwrap();
    let account = answer.account.as_ref().try_into().unwrap();
    let moved = proof.moved.is_some_and(|moved| verify_move(&moved, &epoch, &bob(), &account));
    (answer.account.to_vec(), moved)
}

/// Whether somebody is told that another one asks for their handle, and who.
async fn told(deployment: &Deployment, who: &Person) -> Option<Vec<u8>> {
    let asked = Ask::History(proto::History { newest: 1 });
    let Answer::History(answer) = who.ask(&deployment.world, asked).await else { panic!() };
    let policy = Policy::unwitnessed(deployment.ledger.log_key()).unwrap();
    let epoch = verify_epoch(&answer.epoch.unwrap(), &policy, deployment.now_ms()).unwrap();
    let head = epoch.checkpoint.head();
    let by = answer.claim.and_then(|claim| logged_claim(&claim, &head, &bob()));
    by.map(|account| account.as_bytes().to_vec())
}

#[tokio::test]
async fn a_handle_moves_a_week_after_the_log_has_the_claim_and_not_before() {
    let deployment = Deployment::new().await;
    let old = deployment.world.person("bob").await;
    let mut new = deployment.world.person("bob-new").await;
    new.login(&deployment.world).await;
    day(&deployment, 0).await;
    assert_refused(&ask_for(&deployment, &new, false).await, Code::LedgerWaits);
    day(&deployment, 1).await;
    let Answer::HandleMove(waits) = ask_for(&deployment, &new, true).await else { panic!() };
    assert_eq!(waits.takes_effect_ms - waits.ledger_time_ms, 7 * DAY);
    day(&deployment, 7).await;
    assert!(matches!(ask_for(&deployment, &new, true).await, Answer::HandleMove(_)));
    assert_eq!(found(&deployment).await, (old.account.to_bytes().to_vec(), false));
    day(&deployment, 8).await;
    assert_done(ask_for(&deployment, &new, true).await);
    assert_done(ask_for(&deployment, &new, true).await);
    day(&deployment, 9).await;
    assert_eq!(found(&deployment).await, (new.account.to_bytes().to_vec(), true));
    // What was proved is proved after a restart.
    let deployment = deployment.restarted(None).await.unwrap();
    deployment.world.clock.set(NOW + 9 * DAY);
    assert_eq!(found(&deployment).await, (new.account.to_bytes().to_vec(), true));
    // And its old name leads nowhere.
    let of = Some(Of::Handle("bob-new".to_owned()));
    let answer = deployment.world.ask(Ask::Lookup(proto::Lookup { of })).await;
    assert_refused(&answer, Code::NotFound);
}

#[tokio::test]
async fn whoever_holds_a_handle_is_told_and_keeps_it_by_saying_no() {
    let deployment = Deployment::new().await;
    let mut holder = deployment.world.person("bob").await;
    holder.login(&deployment.world).await;
    let mut mallory = deployment.world.person("mallory").await;
    mallory.login(&deployment.world).await;
    let mut other = deployment.world.person("other").await;
    other.login(&deployment.world).await;
    day(&deployment, 0).await;
    assert_eq!(told(&deployment, &holder).await, None);
    assert_refused(&ask_for(&deployment, &mallory, false).await, Code::LedgerWaits);
    day(&deployment, 1).await;
    assert_eq!(told(&deployment, &holder).await, Some(mallory.account.to_bytes().to_vec()));
    assert_refused(&ask_for(&deployment, &other, false).await, Code::HandleTaken);
    // Nobody else's no counts.
    assert_refused(&say_no(&deployment, &other, &mallory).await, Code::HandleTaken);
    assert_refused(&say_no(&deployment, &holder, &mallory).await, Code::LedgerWaits);
    assert_refused(&ask_for(&deployment, &mallory, true).await, Code::Forbidden);
    day(&deployment, 2).await;
    assert_done(say_no(&deployment, &holder, &mallory).await);
    assert_eq!(told(&deployment, &holder).await, None);
    day(&deployment, 20).await;
    assert_refused(&ask_for(&deployment, &mallory, true).await, Code::Forbidden);
    assert_eq!(found(&deployment).await, (holder.account.to_bytes().to_vec(), false));
}

#[tokio::test]
async fn the_name_that_an_account_had_is_nobody_elses() {
    let deployment = Deployment::new().await;
    deployment.world.person("bob").await;
    let alice = deployment.world.person("alice").await;
    let mallory = deployment.world.person("mallory").await;
    day(&deployment, 0).await;
    // Asked for while it is hers, and once it is not any more.
    assert_refused(&ask_for(&deployment, &alice, false).await, Code::LedgerWaits);
    assert_refused(&ask_for_name(&deployment, &mallory, "alice", false).await, Code::LedgerWaits);
    day(&deployment, 1).await;
    day(&deployment, 8).await;
    assert_done(ask_for(&deployment, &alice, true).await);
    for known in [true, false] {
        let asked = ask_for_name(&deployment, &mallory, "alice", known).await;
        assert_refused(&asked, Code::HandleTaken);
    }
}

#[tokio::test]
async fn an_account_asks_for_one_handle_at_a_time_also_before_the_log_has_the_claim() {
    let deployment = Deployment::new().await;
    deployment.world.person("bob").await;
    deployment.world.person("carol").await;
    let mallory = deployment.world.person("mallory").await;
    let dave = deployment.world.person("dave").await;
    day(&deployment, 0).await;
    assert_refused(&ask_for(&deployment, &mallory, false).await, Code::LedgerWaits);
    let carols = ask_for_name(&deployment, &mallory, "carol", false).await;
    assert_refused(&carols, Code::TooLarge);
    assert_refused(&ask_for(&deployment, &mallory, false).await, Code::LedgerWaits);
    assert_refused(&ask_for_name(&deployment, &dave, "carol", false).await, Code::LedgerWaits);
    day(&deployment, 1).await;
    assert!(matches!(ask_for(&deployment, &mallory, true).await, Answer::HandleMove(_)));
    let daves = ask_for_name(&deployment, &dave, "carol", true).await;
    assert!(matches!(daves, Answer::HandleMove(_)));
}

#[tokio::test]
async fn claims_that_nobody_carried_out_are_not_remembered_for_ever() {
    let deployment = Deployment::new().await;
    let mallory = deployment.world.person("mallory").await;
    day(&deployment, 0).await;
    for week in 0..10 {
        let name = format!("victim-{week}");
        deployment.world.person(&name).await;
        let asked = ask_for_name(&deployment, &mallory, &name, false).await;
        assert_refused(&asked, Code::LedgerWaits);
        day(&deployment, 1 + 9 * week).await;
        day(&deployment, 9 + 9 * week).await;
    }
    let note = deployment.store.note(Note::Handles).await.unwrap().unwrap();
    assert_eq!(note.len(), 64);
}

#[tokio::test]
async fn who_asks_for_another_handle_has_given_up_the_one_that_would_have_been_theirs() {
    let deployment = Deployment::new().await;
    let bob = deployment.world.person("bob").await;
    deployment.world.person("carol").await;
    let alice = deployment.world.person("alice").await;
    day(&deployment, 0).await;
    assert_refused(&ask_for(&deployment, &alice, false).await, Code::LedgerWaits);
    day(&deployment, 1).await;
    day(&deployment, 8).await;
    assert_refused(&ask_for_name(&deployment, &alice, "carol", false).await, Code::LedgerWaits);
    // Its claim is forgotten with the next epoch: nothing would prove the move.
    assert_refused(&ask_for(&deployment, &alice, true).await, Code::TooLarge);
    day(&deployment, 9).await;
    assert_refused(&ask_for(&deployment, &alice, true).await, Code::Forbidden);
    assert_eq!(found(&deployment).await, (bob.account.to_bytes().to_vec(), false));
}
