// SPDX-License-Identifier: AGPL-3.0-or-later
//! For how long the log has shown something of an account, in ledger time: what an objection's deadline counts.
//!
//! Nothing is kept for it. The directory knows in which epoch a value was published, the log when that epoch was; the log's
//! epochs rise, so its entry is found by halving.
//!
//! Carries out `docs/book/ledger.md`, 8 (disputes). `accounts` calls it.

use std::collections::HashSet;

use bytes::Bytes;
use nodoor_wire::id::AccountId;

use crate::{
    ledger::{Ledger, LedgerError, newest_epoch, record, served::label},
    storage::directory::Subject,
};

impl Ledger {
    /// Milliseconds of ledger time since the first of these lists was published; nothing while none is.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) async fn logged_for_ms(
        &self,
        account: AccountId,
        lists: &HashSet<[u8; 32]>,
    ) -> Result<Option<u64>, LedgerError> {
        let Some(served) = self.served() else { return Ok(None) };
        let label = label(&self.0.deployment, &Subject::Account(account));
        let versions = self.store().versions(Bytes::copy_from_slice(&label)).await?;
        for (epoch, row) in versions {
            let state = record::version(&label, epoch, &row).map_err(|_| LedgerError::Directory)?;
            if <[u8; 32]>::try_from(&**state.value).is_ok_and(|value| lists.contains(&value)) {
                let logged = self.time_of(epoch, served.head().size).await?;
                return Ok(logged.map(|logged| served.time_ms().saturating_sub(logged)));
            }
        }
        Ok(None)
    }

    /// When an epoch was published; nothing if it is not among the first `size` entries.
    async fn time_of(&self, epoch: u64, size: u64) -> Result<Option<u64>, LedgerError> {
        let newest = async |size| newest_epoch(self.store(), size).await;
        // Among the first `before` entries it is not; among the first `within` it is.
        let (mut before, mut within) = (0, size);
        if newest(size).await?.is_none_or(|newest| newest.epoch.epoch < epoch) {
            return Ok(None);
        }
        while within - before > 1 {
            let middle = before + (within - before) / 2;
            if newest(middle).await?.is_some_and(|newest| newest.epoch.epoch >= epoch) {
                within = middle;
            } else {
                before = middle;
            }
        }
        Ok(newest(within).await?.map(|newest| newest.epoch.time_ms))
    }
}
