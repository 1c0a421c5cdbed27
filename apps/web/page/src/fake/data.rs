// SPDX-License-Identifier: AGPL-3.0-or-later
//! The fake engine's people and messages: made by counting, so that they are the same every time.

use std::collections::BTreeMap;

use nodoor_view::model::{
    Check, CheckState, Content, ConversationId, ConversationRow, DeviceRow, EvidenceFile,
    Freshness, From, Kind, MessageId, MessageRow, Milliseconds, Person, Problem, ProblemKind,
    Profile, RequestRow, SendState, Settings, SystemLine, Writable,
};

use super::{Fake, last_line};
use crate::dom;

pub(super) const MINUTE: u64 = 60_000;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;
const CHATS: u64 = 500;
const MESSAGES: u64 = 10_000;

pub(super) const WORDS: &str = "anchor basket candle desert engine forest garden harbor island \
    jacket kitchen ladder market number orange pencil quarter river silver ticket umbrella velvet window yellow";

const NAMES: [(&str, &str); 24] = [
    ("ben", "Ben Adeyemi"),
    ("mira", "Mira"),
    ("ana", "Ana Lindqvist"),
    ("nils_k", "Nils"),
    ("layla", "ليلى حداد"),
    ("yuki", "Ελένη Παππά"),
    ("olga", "Ольга Петрова"),
    ("tom", ""),
    ("max60", "Maximiliane Theodora Friederike von und zu Hohenlohe-Langenburg"),
    ("jo", "Jo"),
    ("farid", "Farid Karimi"),
    ("sun", "☀️ Sunny"),
    ("noa", "נועה לוי"),
    ("pia", "Pia Berg"),
    ("leo", "Leo Marchetti"),
    ("ines", "Inês Duarte"),
    ("kofi", "Kofi Mensah"),
    ("rui", "Rui"),
    ("zoe", "Zoë Papadaki"),
    ("ivan", "Ivan"),
    ("mei", "Mei Chen"),
    ("omar", "Omar"),
    ("eva", "Eva Novák"),
    ("sam", "Sam O’Neil"),
];

const SAYINGS: [&str; 16] = [
    "See you at the station at six",
    "Yes, that works for me.",
    "Did you find the ladder? I looked in the shed and behind the greenhouse.",
    "👍",
    "I will bring bread and the blue blanket.",
    "Have a look: https://example.org/garden/plan?week=12. The second page has the dates.",
    "Ten minutes late, sorry",
    "ok",
    "The doctor said everything is fine, no need to worry at all.",
    "هل ما زلنا على موعدنا غدًا؟",
    "Can you call me when you are home?",
    "Shall we move it to Thursday?\nFriday would be fine too.",
    "😂😂",
    "I left the keys with the neighbour on the second floor.",
    "Thank you!",
    "Well, that was a long day. Let’s talk tomorrow, I am too tired to think about numbers now.",
];

pub(super) fn person(handle: &str, name: &str) -> Person {
    let account = handle.bytes().fold(7_u64, |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b)));
    Person {
        account: format!("{account:032x}"),
        handle: handle.to_owned(),
        name: name.to_owned(),
        bot: false,
    }
}

pub(super) fn people() -> Vec<Person> {
    NAMES.iter().map(|(handle, name)| person(handle, name)).collect()
}

pub(super) fn profile(handle: &str) -> Profile {
    let server = dom::window().location().origin().unwrap_or_default();
    Profile {
        account: "5f2c91".repeat(5),
        device: "d1".repeat(16),
        handle: handle.to_owned(),
        name: String::new(),
        bot: false,
        invite_link: format!("{server}/#@{handle}"),
        server,
    }
}

pub(super) fn devices() -> Vec<DeviceRow> {
    let device = |id: &str, name: &str, days: u64, current| DeviceRow {
        device: id.repeat(16),
        name: name.to_owned(),
        added_at: Milliseconds(dom::now() - days * DAY),
        current,
    };
    vec![device("d1", "", 19, true), device("d2", "Terminal at the desk", 4, false)]
}

/// One chat for each thing that can be known of keys.
pub(super) fn check(id: ConversationId) -> Check {
    let now = dom::now();
    let known = |state, freshness, behind: u64| Check {
        state,
        checked_at: Some(Milliseconds(now - behind)),
        ledger_size: 48_211,
        freshness,
        log_time: Some(Milliseconds(now - behind)),
    };
    match id.0 {
        1 => known(CheckState::Verified, Freshness::Fresh, 10 * MINUTE),
        2 => known(CheckState::Unwitnessed, Freshness::Amber, 30 * HOUR),
        5 => known(CheckState::Unwitnessed, Freshness::Red, 80 * HOUR),
        _ => known(CheckState::Unwitnessed, Freshness::Fresh, 10 * MINUTE),
    }
}

pub(super) fn evidence() -> Vec<EvidenceFile> {
    vec![EvidenceFile { name: "evidence.txt".to_owned(), text: "sample\n".to_owned() }]
}

pub(super) fn direct(id: ConversationId, person: Person, at: u64) -> ConversationRow {
    let title =
        if person.name.is_empty() { format!("@{}", person.handle) } else { person.name.clone() };
    ConversationRow {
        id,
        reference: format!("{:032x}", id.0),
        kind: Kind::Direct,
        title,
        person: Some(person),
        unread: 0,
        first_unread: None,
        last: None,
        draft: String::new(),
        sorted_at: Milliseconds(at),
        writable: Writable::Yes,
        held: false,
        request: false,
        mentioned: false,
        timer: 0,
        place: nodoor_view::list::Place::default(),
        saved: false,
        people: 0,
        devices: 0,
    }
}

pub(super) fn group(id: ConversationId, title: &str, people: u32, at: u64) -> ConversationRow {
    ConversationRow {
        kind: Kind::Group,
        title: title.to_owned(),
        person: None,
        people,
        devices: people * 2 - 1,
        ..direct(id, person("none", ""), at)
    }
}

pub(super) fn make(search: &str) -> Fake {
    let now = dom::now();
    let mut fake = Fake {
        profile: (!search.contains("new")).then(|| profile("mira_k")),
        chats: BTreeMap::new(),
        charters: BTreeMap::new(),
        roles: BTreeMap::new(),
        messages: BTreeMap::new(),
        deleted: Vec::new(),
        requests: Vec::new(),
        settings: settings(search),
        next: 0,
        online: true,
        held: None,
        moving: None,
        refuse: None,
        words: search.contains("words"),
        compared: None,
        fail: None,
        slow: 0,
        called: None,
        looking: None,
        asked: Vec::new(),
        folders: Vec::new(),
    };
    if search.contains("empty") || search.contains("new") {
        return fake;
    }
    let people = people();
    let chats = if search.contains("few") { 41 } else { CHATS };
    for n in 1..=chats {
        let id = ConversationId(n);
        let who = people.get((n - 1) as usize % people.len()).cloned();
        let Some(mut who) = who else { continue };
        if n > people.len() as u64 {
            who = person(&format!("{}{n}", who.handle), &format!("{} {n}", who.name));
        }
        let row = match n {
            3 => group(id, "Garden group", 4, now),
            12 => group(
                id,
                "A group with a title of one hundred characters that goes on and on until there is no more room",
                9,
                now,
            ),
            n if n % 10 == 0 => group(id, &format!("Group {n}"), 3 + (n % 20) as u32, now),
            _ => {
                let mut row = direct(id, who.clone(), now);
                row.people = 2;
                row.devices = 3;
                row
            }
        };
        let count = match n {
            1 => 28,
            4 => 4_000,
            _ => (MESSAGES - 4_028) / (CHATS - 2),
        };
        fake.chats.insert(id, row);
        // Ids rise within a chat and leave room for what comes.
        fake.next = n * 1_000_000;
        let latest = now.saturating_sub(n * 47 * MINUTE);
        let rows = if n == 1 {
            with_ben(&who, now)
        } else {
            history(id, &who, &people, count, latest, fake.next)
        };
        fake.messages.insert(id, rows);
    }
    fake.next = 1_000_000_000;
    finish(&mut fake, now);
    fake
}

fn settings(search: &str) -> Settings {
    let mut settings = Settings::default();
    if search.contains("lang=ar") {
        settings.language = "ar".to_owned();
    } else {
        settings.language = "en".to_owned();
    }
    if search.contains("text=200") {
        settings.text_percent = 200;
    }
    settings.lines = search.contains("look=lines");
    settings
}

fn history(
    id: ConversationId,
    who: &Person,
    people: &[Person],
    count: u64,
    latest: u64,
    base: u64,
) -> Vec<MessageRow> {
    (0..count)
        .map(|n| {
            let left = count - n;
            let at = latest.saturating_sub(left * 7 * MINUTE + (left / 9) * 5 * HOUR);
            let said = SAYINGS.get(((n * 7 + id.0) % 16) as usize).copied().unwrap_or_default();
            let from = match (n * 5 + id.0) % 7 {
                0..=2 => From::Me,
                m if id.0.is_multiple_of(10) || id.0 == 3 || id.0 == 12 => {
                    let who = people.get(((m + n / 3) % 5) as usize).cloned();
                    From::Them(who.unwrap_or_else(|| who_is(people)))
                }
                _ => From::Them(who.clone()),
            };
            message(base + n + 1, id, from, Content::Text(said.to_owned()), at)
        })
        .collect()
}

fn who_is(people: &[Person]) -> Person {
    people.first().cloned().unwrap_or_else(|| person("ben", "Ben Adeyemi"))
}

fn message(
    id: u64,
    conversation: ConversationId,
    from: From,
    content: Content,
    at: u64,
) -> MessageRow {
    let state = (from == From::Me).then_some(SendState::Delivered);
    MessageRow {
        id: MessageId(id),
        conversation,
        reference: format!("{id:032x}"),
        from,
        content,
        sent_at: Milliseconds(at),
        received_at: Milliseconds(at),
        marks: nodoor_view::message::Marks::default(),
        state,
    }
}

/// The first chat: one of each thing a chat can hold.
fn with_ben(ben: &Person, now: u64) -> Vec<MessageRow> {
    let id = ConversationId(1);
    let them = || From::Them(ben.clone());
    let text = |text: &str| Content::Text(text.to_owned());
    let yesterday = now - DAY;
    let lines = [
        (them(), text("Hey! Are you coming to the reading on Sunday?"), yesterday - 3 * HOUR),
        (From::Me, text("I would love to. Where is it?"), yesterday - 3 * HOUR + 4 * MINUTE),
        (
            them(),
            text(
                "At the old library, second floor. Here is the programme: https://example.org/reading, and the map http://example.org/map.",
            ),
            yesterday - 3 * HOUR + 6 * MINUTE,
        ),
        (them(), text("Doors open at 17:30."), yesterday - 3 * HOUR + 7 * MINUTE),
        (From::Me, text("❤️"), yesterday - 3 * HOUR + 9 * MINUTE),
        (From::Me, text("I will bring Layla, if that is fine."), yesterday - 2 * HOUR),
        (
            them(),
            text("Of course. Tell her she still owes me a book."),
            yesterday - 2 * HOUR + MINUTE,
        ),
        (
            From::System,
            Content::System(SystemLine::DeviceAdded { who: ben.clone() }),
            now - 90 * MINUTE,
        ),
        (them(), text("Morning! Is the meeting still on?"), now - 40 * MINUTE),
        (them(), text("I can be there at ten."), now - 39 * MINUTE),
        (
            From::Me,
            text(
                "Ten works for me.\nI will bring the keys and the plan, so that we can look at both floors before the others come.",
            ),
            now - 30 * MINUTE,
        ),
        (them(), text("مرحبا، هذا سطر بالعربية كي نرى اتجاهه."), now - 20 * MINUTE),
        (them(), text("👩🏽‍🌾🇩🇪"), now - 19 * MINUTE),
        (From::Me, text("I will bring the keys"), now - 12 * MINUTE),
        (From::Me, text("And the ladder, if it fits into the car."), now - 11 * MINUTE),
    ];
    lines
        .into_iter()
        .enumerate()
        .map(|(n, (from, content, at))| message(1_000_001 + n as u64, id, from, content, at))
        .collect()
}

fn finish(fake: &mut Fake, now: u64) {
    if let Some(last) = fake.messages.get_mut(&ConversationId(6)).and_then(|rows| rows.last_mut()) {
        last.from = From::Me;
        let reason = Problem { kind: ProblemKind::AccountGone, code: 412, wait_seconds: 0 };
        last.state = Some(SendState::NotSent { reason });
    }
    if let Some(rows) = fake.messages.get_mut(&ConversationId(5)) {
        if let Some(row) = rows.iter_mut().rev().nth(1) {
            row.content = Content::Text("Donaudampfschifffahrtsgesellschaftskapitän".repeat(12));
        }
        if let Some(row) = rows.last_mut() {
            row.content = Content::Text("A long letter. ".repeat(670));
        }
    }
    // Unread: 3, 30 and 300, and a few with one.
    for (chat, unread) in [(2, 3), (3, 14), (4, 300), (7, 1), (9, 2)] {
        let id = ConversationId(chat);
        let Some(rows) = fake.messages.get_mut(&id) else { continue };
        let who =
            people().into_iter().nth(chat as usize - 1).unwrap_or_else(|| person("ben", "Ben"));
        let start = rows.len().saturating_sub(unread);
        for row in rows.iter_mut().skip(start) {
            if row.from == From::Me {
                row.from = From::Them(who.clone());
                row.state = None;
            }
        }
        if let (Some(chat), Some(first)) = (fake.chats.get_mut(&id), rows.get(start)) {
            chat.unread = unread as u32;
            chat.first_unread = Some(first.id);
        }
    }
    for (id, row) in &mut fake.chats {
        if let Some(last) = fake.messages.get(id).and_then(|rows| rows.last()) {
            row.last = Some(last_line(last));
            row.sorted_at = last.received_at;
        }
    }
    if let Some(row) = fake.chats.get_mut(&ConversationId(8)) {
        row.draft = "And the tickets, did you".to_owned();
    }
    for (chat, writable) in [(30, Writable::Left), (40, Writable::Removed), (41, Writable::Blocked)]
    {
        if let Some(row) = fake.chats.get_mut(&ConversationId(chat)) {
            row.writable = writable;
        }
    }
    fake.requests = vec![
        RequestRow {
            conversation: ConversationId(901),
            reference: "901".to_owned(),
            kind: Kind::Direct,
            from: person("nils_k", ""),
            title: String::new(),
            same_title_as_mine: false,
            members: Vec::new(),
            text: "Hi, we met at the fair. Is this Mira? https://example.org/pics".to_owned(),
            first_seen: Milliseconds(now - 2 * MINUTE),
        },
        RequestRow {
            conversation: ConversationId(902),
            reference: "902".to_owned(),
            kind: Kind::Group,
            from: person("eva.n", "Eva Novák"),
            title: "Garden group".to_owned(),
            same_title_as_mine: true,
            members: people().into_iter().skip(10).take(3).collect(),
            text: String::new(),
            first_seen: Milliseconds(now - 3 * HOUR),
        },
    ];
}
