// SPDX-License-Identifier: AGPL-3.0-or-later
//! A snapshot of every signed encoding, in `vectors/transparency/`. One that changes breaks every account made
//! before it: then the label gets a new number, and the old reader stays.

use nodoor_transparency::{
    ledger::{evidence::Evidence, witness::AddCheckpoint},
    link::LinkSecret,
    list::Device,
    meeting::{Answer, Attempt, Bare, Host, Newcomer, Outcome, SeenLog},
    statement::{Dispute, HandleClaim, MailboxKey},
};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, DeviceId},
    proto,
};

use crate::{
    actors::Alice,
    directory_world::Olga,
    entry,
    ledger_world::{Log, NOW, audrey, heartbeat, log_key, policy, wanda},
};

fn list_text(signed: &proto::SignedList) -> String {
    let mut text = format!("body {}\n", hex::encode(&signed.body));
    for one in &signed.signatures {
        text += &format!("by {} {}\n", hex::encode(&one.signer), hex::encode(&one.signature));
    }
    text
}

fn statement_text(signed: &proto::SignedBytes) -> String {
    let (body, signer) = (hex::encode(&signed.body), hex::encode(&signed.signer));
    format!("body {body}\nby {signer} {}\n", hex::encode(&signed.signature))
}

fn assert_snapshot(name: &str, now: &str) {
    let path = format!("{}/../../vectors/transparency/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    // To write a new one: set NODOOR_WRITE_VECTORS, and look at what git shows.
    if std::env::var_os("NODOOR_WRITE_VECTORS").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, now, "the encoding of {name} has changed");
}

#[test]
fn device_lists_keep_their_bytes() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let names = ["device_list_1", "device_list_2", "device_list_3"];
    for (name, signed) in names.iter().zip(chain.to_proto()) {
        assert_snapshot(name, &list_text(&signed));
    }
    assert_snapshot("account_id", &format!("{}\n", chain.account().to_hex()));
}

#[test]
fn statements_keep_their_bytes() {
    let alice = Alice::new();
    let chain = alice.without_laptop();
    let claim = HandleClaim { handle: Handle::parse("alice").unwrap(), account: chain.account() };
    assert_snapshot("handle_claim", &statement_text(&claim.sign(alice.phone.signer())));
    let mailbox = MailboxKey::sign(&[0x42; 1216], 1_795_000_000_000, &alice.phone.device);
    assert_snapshot("mailbox_key", &statement_text(&mailbox));
    let dispute = Dispute::sign(chain.newest(), &alice.laptop.device);
    assert_snapshot("dispute", &statement_text(&dispute));
}

#[test]
fn ledger_entries_keep_their_bytes() {
    for (name, entry) in entry::all() {
        let text = format!(
            "entry {}\nleaf {}\n",
            hex::encode(entry.encode().unwrap()),
            hex::encode(entry.leaf_hash().unwrap())
        );
        assert_snapshot(&format!("ledger_{name}"), &text);
    }
}

#[test]
fn the_text_formats_of_the_ledger_keep_their_bytes() {
    let mut log = Log::of(300);
    let at = log.append_epoch(&heartbeat(0));
    assert_snapshot("ledger_checkpoint", &log.cosigned().note().to_string());
    assert_snapshot("ledger_proof", &log.proof(at).to_string());
    assert_snapshot("ledger_policy", &policy().to_string());
    let consistency = log.consistency(70);
    let request = AddCheckpoint { old_size: 70, consistency, checkpoint: log.signed() };
    assert_snapshot("ledger_add_checkpoint", &request.to_string());
    let mut other = Log::of(299);
    other.append(b"other");
    let checkpoints = [other.signed(), log.signed()];
    let evidence = Evidence::Equivocation {
        log: log_key().verifier().clone(),
        checkpoints,
        subtrees: log.prefix(300),
    };
    assert_snapshot("ledger_evidence", &evidence.to_string());
    let keys = [wanda(), audrey()].map(|key| key.verifier().to_string());
    assert_snapshot(
        "ledger_keys",
        &format!("{}\n{}\n{}\n", keys[0], keys[1], log_key().verifier()),
    );
    assert!(policy().satisfied(&log.cosigned(), NOW * 1000).is_ok());
}

#[test]
fn what_is_linked_keeps_its_bytes() {
    let secret = LinkSecret::of(*b"fifteen letters");
    let device = Device::new([1; 32], [2; 32], [3; 32]);
    let host =
        Host { account: AccountId([1; 16]), list: [2; 32], device: DeviceId([3; 16]), log: None };
    let log = SeenLog {
        policy: "quorum none\n".to_owned(),
        time_ms: 1_795_348_800_000,
        checkpoint: b"note".to_vec(),
    };
    let logged = Host { log: Some(log), ..host.clone() };
    assert_eq!(Host::from_slice(&logged.to_vec()).unwrap(), logged);
    let slots = [
        Newcomer { device, name: "Laptop".to_owned() }.to_vec(),
        host.to_vec(),
        logged.to_vec(),
        Answer::Try([4; 33]).to_vec(),
        Attempt { message: [5; 33], proof: [6; 32] }.to_vec(),
        Answer::Offer { proof: [7; 32], body: vec![8], signature: [9; 64] }.to_vec(),
        Bare([10; 64]).to_vec(),
        Answer::End(Outcome::Done).to_vec(),
    ];
    let mut text = format!(
        "letters {}\nrendezvous {}\nkey {}\n",
        secret.letters(),
        hex::encode(secret.rendezvous()),
        hex::encode(secret.key().0),
    );
    for slot in slots {
        text += &format!("slot {}\n", hex::encode(slot));
    }
    assert_snapshot("link", &text);
}

#[test]
fn the_directory_keeps_its_bytes() {
    let mut olga = Olga::new();
    olga.publish(&[(vec![1], [1; 32]), (vec![2], [2; 32])]);
    olga.publish(&[(vec![1], [3; 32])]);
    let mut text = format!("vrf {}\n", hex::encode(&olga.vrf_key));
    for (epoch, blob) in olga.epochs.iter().zip(&olga.blobs) {
        text += &format!("root {}\nblob {}\n", hex::encode(epoch.root), hex::encode(blob));
    }
    text += &format!("lookup {}\n", hex::encode(olga.lookup(&[1])));
    assert_snapshot("directory", &text);
}

/// Of a tree of a thousand, for whoever reads proofs elsewhere; `proof/cost` measures with it what a look-up costs a browser.
#[test]
fn a_look_up_keeps_its_bytes() {
    let label = |n: u16| n.to_be_bytes().to_vec();
    let mut olga = Olga::new();
    let all: Vec<_> = (0..1000).map(|n| (label(n), [1; 32])).collect();
    olga.publish(&all);
    olga.publish(&[(label(7), [2; 32])]);
    let newest = olga.newest();
    let mut text = format!("epoch {}\nroot {}\n", newest.epoch, hex::encode(newest.root));
    text += &format!("vrf {}\nlabel {}\n", hex::encode(&olga.vrf_key), hex::encode(label(7)));
    text += &format!("lookup {}\n", hex::encode(olga.lookup(&label(7))));
    assert_snapshot("lookup", &text);
}
