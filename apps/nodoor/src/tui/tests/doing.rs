// SPDX-License-Identifier: AGPL-3.0-or-later
//! What is done with a message that is there, by keys.

use nodoor_view::{
    list,
    message::{Command, Marks, Quote, Reaction},
};

use super::*;

#[test]
fn an_answer_says_what_it_answers_until_it_is_sent_or_stopped() {
    let mut app = app();
    tap(&mut app, KeyCode::Tab);
    tap(&mut app, KeyCode::Up);
    tap(&mut app, KeyCode::Up);
    assert_eq!(tap(&mut app, KeyCode::Char('r')), []);
    assert_eq!(app.focus, Focus::Composer);
    typed(&mut app, "Yes");
    let lines = drawn(&mut app, 80, 24);
    assert!(lines[20].contains("Answering Ben: Here now (Esc stops)"), "{lines:#?}");
    assert!(lines[21].contains("› Yes"), "{lines:#?}");
    let reply = Command::Reply { to: MessageId(3), text: "Yes".into() };
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Say(reply)]);
    tap(&mut app, KeyCode::Esc);
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Send("Yes".into())]);
    assert!(!drawn(&mut app, 80, 24).join("\n").contains("Answering"));
}

#[test]
fn the_last_message_is_changed_with_up_and_what_was_typed_is_not_lost() {
    let mut app = app();
    tap(&mut app, KeyCode::Up);
    assert_eq!(app.composer.text(), "One more thing");
    assert_eq!(app.draft(), "", "what is changed is no draft");
    typed(&mut app, "!");
    let edit = Command::Edit { message: MessageId(5), text: "One more thing!".into() };
    assert_eq!(tap(&mut app, KeyCode::Enter), [Wish::Say(edit)]);
    tap(&mut app, KeyCode::Esc);
    assert!(app.composer.is_empty());
    typed(&mut app, "half a thought");
    tap(&mut app, KeyCode::Tab);
    tap(&mut app, KeyCode::Up);
    tap(&mut app, KeyCode::Char('e'));
    assert_eq!(
        (app.composer.text().as_str(), app.draft().as_str()),
        ("Ten works for me.", "half a thought")
    );
    tap(&mut app, KeyCode::Esc);
    assert_eq!(app.composer.text(), "half a thought");
}

#[test]
fn reactions_take_one_key_and_a_second_time_takes_them_back() {
    let mut app = app();
    tap(&mut app, KeyCode::Tab);
    tap(&mut app, KeyCode::Up);
    tap(&mut app, KeyCode::Char('+'));
    assert!(drawn(&mut app, 80, 24).join("\n").contains("1 👍"));
    let react =
        |emoji: &str| Wish::Message(Command::React { message: MessageId(4), emoji: emoji.into() });
    assert_eq!(tap(&mut app, KeyCode::Char('1')), [react("👍")]);
    assert!(app.layer.is_none());
    let row = app.open.as_mut().unwrap().rows.iter_mut().find(|row| row.id == MessageId(4));
    row.unwrap().marks.reactions =
        vec![Reaction { emoji: "👍".into(), people: vec![person("ben", "Ben")], mine: true }];
    assert!(drawn(&mut app, 80, 24).join("\n").contains("👍 2"));
    tap(&mut app, KeyCode::Char('+'));
    assert_eq!(tap(&mut app, KeyCode::Char('1')), [react("")]);
    tap(&mut app, KeyCode::Char('+'));
    app.pasted("🥳");
    assert_eq!(tap(&mut app, KeyCode::Enter), [react("🥳")]);
}

#[test]
fn deleting_for_everyone_asks_and_is_for_ones_own() {
    let mut app = app();
    tap(&mut app, KeyCode::Tab);
    tap(&mut app, KeyCode::Char('D'));
    let asked = drawn(&mut app, 80, 24).join("\n");
    assert!(asked.contains("Someone may"), "{asked}");
    assert_eq!(tap(&mut app, KeyCode::Char('n')), []);
    tap(&mut app, KeyCode::Char('D'));
    let delete = Command::DeleteForEveryone { message: MessageId(5) };
    assert_eq!(tap(&mut app, KeyCode::Char('y')), [Wish::Message(delete)]);
    tap(&mut app, KeyCode::Home);
    assert_eq!(tap(&mut app, KeyCode::Char('D')), []);
    assert!(app.layer.is_none(), "it is Ben's");
}

#[test]
fn what_became_of_a_message_is_drawn_with_it() {
    let mut app = app();
    let row = &mut app.open.as_mut().unwrap().rows[3];
    let content = Content::Text("Here\u{1b}[2J now".into());
    row.content = Content::Markdown { text: "**Ten** works".into(), mentions: vec![] };
    let message = Some(MessageId(3));
    let reply =
        Quote { message, reference: String::new(), from: Some(ben()), content: Some(content) };
    row.marks = Marks { reply: Some(reply), edited: true, pinned: true, ..Marks::default() };
    let lines = drawn(&mut app, 80, 24);
    let at = lines.iter().position(|line| line.contains("│ Ben: Here now")).unwrap();
    assert!(lines[at].contains("09:12 you"), "{lines:#?}");
    assert!(lines[at + 1].contains("Ten works "), "{lines:#?}");
    assert!(lines[at + 2].contains("edited · Pinned"), "{lines:#?}");
    assert!(lines[at + 2].contains("✓✓"), "{lines:#?}");
    assert!(lines.iter().all(|line| measure(line) == 80));
}

#[test]
fn a_chat_is_pinned_muted_and_put_away_from_its_info() {
    let mut app = app();
    let info = |app: &mut App, blocked: bool| {
        let about = About::Person { chat: ConversationId(2), blocked };
        app.layer = Some(Layer::Info { title: "Ben".into(), lines: vec![], about, first: 0 });
    };
    let conversation = ConversationId(2);
    for (key, place) in [
        ('p', list::Command::Pin { conversation, on: true }),
        ('u', list::Command::Mute { conversation, until: list::ALWAYS }),
        ('y', list::Command::Archive { conversation, on: true }),
    ] {
        info(&mut app, false);
        assert_eq!(control(&mut app, key), [Wish::Place(place)]);
    }
    let mut ben = app.chats[1].clone();
    ben.place.pinned_at = Some(Milliseconds(NOW));
    ben.place.muted_until = list::ALWAYS;
    app.told(Event::Conversation { row: ben.clone() });
    assert_eq!(app.chats[0].title, "Ben");
    assert!(drawn(&mut app, 80, 24)[1].contains("2 × ↑ 09:13"), "{:#?}", drawn(&mut app, 80, 24));
    ben.place = list::Place { archived: true, ..list::Place::default() };
    app.told(Event::Conversation { row: ben });
    assert_eq!(app.chats[2].title, "Ben");
}

#[test]
fn that_one_types_is_told_now_and_then_and_that_others_do_is_shown() {
    let mut app = app();
    let told = |wishes: &[Wish]| wishes.contains(&Wish::Typing(ConversationId(2)));
    assert!(told(&tap(&mut app, KeyCode::Char('a'))));
    assert!(!told(&tap(&mut app, KeyCode::Char('b'))));
    app.tick(Milliseconds(NOW + 2_500));
    assert!(told(&tap(&mut app, KeyCode::Char('c'))));
    let conversation = ConversationId(2);
    app.told(Event::Typing { conversation, people: vec![person("ben", "Ben")] });
    assert!(drawn(&mut app, 80, 24)[0].contains("Ben · Ben is typing…"));
    app.told(Event::Typing { conversation, people: vec![] });
    assert!(!drawn(&mut app, 80, 24)[0].contains("typing"));
}
