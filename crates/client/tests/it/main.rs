// SPDX-License-Identifier: AGPL-3.0-or-later
//! The client against the real server, in memory.

use nodoor_testkit::world::World;
use nodoor_view::model::{ConversationId, Writable};

mod burnt;
mod conversations;
mod crashes;
mod gate;
mod groups;
mod olga;
mod seeds;

/// Whether a person can write in a chat.
fn writable(world: &mut World, person: usize, chat: ConversationId) -> Writable {
    world.chats(person).into_iter().find(|row| row.id == chat).unwrap().writable
}
