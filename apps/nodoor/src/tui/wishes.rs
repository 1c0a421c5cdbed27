// SPDX-License-Identifier: AGPL-3.0-or-later
//! Fulfils what the screen wishes. What is on this disk is asked for at once; what takes the network's time runs
//! beside the keys and comes back as [`Came`].

use nodoor_view::{
    command::{Command, HandleState, Place, Reply},
    message,
    model::{
        ConversationId, ConversationRow, MessageId, MessagePage, ProblemKind, Profile, SendState,
        Writable,
    },
    text::{Lines, Value, for_terminal},
};

use super::{
    Screen,
    app::{About, Change, Layer, Wish, member_line},
    editor,
};
use crate::failure::Failure;

/// What came of something that took its time.
pub(super) enum Came {
    /// A chat to show.
    Chat(String, Result<ConversationRow, Failure>),
    /// Whether a handle is free.
    Handle(String, Result<Reply, Failure>),
    /// The account.
    Account(Result<Reply, Failure>),
    /// A group was changed.
    Changed(Result<(), Failure>),
    /// A request was accepted.
    Accepted(Result<ConversationRow, Failure>),
}

impl Screen<'_> {
    pub(super) async fn fulfil(&mut self, wish: Wish) -> Result<(), Failure> {
        let session = self.session;
        match wish {
            Wish::Open(id) => {
                let row = self.app.chats.iter().find(|row| row.id == id).cloned();
                if let Some(row) = row {
                    self.open(row).await?;
                }
            }
            Wish::OpenHandle(handle) => {
                let command = Command::OpenDirect { handle: handle.clone() };
                self.pending = Some(Box::pin(async move {
                    Came::Chat(handle, session.conversation(command).await)
                }));
            }
            Wish::MakeGroup(title, members) => {
                let command = Command::GroupCreate { title, members };
                self.pending = Some(Box::pin(async move {
                    Came::Chat(String::new(), session.conversation(command).await)
                }));
            }
            Wish::Change(conversation, what, text) => {
                let command = match what {
                    Change::Timer => {
                        let Ok(seconds) = crate::arguments::duration(&text) else {
                            let wrong = session.texts.get("timer-form", &[]);
                            if let Some(Layer::Change { said, .. }) = &mut self.app.layer {
                                *said = wrong;
                            }
                            return Ok(());
                        };
                        Command::Message { of: message::Command::Timer { conversation, seconds } }
                    }
                    Change::Add => Command::GroupAdd { conversation, handle: text },
                    Change::Remove => Command::GroupRemove { conversation, handle: text },
                    Change::Rename => Command::GroupRename { conversation, title: text },
                };
                self.pending =
                    Some(Box::pin(async move { Came::Changed(session.do_it(command).await) }));
            }
            Wish::Leave(conversation) => {
                self.try_it(Command::GroupLeave { conversation }).await;
                self.reload().await?;
            }
            Wish::CheckHandle(handle) => {
                let command = Command::CheckHandle { handle: handle.clone() };
                self.pending =
                    Some(Box::pin(async move { Came::Handle(handle, session.ask(command).await) }));
            }
            Wish::Register(handle) => {
                self.app.start.creating = true;
                let command = Command::Register { handle, ticket: String::new() };
                self.pending =
                    Some(Box::pin(async move { Came::Account(session.ask(command).await) }));
            }
            Wish::Accept(conversation) => {
                let command = Command::Accept { conversation };
                self.pending =
                    Some(Box::pin(
                        async move { Came::Accepted(session.conversation(command).await) },
                    ));
            }
            Wish::Send(text) => self.send(text).await,
            Wish::Say(of) => self.say(of).await,
            Wish::Message(of) => self.try_it(Command::Message { of }).await,
            Wish::Typing(conversation) => {
                self.try_it(Command::Typing { conversation, on: true }).await;
            }
            Wish::Place(of) => {
                self.try_it(Command::List { of }).await;
                self.reload().await?;
            }
            Wish::OpenOnce(message) => self.open_once(message).await,
            Wish::Older => self.load_older().await?,
            Wish::Search(query, within) => self.search(query, within).await?,
            Wish::Show(chat, message) => self.show(chat, message).await?,
            Wish::Retry(message) => self.try_it(Command::Retry { message }).await,
            Wish::Delete(message) => self.try_it(Command::DeleteForMe { message }).await,
            Wish::Undelete(message) => {
                self.try_it(Command::Undelete { message }).await;
                self.reread().await?;
            }
            Wish::MessageInfo(message) => self.message_info(message).await?,
            Wish::ChatInfo => self.chat_info().await?,
            Wish::Decline(conversation) => {
                let name = self.request_name(conversation);
                self.try_it(Command::Decline { conversation }).await;
                self.answered("declined-done", &name).await?;
            }
            Wish::Block(conversation) => {
                let name = self.request_name(conversation);
                self.try_it(Command::Block { conversation }).await;
                self.answered("blocked-done", &name).await?;
            }
            Wish::Unblock(conversation) => {
                self.try_it(Command::Unblock { conversation }).await;
                self.reload().await?;
            }
            Wish::Editor => self.edit_outside().await?,
            Wish::Redraw => self.terminal.clear().map_err(|error| Failure::system(&error))?,
            Wish::AnswerProof => {
                if let Reply::Ledger(state) = session.ask(Command::AnswerProof).await? {
                    self.app.ledger = Some(state);
                }
            }
            Wish::Quit { sure } => {
                self.keep_draft().await?;
                match self.app.waiting() {
                    waiting if waiting > 0 && !sure => {
                        self.app.layer = Some(Layer::Quit { waiting });
                    }
                    _ => self.done = true,
                }
            }
        }
        Ok(())
    }

    pub(super) async fn came(&mut self, came: Came) -> Result<(), Failure> {
        let texts = &self.session.texts;
        match came {
            Came::Chat(_, Ok(row)) => {
                self.app.layer = None;
                self.reload().await?;
                self.open(row).await?;
            }
            Came::Chat(handle, Err(failure)) => {
                let nobody = matches!(&failure, Failure::Problem(problem)
                    if problem.kind == ProblemKind::NotFound);
                let handle = handle.trim_start_matches('@');
                let sentence = if nobody && !handle.is_empty() {
                    texts.get("no-such-person", &[("handle", handle.into())])
                } else {
                    sentence(&failure, texts)
                };
                match &mut self.app.layer {
                    Some(Layer::NewChat { said, .. } | Layer::NewGroup { said, .. }) => {
                        *said = sentence;
                    }
                    _ => self.app.say(sentence),
                }
            }
            Came::Handle(handle, answer) if handle == self.app.start.handle.text() => {
                let handle = handle.trim_start_matches('@').to_lowercase();
                let name = ("handle", Value::from(&handle));
                let server = ("server", Value::from(&self.app.server));
                self.app.start.said = match answer {
                    Ok(Reply::HandleState(HandleState::Free)) => texts.get("handle-free", &[name]),
                    Ok(Reply::HandleState(HandleState::Taken { suggestions })) => {
                        let others = suggestions.join(", ");
                        texts.get("handle-taken", &[name, ("suggestions", (&others).into())])
                    }
                    Ok(Reply::HandleState(HandleState::Malformed)) => {
                        texts.get("problem-handle-form", &[])
                    }
                    Ok(_) => texts.get("handle-unknown", &[server]),
                    Err(failure) => sentence(&failure, texts),
                };
            }
            // It was changed meanwhile and is asked about again.
            Came::Handle(..) => {}
            Came::Account(answer) => {
                self.app.start.creating = false;
                match answer {
                    Ok(Reply::Profile(profile)) => self.registered(profile).await?,
                    Ok(_) => {}
                    Err(failure) => self.app.start.said = sentence(&failure, texts),
                }
            }
            Came::Changed(Ok(())) => {
                self.app.layer = None;
                self.reload().await?;
            }
            Came::Changed(Err(failure)) => {
                let sentence = sentence(&failure, texts);
                match &mut self.app.layer {
                    Some(Layer::Change { said, .. }) => *said = sentence,
                    _ => self.app.say(sentence),
                }
            }
            Came::Accepted(Ok(row)) => {
                self.app.say(texts.get("accepted-done", &[]));
                self.reload().await?;
                self.open(row).await?;
            }
            Came::Accepted(Err(failure)) => self.app.say(sentence(&failure, texts)),
        }
        Ok(())
    }

    async fn registered(&mut self, profile: Profile) -> Result<(), Failure> {
        self.session.remember_server()?;
        self.app.profile = Some(profile);
        self.reload().await
    }

    /// Shows a chat, the draft of the one before kept.
    pub(super) async fn open(&mut self, row: ConversationRow) -> Result<(), Failure> {
        self.keep_draft().await?;
        let mut page = self.messages(row.id, Place::Newest).await?;
        // From the divider on it is shown whole, however long one was away.
        while let (Some(unread), Some(first)) = (row.first_unread, page.rows.first()) {
            if first.id <= unread || !page.more_before || page.rows.len() >= MOST_UNREAD {
                break;
            }
            let mut older = self.messages(row.id, Place::Before { message: first.id }).await?;
            older.rows.append(&mut page.rows);
            page = MessagePage { more_after: false, ..older };
        }
        // The row as it is now: a draft may just have been kept in it.
        let rows = self.session.conversations().await?;
        let row = rows.iter().find(|known| known.id == row.id).cloned().unwrap_or(row);
        self.app.chats = rows;
        self.app.opened(&row, page);
        Ok(())
    }

    async fn send(&mut self, text: String) {
        let Some(conversation) = self.app.open.as_ref().map(|open| open.id) else { return };
        let size = text.len();
        if size > MOST_TEXT {
            let kilobytes = u32::try_from(size / 1024 + 1).unwrap_or(u32::MAX);
            let values = [("size", kilobytes.into())];
            self.app.say(self.session.texts.get("too-long", &values));
            return;
        }
        match self.session.ask(Command::SendText { conversation, text }).await {
            Ok(Reply::Sent(row)) => self.app.sent(row),
            Ok(_) => {}
            Err(failure) => self.app.say(sentence(&failure, &self.session.texts)),
        }
    }

    /// Answers or edits; the composer is cleared once that is on disk.
    async fn say(&mut self, of: message::Command) {
        let edits = matches!(of, message::Command::Edit { .. });
        match self.session.ask(Command::Message { of }).await {
            Ok(Reply::Sent(row)) => self.app.sent(row),
            Ok(_) => {
                self.app.stop_doing();
            }
            Err(failure) if edits && failure.is(ProblemKind::NotAllowed) => {
                self.app.say(self.session.texts.get("edit-not-allowed", &[]));
            }
            Err(failure) => self.app.say(sentence(&failure, &self.session.texts)),
        }
    }

    /// Shows what can be read once; it is gone from the disk by then.
    async fn open_once(&mut self, message: MessageId) {
        let texts = &self.session.texts;
        let open = Command::Message { of: message::Command::Open { message } };
        match self.session.ask(open).await {
            Ok(Reply::Message(detail)) => {
                let said = texts.content(&detail.row.from, &detail.row.content);
                let lines = for_terminal(&said, Lines::Keep).lines().map(str::to_owned).collect();
                let title = texts.get("message-once", &[]);
                self.app.layer =
                    Some(Layer::Info { title, lines, about: About::Message, first: 0 });
            }
            Ok(_) => {}
            Err(failure) => self.app.say(sentence(&failure, texts)),
        }
    }

    async fn load_older(&mut self) -> Result<(), Failure> {
        let Some(open) = &self.app.open else { return Ok(()) };
        let Some(first) = open.rows.first().filter(|_| open.more_before) else { return Ok(()) };
        let page = self.messages(open.id, Place::Before { message: first.id }).await?;
        self.app.older(page);
        Ok(())
    }

    /// Loads as much of the open chat again as was loaded.
    async fn reread(&mut self) -> Result<(), Failure> {
        let Some(open) = &self.app.open else { return Ok(()) };
        let page = self.messages(open.id, Place::Newest).await?;
        if let Some(open) = &mut self.app.open {
            let first = page.rows.first().map(|row| row.id);
            open.rows.retain(|row| Some(row.id) < first);
            open.rows.extend(page.rows);
        }
        Ok(())
    }

    pub(super) async fn messages(
        &self,
        conversation: ConversationId,
        at: Place,
    ) -> Result<MessagePage, Failure> {
        match self.session.ask(Command::Messages { conversation, at, limit: PAGE }).await? {
            Reply::Messages(page) => Ok(page),
            _ => Err(Failure::unexpected()),
        }
    }

    /// Asks; what does not work is said, not fatal.
    async fn try_it(&mut self, command: Command) {
        if let Err(failure) = self.session.do_it(command).await {
            self.app.say(sentence(&failure, &self.session.texts));
        }
    }

    fn request_name(&self, conversation: ConversationId) -> String {
        let request = self.app.requests.iter().find(|row| row.conversation == conversation);
        let chat = self.app.chats.iter().find(|row| row.id == conversation);
        request
            .map(|row| crate::output::address(&row.from))
            .or_else(|| chat.map(|row| row.title.clone()))
            .unwrap_or_default()
    }

    async fn answered(&mut self, id: &str, name: &str) -> Result<(), Failure> {
        if self.app.notice.is_none() || self.app.block_asked {
            self.app.say(self.session.texts.get(id, &[("name", name.into())]));
        }
        self.reload().await
    }

    async fn message_info(&mut self, message: MessageId) -> Result<(), Failure> {
        let Reply::Message(detail) = self.session.ask(Command::MessageInfo { message }).await?
        else {
            return Ok(());
        };
        let (texts, clock) = (&self.session.texts, &self.pen.clock);
        let at = |id: &str, time| texts.get(id, &[("when", (&clock.full(time)).into())]);
        let mut lines = Vec::new();
        if let nodoor_view::model::From::Them(person) = &detail.row.from {
            let name = texts.person(person);
            let who = format!("{name} {}", crate::output::address(person));
            lines.push(texts.get("info-from", &[("name", (&who).into())]));
        }
        lines.push(at("info-sent", detail.row.sent_at));
        lines.extend(detail.sent_at_server.map(|time| at("info-server", time)));
        if detail.row.state.is_none() {
            lines.push(at("info-received", detail.row.received_at));
        }
        let row = self.app.open_row();
        if let (Some(state), Some(row)) = (&detail.row.state, row) {
            lines.push(texts.state(state, row));
            if let SendState::NotSent { reason } = state {
                lines.push(texts.problem(reason));
            }
        }
        if !detail.read_by.is_empty() {
            let names: Vec<String> =
                detail.read_by.iter().map(|person| texts.person(person)).collect();
            let names = names.join(", ");
            lines.push(texts.get("info-read", &[("names", (&names).into())]));
        }
        for reaction in &detail.row.marks.reactions {
            let mut names: Vec<String> =
                reaction.people.iter().map(|person| texts.person(person)).collect();
            names.extend(reaction.mine.then(|| texts.get("me", &[])));
            lines.push(format!("{} {}", reaction.emoji, names.join(", ")));
        }
        lines.extend(detail.row.marks.disappears.map(|end| match end.at {
            Some(time) => at("info-disappears", time),
            None => {
                let span = texts.span(end.seconds);
                texts.get("info-disappears-after", &[("span", (&span).into())])
            }
        }));
        let id = crate::output::short(&detail.row.reference);
        lines.push(texts.get("info-id", &[("id", id.into())]));
        if !detail.delivered_to.is_empty() {
            let names: Vec<String> =
                detail.delivered_to.iter().map(|person| texts.person(person)).collect();
            let names = names.join(", ");
            lines.push(texts.get("info-delivered", &[("names", (&names).into())]));
        }
        let title = texts.get("info-title", &[]);
        self.app.layer = Some(Layer::Info { title, lines, about: About::Message, first: 0 });
        Ok(())
    }

    async fn chat_info(&mut self) -> Result<(), Failure> {
        let Some(conversation) = self.app.open.as_ref().map(|open| open.id) else { return Ok(()) };
        let Reply::Sheet(sheet) = self.session.ask(Command::Sheet { conversation }).await? else {
            return Ok(());
        };
        let texts = &self.session.texts;
        let row = &sheet.row;
        let mut lines = Vec::new();
        lines.extend(row.person.as_ref().map(crate::output::address));
        lines.push(crate::output::check(&sheet.check, texts));
        let count = [("people", row.people.into()), ("devices", row.devices.into())];
        lines.push(texts.get("members-line", &count));
        lines.push(texts.get("info-place", &[]));
        lines.push(String::new());
        let you = texts.get("sheet-is-you", &[]);
        let group = row.kind == nodoor_view::model::Kind::Group;
        for member in &sheet.members {
            let name = for_terminal(&texts.person(&member.person), Lines::Join);
            let devices = texts.get("devices-count", &[("count", member.devices.into())]);
            let role = crate::output::role(member.role, texts).filter(|_| group);
            let role = role.unwrap_or_default();
            lines.push(format!("{}  {devices}", member_line(member, &name, &role, &you)));
        }
        if !sheet.groups_in_common.is_empty() {
            let names = sheet.groups_in_common.iter().map(|row| row.title.clone());
            let names = names.collect::<Vec<_>>().join(", ");
            lines.push(texts.get("sheet-groups", &[("names", (&names).into())]));
        }
        let timer = match row.timer {
            0 => texts.get("timer-off", &[]),
            seconds => texts.get("timer-on", &[("span", (&texts.span(seconds)).into())]),
        };
        lines.push(timer);
        let id = crate::output::short(&row.reference);
        lines.push(texts.get("info-id", &[("id", id.into())]));
        lines.push(String::new());
        let about = if group {
            let inside =
                !matches!(row.writable, Writable::Left | Writable::Removed | Writable::Imported);
            if sheet.may_manage && inside {
                lines.push(texts.get("info-group-keys", &[]));
            }
            if inside {
                lines.push(texts.get("info-timer", &[]));
                lines.push(texts.get("info-leave", &[]));
            }
            About::Group { chat: row.id, inside, mine: sheet.may_manage }
        } else {
            let blocked = row.writable == Writable::Blocked;
            lines.push(texts.get("info-timer", &[]));
            let id = if blocked { "sheet-blocked" } else { "sheet-block" };
            lines.push(texts.get(id, &[]));
            About::Person { chat: row.id, blocked }
        };
        self.app.layer = Some(Layer::Info { title: row.title.clone(), lines, about, first: 0 });
        Ok(())
    }

    /// Hands the composer's text to the person's editor and takes it back. It is never sent by that.
    async fn edit_outside(&mut self) -> Result<(), Failure> {
        if self.app.open.is_none() {
            return Ok(());
        }
        let text = self.app.composer.text();
        let edited = {
            let _held = self.keyboard.lock();
            ratatui::restore();
            let edited = editor::edit(self.session.folder(), &text);
            self.terminal = ratatui::try_init().map_err(|error| Failure::system(&error))?;
            edited
        };
        match edited {
            Ok(text) => {
                self.app.composer.clear();
                self.app.composer.paste(text.trim_end_matches('\n'), Lines::Keep);
                self.app.draft_changed = Some(self.app.now);
            }
            Err(error) => self.app.say(error.to_string()),
        }
        Ok(())
    }
}

/// What to say, without the kind that scripts read.
fn sentence(failure: &Failure, texts: &nodoor_view::text::Texts) -> String {
    match failure {
        Failure::Problem(problem) => texts.problem(problem),
        other => other.line(texts),
    }
}

const PAGE: u32 = 60;
/// Messages above which an opened chat begins at the newest, however many are unread.
const MOST_UNREAD: usize = 600;
/// Bytes of text in one message.
const MOST_TEXT: usize = 64 * 1024;
