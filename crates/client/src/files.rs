// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: which one moves, what it waits for, and when it goes.
//!
//! A row `fm/<message>` is a file that is sealed, put, fetched or saved; the driver does the work, one [`FileWork`] a message
//! at a time, and says what became of it. Whatever breaks, the row says what to do again. A row `fi/<hash><message>` is a
//! sealed file that is here because that message names it; with the last such row the file goes.
//!
//! [`asked`] is what people do; here is what becomes of it.
//!
//! May not know: paths (they are the driver's words) and what is in a file. [`crate::outbox`] asks whether a message waits for
//! its file.
//!
//! Spec: `docs/book/protocol.md`, 9.

mod asked;

use std::collections::{BTreeMap, BTreeSet};

use nodoor_e2ee::{
    content::{self, Content, MimiContent, external},
    file::{Hashes, sealed_size},
};
use nodoor_view::{
    event::Event,
    file::{self as view, State as Where},
    model::{MessageId, Problem, ProblemKind},
    text::{Lines, for_terminal},
};
use nodoor_wire::proto::{self, answer, request};
use serde::{Deserialize, Serialize};

use crate::{
    io::{Effect, FileFault, FileWord, FileWork, Wire},
    link::problem_of,
    live::Purpose,
    media::{Look, PLAIN},
    rows::{Deleted, Message, NotSent, Outgoing, State, Stored, WhyNotSent, key},
    step::{Step, problem},
};

/// Files that move at once.
const AT_ONCE: usize = 3;
/// Pauses after no answer, milliseconds: the first, and the longest.
const PAUSE: u64 = 1_000;
const LONGEST_PAUSE: u64 = 60_000;
/// How long a blob stays without being renewed, seconds.
const KEPT_SECONDS: u64 = 30 * 24 * 3600;
/// Characters of a name as it is shown.
const SHOWN_NAME: usize = 120;

/// `fm/<message>`: a file that moves.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Moving {
    /// What is done with it.
    stage: Stage,
    /// Where it is to be read or written; the driver's word.
    place: String,
    /// Of its upload.
    secret: [u8; 32],
    /// It waits for its person to try again.
    held: bool,
    /// Tries without an answer.
    failures: u32,
    /// Not before, milliseconds.
    not_before: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Seal,
    Put,
    /// Fetched, and then saved if there is a place.
    Get,
    Save,
}

/// `fi/<hash><message>`: a sealed file that is here.
#[derive(Clone, Serialize, Deserialize)]
struct Here {
    /// What its first bytes say.
    content_type: String,
    /// Sealed bytes.
    bytes: u64,
}

/// Work under way; all of it begins anew after a start.
#[derive(Default)]
pub(crate) struct AtWork {
    running: BTreeSet<MessageId>,
    /// Passes asked for.
    asked: BTreeSet<MessageId>,
    /// Uploads that take a pass.
    wanting: BTreeSet<MessageId>,
    passes: BTreeMap<MessageId, [u8; 32]>,
    /// A message went: files may be nobody's now.
    pub(crate) check: bool,
}

impl Step<'_> {
    // ---- what rows show ------------------------------------------------------------------------

    /// A file as its row shows it.
    pub(crate) fn file_shown(&self, id: MessageId, file: &external::File) -> view::File {
        let here = self.here(file, id);
        let state = match self.moving_file(id).map(|moving| moving.stage) {
            Some(Stage::Seal) => Where::Preparing,
            Some(Stage::Put) => Where::Uploading,
            Some(Stage::Get) => Where::Fetching,
            Some(Stage::Save) => Where::Here,
            None if here.is_some() => Where::Here,
            None => Where::Away,
        };
        let claimed = file.content_type.as_str();
        let holds = here.is_none_or(|here| agrees(claimed, &here.content_type));
        let pixels = u64::from(file.width) * u64::from(file.height);
        let is_plain = !holds || pixels > 50_000_000 || !claimed.is_ascii();
        let (width, height) = if is_plain { (0, 0) } else { (file.width, file.height) };
        view::File {
            name: safe_name(&file.name),
            content_type: if is_plain { PLAIN.to_owned() } else { claimed.to_owned() },
            size: file.size,
            caption: file.caption.clone(),
            width,
            height,
            milliseconds: file.milliseconds,
            waveform: file.waveform.clone(),
            preview: file.preview.clone(),
            state,
        }
    }

    /// What a message says of its file.
    fn file_of(&self, message: &Message) -> Option<external::File> {
        match message.content.said()?.body {
            Content::File(file) => Some(*file),
            _ => None,
        }
    }

    fn here(&self, file: &external::File, id: MessageId) -> Option<Here> {
        self.disk.get(&key::file(&file.hashes.sealed, id))
    }

    fn moving_file(&self, id: MessageId) -> Option<Moving> {
        self.disk.get(&key::moving(id))
    }

    /// Whether a message waits for its file to be at the server.
    pub(crate) fn is_moving(&self, id: MessageId) -> bool {
        self.moving_file(id).is_some_and(|moving| matches!(moving.stage, Stage::Seal | Stage::Put))
    }

    /// A person tries a message again.
    pub(crate) fn move_again(&mut self, id: MessageId) {
        if let Some(moving) = self.moving_file(id) {
            let moving = Moving { held: false, failures: 0, not_before: 0, ..moving };
            self.disk.put(key::moving(id), &moving);
        }
    }

    // ---- work ----------------------------------------------------------------------------------

    /// Begins what can be done, and drops what nobody names any more.
    pub(crate) fn advance_files(&mut self) {
        if std::mem::take(&mut self.live.files.check) {
            self.drop_files();
        }
        for (row, value) in self.disk.prefixed(key::MOVING, usize::MAX) {
            let id = key::read_moving(&row);
            let Some((id, moving)) = id.zip(self.disk.decode::<Moving>(&value)) else {
                self.disk.remove(&row);
                continue;
            };
            let full = self.live.files.running.len() >= AT_ONCE;
            let runs = self.live.files.running.contains(&id);
            if runs || full || moving.held || moving.not_before > self.now {
                continue;
            }
            let Some(message) = self.message(id) else { continue };
            let Some(mut file) = self.file_of(&message) else { continue };
            if moving.stage == Stage::Seal {
                // It may be another file by now than when it was sealed the last time, and a key is one file's.
                file.key = self.random();
                self.say_of_file(message, file.clone());
            }
            self.begin_work(id, &moving, &file);
        }
    }

    fn begin_work(&mut self, id: MessageId, moving: &Moving, file: &external::File) {
        let (hashes, key, size) = (file.hashes, file.key, file.size);
        let work = match moving.stage {
            Stage::Seal => FileWork::Seal { from: moving.place.clone(), key },
            Stage::Put => {
                let pass = self.live.files.passes.remove(&id);
                if pass.is_none() && self.live.files.wanting.contains(&id) {
                    return self.ask_for_pass(id, sealed_size(size));
                }
                FileWork::Put { sealed: hashes.sealed, secret: moving.secret, pass }
            }
            Stage::Get => match self.live.files.passes.remove(&id) {
                Some(pass) => FileWork::Get { hashes, key, size, pass },
                None => return self.ask_for_pass(id, sealed_size(size)),
            },
            Stage::Save => FileWork::Save { hashes, key, size, to: moving.place.clone() },
        };
        self.live.files.running.insert(id);
        self.effects.push(Effect::File(id, work));
    }

    fn ask_for_pass(&mut self, id: MessageId, bytes: u64) {
        if self.live.files.asked.contains(&id)
            || !self.is_ready(Wire::Anonymous)
            || !self.is_admitted()
        {
            return;
        }
        self.live.files.asked.insert(id);
        let body = request::Body::BlobPass(proto::BlobPass { bytes });
        self.request(Wire::Anonymous, body, Purpose::Pass(id.0));
    }

    /// No answer came, and none will.
    pub(crate) fn pass_unanswered(&mut self, id: u64) {
        self.live.files.asked.remove(&MessageId(id));
    }

    /// The server's answer to a question for a pass.
    pub(crate) fn pass_answered(&mut self, id: u64, body: &answer::Body) {
        let id = MessageId(id);
        self.live.files.asked.remove(&id);
        match body {
            answer::Body::BlobPass(given) => {
                if let Ok(pass) = <[u8; 32]>::try_from(given.pass.as_ref()) {
                    self.live.files.wanting.remove(&id);
                    self.live.files.passes.insert(id, pass);
                } else {
                    self.file_pauses(id);
                }
            }
            answer::Body::Refusal(refusal)
                if crate::link::class_of(refusal) != nodoor_wire::code::Class::Retry =>
            {
                self.file_fails(id, problem_of(refusal));
            }
            _ => self.file_pauses(id),
        }
    }

    /// What the driver says of its work.
    pub(crate) fn file_said(&mut self, id: MessageId, word: FileWord) {
        if let FileWord::Moved { done, total } = word {
            self.tell(Event::File { what: view::Event::Progress { message: id, done, total } });
            return;
        }
        self.live.files.running.remove(&id);
        let Some((mut moving, message)) = self.moving_file(id).zip(self.message(id)) else {
            self.live.files.check = true;
            return;
        };
        let Some(file) = self.file_of(&message) else {
            self.live.files.check = true;
            return;
        };
        moving.failures = 0;
        match (moving.stage, word) {
            (Stage::Seal, FileWord::Sealed { hashes, size, look }) => {
                self.was_sealed(&message, file, hashes, size, look);
                moving.stage = Stage::Put;
                self.disk.put(key::moving(id), &moving);
            }
            (Stage::Put, FileWord::Put) => {
                self.disk.remove(&key::moving(id));
                self.say_until_when(message, file);
            }
            (Stage::Get, FileWord::Got { look }) => {
                self.is_here(&file, id, look);
                if moving.place.is_empty() {
                    self.disk.remove(&key::moving(id));
                } else {
                    moving.stage = Stage::Save;
                    self.disk.put(key::moving(id), &moving);
                }
                self.set_message(&message, false);
            }
            (Stage::Save, FileWord::Saved) => {
                self.disk.remove(&key::moving(id));
                self.tell(Event::File { what: view::Event::Saved { message: id } });
                self.set_message(&message, false);
            }
            (_, FileWord::NeedsPass) => {
                self.live.files.wanting.insert(id);
            }
            (stage, FileWord::Failed(fault)) => {
                let kind = match fault {
                    FileFault::NoAnswer => return self.file_pauses(id),
                    FileFault::NotHere if matches!(stage, Stage::Save) => {
                        // Taken away under us: it is at the server, perhaps.
                        self.disk.remove(&key::file(&file.hashes.sealed, id));
                        moving.stage = Stage::Get;
                        self.disk.put(key::moving(id), &moving);
                        return;
                    }
                    FileFault::Full => ProblemKind::FilesFull,
                    FileFault::TooLarge => ProblemKind::Size,
                    FileFault::Gone => ProblemKind::NotFound,
                    FileFault::Forged => ProblemKind::Forged,
                    FileFault::Unreadable | FileFault::Disk | FileFault::NotHere => {
                        ProblemKind::Disk
                    }
                };
                self.file_fails(id, problem(kind));
            }
            // Of work that was given up.
            _ => {}
        }
    }

    /// All that a message says of its file is known now. Nobody has the message yet.
    fn was_sealed(
        &mut self,
        message: &Message,
        file: external::File,
        hashes: Hashes,
        size: u64,
        look: Look,
    ) {
        let content_type = look.content_type.to_owned();
        let (width, height) = (look.width, look.height);
        let file = external::File { content_type, size, hashes, width, height, ..file };
        self.is_here(&file, message.id, look);
        self.say_of_file(message.clone(), file);
    }

    fn say_until_when(&mut self, message: Message, file: external::File) {
        let until = self.now / 1000 + KEPT_SECONDS;
        let expires = u32::try_from(until).unwrap_or(u32::MAX);
        self.say_of_file(message, external::File { expires, ..file });
    }

    /// Puts other words about its file into a message of ours that is not sealed yet.
    fn say_of_file(&mut self, mut message: Message, file: external::File) {
        let (Some(me), Stored::Content(bytes)) = (self.me(), &message.content) else {
            return;
        };
        let (Some(said), Ok(salt)) = (message.content.said(), content::salt(bytes)) else {
            return;
        };
        let said = MimiContent { body: Content::File(Box::new(file)), ..said };
        let content = content::encode(&said, salt);
        if let Some((Some(row), Some(outgoing))) = self.unsealed(&message) {
            self.disk.put(row, &Outgoing { content: content.clone(), ..outgoing });
        }
        if let Some(before) = message.reference {
            self.disk.remove(&key::message_by_reference(message.conversation, &before));
        }
        let room = self.conversation(message.conversation).and_then(|one| self.room_in_use(&one));
        message.reference = room.map(|room| content::message_id(&me, &room.room, &content));
        message.content = Stored::Content(content);
        self.set_message(&message, false);
    }

    fn is_here(&mut self, file: &external::File, id: MessageId, look: Look) {
        let here =
            Here { content_type: look.content_type.to_owned(), bytes: sealed_size(file.size) };
        self.disk.put(key::file(&file.hashes.sealed, id), &here);
    }

    /// No answer: again after a pause.
    fn file_pauses(&mut self, id: MessageId) {
        if let Some(mut moving) = self.moving_file(id) {
            let pause = PAUSE.saturating_mul(1 << moving.failures.min(6)).min(LONGEST_PAUSE);
            moving.failures = moving.failures.saturating_add(1);
            moving.not_before = self.now + pause;
            self.disk.put(key::moving(id), &moving);
        }
    }

    /// It cannot be done. A message that waits for it stays, with the reason, for its person to try again.
    fn file_fails(&mut self, id: MessageId, reason: Problem) {
        let Some((mut moving, message)) = self.moving_file(id).zip(self.message(id)) else {
            return;
        };
        if matches!(moving.stage, Stage::Seal | Stage::Put) {
            moving.held = true;
            self.disk.put(key::moving(id), &moving);
            match self.unsealed(&message) {
                Some((Some(row), Some(outgoing))) => self.give_up(&row, &outgoing, &reason),
                _ => {
                    let why = WhyNotSent::Internal;
                    let state = State::NotSent(NotSent { why, code: reason.code });
                    self.change_message(id, |message| message.state = Some(state));
                }
            }
            return;
        }
        self.disk.remove(&key::moving(id));
        self.tell(Event::File { what: view::Event::Failed { message: id, problem: reason } });
        self.set_message(&message, false);
    }

    fn stop_work(&mut self, id: MessageId) {
        let work = &mut self.live.files;
        work.asked.remove(&id);
        work.wanting.remove(&id);
        work.passes.remove(&id);
        if work.running.remove(&id) {
            self.effects.push(Effect::File(id, FileWork::Stop));
        }
    }

    /// Files whose message is gone go, and with the last one that names it the sealed file.
    fn drop_files(&mut self) {
        let named = |step: &Self, id: MessageId| {
            let deleted = || Some(step.disk.get::<Deleted>(&key::deleted(id))?.message);
            let message = step.message(id).or_else(deleted)?;
            step.file_of(&message).map(|file| file.hashes.sealed)
        };
        for row in self.disk.keys(key::MOVING, usize::MAX) {
            if let Some(id) = key::read_moving(&row).filter(|id| named(self, *id).is_none()) {
                self.stop_work(id);
                self.disk.remove(&row);
            }
        }
        for row in self.disk.keys(key::FILES, usize::MAX) {
            let Some((sealed, id)) = key::read_file(&row) else { continue };
            if named(self, id) == Some(sealed) {
                continue;
            }
            self.disk.remove(&row);
            if self.disk.keys(&key::files(&sealed), 1).is_empty() {
                self.effects.push(Effect::File(id, FileWork::Forget { sealed }));
            }
        }
    }

    /// What a message names here is kept, and nothing else: after a start.
    pub(crate) fn keep_named_files(&mut self) {
        let rows = self.disk.keys(key::FILES, usize::MAX);
        let mut sealed: Vec<[u8; 32]> =
            rows.iter().filter_map(|row| Some(key::read_file(row)?.0)).collect();
        for row in self.disk.keys(key::MOVING, usize::MAX) {
            let message = key::read_moving(&row).and_then(|id| self.message(id));
            sealed.extend(
                message.and_then(|message| self.file_of(&message)).map(|file| file.hashes.sealed),
            );
        }
        sealed.sort_unstable();
        sealed.dedup();
        self.effects.push(Effect::File(MessageId(0), FileWork::KeepOnly { sealed }));
    }

    /// When the next file is tried again.
    pub(crate) fn files_due(&self) -> Option<u64> {
        let rows = self.disk.prefixed(key::MOVING, usize::MAX).into_iter();
        let rows = rows.filter_map(|(_, value)| self.disk.decode::<Moving>(&value));
        rows.filter(|moving| !moving.held).map(|moving| moving.not_before).min()
    }
}

/// Whether the first bytes of a file say what its sender says, as far as they can. Kinds that are told apart within a
/// container are the sender's word.
fn agrees(claimed: &str, seen: &str) -> bool {
    let family = |of: &str| of.split(['/', ';']).next().unwrap_or_default().to_owned();
    match seen {
        "application/ogg" => matches!(claimed, "application/ogg" | "audio/ogg" | "video/ogg"),
        "video/mp4" => matches!(claimed, "video/mp4" | "audio/mp4" | "video/quicktime"),
        "video/webm" => matches!(claimed, "video/webm" | "audio/webm" | "video/x-matroska"),
        "text/plain" => family(claimed) == "text" && !claimed.starts_with("text/html"),
        seen => claimed == seen,
    }
}

/// A name that is one, whatever its sender wrote: no folders, one line, nothing that turns text around or hides, not
/// `.` or `..` or a hidden file's.
pub(crate) fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let line: String = for_terminal(last, Lines::Join).chars().take(SHOWN_NAME).collect();
    let line = line.trim().trim_start_matches('.').trim_start();
    if line.is_empty() { "file".to_owned() } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_name_whatever_was_sent() {
        for (sent, shown) in [
            ("a.jpg", "a.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\run.exe", "run.exe"),
            ("..", "file"),
            (".bashrc", "bashrc"),
            ("", "file"),
        ] {
            assert_eq!(safe_name(sent), shown);
        }
        assert!(!safe_name("gpj.\u{202e}exe").contains('\u{202e}'));
        assert_eq!(safe_name(&"x".repeat(300)).len(), SHOWN_NAME);
    }

    #[test]
    fn what_a_file_claims_is_believed_only_as_far_as_it_is_seen() {
        assert!(agrees("image/png", "image/png"));
        assert!(!agrees("image/png", "image/jpeg"));
        assert!(!agrees("image/png", PLAIN));
        assert!(!agrees("text/html", "text/plain"));
        assert!(agrees("audio/ogg", "application/ogg"));
    }

    #[test]
    fn what_is_too_large_is_known_before_it_is_sealed() {
        assert!(sealed_size(nodoor_e2ee::file::LARGEST) <= nodoor_wire::limits::BLOB);
    }
}
