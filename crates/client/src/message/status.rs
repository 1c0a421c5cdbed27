// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who has a message, who read it, who deleted it: what devices report to each other.
//!
//! Spec: `docs/book/protocol.md`, 6 and 7.

use nodoor_e2ee::{
    content::{Content, REPORTED, Status as Reported},
    identity::LeafName,
};
use nodoor_view::model::MessageId;
use nodoor_wire::id::{AccountId, MessageId as Reference, RoomId};

use crate::{
    rows::{Conversation, Message, State, Status, key},
    step::Step,
};

/// How many of the newest messages are looked at again when somebody is out.
const UNSETTLED: usize = 1_000;
/// Nobody says what they read in a room of more accounts.
const READ_ACCOUNTS: u32 = 32;
/// How many of the messages just read are reported, and begin to disappear, at once.
const READ_AT_ONCE: usize = 1_000;

impl Step<'_> {
    /// A message of somebody else is here.
    pub(crate) fn report_delivered(&mut self, room: &RoomId, reference: Reference) {
        self.live.reports.entry(*room).or_default().push((reference, Reported::Delivered));
    }

    /// It was deleted here, as its sender asked.
    pub(crate) fn report_deleted(&mut self, room: &RoomId, reference: Reference) {
        self.live.reports.entry(*room).or_default().push((reference, Reported::Deleted));
    }

    /// Messages of a chat were read: their time begins, and their senders may learn of it.
    pub(crate) fn were_read(
        &mut self,
        conversation: &Conversation,
        from: MessageId,
        up_to: MessageId,
        here: bool,
    ) {
        let tells = here
            && self.settings().read_marks
            && conversation.status == Status::Open
            && self
                .room_in_use(conversation)
                .is_some_and(|room| self.count(&room.room).0 <= READ_ACCOUNTS);
        for mut message in self.messages_from(conversation.id, from, READ_AT_ONCE) {
            let theirs = message.from.is_some_and(|from| !self.is_me(&from));
            if message.id > up_to {
                return;
            }
            if !theirs {
                continue;
            }
            if let (true, Some(reference), Some(report)) =
                (tells, message.reference, &message.report)
            {
                let reports = self.live.reports.entry(report.room).or_default();
                reports.push((reference, Reported::Read));
            }
            if self.begin_ending(&mut message, true) {
                self.set_message(&message, false);
            }
        }
    }

    /// Queues what this step has to report, a content a room and [`REPORTED`] messages.
    pub(crate) fn give_reports(&mut self) {
        let reports = std::mem::take(&mut self.live.reports);
        let receipts = self.settings().receipts;
        for (id, mut reports) in reports {
            reports.retain(|(_, status)| receipts || *status != Reported::Delivered);
            let Some(room) = self.room(&id).filter(|_| !reports.is_empty()) else {
                continue;
            };
            let open = self
                .conversation(room.conversation)
                .is_some_and(|conversation| conversation.status == Status::Open);
            // Of what came in a room that is over, they go where the chat is.
            if open && (!room.closed || self.is_retired(&room)) {
                let within = (!room.closed).then_some(id);
                for reports in reports.chunks(REPORTED) {
                    let content = Content::Status(reports.to_vec()).into();
                    self.queue(room.conversation, None, &content, within);
                }
            }
        }
    }

    /// A device reports what became of messages of ours.
    pub(crate) fn reported(
        &mut self,
        room: &RoomId,
        from: &LeafName,
        reports: &[(Reference, Reported)],
    ) {
        let Some(conversation) = self.room(room).map(|room| room.conversation) else {
            return;
        };
        let others = self.other_accounts(room);
        for (reference, status) in reports {
            let row = key::message_by_reference(conversation, reference);
            let id: Option<u64> = self.disk.get(&row);
            let message = id.and_then(|id| self.message(MessageId(id)));
            let Some(mut message) = message.filter(|message| message.from == self.me()) else {
                continue;
            };
            if self.note(&mut message, from, *status, &others) {
                self.set_message(&message, false);
            }
        }
    }

    /// Whether that was new.
    fn note(
        &mut self,
        message: &mut Message,
        from: &LeafName,
        status: Reported,
        others: &[AccountId],
    ) -> bool {
        let add = |list: &mut Vec<AccountId>, one: &AccountId| {
            let new = !list.contains(one);
            if new {
                list.push(*one);
            }
            new
        };
        if status == Reported::Deleted {
            let Some(deletion) = message.marks.deletion.as_mut() else {
                return false;
            };
            let before = deletion.lacking.len();
            deletion.lacking.retain(|device| *device != from.device);
            return deletion.lacking.len() != before;
        }
        if self.is_me(&from.account) {
            return false;
        }
        let mut new = add(&mut message.delivered_to, &from.account);
        if status == Reported::Read && self.settings().read_marks {
            new |= add(&mut message.marks.read_by, &from.account);
        }
        new | settle(message, others)
    }

    /// Somebody is out of a room: what only they lacked is delivered now.
    pub(crate) fn settle_delivered(&mut self, room: &RoomId) {
        let Some(conversation) = self.room(room).map(|room| room.conversation) else {
            return;
        };
        let others = self.other_accounts(room);
        let there = self.with_group(room, |_, group| {
            group.leaves().iter().map(|leaf| leaf.name.device).collect::<Vec<_>>()
        });
        let there = there.unwrap_or_default();
        for mut message in self.messages_before(conversation, None, UNSETTLED) {
            let mut changed = settle(&mut message, &others);
            if let Some(deletion) = message.marks.deletion.as_mut() {
                let before = deletion.lacking.len();
                deletion.lacking.retain(|device| there.contains(device));
                changed |= deletion.lacking.len() != before;
            }
            if changed {
                self.set_message(&message, false);
            }
        }
    }
}

/// Whether the state of a message of ours is another one now.
fn settle(message: &mut Message, others: &[AccountId]) -> bool {
    let everybody = if message.sent_to.is_empty() { others } else { &message.sent_to };
    // Who came later and who went is left out.
    let all = |list: &[AccountId]| {
        let mut lacking =
            everybody.iter().filter(|one| others.contains(one) && !list.contains(one));
        !list.is_empty() && lacking.next().is_none()
    };
    let now = match message.state {
        Some(State::Sent | State::Delivered) if all(&message.marks.read_by) => State::Read,
        Some(State::Sent) if all(&message.delivered_to) => State::Delivered,
        _ => return false,
    };
    let new = message.state != Some(now);
    message.state = Some(now);
    new
}
