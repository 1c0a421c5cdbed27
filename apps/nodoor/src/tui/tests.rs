// SPDX-License-Identifier: AGPL-3.0-or-later
//! The screen drawn at three sizes, and what keys do to it.

use jiff::tz::TimeZone;
use nodoor_view::{
    event::{Connection, Event},
    model::{
        Content, ConversationId, ConversationRow, Freshness, From, Kind, LastLine, LedgerState,
        MessageId, MessagePage, MessageRow, Milliseconds, Person, PolicyChange, Problem,
        ProblemKind, Profile, Proof, ProofKind, RequestRow, SendState, SystemLine, Writable,
    },
    past::Hit,
    text::Texts,
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};

use super::{
    app::{About, Anchor, App, Change, Focus, Layer, View, Wish},
    draw::{Pen, draw},
    layout::Clock,
    look::Look,
    wrap::width as measure,
};

mod doing;

/// Saturday, 2026-11-21, 09:14 UTC.
const NOW: u64 = 1_795_252_440_000;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn person(handle: &str, name: &str) -> Person {
    Person { account: handle.into(), handle: handle.into(), name: name.into(), bot: false }
}

fn chat(id: u64, title: &str, unread: u32, ago: u64) -> ConversationRow {
    ConversationRow {
        id: ConversationId(id),
        reference: format!("{id:032x}"),
        kind: Kind::Direct,
        title: title.into(),
        person: Some(person(&title.to_lowercase(), title)),
        unread,
        first_unread: None,
        last: None,
        draft: String::new(),
        sorted_at: Milliseconds(NOW - ago),
        writable: Writable::Yes,
        held: false,
        request: false,
        mentioned: false,
        timer: 0,
        place: nodoor_view::list::Place::default(),
        saved: false,
        people: 2,
        devices: 3,
    }
}

fn message(id: u64, from: From, text: &str, ago: u64, state: Option<SendState>) -> MessageRow {
    MessageRow {
        id: MessageId(id),
        conversation: ConversationId(2),
        reference: String::new(),
        from,
        content: Content::Text(text.into()),
        sent_at: Milliseconds(NOW - ago),
        received_at: Milliseconds(NOW - ago),
        state,
        marks: nodoor_view::message::Marks::default(),
    }
}

fn ben() -> From {
    From::Them(person("ben", "Ben"))
}

fn not_sent() -> SendState {
    let reason = Problem { kind: ProblemKind::AccountGone, code: 0, wait_seconds: 0 };
    SendState::NotSent { reason }
}

fn request(title: &str) -> RequestRow {
    RequestRow {
        conversation: ConversationId(9),
        reference: "99".into(),
        kind: if title.is_empty() { Kind::Direct } else { Kind::Group },
        from: person("nils_k", "Bank support"),
        title: title.into(),
        same_title_as_mine: !title.is_empty(),
        members: vec![person("nils_k", ""), person("ana", "")],
        text: "Hi, we met at the fair.\u{1b}[2J Is this Mira?".into(),
        first_seen: Milliseconds(NOW - 2 * MINUTE),
    }
}

/// The figure of the design: Ben's chat is open, two of his messages were unread.
fn app() -> App {
    let mut app = App::new("http://server.example", Milliseconds(NOW));
    app.profile = Some(Profile {
        account: "aa".into(),
        device: "bb".into(),
        handle: "mira".into(),
        name: String::new(),
        bot: false,
        server: "http://server.example".into(),
        invite_link: "http://server.example/#@mira".into(),
    });
    app.connection = Connection::Online;
    let mut garden = chat(3, "Garden", 14, DAY);
    garden.kind = Kind::Group;
    app.chats = vec![chat(1, "Mira", 2, 5 * MINUTE), chat(2, "Ben", 2, MINUTE), garden];
    app.requests = vec![request(""), request("Garden")];
    let mut row = app.chats[1].clone();
    row.first_unread = Some(MessageId(3));
    let rows = vec![
        message(1, ben(), "Morning! Still on?", DAY, None),
        message(2, ben(), "I can be there at 10.", DAY - MINUTE, None),
        message(3, ben(), "Here now", 3 * MINUTE, None),
        message(4, From::Me, "Ten works for me.", 2 * MINUTE, Some(SendState::Delivered)),
        message(5, From::Me, "One more thing", MINUTE, Some(not_sent())),
    ];
    app.opened(&row, MessagePage { rows, more_before: false, more_after: false });
    app
}

fn drawn_with(app: &mut App, width: u16, height: u16, ascii: bool, texts: &Texts) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let clock = Clock { zone: TimeZone::UTC };
    let pen = Pen { texts, look: Look::new(ascii, false), clock };
    terminal.draw(|frame| draw(frame, app, &pen)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let line = |y: u16| {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = measure(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        line
    };
    (0..height).map(line).collect()
}

fn drawn(app: &mut App, width: u16, height: u16) -> Vec<String> {
    drawn_with(app, width, height, false, &Texts::terminal("en"))
}

fn press(app: &mut App, code: KeyCode, modifiers: KeyModifiers) -> Vec<Wish> {
    app.key(KeyEvent::new(code, modifiers), &Texts::terminal("en"))
}

fn tap(app: &mut App, code: KeyCode) -> Vec<Wish> {
    press(app, code, KeyModifiers::NONE)
}

fn control(app: &mut App, char: char) -> Vec<Wish> {
    press(app, KeyCode::Char(char), KeyModifiers::CONTROL)
}

fn typed(app: &mut App, text: &str) {
    for char in text.chars() {
        let mut wishes = tap(app, KeyCode::Char(char));
        wishes.retain(|wish| !matches!(wish, Wish::Typing(_)));
        assert_eq!(wishes, []);
    }
}

#[test]
fn at_80_by_24_it_looks_as_the_design_draws_it() {
    let lines = drawn(&mut app(), 80, 24).join("\n");
    assert_eq!(lines, AT_80_BY_24.trim_end(), "\n{lines}");
}

/// The figure of the design with what this release has; messages end at the composer.
const AT_80_BY_24: &str = "\
┌ Chats ───────────────┬ Ben · 2 people, 3 devices can read this ──────────────┐
│ ● Mira        2 09:09│                                                       │
│ ▌ Ben         2 09:13│                                                       │
│ ● Garden 14 Yesterday│                                                       │
│   2 requests         │                                                       │
│                      │                                                       │
│                      │                                                       │
│                      │                                                       │
│                      │                                                       │
│                      │                                                       │
│                      │                                                       │
│                      │                    ── Yesterday ──                    │
│                      │ 09:14 Ben  Morning! Still on?                         │
│                      │            I can be there at 10.                      │
│                      │                      ── Today ──                      │
│                      │                    ── 2 unread ──                     │
│                      │ 09:11 Ben  Here now                                   │
│                      │ 09:12 you  Ten works for me.                       ✓✓ │
│                      │            One more thing                             │
│                      │                           not sent, r to try again  ! │
├──────────────────────┴───────────────────────────────────────────────────────┤
│ › Message Ben                                                                │
│ online · server.example · unwitnessed      Ctrl+K jump  F1 keys  Ctrl+Q quit │
└──────────────────────────────────────────────────────────────────────────────┘
";

#[test]
fn under_72_columns_there_is_one_pane() {
    let mut app = app();
    let chat = drawn(&mut app, 60, 24).join("\n");
    assert!(chat.contains("Ten works for me.") && !chat.contains("Garden"), "{chat}");
    app.focus = Focus::List;
    let list = drawn(&mut app, 60, 24).join("\n");
    assert!(list.contains("Garden") && !list.contains("Ten works for me."), "{list}");
}

#[test]
fn larger_and_smaller_terminals_hold_everything_in_their_lines() {
    for (width, height) in [(120, 40), (80, 24), (72, 20), (60, 24), (40, 12), (24, 8), (10, 3)] {
        for layer in [None, Some(Layer::Keys { first: 0 }), Some(Layer::Quit { waiting: 2 })] {
            for view in [View::Chat, View::Requests] {
                let mut app = App { layer: layer.clone(), view, ..app() };
                let lines = drawn(&mut app, width, height);
                assert!(lines.iter().all(|line| measure(line) == usize::from(width)), "{lines:#?}");
            }
        }
    }
}

#[test]
fn every_key_is_listed_however_small_the_terminal_and_the_way_out_is_seen() {
    let mut app = app();
    assert!(drawn(&mut app, 60, 18)[16].contains("F1  Ctrl+Q quit"));
    app.trouble = Some("The disk is full or failed. What is kept is kept; nothing new is.".into());
    assert!(drawn(&mut app, 60, 18)[16].contains("F1 keys"));
    tap(&mut app, KeyCode::F(1));
    let mut seen = drawn(&mut app, 60, 18).join("\n");
    assert!(!seen.contains("quit\u{20}"), "{seen}");
    for _ in 0..40 {
        tap(&mut app, KeyCode::Down);
        seen.push_str(&drawn(&mut app, 60, 18).join("\n"));
    }
    for key in ["Enter", "y copy", "Ctrl+B", "Ctrl+X", "quit"] {
        let word = key.split(' ').next_back().unwrap();
        assert!(seen.contains(word), "{key}: {seen}");
    }
    // One key back is one line back: nothing was counted beyond the end.
    let end = drawn(&mut app, 60, 18).join("\n");
    tap(&mut app, KeyCode::Up);
    assert_ne!(drawn(&mut app, 60, 18).join("\n"), end);
    tap(&mut app, KeyCode::Esc);
    assert!(app.layer.is_none());
}

#[test]
fn what_is_typed_with_no_chat_open_is_seen() {
    let mut app = app();
    app.open = None;
    typed(&mut app, "be");
    let Some(Layer::Jump { query, .. }) = &app.layer else { panic!("it vanished") };
    assert_eq!(query.text(), "be");
    app.layer = None;
    app.pasted("ben");
    let Some(Layer::Jump { query, .. }) = &app.layer else { panic!("it vanished") };
    assert_eq!(query.text(), "ben");
}

#[test]
fn over_requests_there_is_no_composer_of_another_chat() {
    let mut app = app();
    app.composer.paste("for Ben alone", nodoor_view::text::Lines::Keep);
    app.show_requests();
    let lines = drawn(&mut app, 80, 24).join("\n");
    assert!(!lines.contains("for Ben alone") && !lines.contains("Message Ben"), "{lines}");
    for code in [KeyCode::Tab, KeyCode::Tab, KeyCode::BackTab, KeyCode::BackTab] {
        tap(&mut app, code);
        assert_ne!(app.focus, Focus::Composer);
    }
    app.pasted("!");
    assert_eq!((app.view, app.composer.text().as_str()), (View::Chat, "for Ben alone!"));
}

#[test]
fn a_group_is_changed_and_left_where_its_info_is_shown() {
    let mut app = app();
    let chat = ConversationId(3);
    let info = |mine| Layer::Info {
        title: "Garden".into(),
        lines: vec![],
        about: About::Group { chat, inside: true, mine },
        first: 0,
    };
    for (char, what) in [('a', Change::Add), ('r', Change::Remove), ('t', Change::Rename)] {
        app.layer = Some(info(true));
        control(&mut app, char);
        typed(&mut app, "@zoe");
        assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Change(chat, what, "@zoe".into())]);
        assert!(app.layer.is_some(), "the answer is said there");
        app.layer = Some(info(false));
        control(&mut app, char);
        assert!(matches!(app.layer, Some(Layer::Info { .. })), "the maker alone changes");
    }
    app.layer = Some(info(false));
    assert_eq!(control(&mut app, 'x'), []);
    assert!(drawn(&mut app, 80, 24).join("\n").contains("Leave Garden?"));
    assert_eq!(tap(&mut app, KeyCode::Char('y')), [Wish::Leave(chat)]);
}

#[test]
fn ascii_draws_ascii_alone() {
    let texts = Texts::terminal("en");
    let lines = drawn_with(&mut app(), 80, 24, true, &texts).join("\n");
    assert!(lines.is_ascii(), "{lines}");
}

#[test]
fn hostile_names_and_texts_stay_in_their_cells() {
    let mut app = app();
    let hostile = "\u{1b}]0;x\u{7}\u{1b}[2J\u{202e}evil\u{9b}31m";
    app.chats[0].title = format!("{hostile}{}", "W".repeat(60));
    app.chats[1].title = format!("{hostile}日本語");
    let long = "x".repeat(10_000);
    let open = app.open.as_mut().unwrap();
    let from = From::Them(person("ben", &format!("{hostile}\n{}", "N".repeat(60))));
    open.rows.push(message(6, from.clone(), &format!("{hostile}\n{long}"), 0, None));
    open.rows.push(message(7, from, "日本語のテキスト👩🏽‍🚀 مرحبا", 0, None));
    let lines = drawn(&mut app, 80, 24);
    for line in &lines {
        assert_eq!(measure(line), 80, "{line}");
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
    app.show_requests();
    let requests = drawn(&mut app, 80, 24).join("\n");
    assert!(requests.contains("@nils_k") && !requests.contains("Bank support"), "{requests}");
    assert!(requests.contains("You already have a group called Garden."), "{requests}");
    assert!(!requests.contains('\u{1b}'));
}

#[test]
fn typing_goes_to_the_composer_and_only_a_sent_row_clears_it() {
    let mut app = app();
    app.focus = Focus::List;
    typed(&mut app, "hello");
    assert_eq!(app.focus, Focus::Composer);
    press(&mut app, KeyCode::Enter, KeyModifiers::ALT);
    typed(&mut app, "there");
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Send("hello\nthere".into())]);
    assert_eq!(app.composer.text(), "hello\nthere", "it is not on disk yet");
    app.sent(message(8, From::Me, "hello\nthere", 0, Some(SendState::Waiting)));
    assert!(app.composer.is_empty());
    assert_eq!(tap(&mut app, KeyCode::Enter), [], "an empty text is not sent");
}

#[test]
fn a_paste_never_sends() {
    let mut app = app();
    app.pasted("rm -rf\nline two\n");
    assert_eq!(app.composer.text(), "rm -rf\nline two\n");
    app.layer = Some(Layer::Jump { query: super::field::Field::default(), chosen: 0 });
    app.pasted("be\nn");
    let Some(Layer::Jump { query, .. }) = &app.layer else { panic!() };
    assert_eq!(query.text(), "be n");
}

#[test]
fn focus_turns_from_composer_to_messages_to_list() {
    let mut app = app();
    let mut turns = vec![app.focus];
    for _ in 0..3 {
        tap(&mut app, KeyCode::Tab);
        turns.push(app.focus);
    }
    assert_eq!(turns, [Focus::Composer, Focus::Messages, Focus::List, Focus::Composer]);
}

#[test]
fn letters_are_commands_in_the_message_list_alone() {
    let mut app = app();
    tap(&mut app, KeyCode::Tab);
    assert_eq!(tap(&mut app, KeyCode::Char('r')), [Wish::Retry(MessageId(5))]);
    tap(&mut app, KeyCode::Up);
    assert_eq!(tap(&mut app, KeyCode::Char('i')), [Wish::MessageInfo(MessageId(4))]);
    tap(&mut app, KeyCode::Char('y'));
    assert_eq!(tap(&mut app, KeyCode::Char('d')), [Wish::Delete(MessageId(4))]);
    assert_eq!(tap(&mut app, KeyCode::Char('u')), [Wish::Undelete(MessageId(4))]);
    control(&mut app, 'v');
    assert_eq!(app.composer.text(), "Ten works for me.");
    typed(&mut app, "rdiyefpD+");
    assert_eq!(app.composer.text(), "Ten works for me.rdiyefpD+");
}

#[test]
fn requests_are_answered_with_one_key_and_blocked_with_two() {
    let mut app = app();
    app.focus = Focus::List;
    app.listed = 2;
    tap(&mut app, KeyCode::Down);
    tap(&mut app, KeyCode::Enter);
    assert_eq!(app.view, View::Requests);
    assert_eq!(tap(&mut app, KeyCode::Char('a')), [Wish::Accept(ConversationId(9))]);
    assert_eq!(tap(&mut app, KeyCode::Char('b')), []);
    assert_eq!(tap(&mut app, KeyCode::Char('b')), [Wish::Block(ConversationId(9))]);
    assert_eq!(tap(&mut app, KeyCode::Char('d')), [Wish::Decline(ConversationId(9))]);
    tap(&mut app, KeyCode::Esc);
    assert_eq!(app.view, View::Chat);
}

#[test]
fn arrivals_do_not_move_a_reader_who_scrolled_up() {
    let mut app = app();
    let open = app.open.as_mut().unwrap();
    for id in 10..60 {
        open.rows.push(message(id, ben(), &format!("line {id}"), 0, None));
    }
    open.divider = None;
    open.anchor = Anchor::Bottom;
    drawn(&mut app, 80, 24);
    tap(&mut app, KeyCode::PageUp);
    let before = drawn(&mut app, 80, 24);
    for id in 60..63 {
        let row = message(id, ben(), "later", 0, None);
        app.told(Event::Message { row, new: true });
    }
    let after = drawn(&mut app, 80, 24);
    assert_eq!(before[1..18], after[1..18]);
    assert!(after[19].contains("3 new messages below, Ctrl+End"), "{:#?}", after);
    press(&mut app, KeyCode::End, KeyModifiers::CONTROL);
    let latest = drawn(&mut app, 80, 24).join("\n");
    assert!(latest.contains("later") && !latest.contains("new messages below"));
}

#[test]
fn older_messages_come_above_without_moving_what_is_read() {
    let mut app = app();
    let open = app.open.as_mut().unwrap();
    open.rows = (100..160).map(|id| message(id, ben(), &format!("line {id}"), 0, None)).collect();
    open.more_before = true;
    open.divider = None;
    open.anchor = Anchor::Top { message: MessageId(100), line: 0 };
    let before = drawn(&mut app, 80, 24);
    assert_eq!(tap(&mut app, KeyCode::PageUp), [Wish::Older]);
    let rows = (50..100).map(|id| message(id, ben(), &format!("line {id}"), 0, None)).collect();
    app.scrolled = 0;
    app.older(MessagePage { rows, more_before: false, more_after: true });
    let after = drawn(&mut app, 80, 24);
    assert!(before[3].contains("line 101"), "{before:#?}");
    assert!(after.iter().any(|line| line.contains("line 101")));
    assert!(after[1].contains("line 100") || after[2].contains("line 100"), "{after:#?}");
}

#[test]
fn a_chat_opens_at_the_divider_with_two_lines_above() {
    let mut app = app();
    let rows: Vec<MessageRow> =
        (1..=300).map(|id| message(id, ben(), &format!("line {id}"), 0, None)).collect();
    let mut row = app.chats[1].clone();
    (row.unread, row.first_unread) = (200, Some(MessageId(101)));
    app.opened(&row, MessagePage { rows, more_before: false, more_after: false });
    let lines = drawn(&mut app, 80, 24);
    assert!(lines[1].contains("line 99") && lines[2].contains("line 100"), "{lines:#?}");
    assert!(lines[3].contains("200 unread") && lines[4].contains("line 101"));
}

#[test]
fn quitting_asks_if_something_is_unsent() {
    let mut app = app();
    assert_eq!(app.waiting(), 0);
    let waiting = message(9, From::Me, "soon", 0, Some(SendState::Waiting));
    app.told(Event::Message { row: waiting, new: true });
    app.chats[0].last = Some(LastLine {
        from: From::Me,
        content: Content::Text("x".into()),
        state: Some(SendState::Waiting),
        at: Milliseconds(NOW),
    });
    assert_eq!(app.waiting(), 2);
    assert_eq!(control(&mut app, 'q'), [Wish::Quit { sure: false }]);
    app.layer = Some(Layer::Quit { waiting: 2 });
    assert!(drawn(&mut app, 80, 24).join("\n").contains("2 messages wait to be sent."));
    assert_eq!(tap(&mut app, KeyCode::Char('n')), []);
    app.layer = Some(Layer::Quit { waiting: 2 });
    assert_eq!(tap(&mut app, KeyCode::Char('y')), [Wish::Quit { sure: true }]);
}

#[test]
fn jumping_lists_unread_first_and_a_handle_nobody_has_yet_becomes_a_new_chat() {
    let mut app = app();
    app.chats[1].unread = 0;
    control(&mut app, 'k');
    assert_eq!(app.found(""), [0, 2, 1]);
    typed(&mut app, "gar");
    assert!(drawn(&mut app, 80, 24).join("\n").contains("Garden"));
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Open(ConversationId(3))]);
    control(&mut app, 'k');
    typed(&mut app, "@zoe");
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::OpenHandle("@zoe".into())]);
    assert!(matches!(app.layer, Some(Layer::NewChat { .. })));
}

#[test]
fn a_group_is_named_and_its_members_typed() {
    let mut app = app();
    control(&mut app, 'g');
    typed(&mut app, "Garden");
    tap(&mut app, KeyCode::Enter);
    typed(&mut app, "@ben, @ana");
    let wish = Wish::MakeGroup("Garden".into(), vec!["@ben".into(), "@ana".into()]);
    assert_eq!(tap(&mut app, KeyCode::Enter), [wish]);
}

#[test]
fn being_offline_is_said_after_three_seconds_and_left_chats_cannot_be_written() {
    let mut app = app();
    app.told(Event::Connection { state: Connection::Offline });
    assert!(!drawn(&mut app, 80, 24)[22].contains("Offline"));
    app.tick(Milliseconds(NOW + 4000));
    assert!(drawn(&mut app, 80, 24)[22].contains("Offline. Messages wait here."));
    app.chats[1].writable = Writable::Removed;
    assert!(drawn(&mut app, 80, 24)[21].contains("You were removed."));
}

#[test]
fn a_removed_device_says_so_and_not_that_it_is_offline() {
    let mut app = app();
    app.told(Event::Connection { state: Connection::Offline });
    app.removed = true;
    app.tick(Milliseconds(NOW + 4000));
    let line = &drawn(&mut app, 80, 24)[22];
    assert!(line.contains("This device was removed") && !line.contains("Offline"), "{line}");
}

#[test]
fn a_chat_that_hides_the_list_says_how_to_come_back_to_it() {
    let mut app = app();
    assert!(drawn(&mut app, 60, 18)[16].contains("Shift+Tab chats"));
    assert!(!drawn(&mut app, 80, 24)[22].contains("Shift+Tab"));
    assert_eq!(tap(&mut app, KeyCode::BackTab), []);
    assert_eq!(app.focus, Focus::List);
    let lines = drawn(&mut app, 60, 18);
    assert!(lines[0].contains("Chats") && !lines[16].contains("Shift+Tab"), "{lines:#?}");
}

#[test]
fn the_first_start_asks_one_thing() {
    let mut app = App::new("http://127.0.0.1:8448", Milliseconds(NOW));
    typed(&mut app, "mira");
    let lines = drawn(&mut app, 80, 24).join("\n");
    assert!(lines.contains("Choose a handle") && lines.contains("› @mira"), "{lines}");
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Register("mira".into())]);
}

#[test]
fn lines_of_the_app_and_arabic_are_drawn_too() {
    let mut app = app();
    let line =
        SystemLine::Added { by: Some(person("ben", "Ben")), who: Some(person("ana", "Ana")) };
    let mut row = message(6, From::System, "", 0, None);
    row.content = Content::System(line);
    app.told(Event::Message { row, new: true });
    assert!(drawn(&mut app, 80, 24).join("\n").contains("Ben added Ana."));
    let lines = drawn_with(&mut app, 80, 24, false, &Texts::terminal("ar"));
    assert!(lines.iter().all(|line| measure(line) == 80), "{lines:#?}");
    assert!(lines[0].contains("المحادثات"));
}

#[test]
fn the_list_keeps_the_chosen_row_when_another_chat_moves_up() {
    let mut app = app();
    app.focus = Focus::List;
    app.listed = 1;
    let mut garden = app.chats[2].clone();
    garden.sorted_at = Milliseconds(NOW);
    app.told(Event::Conversation { row: garden });
    assert_eq!(app.chats[0].title, "Garden");
    assert_eq!(app.chats[app.listed].title, "Ben");
}

fn log(proof: Option<Proof>) -> LedgerState {
    LedgerState {
        freshness: Freshness::Fresh,
        log_time: Some(Milliseconds(NOW)),
        size: 900,
        unwitnessed: false,
        awaited: 0,
        proof,
        witnesses: vec!["first".to_owned()],
        change: None,
    }
}

#[test]
fn what_is_proved_takes_the_whole_screen_until_it_was_read() {
    let mut app = app();
    let (kind, at) = (ProofKind::GhostDevice, Milliseconds(NOW - DAY));
    let who = Some(person("ben", "Ben"));
    let proof = Proof { kind, at, who, own: false, answered: false };
    app.evidence = vec!["/home/mira/.nodoor/evidence/evidence-ghost-device-1.txt".to_owned()];
    app.told(Event::Ledger { state: log(Some(proof.clone())) });
    for (width, height) in [(80, 24), (60, 18)] {
        let shown = drawn(&mut app, width, height).join(" ");
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("Proof of tampering"), "{shown}");
        assert!(shown.contains("none of the account's own devices approved: Ben."), "{shown}");
        assert!(shown.contains("evidence-ghost-device-1.txt"), "{shown}");
        assert!(shown.contains("r read my chats"), "{shown}");
        assert!(!shown.contains("Morning!"), "{shown}");
    }
    // Nothing but its own keys leads away, and nothing is typed behind it.
    for code in [KeyCode::Esc, KeyCode::Enter, KeyCode::Char('a'), KeyCode::Tab] {
        assert_eq!(tap(&mut app, code), []);
    }
    app.pasted("text");
    assert_eq!(app.composer.text(), "");
    assert_eq!(control(&mut app, 'q'), [Wish::Quit { sure: true }]);
    assert_eq!(tap(&mut app, KeyCode::Char('r')), [Wish::AnswerProof]);
    // What stays is one line.
    app.told(Event::Ledger { state: log(Some(Proof { answered: true, ..proof })) });
    let shown = drawn(&mut app, 80, 24).join("\n");
    assert!(
        shown.contains("Morning!") && shown.contains("Proof of tampering, Yesterday"),
        "{shown}"
    );
}

#[test]
fn the_status_says_how_old_the_log_is_and_who_will_watch_it() {
    let mut app = app();
    assert!(drawn(&mut app, 80, 24).join("\n").contains("unwitnessed"));
    app.told(Event::Ledger { state: log(None) });
    assert!(!drawn(&mut app, 80, 24).join("\n").contains("unwitnessed"));
    let due = Milliseconds(NOW + 6 * DAY);
    let change = PolicyChange { due, done: false, witnesses: vec!["second".to_owned()] };
    app.told(Event::Ledger { state: LedgerState { change: Some(change), ..log(None) } });
    assert!(
        drawn(&mut app, 110, 24)
            .join("\n")
            .contains("others watch this server's public log: second")
    );
    let log_time = Some(Milliseconds(NOW - 2 * DAY));
    for (freshness, says) in [
        (Freshness::Amber, "New contacts, devices and members wait."),
        (Freshness::Red, "Your chats still use keys"),
    ] {
        let state = LedgerState { freshness, log_time, ..log(None) };
        app.told(Event::Ledger { state });
        assert!(drawn(&mut app, 130, 24).join("\n").contains(says), "{freshness:?}");
    }
}

#[test]
fn what_is_typed_is_looked_for_and_a_hit_leads_to_its_place() {
    let mut app = app();
    let control = |app: &mut App, letter| {
        app.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL), &Texts::terminal("en"))
    };
    let open = app.open.as_ref().unwrap().id;
    control(&mut app, 'f');
    let wishes = tap(&mut app, KeyCode::Char('t'));
    assert_eq!(wishes, [Wish::Search("t".into(), Some(open))]);
    assert_eq!(control(&mut app, 'f'), [Wish::Search("t".into(), None)]);
    let hit = |message: u64, snippet: &str| Hit {
        conversation: open,
        chat: String::new(),
        title: "Ben \u{1b}[31m".into(),
        message: MessageId(message),
        reference: String::new(),
        from: From::Me,
        at: Milliseconds(NOW - DAY),
        snippet: snippet.into(),
        marks: std::iter::once(0..3).collect(),
        links: Vec::new(),
    };
    let Some(Layer::Search(search)) = &mut app.layer else { panic!("no search") };
    search.hits = vec![hit(3, "Ten works for me."), hit(2, "tenth of May")];
    let screen = drawn(&mut app, 80, 24).join("\n");
    assert!(
        screen.contains("[Ten] works for me.") && screen.contains("[ten]th of May"),
        "{screen}"
    );
    assert!(!screen.contains('\u{1b}'));
    tap(&mut app, KeyCode::Down);
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Show(open, MessageId(2))]);
    assert!(app.layer.is_none());
    // From hit to hit, in the messages alone: in the composer they are letters.
    app.focus = Focus::Messages;
    assert_eq!(tap(&mut app, KeyCode::Char('n')), []);
    assert_eq!(tap(&mut app, KeyCode::Char('N')), [Wish::Show(open, MessageId(3))]);
    assert_eq!(tap(&mut app, KeyCode::Char('n')), [Wish::Show(open, MessageId(2))]);
    app.focus = Focus::Composer;
    typed(&mut app, "n");
    assert!(app.composer.text().ends_with('n'));
}
