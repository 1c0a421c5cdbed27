// SPDX-License-Identifier: AGPL-3.0-or-later
//! Mailboxes as their devices use them: subscribe, acknowledge, fetch bodies.
//!
//! A body is given to the mailbox that has an entry for it, and to nobody who only knows its id: that it is gone
//! would tell a sender that it was read. Carries out `docs/book/protocol.md`, 4.

use bytes::Bytes;
use nodoor_wire::{
    code::Code,
    id::{BodyId, DeviceId},
    limits::BATCH,
    proto::{self, answer},
    sealed::release_check,
};

use crate::{
    connection::Connection,
    delivery::Outlet,
    refusal::{Handled, Refusal, at_most, identifier},
    server::{Inner, done},
    storage::Op,
    writer::Work,
};

/// Sealed bodies in one answer. What does not fit is left out of the answer and asked for again; what is gone
/// is there with nothing in it.
const ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// Beyond it no sequence is taken from a client: counting up from here outlives the mailbox.
const SEQUENCES: u64 = u64::MAX / 2;

impl Inner {
    /// Delivers from the first entry that is not acknowledged, also if the device says that it processed it: it
    /// comes again, is skipped, and its body is released.
    pub(crate) async fn subscribe(
        &self,
        connection: &Connection,
        subscribe: proto::Subscribe,
    ) -> Handled {
        let (_, device) = self.known_device(connection)?;
        let mut mailbox = self.storage.mailbox(device).await?.ok_or(Code::Unauthorised)?;
        if subscribe.after > mailbox.last {
            // The device saw more than this store remembers (a restored backup, a device listed anew): go on from
            // there, or it would skip what comes now as known.
            at_most_sequence(subscribe.after)?;
            let operation =
                Op::Acknowledge { device, up_to: subscribe.after, releases: Vec::new() };
            self.writer.submit(Work::Plain(operation)).await?;
            mailbox.acknowledged = subscribe.after;
        }
        let limit = self.config.push_queue_bytes;
        connection.subscribe(Outlet::new(device, mailbox.acknowledged, limit));
        self.calls.forget(&device);
        done()
    }

    /// Gets its yes before it is on disk: after a crash in between, the entries come again and are acknowledged again.
    pub(crate) async fn acknowledge(&self, connection: &Connection, ack: proto::Ack) -> Handled {
        let (_, device) = self.known_device(connection)?;
        at_most(ack.releases.len(), BATCH)?;
        at_most_sequence(ack.up_to)?;
        let releases = ack
            .releases
            .iter()
            .map(|release| Ok((release.sequence, identifier(&release.body_id)?)))
            .collect::<Result<_, Refusal>>()?;
        let operation = Op::Acknowledge { device, up_to: ack.up_to, releases };
        drop(self.writer.post(Work::Plain(operation)).await?);
        if let Some(outlet) = connection.outlet() {
            outlet.acknowledge(ack.up_to);
        }
        done()
    }

    pub(crate) async fn get_bodies(&self, connection: &Connection, get: proto::BodyGet) -> Handled {
        let (_, device) = self.known_device(connection)?;
        at_most(get.wanted.len(), BATCH)?;
        let mut size = 0;
        let mut bodies = Vec::new();
        for wanted in &get.wanted {
            let id: BodyId = identifier(&wanted.body_id)?;
            let sealed = self.body_of(device, wanted.sequence, id).await?.unwrap_or_default();
            size += sealed.len();
            if size > ANSWER_BYTES && !bodies.is_empty() {
                break;
            }
            bodies.push(proto::StoredBody { id: id.to_bytes(), sealed });
        }
        Ok(answer::Body::BodyGet(proto::BodyGetAnswer { bodies }))
    }
}

impl Inner {
    /// The body that the entry of this sequence leads to, if it leads to this one.
    async fn body_of(
        &self,
        device: DeviceId,
        sequence: u64,
        id: BodyId,
    ) -> Result<Option<Bytes>, Refusal> {
        let after = sequence.checked_sub(1).ok_or(Code::Malformed)?;
        let entry = self.storage.entries(device, after, 1).await?.pop();
        match entry {
            Some((found, entry))
                if found == sequence && release_check(&id, &entry.salt) == entry.release_check =>
            {
                Ok(self.storage.bodies(vec![id]).await?.pop().flatten())
            }
            _ => Ok(None),
        }
    }
}

fn at_most_sequence(sequence: u64) -> Result<(), Code> {
    if sequence <= SEQUENCES { Ok(()) } else { Err(Code::TooLarge) }
}
