// SPDX-License-Identifier: AGPL-3.0-or-later
//! The database file: OPFS sync access handles, through SQLite's VFS.
//!
//! The pool of handles can be held by one worker at a time. Whoever takes over waits here until the other
//! has let go of them.

use std::{cell::RefCell, rc::Rc};

use rusqlite::Connection;
use sqlite_wasm_rs::{WasmOsCallback, vfs::VfsFilesManager as _};
use sqlite_wasm_vfs::sahpool::{self, OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil};

use crate::{
    browser::{host, timer},
    store::{Journal, OpenStoreError, SqliteStore},
};

/// Why there is no database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenError {
    /// There was one with an account, and it or its key is no longer there.
    Gone,
    /// This browser (or private window) has no sync access handles.
    Unsupported,
    /// It may work another time.
    Failed,
}

/// The pool, once it is there.
#[derive(Clone, Default)]
pub(super) struct Disk {
    pool: Rc<RefCell<Option<OpfsSAHPoolUtil>>>,
}

impl Disk {
    /// Opens or makes the database. `anew`: whatever is there is thrown away first.
    pub(super) async fn open(&self, anew: bool) -> Result<SqliteStore, OpenError> {
        self.acquire().await?;
        if anew {
            self.clear();
            host::forget().await.map_err(|_| OpenError::Failed)?;
        }
        let there = self.holds_database()?;
        let key = host::load_key().await.map_err(|_| OpenError::Failed)?;
        let key = match (key, there) {
            (Some(key), true) => key,
            (None, true) => return Err(OpenError::Gone),
            (key, false) => {
                if host::had_account().await.map_err(|_| OpenError::Failed)? {
                    return Err(OpenError::Gone);
                }
                match key {
                    Some(key) => key,
                    None => host::make_key().await.ok().flatten().ok_or(OpenError::Failed)?,
                }
            }
        };
        let connection = Connection::open(FILE).map_err(|_| OpenError::Failed)?;
        SqliteStore::open(connection, &key, Journal::Rollback).map_err(|error| match error {
            OpenStoreError::WrongKey => OpenError::Gone,
            _ => OpenError::Failed,
        })
    }

    /// Lets go of the files, for another tab. The store was dropped before.
    pub(super) fn shut(&self) {
        if let Some(pool) = &*self.pool.borrow() {
            // Open files would be the only reason to fail, and there are none.
            drop(pool.pause());
        }
    }

    /// Deletes database and key. The store was dropped before.
    pub(super) async fn erase(&self) {
        self.clear();
        drop(host::forget().await);
        self.shut();
        host::let_go();
    }

    fn clear(&self) {
        if let Some(pool) = &*self.pool.borrow() {
            drop(pool.clear());
        }
    }

    fn holds_database(&self) -> Result<bool, OpenError> {
        let pool = self.pool.borrow();
        let pool = pool.as_ref().ok_or(OpenError::Failed)?;
        pool.contains(FILE).map_err(|_| OpenError::Failed)
    }

    async fn acquire(&self) -> Result<(), OpenError> {
        for _ in 0..ATTEMPTS {
            match self.try_acquire().await {
                Ok(()) => return Ok(()),
                Err(OpfsSAHError::NotSupported) => return Err(OpenError::Unsupported),
                // Held by a worker that is just letting go.
                Err(_) => timer::pause(PAUSE_MS).await,
            }
        }
        Err(OpenError::Failed)
    }

    async fn try_acquire(&self) -> Result<(), OpfsSAHError> {
        let known = self.pool.borrow().clone();
        if let Some(pool) = known {
            return pool.resume().await;
        }
        let config = OpfsSAHPoolCfgBuilder::new().directory(FOLDER).build();
        let pool = sahpool::install::<WasmOsCallback>(&config, true).await?;
        *self.pool.borrow_mut() = Some(pool);
        Ok(())
    }
}

const FOLDER: &str = "nodoor";
const FILE: &str = "nodoor.db";
/// Five seconds in all: as long as a closing tab may need.
const ATTEMPTS: u32 = 50;
const PAUSE_MS: u64 = 100;
