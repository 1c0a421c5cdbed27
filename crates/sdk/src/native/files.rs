// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: sealing, moving and opening them, each on a thread of its own beside the engine's.
//!
//! Sealed files lie in `files` within the profile: whole ones under the hash of their bytes, what is being made or fetched
//! under other names until it is whole and synced. Nothing here decides: the engine says what to do, hears how it went, and
//! says it again after a crash. Keys are in memory for as long as the work takes.
//!
//! What a crash leaves: a part of a sealed file, which is made anew; a part of a fetched one, which is gone on with; beside
//! the place of a saved one a file that begins with `.nodoor-`, which nothing reads.
//!
//! Spec: `docs/book/protocol.md`, 9. `driver` calls it.

mod disk;
mod way;

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use nodoor_client::io::{FileFault, FileWord, FileWork};
use nodoor_view::model::MessageId;
use tokio::sync::mpsc;

/// What is told of work: whose file, which piece of work, what.
pub(crate) type Told = (MessageId, u64, FileWord);

/// Everything under way.
pub(crate) struct Hands {
    place: Place,
    told: mpsc::UnboundedSender<Told>,
    running: HashMap<MessageId, Hand>,
    last: u64,
}

struct Hand {
    number: u64,
    stop: Arc<AtomicBool>,
}

/// Where sealed files are, and where they go.
#[derive(Clone)]
pub(crate) struct Place {
    folder: PathBuf,
    server: String,
    more_roots: Option<PathBuf>,
}

impl Place {
    /// A profile's folder, and the address of its server. `more_roots` as for the sockets.
    pub(crate) fn new(profile: &Path, server: &str, more_roots: Option<&Path>) -> Self {
        Self {
            folder: profile.join(super::profile::SEALED),
            server: server.trim_end_matches('/').to_owned(),
            more_roots: more_roots.map(Path::to_owned),
        }
    }

    /// A whole sealed file.
    fn whole(&self, sealed: &[u8; 32]) -> PathBuf {
        self.folder.join(hex::encode(sealed))
    }

    /// One that is fetched.
    fn part(&self, sealed: &[u8; 32]) -> PathBuf {
        self.folder.join(format!("{}.part", hex::encode(sealed)))
    }

    /// One that is made.
    fn made(&self, message: MessageId) -> PathBuf {
        self.folder.join(format!("{}.new", message.0))
    }
}

/// What a piece of work knows of the world.
struct Job<'a> {
    place: &'a Place,
    message: MessageId,
    stop: &'a AtomicBool,
    told: &'a dyn Fn(FileWord),
}

impl Job<'_> {
    fn is_stopped(&self) -> Result<(), FileFault> {
        if self.stop.load(Ordering::Relaxed) { Err(FileFault::NoAnswer) } else { Ok(()) }
    }

    fn moved(&self, done: u64, total: u64) {
        (self.told)(FileWord::Moved { done, total });
    }

    fn run(&self, work: FileWork) -> Result<FileWord, FileFault> {
        match work {
            FileWork::Seal { from, key } => disk::seal(self, Path::new(&from), &key),
            FileWork::Put { sealed, secret, pass } => way::put(self, &sealed, &secret, pass),
            FileWork::Get { hashes, key, size, pass } => {
                let at_once = way::get(self, &hashes, size, &pass)?;
                disk::receive(self, &hashes, &key, size, at_once)
            }
            FileWork::Save { hashes, key, size, to } => {
                disk::save(self, &hashes, &key, size, Path::new(&to))
            }
            FileWork::Stop | FileWork::Forget { .. } | FileWork::KeepOnly { .. } => {
                Err(FileFault::NoAnswer)
            }
        }
    }
}

impl Hands {
    pub(crate) fn new(place: Place, told: mpsc::UnboundedSender<Told>) -> Self {
        Self { place, told, running: HashMap::new(), last: 0 }
    }

    /// Does what the engine wants of a file.
    pub(crate) fn work(&mut self, message: MessageId, work: FileWork) {
        match work {
            FileWork::Stop => {
                if let Some(hand) = self.running.remove(&message) {
                    hand.stop.store(true, Ordering::Relaxed);
                }
                let _ = fs::remove_file(self.place.made(message));
            }
            FileWork::Forget { sealed } => {
                for path in [self.place.whole(&sealed), self.place.part(&sealed)] {
                    let _ = fs::remove_file(path);
                }
            }
            FileWork::KeepOnly { sealed } => self.keep_only(&sealed),
            work => self.begin(message, work),
        }
    }

    fn keep_only(&self, sealed: &[[u8; 32]]) {
        let kept: HashSet<PathBuf> = sealed
            .iter()
            .flat_map(|sealed| [self.place.whole(sealed), self.place.part(sealed)])
            .collect();
        // No folder: no file yet.
        let Ok(entries) = fs::read_dir(&self.place.folder) else { return };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if !kept.contains(&path) {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn begin(&mut self, message: MessageId, work: FileWork) {
        self.last += 1;
        let (number, stop) = (self.last, Arc::new(AtomicBool::new(false)));
        let before = self.running.insert(message, Hand { number, stop: Arc::clone(&stop) });
        before.iter().for_each(|hand| hand.stop.store(true, Ordering::Relaxed));
        let (place, told) = (self.place.clone(), self.told.clone());
        let thread = thread::Builder::new().name("nodoor-file".into()).spawn(move || {
            let say = |word| drop(told.send((message, number, word)));
            let job = Job { place: &place, message, stop: &stop, told: &say };
            let word = job.run(work).unwrap_or_else(FileWord::Failed);
            say(word);
        });
        if thread.is_err() {
            let _ = self.told.send((message, number, FileWord::Failed(FileFault::NoAnswer)));
        }
    }

    /// Whether a word is of work that still counts; the last one ends it.
    pub(crate) fn counts(&mut self, message: MessageId, number: u64, word: &FileWord) -> bool {
        let counts = self.running.get(&message).is_some_and(|hand| hand.number == number);
        if counts && !matches!(word, FileWord::Moved { .. }) {
            self.running.remove(&message);
        }
        counts
    }

    /// Whether anything is under way.
    pub(crate) fn are_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// Ends everything; the engine forgot it.
    pub(crate) fn stop_all(&mut self) {
        for hand in self.running.drain() {
            hand.1.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.stop_all();
    }
}
