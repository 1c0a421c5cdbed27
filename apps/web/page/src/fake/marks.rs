// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is done with messages, as the real engine does it, without anybody at the other end.

use nodoor_view::{
    command::Reply,
    event::Event,
    message::{Command, Deleting, Mention, Quote, Reaction},
    model::{
        Content, ConversationId, From, MessageDetail, MessageId, MessagePage, MessageRow,
        ProblemKind, SystemLine,
    },
    rich,
};

use super::{Fake, last_line, problem, tell_event};
use crate::dom;

impl Fake {
    pub(super) fn of_messages(&mut self, of: Command) -> Reply {
        match of {
            Command::Reply { to, text } => {
                let Some(quoted) = self.message(to) else { return problem(ProblemKind::NotFound) };
                let sent = self.send(quoted.conversation, text);
                let content = Some(last_line(&quoted).content);
                let reply = Quote {
                    message: Some(to),
                    reference: quoted.reference,
                    from: Some(quoted.from),
                    content,
                };
                self.with_marks(sent, |row| row.marks.reply = Some(reply))
            }
            Command::Forward { message, to } => {
                let text = match self.message(message).map(|row| row.content) {
                    Some(Content::Text(text)) => text,
                    Some(Content::Markdown { text, .. }) => rich::typed(&text),
                    _ => return problem(ProblemKind::NotFound),
                };
                let sent = self.send(to, text);
                self.with_marks(sent, |row| row.marks.forwarded = true)
            }
            Command::SendOnce { conversation, text } => {
                let sent = self.send(conversation, text);
                self.with_marks(sent, |row| row.content = Content::Once { opened: false })
            }
            Command::Edit { message, text } => {
                let content = self.said(text);
                self.change(message, |row| {
                    row.content = content;
                    row.marks.edited = true;
                });
                Reply::Done
            }
            Command::DeleteForEveryone { message } => {
                let pending = Deleting { pending: true, lacking: 0 };
                self.change(message, |row| row.marks.deleting = Some(pending));
                dom::after(300, move || {
                    super::with(|fake| {
                        fake.change(message, |row| {
                            row.content = Content::Deleted;
                            row.marks = nodoor_view::message::Marks::default();
                        });
                    });
                });
                Reply::Done
            }
            Command::React { message, emoji } => {
                self.change(message, |row| {
                    let all = &mut row.marks.reactions;
                    for one in all.iter_mut() {
                        one.mine = false;
                    }
                    match all.iter_mut().find(|one| one.emoji == emoji) {
                        Some(one) => one.mine = true,
                        None if emoji.is_empty() => {}
                        None => all.push(Reaction { emoji, people: Vec::new(), mine: true }),
                    }
                    all.retain(|one| one.mine || !one.people.is_empty());
                });
                Reply::Done
            }
            Command::Pin { message, on } => {
                self.change(message, |row| row.marks.pinned = on);
                let row = self.message(message).filter(|_| on);
                if let Some(conversation) = row.map(|row| row.conversation) {
                    self.line(conversation, SystemLine::Pinned { by: None });
                }
                Reply::Done
            }
            Command::Pinned { conversation } => {
                let rows = self.messages.get(&conversation).into_iter().flatten().rev();
                let rows = rows.filter(|row| row.marks.pinned).cloned().collect();
                Reply::Messages(MessagePage { rows, more_before: false, more_after: false })
            }
            Command::Timer { conversation, seconds } => {
                if let Some(row) = self.chats.get_mut(&conversation) {
                    row.timer = seconds;
                }
                self.line(conversation, SystemLine::Timer { by: None, seconds });
                Reply::Done
            }
            Command::Open { message } => {
                let Some(mut row) = self.message(message) else {
                    return problem(ProblemKind::NotFound);
                };
                self.change(message, |row| row.content = Content::Once { opened: true });
                row.content = Content::Text("The door code is 4711.".into());
                let (delivered_to, read_by) = (Vec::new(), Vec::new());
                let sent_at_server = Some(row.sent_at);
                Reply::Message(MessageDetail { row, delivered_to, read_by, sent_at_server })
            }
            Command::Find { .. } => problem(ProblemKind::NotFound),
        }
    }

    /// A text as the engine keeps it: formatted, with the people it names.
    pub(super) fn said(&self, text: String) -> Content {
        let people = super::data::people();
        let account = |handle: &str| {
            let person = people.iter().find(|person| person.handle == handle)?;
            Some(person.account.clone())
        };
        let written = rich::with_mentions(&text, &account);
        if !rich::is_formatted(&written) {
            return Content::Text(text);
        }
        let mentions = people
            .iter()
            .map(|person| Mention { account: person.account.clone(), person: Some(person.clone()) })
            .filter(|mention| written.contains(&mention.account))
            .collect();
        Content::Markdown { text: written, mentions }
    }

    /// A message arrives that shows everything a row can show.
    pub(super) fn arrive_marked(&mut self, conversation: ConversationId) {
        let people = super::data::people();
        let (Some(one), Some(two)) = (people.first().cloned(), people.get(1).cloned()) else {
            return;
        };
        let me = "5f2c0000000000000000000000000091";
        let text = format!(
            "**Saturday** at *ten*, [@you](nodoor:account:{me})? ~~Nine~~ is `too early`.\n> Who brings cake?\n```\nlet cake = bring();\n```\nhttps://example.org"
        );
        let mentions = vec![Mention { account: me.to_owned(), person: None }];
        let content = Content::Markdown { text, mentions };
        let mut row = self.insert(conversation, From::Them(one.clone()), content, 0, None);
        let last = self.messages.get(&conversation).and_then(|rows| rows.iter().rev().nth(1));
        let reply = last.map(|quoted| Quote {
            message: Some(quoted.id),
            reference: quoted.reference.clone(),
            from: Some(quoted.from.clone()),
            content: Some(last_line(quoted).content),
        });
        let reaction =
            |emoji: &str, people: Vec<_>, mine| Reaction { emoji: emoji.into(), people, mine };
        row.marks.reply = reply;
        row.marks.edited = true;
        row.marks.mentions_me = true;
        row.marks.reactions =
            vec![reaction("👍", vec![one, two.clone()], true), reaction("🎉", vec![two], false)];
        self.with_marks(Reply::Sent(row.clone()), |kept| kept.marks = row.marks);
    }

    fn message(&self, id: MessageId) -> Option<MessageRow> {
        self.messages.values().flatten().find(|row| row.id == id).cloned()
    }

    /// Changes what was just sent, and tells it.
    fn with_marks(&mut self, sent: Reply, change: impl FnOnce(&mut MessageRow)) -> Reply {
        let Reply::Sent(row) = sent else { return sent };
        let found = self.messages.values_mut().flatten().find(|kept| kept.id == row.id);
        let Some(kept) = found else { return problem(ProblemKind::NotFound) };
        change(kept);
        let row = kept.clone();
        tell_event(Event::Message { row: row.clone(), new: true });
        Reply::Sent(row)
    }
}
