// SPDX-License-Identifier: AGPL-3.0-or-later
//! Last-resort key packages: who takes one sees its token, and so does everybody else who takes it. When somebody
//! is blocked or declined who was let in by it, a new one takes its place and the server forgets the token.
//!
//! Which of the single-use ones were taken the server does not say: their tokens live until a room has them.
//!
//! Spec: `docs/book/protocol.md`, 2.1 and 7.

use nodoor_e2ee::key_package;
use nodoor_wire::id::{RoomId, Token};

use crate::{
    io::Wire,
    rows::{LastResort, Room, key},
    step::Step,
};

/// How long a replaced one still opens a Welcome that was under way, milliseconds.
const UNDER_WAY: u64 = 7 * 24 * 3600 * 1000;

impl Step<'_> {
    /// Notes a last-resort key package that was just made.
    pub(crate) fn keep_last_resort(&mut self, token: &Token, package: &[u8]) {
        let row = LastResort { package: package.to_vec(), unwanted: false, replaced_at: None };
        self.disk.put(key::last_resort(token), &row);
    }

    /// If a room is still reached by a shared token: that one is to go, because its people know it.
    pub(crate) fn disown_shared_token(&mut self, id: &RoomId) {
        if self.room(id).is_none_or(|room| room.closed) {
            return;
        }
        let Some(token) = self.token_in_use(id) else {
            return;
        };
        if let Some(mut row) = self.disk.get::<LastResort>(&key::last_resort(&token)) {
            row.unwanted = true;
            self.disk.put(key::last_resort(&token), &row);
            self.live.resorts_changed = true;
            self.replace_unwanted();
        }
    }

    /// Makes and uploads a new one if the server hands out one that is unwanted.
    pub(crate) fn replace_unwanted(&mut self) {
        let unwanted = |row: &LastResort| row.unwanted && row.replaced_at.is_none();
        if self.live.upload.is_none()
            && self.is_ready(Wire::Login)
            && self.last_resorts().iter().any(|(_, row)| unwanted(row))
        {
            self.live.upload = self.make_packages(0);
            self.put_package_tokens();
        }
    }

    /// The server has this one now, and hands out no other.
    pub(crate) fn last_resort_replaced(&mut self, by: &[u8]) {
        for (row, mut one) in self.last_resorts() {
            if one.package != by && one.replaced_at.is_none() {
                one.replaced_at = Some(self.now);
                self.disk.put(row, &one);
            }
        }
        self.live.resorts_changed = true;
    }

    /// Forgets those that nobody is given any more, and their tokens, unless a room is still reached by them.
    pub(crate) fn retire_last_resorts(&mut self) {
        if !std::mem::take(&mut self.live.resorts_changed) {
            return;
        }
        let over = |one: &LastResort| {
            let since = one.replaced_at.map(|at| self.now.saturating_sub(at));
            since.is_some_and(|since| one.unwanted || since >= UNDER_WAY)
        };
        let retired: Vec<_> =
            self.last_resorts().into_iter().filter(|(_, one)| over(one)).collect();
        if retired.is_empty() {
            return;
        }
        let rooms: Vec<Room> = self
            .disk
            .prefixed(key::ROOMS, usize::MAX)
            .iter()
            .filter_map(|(_, value)| self.disk.decode(value))
            .collect();
        let mut in_use = Vec::new();
        for room in rooms {
            if !room.closed && !self.is_blocked(&room) {
                in_use.extend(self.token_in_use(&room.room));
            }
        }
        for (row, one) in retired {
            let token = row.get(key::LAST_RESORTS.len()..).and_then(|id| Token::try_from(id).ok());
            let Some(token) = token.filter(|token| !in_use.contains(token)) else {
                continue;
            };
            // One that is damaged opens nothing either.
            let _ = key_package::forget(&self.disk, &one.package);
            self.forget_token(token);
            self.disk.remove(&row);
        }
    }

    fn last_resorts(&self) -> Vec<(Vec<u8>, LastResort)> {
        let rows = self.disk.prefixed(key::LAST_RESORTS, usize::MAX);
        let read = |(row, value): (Vec<u8>, Vec<u8>)| Some((row, self.disk.decode(&value)?));
        rows.into_iter().filter_map(read).collect()
    }

    /// The token by which a room reaches us now.
    fn token_in_use(&mut self, id: &RoomId) -> Option<Token> {
        self.with_group(id, |_, group| group.leaf(group.own_index()).map(|leaf| leaf.token))?
    }
}
