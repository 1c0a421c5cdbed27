// SPDX-License-Identifier: AGPL-3.0-or-later
//! Tiles out of the store's rows, for maths that reads them without waiting.
//!
//! The store keeps single hashes, so that an entry writes one row and not a tile of 256; a tile is put together when it
//! is asked for.

use std::collections::BTreeMap;

use bytes::Bytes;
use nodoor_transparency::ledger::tree::{
    self, Hash, TILE_WIDTH, Tile, TreeError, appended_tiles, bundle_to_vec,
};

use crate::storage::{StorageError, ledger::LedgerStorage};

/// What a computation over tiles says while it lacks one.
type Lacks<T> = Result<T, TreeError<Tile>>;
/// Reads a tile that was fetched before, or names the one that is lacking.
type Fetched<'a> = dyn FnMut(Tile) -> Result<Vec<u8>, Tile> + Send + 'a;

/// The bytes of a tile or bundle; nothing if the store does not have all of it.
pub(super) async fn bytes(
    store: &dyn LedgerStorage,
    tile: Tile,
) -> Result<Option<Bytes>, StorageError> {
    let from = tile.index.saturating_mul(TILE_WIDTH);
    let width = usize::from(tile.width);
    let Some(level) = tile.level else {
        let entries = store.entries(from, width).await?;
        let bundle = (entries.len() == width).then(|| bundle_to_vec(entries.iter().map(|e| &**e)));
        return Ok(bundle.flatten().map(Bytes::from));
    };
    let hashes = store.hashes(level, from, width).await?;
    Ok((hashes.len() == width).then(|| hashes.concat().into()))
}

/// Runs a computation over tiles, fetching what it lacks until it lacks nothing.
async fn over_tiles<T>(
    store: &dyn LedgerStorage,
    compute: impl Fn(&mut Fetched<'_>) -> Lacks<T>,
) -> Result<T, StorageError> {
    const DAMAGED: StorageError = StorageError::Damaged("a tile of the ledger is not whole");
    let mut fetched: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    loop {
        match compute(&mut |tile| fetched.get(&tile).cloned().ok_or(tile)) {
            Ok(computed) => return Ok(computed),
            Err(TreeError::Read(tile)) => {
                let bytes = bytes(store, tile).await?.ok_or(DAMAGED)?;
                fetched.insert(tile, bytes.to_vec());
            }
            Err(_) => return Err(DAMAGED),
        }
    }
}

/// The root of the first `size` entries.
pub(super) async fn root(store: &dyn LedgerStorage, size: u64) -> Result<Hash, StorageError> {
    over_tiles(store, |mut tiles| tree::root(size, &mut tiles)).await
}

/// The inclusion proof of an entry among the first `size`.
pub(super) async fn inclusion(
    store: &dyn LedgerStorage,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, StorageError> {
    over_tiles(store, |mut tiles| tree::inclusion_proof(index, size, &mut tiles)).await
}

/// The consistency proof between two sizes.
pub(super) async fn consistency(
    store: &dyn LedgerStorage,
    from: u64,
    to: u64,
) -> Result<Vec<Hash>, StorageError> {
    over_tiles(store, |mut tiles| tree::consistency_proof(from, to, &mut tiles)).await
}

/// The rows of hashes that these leaves add behind the first `size`.
pub(super) async fn appended(
    store: &dyn LedgerStorage,
    size: u64,
    leaves: &[Hash],
) -> Result<Vec<(u8, u64, Hash)>, StorageError> {
    let tiles = over_tiles(store, |mut tiles| appended_tiles(size, leaves, &mut tiles)).await?;
    let mut rows = Vec::new();
    for (tile, bytes) in tiles {
        let level = tile.level.unwrap_or_default();
        let there = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        let first = tile.index.saturating_mul(TILE_WIDTH);
        let (hashes, _) = bytes.as_chunks::<32>();
        let new = (first..).zip(hashes).filter(|(index, _)| *index >= there);
        rows.extend(new.map(|(index, hash)| (level, index, *hash)));
    }
    Ok(rows)
}
