// SPDX-License-Identifier: AGPL-3.0-or-later
//! The folder keeps every promise that the server relies on.

use nodoor_server::storage::{
    blobs_conformance,
    conformance::{self, Factory},
    ledger_conformance,
};
use nodoor_store_embedded::{BlobFolder, Folder, LedgerFolder};
use tempfile::TempDir;

#[derive(Default)]
struct Folders(Vec<TempDir>);

impl Factory for Folders {
    type Store = Folder;

    fn make(&mut self) -> Folder {
        self.0.push(tempfile::tempdir().unwrap());
        Folder::open(self.0.last().unwrap().path()).unwrap()
    }

    fn reopen(&mut self, store: Folder) -> Folder {
        drop(store);
        Folder::open(self.0.last().unwrap().path()).unwrap()
    }
}

#[test]
fn the_folder_keeps_every_promise() {
    conformance::all(&mut Folders::default()).unwrap();
}

#[derive(Default)]
struct LedgerFolders(Vec<TempDir>);

impl ledger_conformance::Factory for LedgerFolders {
    type Store = LedgerFolder;

    fn make(&mut self) -> LedgerFolder {
        self.0.push(tempfile::tempdir().unwrap());
        LedgerFolder::open(self.0.last().unwrap().path()).unwrap()
    }

    fn reopen(&mut self, store: LedgerFolder) -> LedgerFolder {
        drop(store);
        LedgerFolder::open(self.0.last().unwrap().path()).unwrap()
    }
}

#[tokio::test]
async fn the_ledgers_folder_keeps_every_promise() {
    ledger_conformance::all(&mut LedgerFolders::default()).await.unwrap();
}

#[derive(Default)]
struct BlobFolders(Vec<(TempDir, u64)>);

impl blobs_conformance::Factory for BlobFolders {
    type Store = BlobFolder;

    fn make(&mut self, most: u64) -> BlobFolder {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobFolder::open_with_reserve(folder.path(), most, 0).unwrap();
        self.0.push((folder, most));
        store
    }

    fn reopen(&mut self, store: BlobFolder) -> BlobFolder {
        drop(store);
        let (folder, most) = self.0.last().unwrap();
        BlobFolder::open_with_reserve(folder.path(), *most, 0).unwrap()
    }
}

#[test]
fn the_folder_of_files_keeps_every_promise() {
    blobs_conformance::all(&mut BlobFolders::default()).unwrap();
}
