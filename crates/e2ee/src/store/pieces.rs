// SPDX-License-Identifier: AGPL-3.0-or-later
//! A room's message secrets, in pieces: what every message changes is small, what OpenMLS hands over is not.
//!
//! OpenMLS writes the secrets of this epoch and of those before it with every frame sealed or opened, the members
//! of each of those epochs included: near a megabyte in a busy room of a hundred. Here that one document is cut at the
//! secrets and the members of each epoch. A piece is written when it differs from the one on disk, and the members of a past
//! epoch, which never change, are not even encoded again. An index keeps the bytes between the pieces; all of it in order
//! is the document.
//!
//! A name of a struct that OpenMLS changes one day costs the speed, not the state: what is not cut is in the index.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::store::{
    Damaged, KeyValue,
    cbor::{self, Cutter},
    read,
};

/// Where the pieces of one room are.
pub(super) struct Pieces<'s> {
    store: &'s dyn KeyValue,
    index: Vec<u8>,
    prefix: Vec<u8>,
}

/// What stands before each piece, the piece's name, and what stands after the last one. Read with every message: as whole strings
/// of bytes, not byte after byte.
type Index = (Vec<(ByteBuf, ByteBuf)>, ByteBuf);

impl<'s> Pieces<'s> {
    pub(super) fn new(store: &'s dyn KeyValue, index: Vec<u8>, prefix: Vec<u8>) -> Self {
        Self { store, index, prefix }
    }

    pub(super) fn write(&self, value: &impl Serialize) -> Result<(), Damaged> {
        let old = self.store.get(&self.index);
        let mut gone = BTreeSet::new();
        if let Some(old) = &old {
            let (pieces, _): Index = read::from_slice(old)?;
            gone.extend(pieces.into_iter().map(|(_, name)| name.into_vec()));
        }
        let mut cuts = Cuts { kept: &gone, epoch: Vec::new(), found: Vec::new() };
        let document = cbor::to_vec_cut(value, &mut cuts)?;
        let mut index: Index = Default::default();
        let mut from = 0;
        for Cut { name, start, end } in cuts.found {
            let before = document.get(from..start).ok_or(Damaged)?;
            if let Some(end) = end {
                let piece = document.get(start..end).ok_or(Damaged)?;
                self.put(self.key(&name), piece);
            }
            from = end.unwrap_or(start);
            index.0.push((ByteBuf::from(before), ByteBuf::from(name)));
        }
        index.1 = ByteBuf::from(document.get(from..).ok_or(Damaged)?);
        self.put(self.index.clone(), &cbor::to_vec(&index)?);
        for (_, name) in &index.0 {
            gone.remove(name.as_slice());
        }
        gone.iter().for_each(|name| self.store.delete(&self.key(name)));
        Ok(())
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, Damaged> {
        let Some(index) = self.store.get(&self.index) else {
            return Ok(None);
        };
        let (pieces, last): Index = read::from_slice(&index)?;
        let mut document = Vec::new();
        for (before, name) in pieces {
            document.extend_from_slice(&before);
            document.extend(self.store.get(&self.key(&name)).ok_or(Damaged)?);
        }
        document.extend_from_slice(&last);
        Ok(Some(read::from_slice(&document)?))
    }

    pub(super) fn delete(&self) -> Result<(), Damaged> {
        if let Some(index) = self.store.get(&self.index) {
            let (pieces, _): Index = read::from_slice(&index)?;
            pieces.iter().for_each(|(_, name)| self.store.delete(&self.key(name)));
            self.store.delete(&self.index);
        }
        Ok(())
    }

    fn put(&self, key: Vec<u8>, value: &[u8]) {
        if self.store.get(&key).as_deref() != Some(value) {
            self.store.put(key, value.to_vec());
        }
    }

    fn key(&self, name: &[u8]) -> Vec<u8> {
        [self.prefix.as_slice(), b"/", name].concat()
    }
}

/// Finds the pieces while the document is written.
struct Cuts<'k> {
    /// Pieces that are on disk.
    kept: &'k BTreeSet<Vec<u8>>,
    /// The past epoch being written, encoded.
    epoch: Vec<u8>,
    found: Vec<Cut>,
}

struct Cut {
    name: Vec<u8>,
    start: usize,
    /// None: left out, since it is on disk.
    end: Option<usize>,
}

impl Cutter for Cuts<'_> {
    fn begins(&mut self, within: &'static str, field: &'static str, at: usize) -> bool {
        let name = match (within, field) {
            ("EpochTree", "message_secrets") => [b"past/", self.epoch.as_slice()].concat(),
            ("EpochTree", "leaves") => [b"members/", self.epoch.as_slice()].concat(),
            ("MessageSecretsStore", "message_secrets") => b"now".to_vec(),
            _ => return true,
        };
        let skip = field == "leaves" && self.kept.contains(&name);
        self.found.push(Cut { name, start: at, end: None });
        !skip
    }

    fn ended(&mut self, within: &'static str, field: &'static str, at: usize, out: &[u8]) {
        if (within, field) == ("EpochTree", "epoch") {
            self.epoch = out.iter().skip(at).copied().collect();
        }
        // No piece lies in another.
        if let Some(cut) = self.found.last_mut().filter(|cut| cut.start == at) {
            cut.end = Some(out.len());
        }
    }
}
