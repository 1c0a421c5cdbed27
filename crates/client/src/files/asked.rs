// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a person does with files: it is on disk when it is answered, and [`super`] has it done.
//!
//! Spec: `docs/book/protocol.md`, 9.

use nodoor_e2ee::{
    content::{
        Content, MimiContent,
        external::{self, CAPTION, FILE_NAME, SKETCH},
    },
    file::Hashes,
};
use nodoor_view::{
    command::Reply,
    event::Event,
    file::{self as view, Command},
    model::{ConversationId, MessageId, ProblemKind},
};

use super::{Here, Moving, Stage};
use crate::{
    media::PLAIN,
    rows::{Status, key},
    step::{Step, refused},
};

impl Step<'_> {
    /// Carries out what a person does with files.
    pub(crate) fn file_command(&mut self, command: &Command) -> Reply {
        match command {
            Command::Send { conversation, path, name, caption, milliseconds, waveform } => {
                let name = if name.is_empty() { path } else { name };
                let fits = caption.len() <= CAPTION && waveform.len() <= SKETCH;
                if !fits || path.is_empty() {
                    return refused(ProblemKind::Size);
                }
                let said = external::File {
                    content_type: PLAIN.to_owned(),
                    size: 0,
                    key: self.random(),
                    hashes: Hashes { plain: [0; 32], sealed: [0; 32] },
                    expires: 0,
                    caption: caption.clone(),
                    name: sent_name(name),
                    width: 0,
                    height: 0,
                    milliseconds: *milliseconds,
                    waveform: waveform.clone(),
                    preview: Vec::new(),
                };
                self.send_file(*conversation, said, Stage::Seal, path, false)
            }
            Command::Fetch { message } => self.fetch_file(*message, ""),
            Command::Save { message, path } if path.is_empty() => {
                let _ = message;
                refused(ProblemKind::Size)
            }
            Command::Save { message, path } => self.fetch_file(*message, path),
            Command::Cancel { message } => self.cancel_file(*message),
            Command::Used { conversation } => Reply::File(self.files_of(*conversation)),
        }
    }

    fn send_file(
        &mut self,
        to: ConversationId,
        file: external::File,
        stage: Stage,
        place: &str,
        forwarded: bool,
    ) -> Reply {
        let said = MimiContent { forwarded, ..Content::File(Box::new(file)).into() };
        let message = match self.write_to(to, |_, _| said) {
            Ok(message) => message,
            Err(why) => return Reply::Problem(why),
        };
        let moving = self.moving_from(stage, place);
        self.disk.put(key::moving(message.id), &moving);
        self.set_message(&message, false);
        Reply::Sent(self.message_row(&message))
    }

    fn moving_from(&mut self, stage: Stage, place: &str) -> Moving {
        let (secret, place) = (self.random(), place.to_owned());
        Moving { stage, place, secret, held: false, failures: 0, not_before: 0 }
    }

    /// Sends a file on. Nothing if the message has none.
    pub(crate) fn forward_file(&mut self, id: MessageId, to: ConversationId) -> Option<Reply> {
        let file = self.file_of(&self.message(id)?)?;
        if file.hashes.sealed == [0; 32] {
            return Some(refused(ProblemKind::NotFound));
        }
        let here = self.here(&file, id);
        let sealed = file.hashes.sealed;
        // Put again from here: it may be gone at the server by now. What is not here may be there still.
        let stage = if here.is_some() { Stage::Put } else { Stage::Get };
        if stage == Stage::Get {
            return Some(refused(ProblemKind::NotFound));
        }
        let reply = self.send_file(to, file, stage, "", true);
        if let (Reply::Sent(row), Some(here)) = (&reply, here) {
            self.disk.put(key::file(&sealed, row.id), &here);
        }
        Some(reply)
    }

    fn fetch_file(&mut self, id: MessageId, place: &str) -> Reply {
        let found = self.message(id).and_then(|message| Some((self.file_of(&message)?, message)));
        let Some((file, message)) = found else {
            return refused(ProblemKind::NotFound);
        };
        let accepted = self.conversation(message.conversation);
        if accepted.is_none_or(|one| matches!(one.status, Status::Request | Status::Blocked)) {
            // Nothing of a stranger's is fetched.
            return refused(ProblemKind::Request);
        }
        let is_here = self.here(&file, id).is_some();
        match self.moving_file(id) {
            Some(moving) if matches!(moving.stage, Stage::Seal | Stage::Put) => {
                return refused(ProblemKind::NotAllowed);
            }
            Some(mut moving) => {
                if !place.is_empty() {
                    place.clone_into(&mut moving.place);
                }
                (moving.held, moving.not_before) = (false, 0);
                self.disk.put(key::moving(id), &moving);
            }
            None if is_here && place.is_empty() => {}
            None => {
                let stage = if is_here { Stage::Save } else { Stage::Get };
                let moving = self.moving_from(stage, place);
                self.disk.put(key::moving(id), &moving);
            }
        }
        self.set_message(&message, false);
        Reply::Done
    }

    fn cancel_file(&mut self, id: MessageId) -> Reply {
        let Some((moving, message)) = self.moving_file(id).zip(self.message(id)) else {
            return refused(ProblemKind::NotFound);
        };
        self.stop_work(id);
        self.disk.remove(&key::moving(id));
        if matches!(moving.stage, Stage::Seal | Stage::Put) {
            if let Some((Some(row), _)) = self.unsealed(&message) {
                self.disk.remove(&row);
            }
            self.drop_message(message.conversation, id);
            self.disk.remove(&key::conversation_of(id));
            self.last_line_changed(message.conversation);
            self.tell(Event::MessageGone { conversation: message.conversation, message: id });
            self.live.files.check = true;
        } else {
            self.set_message(&message, false);
        }
        Reply::Done
    }

    fn files_of(&self, conversation: ConversationId) -> view::Reply {
        let rows = self.disk.prefixed(key::FILES, usize::MAX).into_iter();
        let rows = rows.filter_map(|(row, value)| {
            let (_, id) = key::read_file(&row)?;
            let of: u64 = self.disk.get(&key::conversation_of(id))?;
            let here = self.disk.decode::<Here>(&value)?;
            (of == conversation.0).then_some(here.bytes)
        });
        let (files, bytes) = rows.fold((0, 0), |(files, all): (u32, u64), bytes| {
            (files.saturating_add(1), all.saturating_add(bytes))
        });
        view::Reply::Used { files, bytes }
    }
}

/// The last part of a path, as far as it fits.
fn sent_name(path: &str) -> String {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut end = last.len().min(FILE_NAME);
    while !last.is_char_boundary(end) {
        end -= 1;
    }
    last.get(..end).unwrap_or_default().to_owned()
}
