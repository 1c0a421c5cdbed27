// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a Welcome to a thousand people costs whoever it brings in: MLS with its whole tree, and a look-up proof of each of
//! them.
//!
//! Left out are signatures of lists, one for each, and the disk: `crates/client/tests/it/thousand.rs` has them natively.

use anyhow::{Context as _, Result};
use nodoor_e2ee::{
    group::{Change, Group},
    identity::Identity,
    join::Candidate,
    key_package,
    room::{RoomContext, RoomKind},
};
use nodoor_wire::id::{AccountId, DeviceId, RoomId};
use serde_json::{Value, json};

use crate::{
    lookup,
    room::{Disk, rng},
    round,
};

/// One row, by a clock in milliseconds.
///
/// # Errors
/// A room that cannot be made is a mistake here or in e2ee.
pub(crate) fn measure(clock: &dyn Fn() -> f64) -> Result<Value> {
    let (account, founder) = (AccountId([0; 16]), identity(0));
    let (here, there) = (Disk::default(), Disk::default());
    let context = RoomContext::new(RoomKind::Group, account, "Cost");
    let mut group = Group::found(&here, &founder, RoomId([7; 32]), context, &mut rng())?;
    let mut add = vec![key_package::make(&there, &identity(1), false, &mut rng())?.bytes];
    for number in 2..MEMBERS {
        add.push(key_package::make(&Disk::default(), &identity(number), false, &mut rng())?.bytes);
    }
    let change = Change { add, ..Change::default() };
    let commit = group.commit(&here, &founder, change, &mut rng())?;
    let welcome = commit.welcomes.first().context("a commit without a welcome")?;
    let before = clock();
    let joined = Candidate::open(&there, &welcome.body)?.join(&there)?;
    let joining = clock() - before;
    anyhow::ensure!(joined.leaves().len() == usize::from(MEMBERS), "somebody is missing");
    let before = clock();
    lookup::verify(usize::from(MEMBERS) - 1)?;
    let proving = clock() - before;
    Ok(json!({
        "scenario": "client welcome",
        "members": MEMBERS,
        "welcome_bytes": welcome.body.len(),
        "join_cpu_ms": round(joining),
        "proofs_cpu_ms": round(proving),
    }))
}

fn identity(number: u16) -> Identity {
    let mut id = [0; 16];
    let mut seed = [0; 32];
    for bytes in [id.first_chunk_mut(), seed.first_chunk_mut()].into_iter().flatten() {
        *bytes = number.to_be_bytes();
    }
    Identity::new(AccountId(id), DeviceId(id), 1, seed)
}

/// Of everybody, with the one who asked them and the one who comes.
const MEMBERS: u16 = 1000;
