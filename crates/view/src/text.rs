// SPDX-License-Identifier: AGPL-3.0-or-later
//! Texts (Fluent, shared by page and terminal) and the one cleaner of foreign text for terminals.
//!
//! Whoever draws asks here for a sentence by its id. Names and numbers arrive as variables. They are
//! cleaned by [`for_terminal`], so that none leaves its place; on the page they are isolated besides (U+2068 ..
//! U+2069), so that a name keeps its own direction, which a terminal would draw as boxes.
//!
//! The words are those of the design, in `texts/`: `en.ftl` and `ar.ftl` shared, `terminal.*` the terminal's,
//! `page.*` the page's.

mod clean;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

pub use self::clean::{Lines, for_terminal};
use crate::model::{
    Content, ConversationRow, Kind, Person, Problem, ProblemKind, Proof, ProofKind, SendState,
    SystemLine,
};
use crate::{message::Mention, model, rich};

/// One language there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// Its tag.
    pub tag: &'static str,
    /// Its name in itself.
    pub name: &'static str,
    /// `ltr` or `rtl`.
    pub direction: &'static str,
    shared: &'static str,
}

/// English, which is complete by test and what a missing message falls back to.
pub const ENGLISH: Language = Language {
    tag: "en",
    name: "English",
    direction: "ltr",
    shared: include_str!("../texts/en.ftl"),
};

/// Arabic, from right to left.
pub const ARABIC: Language = Language {
    tag: "ar",
    name: "العربية",
    direction: "rtl",
    shared: include_str!("../texts/ar.ftl"),
};

/// All languages.
pub const LANGUAGES: [Language; 2] = [ENGLISH, ARABIC];

// The texts of one interface are reached through a function of their own, not through [`Language`]: so the page that travels to
// a browser holds none of the terminal's.

fn of_page(language: &Language) -> &'static str {
    match language.tag {
        "ar" => include_str!("../texts/page.ar.ftl"),
        _ => include_str!("../texts/page.en.ftl"),
    }
}

fn of_terminal(language: &Language) -> &'static str {
    match language.tag {
        "ar" => include_str!("../texts/terminal.ar.ftl"),
        _ => include_str!("../texts/terminal.en.ftl"),
    }
}

/// A value put into a sentence.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A name or other text.
    Text(&'a str),
    /// A number; it chooses the plural.
    Count(u64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value<'_> {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<usize> for Value<'_> {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// Sentences in one language.
pub struct Texts {
    language: Language,
    chosen: FluentBundle<FluentResource>,
    fallback: FluentBundle<FluentResource>,
}

impl Texts {
    /// Sentences for a page, in the language nearest to a tag such as `ar` or `de-CH`; variables are
    /// cleaned and isolated.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self::read(tag, of_page, true)
    }

    /// Sentences for a terminal; variables are cleaned and not isolated.
    #[must_use]
    pub fn terminal(tag: &str) -> Self {
        Self::read(tag, of_terminal, false)
    }

    fn read(tag: &str, own: fn(&Language) -> &'static str, isolating: bool) -> Self {
        let primary = tag.split(['-', '_', '.']).next().unwrap_or_default();
        let known = LANGUAGES.into_iter().find(|language| language.tag == primary);
        let language = known.unwrap_or(ENGLISH);
        let made = |language: &Language| bundle(language, own(language), isolating);
        Self { language, chosen: made(&language), fallback: made(&ENGLISH) }
    }

    /// The language in use.
    #[must_use]
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// A sentence. An id that nobody wrote shows as itself; a test looks for such.
    #[must_use]
    pub fn get(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            match value {
                Value::Text(text) => {
                    args.set(*name, FluentValue::from(for_terminal(text, Lines::Join)));
                }
                Value::Count(count) => args.set(*name, FluentValue::from(*count)),
            }
        }
        formatted(&self.chosen, id, &args)
            .or_else(|| formatted(&self.fallback, id, &args))
            .unwrap_or_else(|| id.to_owned())
    }

    /// The name a person is shown by, as they wrote it: not cleaned, not isolated. A bot is called one wherever it has a name.
    #[must_use]
    pub fn person(&self, person: &Person) -> String {
        let name = if !person.name.trim().is_empty() {
            person.name.clone()
        } else if person.handle.is_empty() {
            self.get("no-name", &[])
        } else {
            format!("@{}", person.handle)
        };
        if person.bot { format!("{name} ({})", self.get("bot", &[])) } else { name }
    }

    /// What a chat is called in a list and above it: as its row says, but for the chat with oneself, which has a name in
    /// every language, and one with a bot.
    #[must_use]
    pub fn title(&self, row: &ConversationRow) -> String {
        match &row.person {
            _ if row.saved => self.get("saved-messages", &[]),
            Some(person) if person.bot => self.person(person),
            _ => row.title.clone(),
        }
    }

    /// What a message says; a text as it came, not cleaned, and without its marks.
    #[must_use]
    pub fn content(&self, from: &model::From, content: &Content) -> String {
        match content {
            Content::Text(text) => text.clone(),
            Content::Markdown { text, mentions } => {
                rich::plain(text, &|account, called| self.mention(mentions, account, called))
            }
            Content::Deleted if *from == model::From::Me => self.get("message-deleted-me", &[]),
            Content::Deleted => self.get("message-deleted", &[]),
            Content::Once { opened: false } => self.get("message-once", &[]),
            Content::Once { opened: true } => self.get("message-once-opened", &[]),
            Content::File(file) if file.caption.is_empty() => {
                self.get("message-file", &[("name", file.name.as_str().into())])
            }
            Content::File(file) => {
                let name = self.get("message-file", &[("name", file.name.as_str().into())]);
                format!("{name}\n{}", file.caption)
            }
            Content::System(line) => self.system_line(line),
            Content::NeedsNewerVersion => self.get("needs-newer", &[]),
        }
    }

    /// Somebody that a text names, by the name they go by here and not by what the writer called them.
    #[must_use]
    pub fn mention(&self, mentions: &[Mention], account: &str, called: &str) -> String {
        match mentions.iter().find(|one| one.account == account) {
            Some(Mention { person: Some(person), .. }) => {
                format!("@{}", self.person(person).trim_start_matches('@'))
            }
            Some(Mention { person: None, .. }) => self.get("mention-you", &[]),
            None => called.to_owned(),
        }
    }

    /// Who types; nothing if nobody does.
    #[must_use]
    pub fn typing(&self, people: &[Person]) -> Option<String> {
        match people {
            [] => None,
            [one] => Some(self.get("typing-one", &[("name", (&self.person(one)).into())])),
            many => Some(self.get("typing-many", &[("count", many.len().into())])),
        }
    }

    /// A length of time, in its largest whole unit.
    #[must_use]
    pub fn span(&self, seconds: u32) -> String {
        let units = [
            ("weeks", 604_800),
            ("days", 86_400),
            ("hours", 3_600),
            ("minutes", 60),
            ("seconds", 1),
        ];
        let whole =
            units.into_iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
        let (unit, length) = whole.unwrap_or(("seconds", 1));
        self.get("span", &[("unit", unit.into()), ("count", (seconds / length).into())])
    }

    /// A neutral line of a chat.
    #[must_use]
    pub fn system_line(&self, line: &SystemLine) -> String {
        let pick = |by: &Option<Person>, mine: &str, theirs: &str, more: &[(&str, &str)]| {
            let name = by.as_ref().map(|by| self.person(by));
            let mut values: Vec<(&str, Value<'_>)> =
                more.iter().map(|(key, text)| (*key, Value::Text(text))).collect();
            values.extend(name.as_ref().map(|name| ("by", Value::Text(name))));
            self.get(if name.is_some() { theirs } else { mine }, &values)
        };
        match line {
            SystemLine::GroupCreated { by } => pick(by, "line-created-me", "line-created", &[]),
            SystemLine::Added { by, who: Some(who) } => {
                pick(by, "line-added-by-me", "line-added", &[("who", &self.person(who))])
            }
            SystemLine::Added { by, who: None } => pick(by, "line-joined", "line-added-me", &[]),
            SystemLine::Removed { by, who: Some(who) } => {
                pick(by, "line-removed-by-me", "line-removed", &[("who", &self.person(who))])
            }
            SystemLine::Removed { by, who: None } => {
                pick(by, "line-you-left", "line-removed-me", &[])
            }
            SystemLine::Left { who: Some(who) } => {
                self.get("line-left", &[("who", Value::Text(&self.person(who)))])
            }
            SystemLine::Left { who: None } => self.get("line-you-left", &[]),
            SystemLine::Renamed { by, title } => {
                pick(by, "line-renamed-by-me", "line-renamed", &[("title", title)])
            }
            SystemLine::Role { by, who: Some(who), role } => {
                let more = [("who", self.person(who)), ("role", role.name().to_owned())];
                let more = more.each_ref().map(|(key, text)| (*key, text.as_str()));
                pick(by, "line-role-by-me", "line-role", &more)
            }
            SystemLine::Role { by, who: None, role } => {
                pick(by, "line-role-stepped-down", "line-role-me", &[("role", role.name())])
            }
            SystemLine::Banned { by, who, on: true } => {
                pick(by, "line-banned-by-me", "line-banned", &[("who", &self.person(who))])
            }
            SystemLine::Banned { by, who, on: false } => {
                pick(by, "line-unbanned-by-me", "line-unbanned", &[("who", &self.person(who))])
            }
            SystemLine::Announcements { by, on: true } => {
                pick(by, "line-announcements-by-me", "line-announcements", &[])
            }
            SystemLine::Announcements { by, on: false } => {
                pick(by, "line-announcements-off-by-me", "line-announcements-off", &[])
            }
            SystemLine::Link { by, on: true } => pick(by, "line-link-by-me", "line-link", &[]),
            SystemLine::Link { by, on: false } => {
                pick(by, "line-link-off-by-me", "line-link-off", &[])
            }
            SystemLine::AskedToJoin => self.get("line-asked-to-join", &[]),
            SystemLine::Slow { by, seconds: 0 } => {
                pick(by, "line-slow-off-by-me", "line-slow-off", &[])
            }
            SystemLine::Slow { by, seconds } => {
                pick(by, "line-slow-by-me", "line-slow", &[("span", &self.span(*seconds))])
            }
            SystemLine::DeviceAdded { who } => {
                self.get("line-device-added", &[("who", Value::Text(&self.person(who)))])
            }
            SystemLine::DeviceAddedByWords { who } => {
                self.get("line-device-by-words", &[("who", Value::Text(&self.person(who)))])
            }
            SystemLine::HandleMoved { handle } => {
                self.get("line-handle-moved", &[("handle", Value::Text(handle))])
            }
            SystemLine::Successor => self.get("line-successor", &[]),
            SystemLine::SuccessorOfTwo => self.get("line-successor-of-two", &[]),
            SystemLine::MayBeMissing => self.get("line-may-be-missing", &[]),
            SystemLine::PutBack => self.get("line-put-back", &[]),
            SystemLine::AskedAgain { who, count } => {
                self.missing(who, *count, "line-asked-again-mine", "line-asked-again")
            }
            SystemLine::NotRead { who, count } => {
                self.missing(who, *count, "line-not-read-mine", "line-not-read")
            }
            SystemLine::Repaired { count } => {
                self.get("line-repaired", &[("count", (*count).into())])
            }
            SystemLine::Away { days } => self.get("line-away", &[("days", (*days).into())]),
            SystemLine::Timer { by, seconds: 0 } => {
                pick(by, "line-timer-off-by-me", "line-timer-off", &[])
            }
            SystemLine::Timer { by, seconds } => {
                pick(by, "line-timer-by-me", "line-timer", &[("span", &self.span(*seconds))])
            }
            SystemLine::Pinned { by } => pick(by, "line-pinned-by-me", "line-pinned", &[]),
        }
    }

    fn missing(&self, who: &Option<Person>, count: u32, mine: &str, theirs: &str) -> String {
        let name = who.as_ref().map(|who| self.person(who));
        let id = if name.is_some() { theirs } else { mine };
        let name = name.unwrap_or_default();
        self.get(id, &[("name", (&name).into()), ("count", count.into())])
    }

    /// What happened, what is kept and what to do, in one or two sentences without codes.
    #[must_use]
    pub fn problem(&self, problem: &Problem) -> String {
        if problem.kind == ProblemKind::SlowDown && problem.wait_seconds > 0 {
            return self.get("wait-seconds", &[("seconds", problem.wait_seconds.into())]);
        }
        self.get(problem_id(problem.kind), &[])
    }

    /// What is proved, in one sentence. `server` is its address.
    #[must_use]
    pub fn proof(&self, proof: &Proof, server: &str) -> String {
        let id = match proof.kind {
            ProofKind::Equivocation => "proof-equivocation",
            ProofKind::BadAppend => "proof-bad-append",
            ProofKind::EpochReuse => "proof-epoch-reuse",
            ProofKind::GhostDevice => "proof-ghost-device",
            ProofKind::UnloggedCode => "proof-unlogged-code",
            ProofKind::Fork => "proof-fork",
        };
        let name = proof.who.as_ref().map(|who| self.person(who)).unwrap_or_default();
        self.get(id, &[("server", server.into()), ("name", name.as_str().into())])
    }

    /// The state of one's own message of a chat in words.
    #[must_use]
    pub fn state(&self, state: &SendState, chat: &ConversationRow) -> String {
        match (state, chat.kind) {
            (SendState::Waiting, _) if chat.held => self.get("state-held", &[]),
            (SendState::Waiting, _) => self.get("state-waiting", &[]),
            (SendState::Sent, _) => self.get("state-sent", &[]),
            (SendState::Delivered, Kind::Direct) => {
                self.get("state-delivered", &[("name", chat.title.as_str().into())])
            }
            (SendState::Delivered, Kind::Group) => self.get("state-delivered-group", &[]),
            (SendState::Read, _) => self.get("state-read", &[]),
            (SendState::NotSent { .. }, _) => self.get("state-not-sent", &[]),
        }
    }
}

/// The id of the sentence of a problem.
#[must_use]
pub fn problem_id(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::NoAccount => "problem-no-account",
        ProblemKind::HasAccount => "problem-has-account",
        ProblemKind::HandleForm => "problem-handle-form",
        ProblemKind::HandleTaken => "problem-handle-taken",
        ProblemKind::NotFound => "problem-not-found",
        ProblemKind::Offline => "problem-offline",
        ProblemKind::SlowDown => "problem-slow-down",
        ProblemKind::Server => "problem-server",
        ProblemKind::Size => "problem-size",
        ProblemKind::AccountGone => "problem-account-gone",
        ProblemKind::NotAMember => "problem-not-a-member",
        ProblemKind::NotAllowed => "problem-not-allowed",
        ProblemKind::Banned => "problem-banned",
        ProblemKind::GroupLink => "problem-group-link",
        ProblemKind::Blocked => "problem-blocked",
        ProblemKind::Request => "problem-request",
        ProblemKind::UnknownDevice => "problem-unknown-device",
        ProblemKind::Forged => "problem-forged",
        ProblemKind::Version => "problem-version",
        ProblemKind::RegistrationClosed => "problem-closed",
        ProblemKind::Certificate => "problem-certificate",
        ProblemKind::OutOfTokens => "problem-out-of-tokens",
        ProblemKind::Yourself => "problem-yourself",
        ProblemKind::WrongCode => "problem-wrong-code",
        ProblemKind::LinkOver => "problem-link-over",
        ProblemKind::WrongWords => "problem-wrong-words",
        ProblemKind::ListChanged => "problem-list-changed",
        ProblemKind::TooManyDevices => "problem-too-many-devices",
        ProblemKind::Disputed => "problem-disputed",
        ProblemKind::OtherAccount => "problem-other-account",
        ProblemKind::NotADevice => "problem-not-a-device",
        ProblemKind::Disk => "problem-disk",
        ProblemKind::HandleMoved => "problem-handle-moved",
        ProblemKind::HandleKept => "problem-handle-kept",
        ProblemKind::HandleWaits => "problem-handle-waits",
        ProblemKind::Approved => "problem-approved",
        ProblemKind::Stopped => "problem-stopped",
        ProblemKind::LogWaits => "problem-log-waits",
        ProblemKind::FilesFull => "problem-files-full",
        ProblemKind::Internal => "problem-internal",
    }
}

fn bundle(language: &Language, own: &'static str, isolating: bool) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(language.tag.parse().into_iter().collect());
    bundle.set_use_isolating(isolating);
    for text in [language.shared, own] {
        // A message that does not parse is left out and falls back; a test reads them all.
        let resource = match FluentResource::try_new(text.to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}

fn formatted(
    bundle: &FluentBundle<FluentResource>,
    id: &str,
    args: &FluentArgs<'_>,
) -> Option<String> {
    let pattern = bundle.get_message(id)?.value()?;
    Some(bundle.format_pattern(pattern, Some(args), &mut Vec::new()).into_owned())
}
