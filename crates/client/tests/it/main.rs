// SPDX-License-Identifier: AGPL-3.0-or-later
//! The client against the real server, in memory.

use nodoor_testkit::world::World;
use nodoor_view::model::{ConversationId, Writable};

#[cfg(test)]
mod backup;
#[cfg(test)]
mod bots;
#[cfg(test)]
mod burnt;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod finish;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod gossip;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod hand;
#[cfg(test)]
mod handles;
#[cfg(test)]
mod history;
#[cfg(test)]
mod inherited;
#[cfg(test)]
mod leading;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod leftbehind;
#[cfg(test)]
mod leftovers;
#[cfg(test)]
mod list;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod new_words;
#[cfg(test)]
mod newest;
#[cfg(test)]
mod offers;
#[cfg(test)]
mod olga;
#[cfg(test)]
mod origins;
#[cfg(test)]
mod ownghost;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod push;
#[cfg(test)]
mod putback;
#[cfg(test)]
mod quarter;
#[cfg(test)]
mod replaced;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod resend;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod search;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod selfgroup;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod substituted;
#[cfg(test)]
mod thousand;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod typing;
#[cfg(test)]
mod undecided;

/// Whether a person can write in a chat.
#[cfg(test)]
fn writable(world: &mut World, person: usize, chat: ConversationId) -> Writable {
    world.chats(person).into_iter().find(|row| row.id == chat).unwrap().writable
}
