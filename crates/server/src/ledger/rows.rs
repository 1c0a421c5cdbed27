// SPDX-License-Identifier: AGPL-3.0-or-later
//! The directory's library on our store: the writer's side, whose epoch stays in memory until the ledger takes it, and
//! the readers' side, which sees the served epoch and none after it.
//!
//! The library keeps of each node its newest and its previous state. So proofs of epoch *n* are right while the store
//! is at *n* or *n + 1*, and [`Rows::at`] gives them while *n + 1* waits for its witnesses.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use akd::{
    AkdLabel, AkdValue, Azks, NodeLabel,
    errors::StorageError as AkdStorageError,
    storage::{
        Database, DbSetState, Storable,
        types::{
            DbRecord, KeyData, StorageType, ValueState, ValueStateKey, ValueStateRetrievalFlag,
        },
    },
    tree_node::{NodeKey, TreeNodeWithPreviousValue},
};
use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    ledger::record::{self, Broken},
    storage::{
        StorageError,
        directory::{DirectoryRows, NodeName},
        ledger::LedgerStorage,
    },
};

/// Rows of a store as the library asks for them. A clone is the same rows.
#[derive(Clone)]
pub(crate) struct Rows {
    store: Arc<dyn LedgerStorage>,
    side: Side,
}

#[derive(Clone)]
enum Side {
    /// What was written and is not in the store yet lies over it.
    Writer(Arc<Mutex<Written>>),
    /// Nothing is written, and the head names this epoch.
    Reader(u64),
}

#[derive(Default)]
struct Written {
    head: Option<Azks>,
    nodes: BTreeMap<NodeName, TreeNodeWithPreviousValue>,
    versions: BTreeMap<(Vec<u8>, u64), ValueState>,
}

type Answered<T> = Result<T, AkdStorageError>;

impl Rows {
    /// Everything, with what is written on top.
    pub(crate) fn writer(store: Arc<dyn LedgerStorage>) -> Self {
        Self { store, side: Side::Writer(Arc::default()) }
    }

    /// The directory as it was at an epoch: the store's newest or the one before.
    pub(crate) fn at(store: Arc<dyn LedgerStorage>, epoch: u64) -> Self {
        Self { store, side: Side::Reader(epoch) }
    }

    /// Takes what was written since the last time, for the store.
    pub(crate) fn take(&self) -> DirectoryRows {
        let Side::Writer(written) = &self.side else { return DirectoryRows::default() };
        let written = std::mem::take(&mut *lock(written));
        DirectoryRows {
            head: written.head.as_ref().map(record::head_row),
            nodes: written
                .nodes
                .iter()
                .map(|(name, node)| (*name, record::node_row(node)))
                .collect(),
            versions: written
                .versions
                .into_values()
                .map(|state| {
                    let row = record::version_row(&state);
                    (state.username.0.into(), state.epoch, row)
                })
                .collect(),
        }
    }

    fn written<T>(&self, find: impl FnOnce(&Written) -> Option<T>) -> Option<T> {
        match &self.side {
            Side::Writer(written) => find(&lock(written)),
            Side::Reader(_) => None,
        }
    }

    async fn head(&self) -> Answered<DbRecord> {
        if let Some(head) = self.written(|written| written.head.clone()) {
            return Ok(DbRecord::Azks(head));
        }
        let row = self.store.head().await.map_err(failed)?.ok_or_else(not_found)?;
        let mut head = record::head(&row).map_err(broken)?;
        if let Side::Reader(epoch) = self.side {
            head.latest_epoch = epoch;
        }
        Ok(DbRecord::Azks(head))
    }

    /// Nodes in the order asked, nothing where there is none.
    async fn nodes(&self, labels: &[NodeLabel]) -> Answered<Vec<Option<DbRecord>>> {
        let names: Vec<NodeName> =
            labels.iter().map(|label| record::node_name(&NodeKey(*label))).collect();
        let mut found: Vec<Option<TreeNodeWithPreviousValue>> = match &self.side {
            Side::Writer(written) => {
                let written = lock(written);
                names.iter().map(|name| written.nodes.get(name).cloned()).collect()
            }
            Side::Reader(_) => vec![None; names.len()],
        };
        let missing = |found: &&Option<_>| found.is_none();
        let asked = names.iter().zip(&found).filter(|(_, found)| missing(found));
        let asked: Vec<NodeName> = asked.map(|(name, _)| *name).collect();
        if !asked.is_empty() {
            let mut rows = self.store.nodes(asked).await.map_err(failed)?.into_iter();
            for (label, place) in labels.iter().zip(&mut found).filter(|(_, place)| place.is_none())
            {
                if let Some(row) = rows.next().flatten() {
                    *place = Some(record::node(*label, &row).map_err(broken)?);
                }
            }
        }
        Ok(found.into_iter().map(|node| node.map(DbRecord::TreeNode)).collect())
    }

    async fn of_epoch(&self, key: &ValueStateKey) -> Answered<DbRecord> {
        let found = self.up_to(&AkdLabel(key.0.clone()), key.1).await?;
        if found.epoch == key.1 { Ok(DbRecord::ValueState(found)) } else { Err(not_found()) }
    }

    async fn up_to(&self, label: &AkdLabel, epoch: u64) -> Answered<ValueState> {
        let over = self.written(|written| {
            let of_label = written.versions.range((label.0.clone(), 0)..=(label.0.clone(), epoch));
            of_label.last().map(|(_, state)| state.clone())
        });
        if let Some(state) = over {
            return Ok(state);
        }
        let row = self.store.version(Bytes::copy_from_slice(label), epoch).await.map_err(failed)?;
        let (epoch, row) = row.ok_or_else(not_found)?;
        record::version(label, epoch, &row).map_err(broken)
    }

    async fn all(&self, label: &AkdLabel) -> Answered<Vec<ValueState>> {
        let rows = self.store.versions(Bytes::copy_from_slice(label)).await.map_err(failed)?;
        let mut states: BTreeMap<u64, ValueState> = rows
            .into_iter()
            .map(|(epoch, row)| record::version(label, epoch, &row).map(|state| (epoch, state)))
            .collect::<Result<_, _>>()
            .map_err(broken)?;
        if let Side::Writer(written) = &self.side {
            let written = lock(written);
            let over = written.versions.range((label.0.clone(), 0)..=(label.0.clone(), u64::MAX));
            states.extend(over.map(|((_, epoch), state)| (*epoch, state.clone())));
        }
        if states.is_empty() { Err(not_found()) } else { Ok(states.into_values().collect()) }
    }
}

#[async_trait]
impl Database for Rows {
    async fn set(&self, record: DbRecord) -> Answered<()> {
        self.batch_set(vec![record], DbSetState::General).await
    }

    async fn batch_set(&self, records: Vec<DbRecord>, _: DbSetState) -> Answered<()> {
        let Side::Writer(written) = &self.side else {
            return Err(AkdStorageError::Other("these rows are read only".to_owned()));
        };
        let mut written = lock(written);
        for record in records {
            match record {
                DbRecord::Azks(head) => written.head = Some(head),
                DbRecord::TreeNode(node) => {
                    written.nodes.insert(record::node_name(&NodeKey(node.label)), node);
                }
                DbRecord::ValueState(state) => {
                    written.versions.insert((state.username.0.clone(), state.epoch), state);
                }
            }
        }
        Ok(())
    }

    async fn get<St: Storable>(&self, id: &St::StorageKey) -> Answered<DbRecord> {
        let key = St::get_full_binary_key_id(id);
        match St::data_type() {
            StorageType::Azks => self.head().await,
            StorageType::TreeNode => {
                let key = TreeNodeWithPreviousValue::key_from_full_binary(&key).map_err(other)?;
                self.nodes(&[key.0]).await?.pop().flatten().ok_or_else(not_found)
            }
            StorageType::ValueState => {
                let key = ValueState::key_from_full_binary(&key).map_err(other)?;
                self.of_epoch(&key).await
            }
        }
    }

    async fn batch_get<St: Storable>(&self, ids: &[St::StorageKey]) -> Answered<Vec<DbRecord>> {
        if St::data_type() == StorageType::TreeNode {
            let labels = ids
                .iter()
                .map(|id| {
                    let key = St::get_full_binary_key_id(id);
                    TreeNodeWithPreviousValue::key_from_full_binary(&key).map(|key| key.0)
                })
                .collect::<Result<Vec<_>, _>>()
                .map_err(other)?;
            return Ok(self.nodes(&labels).await?.into_iter().flatten().collect());
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            match self.get::<St>(id).await {
                Ok(record) => found.push(record),
                Err(AkdStorageError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn get_user_data(&self, label: &AkdLabel) -> Answered<KeyData> {
        Ok(KeyData { states: self.all(label).await? })
    }

    async fn get_user_state(
        &self,
        label: &AkdLabel,
        flag: ValueStateRetrievalFlag,
    ) -> Answered<ValueState> {
        use ValueStateRetrievalFlag as Flag;
        let found = match flag {
            Flag::MaxEpoch => return self.up_to(label, u64::MAX).await,
            Flag::LeqEpoch(epoch) => return self.up_to(label, epoch).await,
            Flag::SpecificEpoch(epoch) => {
                let state = self.up_to(label, epoch).await?;
                (state.epoch == epoch).then_some(state)
            }
            Flag::MinEpoch => self.all(label).await?.into_iter().next(),
            Flag::SpecificVersion(version) => {
                self.all(label).await?.into_iter().find(|state| state.version == version)
            }
        };
        found.ok_or_else(not_found)
    }

    async fn get_user_state_versions(
        &self,
        labels: &[AkdLabel],
        flag: ValueStateRetrievalFlag,
    ) -> Answered<HashMap<AkdLabel, (u64, AkdValue)>> {
        let mut found = HashMap::with_capacity(labels.len());
        for label in labels {
            match self.get_user_state(label, flag).await {
                Ok(state) => drop(found.insert(label.clone(), (state.version, state.value))),
                Err(AkdStorageError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

fn lock(written: &Mutex<Written>) -> MutexGuard<'_, Written> {
    written.lock().unwrap_or_else(PoisonError::into_inner)
}

// The library puts what it looked for into its errors; ours say nothing of it.
fn not_found() -> AkdStorageError {
    AkdStorageError::NotFound(String::new())
}

fn broken(_: Broken) -> AkdStorageError {
    AkdStorageError::Other("a row of the directory is damaged".to_owned())
}

fn failed(error: StorageError) -> AkdStorageError {
    AkdStorageError::Other(error.to_string())
}

fn other(error: String) -> AkdStorageError {
    AkdStorageError::Other(error)
}
