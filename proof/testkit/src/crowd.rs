// SPDX-License-Identifier: AGPL-3.0-or-later
//! Many accounts without an engine each: for measurements.

use nodoor_e2ee::identity::Identity;
use nodoor_transparency::{
    key::{Signer, SigningKey},
    list::{Device, DeviceList},
    statement::{HandleClaim, MailboxKey},
};
use nodoor_wire::{
    PROTOCOL_VERSION,
    handle::Handle,
    id::labelled_hash,
    proto::{self, answer::Body as Answer, request::Body as Ask},
    sealed::MailboxSecret,
};

use crate::world::World;

impl World {
    /// Registers so many accounts; their handles.
    pub fn register_crowd(&mut self, people: u32) -> Vec<String> {
        (0..people).map(|number| self.register_one(number)).collect()
    }

    fn register_one(&mut self, number: u32) -> String {
        let seed = |what: &str| seed(number, what);
        let name = format!("person-{number}");
        let (device_key, recovery) =
            (SigningKey::from_seed(seed("device")), SigningKey::from_seed(seed("recovery")));
        let list = list_of(number);
        let handle = Handle::parse(&name).unwrap();
        let claim = HandleClaim { handle, account: list.account() };
        let mailbox = MailboxSecret::from_seed(seed("mailbox")).public();
        let register = proto::Register {
            list: Some(list.sign(&[Signer::Device(&device_key), Signer::Recovery(&recovery)])),
            handle_claim: Some(claim.sign(Signer::Device(&device_key))),
            mailbox_key: Some(MailboxKey::sign(&mailbox, self.now(), &device_key)),
            ticket: String::new(),
        };
        let hello = proto::Hello {
            versions: vec![PROTOCOL_VERSION],
            kind: proto::ConnectionKind::Login.into(),
            token: None,
        };
        let answers = self.request_on_one([Ask::Hello(hello), Ask::Register(register)]);
        assert!(matches!(answers.last(), Some(Answer::Register(_))), "{answers:?}");
        name
    }
}

fn seed(number: u32, what: &str) -> [u8; 32] {
    labelled_hash(what, &number.to_be_bytes())
}

fn list_of(number: u32) -> DeviceList {
    let public = |what| SigningKey::from_seed(seed(number, what)).public();
    let device = Device::new(public("device"), public("mls"), public("login"));
    DeviceList::first(public("recovery"), device)
}

/// The MLS identity of one of the crowd, by its place there.
#[must_use]
pub fn identity_of(number: u32) -> Identity {
    let list = list_of(number);
    let device = list.devices().first().unwrap().id;
    Identity::new(list.account(), device, 1, seed(number, "mls"))
}
