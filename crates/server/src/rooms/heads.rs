// SPDX-License-Identifier: AGPL-3.0-or-later
//! Room heads in memory, with their rosters once somebody showed the key. What is here is a copy: the store decides.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use nodoor_wire::{
    code::Code,
    id::{RoomId, Token, TokenHash},
    roster::Roster,
};

use crate::{
    bounded::Bounded,
    refusal::Refusal,
    rooms::{key_check, open_roster},
    storage::{Day, MoveRoom, RoomRecord},
};

/// How much the day of a room's last use may be behind. Far less than [`nodoor_wire::limits::IDLE_DAYS`].
const TOUCH_DAYS: u32 = 30;

/// The heads used lately.
pub(crate) struct Heads(Mutex<Bounded<RoomId, Arc<Head>>>);

/// The head of a room.
pub(crate) struct Head {
    epoch: u64,
    key_check: [u8; 32],
    sealed: Bytes,
    /// The day of its last use that is on disk.
    day: AtomicU32,
    opened: OnceLock<OpenedRoster>,
}

/// A roster and what its tokens hash to.
pub(crate) struct OpenedRoster {
    roster: Roster,
    token_hashes: Vec<TokenHash>,
}

impl Heads {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Mutex::new(Bounded::new(bytes)))
    }

    pub(crate) fn get(&self, room: &RoomId) -> Option<Arc<Head>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(room).cloned()
    }

    /// Keeps the newer of this head and the one that is there, and returns it.
    pub(crate) fn keep(&self, room: &RoomId, head: Head) -> Arc<Head> {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match heads.get_mut(room) {
            Some(known) if known.epoch >= head.epoch => Arc::clone(known),
            _ => {
                let head = Arc::new(head);
                // Sealed, opened, and its tokens hashed.
                let bytes = 3 * head.sealed.len() + 256;
                heads.insert_weighing(*room, Arc::clone(&head), bytes);
                head
            }
        }
    }

    pub(crate) fn forget(&self, room: &RoomId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(room);
    }
}

impl Head {
    /// The head that a commit leads to.
    pub(crate) fn after(change: &MoveRoom) -> Self {
        Self {
            epoch: change.epoch.saturating_add(1),
            key_check: change.next_key_check,
            sealed: change.next_roster.clone(),
            day: AtomicU32::new(change.day.0),
            opened: OnceLock::new(),
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Notes that the room is in use. Whether that is worth a write: not daily, it only has to outlive the sweeps.
    pub(crate) fn used(&self, today: Day) -> bool {
        let every = if self.epoch == 0 { 1 } else { TOUCH_DAYS };
        let is_due = |day: u32| (day.saturating_add(every) <= today.0).then_some(today.0);
        self.day.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok()
    }

    /// The roster, for whoever shows the key of this epoch.
    pub(crate) fn open(&self, room: &RoomId, key: &[u8; 32]) -> Result<&OpenedRoster, Refusal> {
        if self.key_check != key_check(key) {
            return Err(Code::Forbidden.into());
        }
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let roster = open_roster(key, room, self.epoch, &self.sealed)?;
        let token_hashes = roster.tokens().iter().map(|token| Token(*token).hash()).collect();
        Ok(self.opened.get_or_init(|| OpenedRoster { roster, token_hashes }))
    }
}

impl From<RoomRecord> for Head {
    fn from(record: RoomRecord) -> Self {
        Self {
            epoch: record.epoch,
            key_check: record.key_check,
            sealed: record.roster,
            day: AtomicU32::new(record.day.0),
            opened: OnceLock::new(),
        }
    }
}

impl OpenedRoster {
    pub(crate) fn roster(&self) -> &Roster {
        &self.roster
    }

    pub(crate) fn token_hashes(&self) -> &[TokenHash] {
        &self.token_hashes
    }
}
