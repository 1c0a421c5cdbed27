// SPDX-License-Identifier: AGPL-3.0-or-later
//! Reads `result.json` of Telegram Desktop's "Export chat data" and "Export Telegram data", machine-readable.
//!
//! A message at a time, so the size of the file does not matter. The format is described nowhere by its maker; what is read
//! here is what the exporter of Telegram Desktop writes: one chat (`name`, `type`, `id`, `messages`), or all (`chats` and
//! `left_chats`, each with a `list` of such). What it does not know it leaves out; what is not JSON it refuses, with the
//! place. Text keeps its bold, italic, struck, code, quotations and links; a spoiler stands between `||` as it is typed
//! there; underlines and other kinds are plain text.
//!
//! Nothing here opens another file than the one it is given: whether a photo is there is the caller's to ask.

use std::{borrow::Cow, cell::RefCell, fmt, io::Read, rc::Rc};

use nodoor_view::{
    model::Milliseconds,
    past::{Imported, ImportedChat},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// What comes out of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A chat begins.
    Chat(ImportedChat),
    /// A message of the chat before, and the files it names.
    Message(Imported, Vec<Named>),
}

/// A file that a message names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Its path inside the export's folder, with `/`.
    Path(String),
    /// What the export says instead: "(File not included. ...)".
    Missing(String),
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No JSON, or cut off.
    #[error("this is no export of Telegram, or it is damaged: line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON, but without chats.
    #[error("there is no chat in this file")]
    NoChats,
    /// The one who takes the items wants no more.
    #[error("stopped")]
    Stopped,
    /// The file cannot be read.
    #[error("the file failed: {0}")]
    Io(std::io::Error),
}

/// What there is in a file, and that all of it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Whose export it is: `user` and a number.
    me: Option<String>,
    chats: Vec<About>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct About {
    id: String,
    title: String,
    kind: String,
}

/// Reads a file to its end, without handing anything in.
///
/// # Errors
/// [`ReadError`]: nothing of it is to be used.
pub fn survey(file: impl Read) -> Result<Survey, ReadError> {
    let found = walk(file, None, &mut |_| true)?;
    match found.survey.chats.is_empty() {
        true => Err(ReadError::NoChats),
        false => Ok(found.survey),
    }
}

/// Hands in what a file holds, whose survey this is. `take` says whether to go on.
///
/// # Errors
/// [`ReadError`], after what came before the place was handed in.
pub fn read(
    file: impl Read,
    survey: &Survey,
    take: &mut dyn FnMut(Item) -> bool,
) -> Result<(), ReadError> {
    walk(file, Some(survey), take).map(|_| ())
}

fn walk(
    file: impl Read,
    survey: Option<&Survey>,
    take: &mut dyn FnMut(Item) -> bool,
) -> Result<Found, ReadError> {
    let known = survey.cloned();
    let first = Found { known, survey: Survey::default(), chats: 0, stopped: false };
    let found = Rc::new(RefCell::new(first));
    let taking: Taking<'_, '_> = &RefCell::new(take);
    let mut json = serde_json::Deserializer::from_reader(file);
    let place = Place { found: Rc::clone(&found), taking, inside: Inside::Root };
    let read = place.deserialize(&mut json).and_then(|()| json.end());
    let found = found.replace(Found::default());
    match read {
        Err(_) if found.stopped => Err(ReadError::Stopped),
        Err(error) => match error.is_io() {
            true => Err(ReadError::Io(error.into())),
            false => Err(ReadError::Json { line: error.line(), column: error.column() }),
        },
        Ok(()) => Ok(found),
    }
}

type Taking<'t, 'f> = &'t RefCell<&'f mut dyn FnMut(Item) -> bool>;

/// What is known so far.
#[derive(Default)]
struct Found {
    /// From the first reading; without it nothing is handed in.
    known: Option<Survey>,
    survey: Survey,
    /// Chats begun.
    chats: usize,
    stopped: bool,
}

/// An object of the file.
struct Place<'t, 'f> {
    found: Rc<RefCell<Found>>,
    taking: Taking<'t, 'f>,
    inside: Inside,
}

#[derive(Clone, Copy)]
enum Inside {
    /// The file: one chat, or all.
    Root,
    /// `chats` or `left_chats`.
    Chats,
    /// `list`.
    List,
    /// One chat of it.
    Chat,
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        match self.inside {
            Inside::List => from.deserialize_seq(self),
            Inside::Root | Inside::Chats | Inside::Chat => from.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a part of an export")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let (found, taking) = (Rc::clone(&self.found), self.taking);
            if list.next_element_seed(Place { found, taking, inside: Inside::Chat })?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut name, mut kind, mut id) = (None::<String>, None::<String>, None::<Id>);
        let mut has_messages = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let inside = |inside| {
                let (found, taking) = (Rc::clone(&self.found), self.taking);
                Place { found, taking, inside }
            };
            match (self.inside, &*key) {
                (Inside::Root, "chats" | "left_chats") => {
                    map.next_value_seed(inside(Inside::Chats))?;
                }
                (Inside::Root, "personal_information") => {
                    let about: Personal = map.next_value()?;
                    let me = about.user_id.map(|id| format!("user{}", id.0));
                    self.found.borrow_mut().survey.me = me;
                }
                (Inside::Chats, "list") => map.next_value_seed(inside(Inside::List))?,
                (Inside::Root | Inside::Chat, "name") => name = map.next_value()?,
                (Inside::Root | Inside::Chat, "type") => kind = map.next_value()?,
                (Inside::Root | Inside::Chat, "id") => id = Some(map.next_value()?),
                (Inside::Root | Inside::Chat, "messages") => {
                    has_messages = true;
                    let (found, taking) = (Rc::clone(&self.found), self.taking);
                    map.next_value_seed(Messages { found, taking })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_messages {
            let id = id.ok_or_else(|| A::Error::custom("a chat without an id"))?.0.to_string();
            let (title, kind) = (name.unwrap_or_default(), kind.unwrap_or_default());
            self.found.borrow_mut().survey.chats.push(About { id, title, kind });
        }
        Ok(())
    }
}

fn hand<E: serde::de::Error>(
    found: &RefCell<Found>,
    taking: Taking<'_, '_>,
    item: Item,
) -> Result<(), E> {
    if (taking.borrow_mut())(item) {
        return Ok(());
    }
    found.borrow_mut().stopped = true;
    Err(E::custom("stopped"))
}

struct Messages<'t, 'f> {
    found: Rc<RefCell<Found>>,
    taking: Taking<'t, 'f>,
}

impl<'de> DeserializeSeed<'de> for Messages<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Messages<'_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let number = self.found.borrow().chats;
        self.found.borrow_mut().chats += 1;
        let (me, about) = match &self.found.borrow().known {
            Some(known) => (known.me.clone(), known.chats.get(number).cloned()),
            None => (None, None),
        };
        if let Some(About { id, title, .. }) = &about {
            let source = "telegram".to_owned();
            let chat = ImportedChat { source, id: id.clone(), title: title.clone() };
            hand(&self.found, self.taking, Item::Chat(chat))?;
        }
        while let Some(raw) = list.next_element::<Raw>()? {
            let Some(about) = &about else { continue };
            let from = raw.from_id.clone().or(raw.actor_id.clone()).unwrap_or_default();
            let mine = match (about.kind.as_str(), &me) {
                ("saved_messages", _) => true,
                (_, Some(me)) => from == *me,
                // A chat of two names the other one as its id.
                ("personal_chat" | "bot_chat", None) => {
                    !from.is_empty() && from != format!("user{}", about.id)
                }
                _ => false,
            };
            let (message, files) = raw.told(from, mine);
            hand(&self.found, self.taking, Item::Message(message, files))?;
        }
        Ok(())
    }
}

/// A number, as a number or as text.
struct Id(i64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(i64),
            Text(String),
        }
        match Either::deserialize(from)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(D::Error::custom),
        }
    }
}

#[derive(Deserialize)]
struct Personal {
    #[serde(default)]
    user_id: Option<Id>,
}

/// A message as the file has it.
#[derive(Deserialize)]
struct Raw {
    id: i64,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    date: String,
    #[serde(default)]
    date_unixtime: Option<Id>,
    #[serde(default)]
    edited: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    from_id: Option<String>,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    actor_id: Option<String>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    information_text: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    new_title: Option<String>,
    #[serde(default)]
    members: Option<Vec<Option<String>>>,
    #[serde(default)]
    message_id: Option<i64>,
    #[serde(default, deserialize_with = "forwarded")]
    forwarded_from: Option<String>,
    #[serde(default)]
    reply_to_message_id: Option<i64>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    photo: Option<String>,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    file_name: Option<String>,
    #[serde(default)]
    sticker_emoji: Option<String>,
    #[serde(default)]
    place_name: Option<String>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    location_information: Option<Location>,
    #[serde(default)]
    contact_information: Option<Contact>,
    #[serde(default)]
    poll: Option<Poll>,
    #[serde(default)]
    text: Option<Text>,
    #[serde(default)]
    text_entities: Option<Vec<Part>>,
}

/// `null` says that it was forwarded, and not from whom.
fn forwarded<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from).map(|name| Some(name.unwrap_or_default()))
}

#[derive(Deserialize)]
struct Location {
    latitude: f64,
    longitude: f64,
}

#[derive(Deserialize)]
struct Contact {
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    phone_number: String,
}

#[derive(Deserialize)]
struct Poll {
    #[serde(default)]
    question: String,
    #[serde(default)]
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    text: String,
    #[serde(default)]
    voters: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Plain(String),
    Marked {
        #[serde(default, rename = "type")]
        kind: String,
        #[serde(default)]
        text: String,
        #[serde(default)]
        href: Option<String>,
    },
}

impl Raw {
    fn told(self, from_id: String, mine: bool) -> (Imported, Vec<Named>) {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(
            self.forwarded_from
                .as_ref()
                .filter(|name| !name.is_empty())
                .map(|name| format!("**{name}:**")),
        );
        lines.extend(self.action_line());
        let mut files = Vec::new();
        for (label, path) in [("photo", &self.photo), ("file", &self.file)] {
            let Some(path) = path else { continue };
            let label = self.media_type.as_deref().filter(|_| label == "file").unwrap_or(label);
            let emoji = self.sticker_emoji.as_deref().unwrap_or_default();
            let name = self.file_name.as_deref().unwrap_or_default();
            let line = [&format!("[{label}]"), emoji, name, path];
            let line: Vec<&str> = line.into_iter().filter(|part| !part.is_empty()).collect();
            lines.push(line.join(" "));
            files.push(match path.contains('(') && path.ends_with(')') && !path.contains('/') {
                true => Named::Missing(path.clone()),
                false => Named::Path(path.clone()),
            });
        }
        lines.extend(self.place_name.iter().chain(&self.address).cloned());
        if let Some(at) = &self.location_information {
            lines.push(format!("[location] {} {}", at.latitude, at.longitude));
        }
        if let Some(who) = &self.contact_information {
            let Contact { first_name, last_name, phone_number } = who;
            lines.push(format!("[contact] {first_name} {last_name} {phone_number}"));
        }
        if let Some(poll) = &self.poll {
            lines.push(format!("[poll] {}", poll.question));
            lines.extend(poll.answers.iter().map(|one| format!("- {} ({})", one.text, one.voters)));
        }
        let text = match (&self.text_entities, &self.text) {
            (Some(parts), _) if !parts.is_empty() => marked(parts),
            (_, Some(Text::Plain(text))) => text.clone(),
            (_, Some(Text::Parts(parts))) => marked(parts),
            (_, None) => String::new(),
        };
        lines.extend(Some(text).filter(|text| !text.is_empty()));
        if self.kind == "unsupported" {
            lines.push("[unsupported]".to_owned());
        }
        let message = Imported {
            id: self.id,
            from: self.from.or(self.actor).unwrap_or_default(),
            from_id,
            mine,
            at: Milliseconds(time(self.date_unixtime, &self.date)),
            text: lines.join("\n"),
            forwarded: self.forwarded_from.is_some(),
            edited: self.edited.is_some(),
            reply: self.reply_to_message_id.or(self.message_id),
            files: files.len(),
        };
        (message, files)
    }

    /// What happened, in Telegram's own word for it.
    fn action_line(&self) -> Option<String> {
        let action = self.action.as_ref().map(|action| action.replace('_', " "));
        let action = action.or_else(|| self.information_text.clone())?;
        let members: Vec<&str> =
            self.members.iter().flatten().flatten().map(String::as_str).collect();
        let about = [
            self.title.as_deref().or(self.new_title.as_deref()),
            Some(members.join(", ").as_str()),
        ]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
        Some(match about.is_empty() {
            true => format!("[{action}]"),
            false => format!("[{action}] {about}"),
        })
    }
}

/// Text with the marks of `view::rich`, which stand at no space.
fn marked(parts: &[Part]) -> String {
    let mut all = String::new();
    for part in parts {
        let (kind, text, href) = match part {
            Part::Plain(text) => ("plain", text, None),
            Part::Marked { kind, text, href } => (kind.as_str(), text, href.as_deref()),
        };
        let core = text.trim();
        let around = |mark: &str| match core.is_empty() || core.contains('\n') {
            true => text.clone(),
            false => text.replacen(core, &format!("{mark}{core}{mark}"), 1),
        };
        all += &match kind {
            "bold" => around("**"),
            "italic" => around("*"),
            "strikethrough" => around("~~"),
            "spoiler" => around("||"),
            "code" => around("`"),
            "pre" => format!(
                "{}```\n{core}\n```\n",
                if all.is_empty() || all.ends_with('\n') { "" } else { "\n" }
            ),
            "blockquote" => {
                let lines: Vec<String> = core.lines().map(|line| format!("> {line}")).collect();
                let before = if all.is_empty() || all.ends_with('\n') { "" } else { "\n" };
                format!("{before}{}\n", lines.join("\n"))
            }
            "text_link" => match href.filter(|href| *href != core) {
                Some(href) => format!("{text} ({href})"),
                None => text.clone(),
            },
            _ => text.clone(),
        };
    }
    all
}

/// Milliseconds of a message. Older exports have the local time alone: it is read as if it were UTC.
fn time(unix: Option<Id>, local: &str) -> u64 {
    if let Some(Id(seconds)) = unix {
        return u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
    }
    let mut numbers = local.split(['-', 'T', ':']).map(|part| part.parse::<i64>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let (year, month, day) = (next().clamp(0, 9999), next().clamp(1, 12), next().clamp(1, 31));
    let (hour, minute, second) = (next().clamp(0, 23), next().clamp(0, 59), next().clamp(0, 60));
    // Days since 1970 of the proleptic Gregorian calendar, years beginning in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
}
