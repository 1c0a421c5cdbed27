// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rows that every sending asks for, in memory: where a token leads, whether a mailbox is there, a room's head.
//!
//! Only what is on disk is here. Whoever read a row from disk may keep it if nothing was committed since it began
//! to read; a commit replaces what it changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fjall::Slice;
use nodoor_server::Bounded;

use crate::{keyspace::Space, recent::Change};

/// Rows kept, at least; twice as many at most, of 32-byte keys and values of up to 17.
const ROWS: usize = 200_000;

/// The rows.
pub(crate) struct Cache(Mutex<State>);

struct State {
    commits: u64,
    rows: Bounded<(Space, Key), Slice>,
}

/// A key of up to 32 bytes, padded: those of one keyspace are of one length.
type Key = [u8; 32];

impl Cache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { commits: 0, rows: Bounded::new(ROWS) }))
    }

    /// The row, or what to hand to [`Cache::keep`] after reading it from disk.
    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Result<Slice, u64> {
        let mut state = self.state();
        state.rows.get_mut(&(space, padded(key))).cloned().ok_or(state.commits)
    }

    /// Keeps a row read since `commits`.
    pub(crate) fn keep(&self, space: Space, key: &[u8], value: &Slice, commits: u64) {
        let mut state = self.state();
        if state.commits == commits {
            state.rows.insert((space, padded(key)), kept(space, value));
        }
    }

    /// A commit changed these rows.
    pub(crate) fn changed<'a>(&self, rows: impl Iterator<Item = (Space, &'a [u8], &'a Change)>) {
        let mut state = self.state();
        state.commits = state.commits.wrapping_add(1);
        for (space, key, change) in rows.filter(|(space, ..)| is_cached(*space)) {
            match &change.value {
                Some(value) => state.rows.insert((space, padded(key)), kept(space, value)),
                None => state.rows.remove(&(space, padded(key))),
            }
        }
    }

    /// A commit failed: nobody knows what is on disk.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.commits = state.commits.wrapping_add(1);
        state.rows.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keyspaces whose rows are kept.
pub(crate) fn is_cached(space: Space) -> bool {
    matches!(space, Space::Tokens | Space::Mailboxes | Space::Rooms)
}

/// What is kept of a row: of tokens all, of mailboxes the account, of rooms the head epoch.
fn kept(space: Space, value: &Slice) -> Slice {
    let length = match space {
        Space::Rooms => 8,
        Space::Tokens => 17,
        _ => 16,
    };
    Slice::from(value.get(..length).unwrap_or_default())
}

fn padded(key: &[u8]) -> Key {
    let mut padded = [0; 32];
    padded.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    padded
}
