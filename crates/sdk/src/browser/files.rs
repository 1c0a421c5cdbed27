// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files in a browser: sealing, moving and opening them, between two turns of the worker's event loop.
//!
//! Sealed files lie in a folder of OPFS beside the database: whole ones under the hash of their bytes, what is being made or
//! fetched under other names until it is whole and flushed. Nothing here decides: the engine says what to do, hears how it
//! went, and says it again after a reload. A file that is to be sealed is one the page picked ([`pick`]); a place to save to
//! is a name under which the page gets a blob, which it hands to the person's downloads. Plain bytes are never in OPFS.
//!
//! One worker holds a file at a time. Who finds it held, by work that is just ending, answers `NoAnswer` and is asked again.
//!
//! Spec: `docs/book/protocol.md`, 9; `docs/decisions/0025-files-in-a-browser.md`. The driver calls it; `files.js` is what it stands on.

mod disk;
mod host;
mod way;

use std::{cell::Cell, collections::HashMap, rc::Rc};

use js_sys::Array;
use nodoor_client::io::{FileFault, FileWord, FileWork};
use nodoor_view::model::MessageId;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

pub(super) use self::host::pick;

/// What is told of work: whose file, which piece of work, what.
type Tell = Rc<dyn Fn(MessageId, u64, FileWord)>;
/// Where an opened file goes: its place, its bytes as a blob.
type Give = Rc<dyn Fn(String, JsValue)>;

/// Everything under way.
pub(super) struct Hands {
    tell: Tell,
    give: Give,
    running: HashMap<MessageId, Hand>,
    last: u64,
}

struct Hand {
    number: u64,
    stop: Rc<Cell<bool>>,
}

/// What a piece of work knows of the world.
struct Job {
    message: MessageId,
    number: u64,
    stop: Rc<Cell<bool>>,
    tell: Tell,
    give: Give,
}

impl Job {
    fn is_stopped(&self) -> Result<(), FileFault> {
        if self.stop.get() { Err(FileFault::NoAnswer) } else { Ok(()) }
    }

    fn moved(&self, done: u64, total: u64) {
        (self.tell)(self.message, self.number, FileWord::Moved { done, total });
    }

    async fn run(&self, work: FileWork) -> Result<FileWord, FileFault> {
        match work {
            FileWork::Seal { from, key } => disk::seal(self, &from, &key).await,
            FileWork::Put { sealed, secret, pass } => way::put(self, &sealed, &secret, pass).await,
            FileWork::Get { hashes, key, size, pass } => {
                let at_once = way::get(self, &hashes, size, &pass).await?;
                disk::receive(self, &hashes, &key, size, at_once).await
            }
            FileWork::Save { hashes, key, size, to } => {
                let blob = disk::open(self, &hashes, &key, size).await?;
                (self.give)(to, blob);
                Ok(FileWord::Saved)
            }
            FileWork::Stop | FileWork::Forget { .. } | FileWork::KeepOnly { .. } => {
                Err(FileFault::NoAnswer)
            }
        }
    }
}

impl Hands {
    /// `tell` hears of work, `give` gets what was opened; both between two turns.
    pub(super) fn new(
        tell: impl Fn(MessageId, u64, FileWord) + 'static,
        give: impl Fn(String, JsValue) + 'static,
    ) -> Self {
        Self { tell: Rc::new(tell), give: Rc::new(give), running: HashMap::new(), last: 0 }
    }

    /// Does what the engine wants of a file.
    pub(super) fn work(&mut self, message: MessageId, work: FileWork) {
        match work {
            FileWork::Stop => {
                if let Some(hand) = self.running.remove(&message) {
                    hand.stop.set(true);
                }
            }
            FileWork::Forget { sealed } => spawn_local(async move {
                for name in [whole(&sealed), part(&sealed)] {
                    drop(host::remove(&name).await);
                }
            }),
            FileWork::KeepOnly { sealed } => {
                let names: Array = sealed
                    .iter()
                    .flat_map(|sealed| [whole(sealed), part(sealed)])
                    .map(JsValue::from)
                    .collect();
                spawn_local(async move { drop(host::keep_only(names).await) });
            }
            work => self.begin(message, work),
        }
    }

    fn begin(&mut self, message: MessageId, work: FileWork) {
        self.last += 1;
        let (number, stop) = (self.last, Rc::new(Cell::new(false)));
        let before = self.running.insert(message, Hand { number, stop: Rc::clone(&stop) });
        before.iter().for_each(|hand| hand.stop.set(true));
        let job =
            Job { message, number, stop, tell: Rc::clone(&self.tell), give: Rc::clone(&self.give) };
        spawn_local(async move {
            let word = job.run(work).await.unwrap_or_else(FileWord::Failed);
            (job.tell)(message, number, word);
        });
    }

    /// Whether a word is of work that still counts; the last one ends it.
    pub(super) fn counts(&mut self, message: MessageId, number: u64, word: &FileWord) -> bool {
        let counts = self.running.get(&message).is_some_and(|hand| hand.number == number);
        if counts && !matches!(word, FileWord::Moved { .. }) {
            self.running.remove(&message);
        }
        counts
    }

    /// Ends everything; the engine forgot it.
    pub(super) fn stop_all(&mut self) {
        for (_, hand) in self.running.drain() {
            hand.stop.set(true);
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.stop_all();
    }
}

/// Forgets every file: the profile is erased. What is still held goes when the next profile starts.
pub(super) async fn erase() {
    drop(host::keep_only(Array::new()).await);
}

/// A whole sealed file.
fn whole(sealed: &[u8; 32]) -> String {
    hex::encode(sealed)
}

/// One that is fetched.
fn part(sealed: &[u8; 32]) -> String {
    format!("{}.part", hex::encode(sealed))
}
