// SPDX-License-Identifier: AGPL-3.0-or-later
//! The suite of every store of a ledger: what the sequencer relies on, and what the directory's library does.
//!
//! A store's tests call [`all`] with a [`Factory`]. A broken promise comes back as a sentence; the library's own suite
//! panics.

use std::{collections::HashMap, sync::Arc};

use akd::{
    AkdLabel, AkdValue,
    errors::StorageError as AkdStorageError,
    storage::{
        Database, DbSetState, Storable,
        tests::run_test_cases_for_storage_impl,
        types::{DbRecord, KeyData, ValueState, ValueStateRetrievalFlag},
    },
};
use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    ledger::rows::Rows,
    storage::{
        Day,
        conformance::{Checked, ensure},
        directory::DirectoryRows,
        ledger::{Appended, LedgerStorage, LogAppend, Note},
    },
};

/// Makes the stores that the suite runs on.
pub trait Factory {
    /// The store.
    type Store: LedgerStorage + Clone;
    /// A new, empty one.
    fn make(&mut self) -> Self::Store;
    /// What is there after the process that held this store has gone.
    fn reopen(&mut self, store: Self::Store) -> Self::Store;
}

/// Runs everything, each on a store of its own.
///
/// # Errors
/// The first [`super::conformance::Violation`].
pub async fn all<F: Factory>(factory: &mut F) -> Checked {
    an_append_is_whole_and_only_at_the_end(&factory.make()).await?;
    versions_of_a_label_are_found_by_epoch(&factory.make()).await?;
    a_token_is_spent_once(&factory.make()).await?;
    a_promise_never_falls(&factory.make()).await?;
    let store = factory.make();
    store.append(rich_append(0)).await?;
    store.promise(3).await?;
    everything_is_there(&factory.reopen(store)).await?;
    run_test_cases_for_storage_impl(Through(Arc::new(factory.make()))).await;
    Ok(())
}

/// Three entries and one thing of each kind.
fn rich_append(at: u64) -> LogAppend {
    LogAppend {
        at,
        entries: (0..3).map(|byte| vec![byte; 40].into()).collect(),
        hashes: vec![(0, 0, [1; 32]), (0, 1, [2; 32]), (0, 2, [3; 32]), (1, 0, [4; 32])],
        blobs: vec![([5; 32], vec![6; 300_000].into())],
        notes: vec![(Note::TokenDay, vec![7; 4].into())],
        directory: DirectoryRows {
            head: Some(vec![8; 16].into()),
            nodes: vec![([9; 34], vec![10; 100].into())],
            versions: vec![(vec![11; 33].into(), 1, vec![12; 50].into())],
        },
    }
}

async fn everything_is_there(store: &impl LedgerStorage) -> Checked {
    ensure(store.size().await? == 3, "an append is there after the process has gone")?;
    ensure(store.entries(1, 9).await?.len() == 2, "entries are there")?;
    ensure(store.hashes(0, 1, 9).await? == [[2; 32], [3; 32]], "hashes are there")?;
    ensure(store.hashes(1, 0, 9).await? == [[4; 32]], "hashes of a level are apart")?;
    ensure(store.blob([5; 32]).await? == Some(vec![6; 300_000].into()), "blobs are there")?;
    ensure(store.blob([6; 32]).await?.is_none(), "and no others")?;
    ensure(store.note(Note::TokenDay).await? == Some(vec![7; 4].into()), "notes are there")?;
    ensure(store.note(Note::Served).await?.is_none(), "notes have names")?;
    ensure(store.head().await? == Some(vec![8; 16].into()), "the directory's head is there")?;
    let nodes = store.nodes(vec![[1; 34], [9; 34]]).await?;
    ensure(nodes == [None, Some(vec![10; 100].into())], "nodes come in the order asked")?;
    ensure(store.promised().await? == 3, "a promise is there")
}

async fn an_append_is_whole_and_only_at_the_end(store: &impl LedgerStorage) -> Checked {
    ensure(store.size().await? == 0 && store.head().await?.is_none(), "a new store is empty")?;
    let early = store.append(rich_append(1)).await?;
    ensure(early == Appended::Moved, "nothing is appended beyond the end")?;
    ensure(store.size().await? == 0 && store.blob([5; 32]).await?.is_none(), "nor in part")?;
    ensure(store.append(rich_append(0)).await? == Appended::Done, "an append at the end stands")?;
    ensure(store.append(rich_append(0)).await? == Appended::Moved, "it does not stand twice")?;
    let more = LogAppend { at: 3, entries: vec![Bytes::from_static(b"4")], ..LogAppend::default() };
    ensure(store.append(more).await? == Appended::Done, "the next one follows")?;
    ensure(store.entries(3, 1).await? == [Bytes::from_static(b"4")], "entries keep their order")?;
    ensure(store.head().await?.is_some(), "an append without a head leaves the head")?;
    store.keep(Note::Served, Bytes::from_static(b"note")).await?;
    let note = store.note(Note::Served).await?;
    ensure(note == Some(Bytes::from_static(b"note")), "a note is kept")
}

async fn versions_of_a_label_are_found_by_epoch(store: &impl LedgerStorage) -> Checked {
    // One label is the beginning of another, and of the other's row.
    let (short, long) = (Bytes::from(vec![0; 8]), Bytes::from(vec![0; 16]));
    let mut directory = DirectoryRows::default();
    for epoch in [1, 5, 300] {
        for label in [&short, &long] {
            let row = [label.as_ref(), &u64::to_be_bytes(epoch)].concat();
            directory.versions.push((label.clone(), epoch, row.into()));
        }
    }
    store.append(LogAppend { directory, ..LogAppend::default() }).await?;
    for label in [&short, &long] {
        let all = store.versions(label.clone()).await?;
        let epochs: Vec<u64> = all.iter().map(|(epoch, _)| *epoch).collect();
        ensure(epochs == [1, 5, 300], "the versions of a label come oldest first")?;
        ensure(
            all.iter().all(|(_, row)| row.len() == label.len() + 8),
            "and no other label's are among them",
        )?;
        for (up_to, found) in
            [(0, None), (1, Some(1)), (4, Some(1)), (299, Some(5)), (u64::MAX, Some(300))]
        {
            let version = store.version(label.clone(), up_to).await?;
            ensure(
                version.map(|(epoch, _)| epoch) == found,
                "the newest version up to an epoch is found",
            )?;
        }
    }
    ensure(store.versions(vec![1; 8].into()).await?.is_empty(), "an unknown label has none")
}

async fn a_token_is_spent_once(store: &impl LedgerStorage) -> Checked {
    let (today, yesterday) = (Day(20_000), Day(19_999));
    for day in [today, yesterday] {
        ensure(store.spend(day, [1; 32], yesterday).await?, "a token is spent")?;
        ensure(!store.spend(day, [1; 32], yesterday).await?, "once")?;
    }
    ensure(store.spend(today, [2; 32], yesterday).await?, "another one is another")?;
    let tomorrow = Day(20_001);
    ensure(store.spend(tomorrow, [1; 32], today).await?, "each day has its own")?;
    ensure(!store.spend(today, [1; 32], today).await?, "what still counts is remembered")
}

async fn a_promise_never_falls(store: &impl LedgerStorage) -> Checked {
    ensure(store.promised().await? == 0, "nothing is promised at first")?;
    store.promise(7).await?;
    store.promise(5).await?;
    ensure(store.promised().await? == 7, "a promise never falls")
}

/// The store as the library's suite wants it: each write is there at once.
struct Through(Arc<dyn LedgerStorage>);

impl Through {
    fn rows(&self) -> Rows {
        Rows::writer(Arc::clone(&self.0))
    }
}

type Answered<T> = Result<T, AkdStorageError>;

#[async_trait]
impl Database for Through {
    async fn set(&self, record: DbRecord) -> Answered<()> {
        self.batch_set(vec![record], DbSetState::General).await
    }

    async fn batch_set(&self, records: Vec<DbRecord>, state: DbSetState) -> Answered<()> {
        let rows = self.rows();
        rows.batch_set(records, state).await?;
        let append = LogAppend { directory: rows.take(), ..LogAppend::default() };
        let done = self.0.append(append).await;
        done.map(drop).map_err(|error| AkdStorageError::Other(error.to_string()))
    }

    async fn get<St: Storable>(&self, id: &St::StorageKey) -> Answered<DbRecord> {
        self.rows().get::<St>(id).await
    }

    async fn batch_get<St: Storable>(&self, ids: &[St::StorageKey]) -> Answered<Vec<DbRecord>> {
        self.rows().batch_get::<St>(ids).await
    }

    async fn get_user_data(&self, label: &AkdLabel) -> Answered<KeyData> {
        self.rows().get_user_data(label).await
    }

    async fn get_user_state(
        &self,
        label: &AkdLabel,
        flag: ValueStateRetrievalFlag,
    ) -> Answered<ValueState> {
        self.rows().get_user_state(label, flag).await
    }

    async fn get_user_state_versions(
        &self,
        labels: &[AkdLabel],
        flag: ValueStateRetrievalFlag,
    ) -> Answered<HashMap<AkdLabel, (u64, AkdValue)>> {
        self.rows().get_user_state_versions(labels, flag).await
    }
}
