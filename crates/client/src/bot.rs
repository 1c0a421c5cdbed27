// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who we say that we are: the name, and whether a program speaks for us.
//!
//! Both travel as a profile, before the first message of a chat and again when somebody comes into it. A person's waits
//! for their next message; a bot says what it is at once, for it may never write and reads all the same.
//!
//! Spec: `docs/book/protocol.md`, 6; decision 0029.

use nodoor_e2ee::content::Content;

use crate::{
    rows::{Conversation, Status},
    selfgroup::About,
    step::Step,
};

impl Step<'_> {
    /// Puts our profile before what is said next here, if it was not said as it is now.
    pub(crate) fn introduce(&mut self, conversation: &mut Conversation) {
        let Some(account) = self.account() else {
            return;
        };
        let named = account.name.is_empty() || account.name == conversation.name_sent;
        if !named || account.bot && !conversation.bot_sent {
            let (name, bot) = (account.name.clone(), account.bot);
            self.queue(conversation.id, None, &Content::Profile { name, bot }.into(), None);
            (conversation.name_sent, conversation.bot_sent) = (account.name, account.bot);
        }
    }

    /// Somebody is here who has not heard it.
    pub(crate) fn introduce_anew(&mut self, conversation: &mut Conversation) {
        (conversation.name_sent, conversation.bot_sent) = (String::new(), false);
        self.introduce_bot(conversation);
    }

    /// A bot says what it is without being asked, wherever it takes part.
    pub(crate) fn introduce_bot(&mut self, conversation: &mut Conversation) {
        let is_bot = self.account().is_some_and(|account| account.bot);
        let takes_part = conversation.status == Status::Open
            && !conversation.rooms.is_empty()
            && !self.is_own_conversation(conversation);
        if is_bot && takes_part {
            self.introduce(conversation);
        }
    }

    /// From now on, and for good.
    pub(crate) fn become_bot(&mut self) {
        let Some(mut account) = self.account().filter(|account| !account.bot) else {
            return;
        };
        account.bot = true;
        self.set_account(&account);
        self.own_devices_should_know(About::Bot);
        for mut conversation in self.conversations() {
            self.introduce_bot(&mut conversation);
            self.set_conversation(&conversation);
        }
    }
}
