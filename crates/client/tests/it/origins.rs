// SPDX-License-Identifier: AGPL-3.0-or-later
//! A log of another origin: true, signed, and of another deployment. Nothing of it counts.

use std::time::Duration;

use nodoor_testkit::world::World;
use nodoor_transparency::ledger::{
    checkpoint::{Checkpoint, SignedCheckpoint, origin},
    note::{Note, NoteSigner},
};
use nodoor_view::model::SendState;
use nodoor_wire::{
    id::DeploymentId,
    proto::{LoggedEntry, answer::Body as Answer},
};

use crate::{
    hand::{HOUR, MINUTE, answers, honest},
    ledger::{ledger, seals},
};

/// Olga's key of the log, and the deployments that she has.
const LOG: [u8; 32] = [2; 32];
const OURS: DeploymentId = DeploymentId([7; 16]);
const OTHER: DeploymentId = DeploymentId([8; 16]);

/// The same tree under another origin, signed by a key of this name.
fn signed_as(entry: &mut LoggedEntry, line: &str, name: &str) {
    let shown = SignedCheckpoint::parse(&entry.checkpoint).unwrap();
    let text = Checkpoint::new(line, shown.head()).unwrap().to_string();
    let signature = NoteSigner::log(name, LOG).unwrap().sign(&text, 0);
    entry.checkpoint = Note::new(text, vec![signature]).unwrap().to_string().into_bytes().into();
}

#[test]
fn nothing_counts_that_stands_in_a_log_of_another_origin() {
    let (ours, other) = (origin(&OURS), origin(&OTHER));
    // The other log as it is; and our log's key under the other's first line.
    for (number, name) in (0..).zip([&other, &ours]) {
        let mut world = World::with_ledger(910 + number);
        let alice = 0;
        let (line, name) = (other.clone(), name.clone());
        answers(&mut world, alice, move |answer| match answer {
            Answer::Lookup(found) => {
                if let Some(epoch) = found.directory.as_mut().and_then(|it| it.epoch.as_mut()) {
                    signed_as(epoch, &line, &name);
                }
            }
            Answer::History(found) => {
                if let Some(epoch) = &mut found.epoch {
                    signed_as(epoch, &line, &name);
                }
            }
            Answer::TokenKey(found) => {
                for entry in found.key.iter_mut().chain(&mut found.epoch) {
                    signed_as(entry, &line, &name);
                }
            }
            _ => (),
        });
        assert_eq!(world.register("alice"), alice);
        world.register("bob");
        world.pass(Duration::from_secs(10));
        let sealed = seals(&mut world, alice);
        world.say(alice, "bob", "hello");
        world.pass(HOUR);
        let chat = world.chat(alice, "bob").id;
        assert_eq!((sealed.get(), world.states(alice, chat)), (0, vec![SendState::Waiting]));
        // It is no proof of anything either.
        let state = ledger(&mut world, alice);
        assert_eq!((state.size, state.log_time, state.proof), (0, None, None), "{number}");
        honest(&mut world);
        world.pass(6 * MINUTE);
        assert_eq!(world.states(alice, chat), [SendState::Sent], "{number}");
    }
}
