// SPDX-License-Identifier: AGPL-3.0-or-later
use std::collections::BTreeSet;

use nodoor_view::{
    model::{
        ConversationId, ConversationRow, Kind, Milliseconds, Person, Problem, ProblemKind,
        SendState, SystemLine, Writable,
    },
    text::{LANGUAGES, Texts, Value, problem_id},
};

const FILES: [(&str, &str, &str); 3] = [
    ("shared", include_str!("../../texts/en.ftl"), include_str!("../../texts/ar.ftl")),
    ("page", include_str!("../../texts/page.en.ftl"), include_str!("../../texts/page.ar.ftl")),
    (
        "terminal",
        include_str!("../../texts/terminal.en.ftl"),
        include_str!("../../texts/terminal.ar.ftl"),
    ),
];

fn ids(text: &str) -> BTreeSet<String> {
    let resource = fluent_bundle::FluentResource::try_new(text.to_owned())
        .unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
    let _ = resource;
    text.lines()
        .filter_map(|line| line.split_once(" ="))
        .filter(|(id, _)| id.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(|(id, _)| id.to_owned())
        .collect()
}

/// `{ $name }` and selectors, by message.
fn variables(text: &str) -> BTreeSet<(String, String)> {
    let mut id = String::new();
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            id = line.split(" =").next().unwrap().to_owned();
        }
        for after in line.split('$').skip(1) {
            let name: String = after.chars().take_while(char::is_ascii_alphabetic).collect();
            found.insert((id.clone(), name));
        }
    }
    found
}

fn ben() -> Person {
    Person { account: "5f2c".into(), handle: "ben".into(), name: "Ben".into(), bot: false }
}

#[test]
fn every_language_says_the_same_things_with_the_same_variables() {
    for (file, english, arabic) in FILES {
        assert_eq!(ids(english), ids(arabic), "{file}");
        assert_eq!(variables(english), variables(arabic), "{file}");
    }
}

#[test]
fn a_bot_is_called_one_wherever_it_has_a_name() {
    let texts = nodoor_view::text::Texts::new("en");
    let bot = |name: &str, handle: &str| Person {
        account: "5f2c".into(),
        handle: handle.into(),
        name: name.into(),
        bot: true,
    };
    assert_eq!(texts.person(&ben()), "Ben");
    assert_eq!(texts.person(&bot("Echo", "echo")), "Echo (bot)");
    assert_eq!(texts.person(&bot(" ", "echo")), "@echo (bot)");
    let left = SystemLine::Left { who: Some(bot("Echo", "echo")) };
    assert_eq!(texts.system_line(&left), "\u{2068}Echo (bot)\u{2069} left.");
}

#[test]
fn every_problem_line_and_state_has_words() {
    let kinds = [
        ProblemKind::NoAccount,
        ProblemKind::HasAccount,
        ProblemKind::HandleForm,
        ProblemKind::HandleTaken,
        ProblemKind::NotFound,
        ProblemKind::Offline,
        ProblemKind::SlowDown,
        ProblemKind::Server,
        ProblemKind::Size,
        ProblemKind::AccountGone,
        ProblemKind::NotAMember,
        ProblemKind::NotAllowed,
        ProblemKind::Blocked,
        ProblemKind::Request,
        ProblemKind::UnknownDevice,
        ProblemKind::Forged,
        ProblemKind::Version,
        ProblemKind::RegistrationClosed,
        ProblemKind::Certificate,
        ProblemKind::Yourself,
        ProblemKind::WrongCode,
        ProblemKind::LinkOver,
        ProblemKind::WrongWords,
        ProblemKind::ListChanged,
        ProblemKind::TooManyDevices,
        ProblemKind::Disputed,
        ProblemKind::NotADevice,
        ProblemKind::HandleMoved,
        ProblemKind::HandleKept,
        ProblemKind::HandleWaits,
        ProblemKind::Approved,
        ProblemKind::Stopped,
        ProblemKind::LogWaits,
        ProblemKind::Disk,
        ProblemKind::Internal,
    ];
    let (me, them) = (None, Some(ben()));
    let mut lines = vec![
        SystemLine::DeviceAdded { who: ben() },
        SystemLine::DeviceAddedByWords { who: ben() },
        SystemLine::HandleMoved { handle: "ben".to_owned() },
        SystemLine::Successor,
        SystemLine::SuccessorOfTwo,
        SystemLine::MayBeMissing,
        SystemLine::PutBack,
    ];
    for by in [&me, &them] {
        lines.push(SystemLine::GroupCreated { by: by.clone() });
        lines.push(SystemLine::Renamed { by: by.clone(), title: "Garden".into() });
        lines.push(SystemLine::Left { who: by.clone() });
        lines.push(SystemLine::Pinned { by: by.clone() });
        for seconds in [0, 30, 3600, 604_800] {
            lines.push(SystemLine::Timer { by: by.clone(), seconds });
        }
        for who in [&me, &them] {
            lines.push(SystemLine::Added { by: by.clone(), who: who.clone() });
            lines.push(SystemLine::Removed { by: by.clone(), who: who.clone() });
        }
    }
    for language in LANGUAGES {
        let texts = Texts::new(language.tag);
        for kind in kinds {
            let said = texts.problem(&Problem { kind, code: 0, wait_seconds: 0 });
            assert_ne!(said, problem_id(kind));
        }
        for line in &lines {
            let said = texts.system_line(line);
            assert!(said.contains(' ') || language.tag == "ar", "{said}");
            assert!(!said.starts_with("line-") && !said.contains('{'), "{said}");
        }
        for (kind, held) in [(Kind::Direct, false), (Kind::Direct, true), (Kind::Group, false)] {
            let mut said =
                [SendState::Waiting, SendState::Sent, SendState::Delivered, SendState::Read]
                    .map(|state| texts.state(&state, &chat(kind, held)));
            assert!(said.iter().all(|said| !said.starts_with("state-")), "{said:?}");
            said.sort();
            assert!(said.windows(2).all(|two| two[0] != two[1]), "{said:?}");
        }
        let waiting =
            [false, true].map(|held| texts.state(&SendState::Waiting, &chat(Kind::Group, held)));
        assert_ne!(waiting[0], waiting[1]);
    }
}

#[test]
fn words_given_by_the_design_stand_as_given() {
    let texts = Texts::terminal("en");
    assert_eq!(
        texts.system_line(&SystemLine::DeviceAdded { who: ben() }),
        "Ben added a device. It was approved by a device Ben already had."
    );
    let missing = |count| texts.system_line(&SystemLine::AskedAgain { who: Some(ben()), count });
    assert_eq!(
        missing(1),
        "1 message from Ben could not be read. Ben's device was asked to send it again."
    );
    assert_eq!(
        texts.system_line(&SystemLine::Repaired { count: 2 }),
        "A gap of 2 messages was repaired."
    );
    assert_eq!(
        texts.system_line(&SystemLine::Away { days: 41 }),
        "This device was away for 41 days. Messages older than 30 days could not be kept for it."
    );
    let wait = Problem { kind: ProblemKind::SlowDown, code: 15, wait_seconds: 40 };
    assert_eq!(texts.problem(&wait), "Wait 40 seconds.");
}

#[test]
fn page_and_terminal_clean_names_and_the_page_isolates_them() {
    let hostile = [("name", Value::Text("Be\u{1b}]0;x\u{7}n\u{202e}"))];
    let page = Texts::new("en").get("composer-hint", &hostile);
    assert_eq!(page, "composer-hint", "the page does not carry the terminal's words");
    let terminal = Texts::terminal("en").get("composer-hint", &hostile);
    assert_eq!(terminal, "Message Ben");
    let line = Texts::new("en").system_line(&SystemLine::Left { who: Some(ben()) });
    assert_eq!(line, "\u{2068}Ben\u{2069} left.");
    // A name that closes what it did not open would turn the rest of the sentence.
    let name = "Be\u{2069}\u{202e}n".to_owned();
    let line = SystemLine::Left { who: Some(Person { name, ..ben() }) };
    assert_eq!(Texts::new("en").system_line(&line), "\u{2068}Ben\u{2069} left.");
}

#[test]
fn a_tag_finds_its_language_and_an_unknown_one_english() {
    assert_eq!(Texts::new("ar-EG").language().direction, "rtl");
    assert_eq!(Texts::new("ar_EG.UTF-8").language().tag, "ar");
    assert_eq!(Texts::new("tlh").language().tag, "en");
    assert_eq!(Texts::new("").language().tag, "en");
}

fn chat(kind: Kind, held: bool) -> ConversationRow {
    ConversationRow {
        id: ConversationId(1),
        reference: String::new(),
        kind,
        title: "Ben".to_owned(),
        person: None,
        unread: 0,
        first_unread: None,
        last: None,
        draft: String::new(),
        sorted_at: Milliseconds(0),
        writable: Writable::Yes,
        held,
        request: false,
        mentioned: false,
        timer: 0,
        place: nodoor_view::list::Place::default(),
        saved: false,
        people: 0,
        devices: 0,
    }
}
