// SPDX-License-Identifier: AGPL-3.0-or-later
//! A snapshot of every signed encoding, in `vectors/transparency/`. One that changes breaks every account made
//! before it: then the label gets a new number, and the old reader stays.

use nodoor_transparency::statement::{Dispute, HandleClaim, MailboxKey};
use nodoor_wire::{handle::Handle, proto};

use crate::actors::Alice;

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
