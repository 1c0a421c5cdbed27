// SPDX-License-Identifier: AGPL-3.0-or-later
//! Handles that are claimed from the account that holds them, and those that moved.
//!
//! A claim waits in memory until the next epoch logs it; whoever asked is told that the log waits, and asks again. What is
//! logged is remembered in one note beside the log, so that it stands with its entry or not at all. That the week is over
//! is seen when the claimant asks again: nothing here moves a handle by itself.
//!
//! Carries out `docs/book/ledger.md`, 6. `accounts` calls it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use nodoor_transparency::{
    handover::{Claimed, HANDOVER_WAIT_MS},
    ledger::entry::{Entry, Governance},
};
use nodoor_wire::{code::Code, id::AccountId, proto};

use crate::{
    ledger::{Inner, Ledger, LedgerError, served::Served},
    refusal::{Refusal, at_most},
    storage::ledger::Note,
};

/// Claims that wait for one epoch, and a standing claim of an account: more are refused.
const WAITING: usize = 256;
/// Claims and moves that are remembered, 64 bytes each.
const REMEMBERED: usize = 16 * 1024;
/// A claim that was not carried out so long after its week is over gives way to another.
const FORGOTTEN_MS: u64 = 4 * HANDOVER_WAIT_MS;
/// Entries that are read at once for the epoch behind a claim.
const LOOK_AHEAD: usize = 64;

/// What waits for the next epoch, by the hash of the handle.
#[derive(Default)]
pub(super) struct Wanted(Mutex<BTreeMap<[u8; 32], Change>>);

#[derive(Clone, Copy)]
enum Change {
    /// Somebody asks; the account that holds it; the handle that who asks has now.
    Claim { by: AccountId, holder: AccountId, has: Option<[u8; 32]> },
    /// The holder said no.
    No { to: AccountId },
}

/// A claim in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    account: AccountId,
    /// Of its entry.
    pub(crate) index: u64,
    /// Ledger time of its epoch.
    pub(crate) time_ms: u64,
}

impl Row {
    pub(crate) fn takes_effect_ms(&self) -> u64 {
        self.time_ms.saturating_add(HANDOVER_WAIT_MS)
    }
}

/// What [`Note::Handles`] holds: of each handle the claims, oldest first. That of the account that holds it brought it there.
#[derive(Default, Clone)]
pub(super) struct Handles(BTreeMap<[u8; 32], Vec<Row>>);

impl Handles {
    pub(super) fn from_note(note: &[u8]) -> Option<Self> {
        let (rows, rest) = note.as_chunks::<64>();
        let mut handles = Self::default();
        for row in rows {
            let (handle, row) = row.split_first_chunk::<32>()?;
            let (account, row) = row.split_first_chunk::<16>()?;
            let (index, time) = row.split_first_chunk::<8>()?;
            handles.0.entry(*handle).or_default().push(Row {
                account: AccountId(*account),
                index: u64::from_be_bytes(*index),
                time_ms: u64::from_be_bytes(time.try_into().ok()?),
            });
        }
        rest.is_empty().then_some(handles)
    }

    fn to_note(&self) -> Vec<u8> {
        let mut note = Vec::new();
        for (handle, rows) in &self.0 {
            for row in rows {
                note.extend_from_slice(handle);
                note.extend_from_slice(row.account.as_bytes());
                note.extend_from_slice(&row.index.to_be_bytes());
                note.extend_from_slice(&row.time_ms.to_be_bytes());
            }
        }
        note
    }

    fn rows(&self, handle: &[u8; 32]) -> impl DoubleEndedIterator<Item = &Row> {
        self.0.get(handle).into_iter().flatten()
    }

    fn of(&self, handle: &[u8; 32], account: &AccountId) -> Option<Row> {
        self.rows(handle).rev().find(|row| row.account == *account).copied()
    }

    /// The claim of somebody else than the holder that stands at this time.
    fn standing(&self, handle: &[u8; 32], holder: &AccountId, time_ms: u64) -> Option<Row> {
        let stands = |row: &&Row| {
            let until = row.takes_effect_ms().saturating_add(FORGOTTEN_MS);
            row.account != *holder && time_ms < until
        };
        self.rows(handle).rev().find(stands).copied()
    }
}

impl Wanted {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<[u8; 32], Change>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    /// The claims that an epoch of this time logs, behind so many other entries, and what is remembered from then on.
    pub(super) fn claims(
        &self,
        first: u64,
        time_ms: u64,
        notes: &mut Vec<(Note, Bytes)>,
    ) -> Vec<Governance> {
        let wanted = self.handles_wanted.with(std::mem::take);
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut handles = self.state().handles.clone();
        let mut entries = Vec::new();
        for (handle, change) in wanted {
            match change {
                Change::Claim { by, holder, has } => {
                    // An account's earlier claims are over, but that which brought it the handle it has.
                    handles.0.retain(|of, rows| {
                        rows.retain(|row| row.account != by || has == Some(*of));
                        !rows.is_empty()
                    });
                    // Of moves the one that brought the holder is proved still.
                    let rows = handles.0.entry(handle).or_default();
                    rows.retain(|row| row.account == holder);
                    let index = first.saturating_add(entries.len() as u64);
                    entries.push(Claimed { handle, account: by }.entry(time_ms));
                    rows.push(Row { account: by, index, time_ms });
                }
                Change::No { to } => {
                    handles.0.entry(handle).or_default().retain(|row| row.account != to);
                }
            }
        }
        notes.push((Note::Handles, handles.to_note().into()));
        entries
    }
}

impl Ledger {
    /// The claim of an account, which has this handle now, to one that another holds: as it is logged, or waits to be.
    ///
    /// # Errors
    /// A [`Refusal`]: [`Code::LedgerWaits`] while it waits, [`Code::HandleTaken`] while somebody else's stands,
    /// [`Code::Forbidden`] if it was `known` to stand and the holder said no.
    pub(crate) fn claim(
        &self,
        handle: [u8; 32],
        (by, has): (AccountId, Option<[u8; 32]>),
        holder: AccountId,
        known: bool,
    ) -> Result<(Row, u64), Refusal> {
        let served = self.served().ok_or(Code::LedgerWaits)?;
        let time_ms = served.time_ms();
        // One at a time for an account, and with the next its earlier claim is over: that moves nothing meanwhile.
        let one_at_a_time = |wanted: &BTreeMap<[u8; 32], Change>| {
            let others = wanted.iter().filter(|(of, change)| {
                **of != handle && matches!(change, Change::Claim { by: who, .. } if *who == by)
            });
            at_most(others.count(), 0)
        };
        let no = self.0.handles_wanted.with(|wanted| {
            one_at_a_time(wanted)?;
            Ok::<_, Refusal>(match wanted.get(&handle) {
                Some(Change::No { to }) => Some(*to),
                _ => None,
            })
        })?;
        let standing = self.0.state().handles.standing(&handle, &holder, time_ms);
        match standing {
            Some(row) if row.account == by && no != Some(by) => {
                if served.head().size <= row.index {
                    return Err(Code::LedgerWaits.into());
                }
                return Ok((row, time_ms));
            }
            Some(_) if no.is_none() => return Err(Code::HandleTaken.into()),
            _ => {}
        }
        if known {
            return Err(Code::Forbidden.into());
        }
        {
            let state = self.0.state();
            at_most(state.handles.0.len() + 1, REMEMBERED)?;
            let waits = |row: &Row| row.account == by && row.takes_effect_ms() > time_ms;
            at_most(state.handles.0.values().flatten().filter(|row| waits(row)).count(), 0)?;
        }
        self.0.handles_wanted.with(|wanted| {
            one_at_a_time(wanted)?;
            at_most(wanted.len() + 1, WAITING)?;
            wanted.entry(handle).or_insert(Change::Claim { by, holder, has });
            Err(Code::LedgerWaits.into())
        })
    }

    /// Whether the holder's no is all there is; while it is not, the next epoch makes it so.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) fn keep(
        &self,
        handle: [u8; 32],
        to: AccountId,
        holder: AccountId,
    ) -> Result<(), Refusal> {
        let row = self.0.state().handles.of(&handle, &to);
        let waits = self.0.handles_wanted.with(|wanted| match wanted.get(&handle) {
            Some(Change::Claim { by, .. }) => *by == to,
            Some(Change::No { .. }) | None => false,
        });
        if to == holder || (row.is_none() && !waits) {
            return Ok(());
        }
        self.0.handles_wanted.with(|wanted| wanted.insert(handle, Change::No { to }));
        Err(Code::LedgerWaits.into())
    }

    /// The claim of somebody else to this handle, under the checkpoint that is served.
    pub(super) async fn claim_shown(
        &self,
        handle: [u8; 32],
        holder: AccountId,
        served: &Served,
    ) -> Result<Option<proto::LoggedEntry>, LedgerError> {
        let standing = self.0.state().handles.standing(&handle, &holder, served.time_ms());
        match standing {
            Some(row) => self.logged_at(row.index, served).await,
            None => Ok(None),
        }
    }

    /// How a handle came to its holder, if from another account.
    pub(super) async fn moved(
        &self,
        handle: [u8; 32],
        holder: AccountId,
        served: &Served,
    ) -> Result<Option<proto::HandleMoved>, LedgerError> {
        let row = self.0.state().handles.of(&handle, &holder);
        let Some(row) = row else { return Ok(None) };
        let mut from = row.index.saturating_add(1);
        loop {
            let entries = self.store().entries(from, LOOK_AHEAD).await?;
            if entries.is_empty() {
                return Ok(None);
            }
            let epoch = entries
                .iter()
                .position(|entry| matches!(Entry::decode(entry), Ok(Entry::Epoch(_))));
            if let Some(place) = epoch {
                let epoch = self.logged_at(from.saturating_add(place as u64), served).await?;
                let claim = self.logged_at(row.index, served).await?;
                let bare = |entry| proto::LoggedEntry { checkpoint: Bytes::new(), ..entry };
                let (claim, epoch) = (claim.map(bare), epoch.map(bare));
                return Ok(Some(proto::HandleMoved { claim, epoch }));
            }
            from = from.saturating_add(entries.len() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Handles, Row};
    use nodoor_wire::id::AccountId;

    #[test]
    fn what_is_remembered_of_handles_comes_back() {
        let row = Row { account: AccountId([3; 16]), index: 9, time_ms: 1 << 41 };
        let rows = vec![row, Row { index: 10, ..row }];
        let note = Handles([([7; 32], rows)].into()).to_note();
        assert_eq!(note.len(), 128);
        let read = Handles::from_note(&note).unwrap();
        assert_eq!(read.of(&[7; 32], &AccountId([3; 16])).unwrap().index, 10);
        assert!(Handles::from_note(&note[1..]).is_none());
    }
}
