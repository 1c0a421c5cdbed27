// SPDX-License-Identifier: AGPL-3.0-or-later
//! What clients ask of the ledger: proofs about an account, the head, consistency, the policy.
//!
//! Carries out `docs/book/ledger.md`, 2 and 3. `server` and `accounts` call it.

use bytes::Bytes;
use nodoor_transparency::directory::{HISTORY_VERSIONS, handle_hash, handle_value};
use nodoor_wire::{
    code::Code,
    handle::Handle,
    id::AccountId,
    proto::{self, answer},
};

use crate::{
    connection::Connection,
    ledger::{
        Ledger, LedgerError,
        served::{Proved, Served},
        tiles,
    },
    refusal::{Handled, Refusal, at_most},
    server::Inner,
    storage::{Day, directory::Subject},
};

/// Proving a history costs one request more for so many versions.
const VERSIONS_A_REQUEST: u32 = 8;

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Storage(error) => error.into(),
            error => {
                tracing::error!(%error, "the ledger did not answer");
                Code::Internal.into()
            }
        }
    }
}

impl Ledger {
    /// That the served epoch shows this list as the newest of the account, and the account as the holder of the handle
    /// that was asked for. Nothing while it does not.
    pub(crate) async fn directory_proof(
        &self,
        account: AccountId,
        newest_list: &[u8; 32],
        handle: Option<&Handle>,
    ) -> Result<Option<proto::DirectoryProof>, LedgerError> {
        loop {
            let subject = Subject::Account(account);
            let Proved::Yes((of_account, served)) = self.look_up(&subject, newest_list).await?
            else {
                return Ok(None);
            };
            let mut of_handle = Bytes::new();
            let mut moved = None;
            if let Some(handle) = handle {
                let subject = Subject::Handle(handle_hash(handle));
                let value = handle_value(&account);
                let Proved::Yes((proof, under)) = self.look_up(&subject, &value).await? else {
                    return Ok(None);
                };
                if !std::sync::Arc::ptr_eq(&served, &under) {
                    // Another epoch came between the two.
                    continue;
                }
                of_handle = proof;
                moved = self.moved(handle_hash(handle), account, &served).await?;
            }
            return Ok(Some(proto::DirectoryProof {
                account: of_account,
                handle: of_handle,
                epoch: Some(served.logged().clone()),
                vrf_key: self.vrf_key(),
                moved,
            }));
        }
    }

    /// [`proto::LookupAnswer::directory`] for an account whose newest list has this hash.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn prove(
        &self,
        account: AccountId,
        newest_list: &[u8; 32],
    ) -> Result<Option<proto::DirectoryProof>, LedgerError> {
        self.directory_proof(account, newest_list, None).await
    }

    /// The policy in force, for `Hello`.
    pub(crate) fn policy(&self) -> Bytes {
        let state = self.0.state();
        let time_ms = state.policy_time_ms();
        let in_force = state.policies.in_force(time_ms);
        in_force.map(|(_, one)| Bytes::copy_from_slice(one.text.as_bytes())).unwrap_or_default()
    }
}

impl Ledger {
    /// An entry under the checkpoint that is served; not yet if it is newer.
    async fn entry_at(&self, index: u64, served: &Served) -> Result<proto::LoggedEntry, Refusal> {
        Ok(self.logged_at(index, served).await?.ok_or(Code::LedgerWaits)?)
    }

    /// The same; nothing if it is newer.
    pub(super) async fn logged_at(
        &self,
        index: u64,
        served: &Served,
    ) -> Result<Option<proto::LoggedEntry>, LedgerError> {
        let size = served.head().size;
        if size <= index {
            return Ok(None);
        }
        let inclusion = tiles::inclusion(self.store(), index, size).await?;
        let entry = self.store().entries(index, 1).await?.pop();
        Ok(Some(proto::LoggedEntry {
            entry: entry.ok_or(LedgerError::Form)?,
            index,
            inclusion: inclusion.iter().map(|hash| Bytes::copy_from_slice(hash)).collect(),
            checkpoint: served.logged().checkpoint.clone(),
        }))
    }
}

impl Inner {
    /// The ledger, on a server that keeps one.
    pub(crate) fn ledger(&self) -> Result<&Ledger, Refusal> {
        self.ledger.as_ref().ok_or_else(|| Code::NotFound.into())
    }

    pub(crate) async fn history(
        &self,
        connection: &Connection,
        history: &proto::History,
    ) -> Handled {
        let (account, device) = self.known_device(connection)?;
        let newest = usize::try_from(history.newest).unwrap_or(usize::MAX);
        at_most(newest, HISTORY_VERSIONS)?;
        // Each version costs a millisecond.
        let cost = history.newest / VERSIONS_A_REQUEST;
        self.budgets.device.spend(&device.0, cost, self.clock.now_ms())?;
        let ledger = self.ledger()?;
        match ledger.history(account, newest.max(1)).await? {
            Proved::Yes((proof, served)) => {
                let claim = match self.handle_of(account).await? {
                    Some(handle) => {
                        ledger.claim_shown(handle_hash(&handle), account, &served).await?
                    }
                    None => None,
                };
                Ok(answer::Body::History(proto::HistoryAnswer {
                    proof,
                    epoch: Some(served.logged().clone()),
                    vrf_key: ledger.vrf_key(),
                    claim,
                }))
            }
            Proved::NotYet => Err(Code::LedgerWaits.into()),
        }
    }

    pub(crate) fn ledger_head(&self, connection: &Connection) -> Handled {
        self.open_to_all(connection)?;
        let served = self.ledger()?.served().ok_or(Code::LedgerWaits)?;
        Ok(answer::Body::LedgerHead(served.logged().clone()))
    }

    pub(crate) async fn consistency(
        &self,
        connection: &Connection,
        asked: &proto::Consistency,
    ) -> Handled {
        self.open_to_all(connection)?;
        let ledger = self.ledger()?;
        let served = ledger.served().ok_or(Code::LedgerWaits)?;
        if asked.from > asked.to {
            return Err(Code::NotFound.into());
        }
        if asked.to > served.head().size {
            return Err(Code::LedgerWaits.into());
        }
        let hashes = ledger.consistency(asked.from, asked.to).await?;
        let hashes = hashes.iter().map(|hash| Bytes::copy_from_slice(hash)).collect();
        Ok(answer::Body::Consistency(proto::ConsistencyAnswer { hashes }))
    }

    pub(crate) async fn token_key(
        &self,
        connection: &Connection,
        get: &proto::TokenKeyGet,
    ) -> Handled {
        self.open_to_all(connection)?;
        let ledger = self.ledger()?;
        let served = ledger.served().ok_or(Code::LedgerWaits)?;
        let keys = ledger.0.token_keys().await?;
        let index = keys.index(Day(get.day)).ok_or(Code::LedgerWaits)?;
        let key = Some(ledger.entry_at(index, &served).await?);
        let epoch = Some(served.logged().clone());
        Ok(answer::Body::TokenKey(proto::TokenKeyAnswer { key, epoch }))
    }

    /// The newest policy that the served log announces, in force or not: a client wants to have seen it a week long.
    pub(crate) async fn policy(&self, connection: &Connection) -> Handled {
        self.open_to_all(connection)?;
        let ledger = self.ledger()?;
        let served = ledger.served();
        let (policy, index) = {
            let state = ledger.0.state();
            let size = served.as_ref().map_or(0, |served| served.head().size);
            let announced = state.policies.newest_in(size).ok_or(Code::Internal)?;
            (Bytes::copy_from_slice(announced.text.as_bytes()), announced.index)
        };
        let Some(index) = index else {
            return Ok(answer::Body::Policy(proto::PolicyAnswer { policy, entry: None }));
        };
        let served = served.ok_or(Code::LedgerWaits)?;
        let entry = ledger.entry_at(index, &served).await?;
        Ok(answer::Body::Policy(proto::PolicyAnswer { policy, entry: Some(entry) }))
    }
}
