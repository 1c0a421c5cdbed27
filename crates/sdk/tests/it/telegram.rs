// SPDX-License-Identifier: AGPL-3.0-or-later
//! Exports of Telegram Desktop, in the form that its exporter writes.

use std::{
    io::{BufReader, Read},
    time::Instant,
};

use nodoor_sdk::telegram::{Item, Named, ReadError, read, survey};
use nodoor_view::past::Imported;

const ONE: &str = r#"{
 "name": "Ana",
 "type": "personal_chat",
 "id": 7,
 "messages": [
  {"id": 1, "type": "service", "date": "2017-07-14T02:40:00", "date_unixtime": "1500000000",
   "actor": "Ana", "actor_id": "user7", "action": "invite_members", "members": ["Ben", null], "text": "", "text_entities": []},
  {"id": 2, "type": "message", "date": "2017-07-14T02:41:00", "date_unixtime": "1500000060",
   "edited": "2017-07-14T02:42:00", "edited_unixtime": "1500000120", "from": "Ana", "from_id": "user7",
   "text": ["By the ", {"type": "bold", "text": "river "}, "at ", {"type": "text_link", "text": "this place", "href": "https://example.org/"}],
   "text_entities": [{"type": "plain", "text": "By the "}, {"type": "bold", "text": "river "}, {"type": "plain", "text": "at "},
     {"type": "text_link", "text": "this place", "href": "https://example.org/"}, {"type": "spoiler", "text": "ten"}]},
  {"id": 3, "type": "message", "date": "2017-07-14T02:43:00", "from": "Mira", "from_id": "user5", "forwarded_from": "Olga",
   "reply_to_message_id": 2, "photo": "photos/photo_1@14-07-2017_02-43-00.jpg", "width": 8, "height": 8, "text": "yes"},
  {"id": 4, "type": "message", "date": "2017-07-14T02:44:00", "date_unixtime": "1500000240", "from": null, "from_id": "user9",
   "file": "(File not included. Change data exporting settings to download.)", "media_type": "voice_message",
   "mime_type": "audio/ogg", "duration_seconds": 3, "text": "", "text_entities": []},
  {"id": 5, "type": "unsupported"}
 ]
}"#;

fn all(json: &str) -> Result<Vec<Item>, ReadError> {
    let mut items = Vec::new();
    let survey = survey(json.as_bytes())?;
    read(json.as_bytes(), &survey, &mut |item| {
        items.push(item);
        true
    })?;
    Ok(items)
}

fn messages(items: Vec<Item>) -> Vec<(Imported, Vec<Named>)> {
    let messages = items.into_iter().filter_map(|item| match item {
        Item::Message(message, files) => Some((message, files)),
        Item::Chat(_) => None,
    });
    messages.collect()
}

#[test]
fn a_chat_of_two_comes_with_who_said_what() {
    let items = all(ONE).unwrap();
    let Item::Chat(chat) = &items[0] else { panic!() };
    assert_eq!(
        (chat.source.as_str(), chat.id.as_str(), chat.title.as_str()),
        ("telegram", "7", "Ana")
    );
    let messages = messages(items);
    let texts: Vec<&str> = messages.iter().map(|(message, _)| message.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "[invite members] Ben",
            "By the **river** at this place (https://example.org/)||ten||",
            "**Olga:**\n[photo] photos/photo_1@14-07-2017_02-43-00.jpg\nyes",
            "[voice_message] (File not included. Change data exporting settings to download.)",
            "[unsupported]",
        ]
    );
    let mine: Vec<bool> = messages.iter().map(|(message, _)| message.mine).collect();
    assert_eq!(mine, [false, false, true, true, false]);
    let (edited, third, voice) = (&messages[1].0, &messages[2].0, &messages[3]);
    assert!(edited.edited && third.forwarded && third.reply == Some(2));
    assert_eq!(edited.at.0, 1_500_000_060_000);
    assert_eq!(third.at.0, 1_500_000_180_000, "without unixtime, the local time");
    assert!(matches!(&messages[2].1[..], [Named::Path(path)] if path.starts_with("photos/")));
    assert!(matches!(&voice.1[..], [Named::Missing(_)]));
}

#[test]
fn an_export_of_everything_says_whose_it_is() {
    let one = ONE.replace("\"type\": \"personal_chat\"", "\"type\": \"private_group\"");
    let json = format!(
        r#"{{"about": "Here is the data", "personal_information": {{"user_id": 5, "first_name": "Mira"}},
        "contacts": {{"about": "", "list": [{{"user_id": 7}}]}},
        "chats": {{"about": "", "list": [{one}, {{"name": null, "type": "saved_messages", "id": 5, "messages":
          [{{"id": 1, "type": "message", "date": "2020-02-29T23:59:59", "from": "Mira", "from_id": "user5", "text": "note"}}]}}]}},
        "left_chats": {{"about": "", "list": []}}}}"#
    );
    let items = all(&json).unwrap();
    assert_eq!(items.iter().filter(|item| matches!(item, Item::Chat(_))).count(), 2);
    let messages = messages(items);
    let mine: Vec<bool> = messages.iter().map(|(message, _)| message.mine).collect();
    assert_eq!(mine, [false, false, true, false, false, true]);
    assert_eq!(messages[5].0.at.0, 1_583_020_799_000);
}

#[test]
fn what_is_cut_off_anywhere_is_refused_with_the_place() {
    for end in (0..ONE.len()).filter(|end| ONE.is_char_boundary(*end)) {
        match all(&ONE[..end]) {
            Err(ReadError::Json { line, .. }) => assert!(line <= 1 + ONE[..end].lines().count()),
            other => panic!("cut off at {end}: {other:?}"),
        }
    }
    let broken = ONE.replace("\"id\": 4", "\"id\": }");
    let Err(ReadError::Json { line, column }) = all(&broken) else { panic!() };
    let there = broken.lines().position(|line| line.contains("\"id\": }")).unwrap();
    assert_eq!((line, column), (there + 1, 10));
    assert!(matches!(all("{\"contacts\": []}"), Err(ReadError::NoChats)));
    assert!(matches!(all("[1, 2]"), Err(ReadError::Json { .. })));
    assert!(matches!(
        read(ONE.as_bytes(), &survey(ONE.as_bytes()).unwrap(), &mut |_| false),
        Err(ReadError::Stopped)
    ));
}

/// A file of many messages that is nowhere: made while it is read.
struct Endless {
    left: u64,
    now: Vec<u8>,
    end: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.now.is_empty() && self.left > 0 {
            self.left -= 1;
            let end = if self.left == 0 { "" } else { "," };
            let id = self.left;
            self.now = format!(
                r#"{{"id": {id}, "type": "message", "date": "2017-07-14T02:41:00", "date_unixtime": "1500000060",
                "from": "Ana", "from_id": "user7", "text": "message number {id} of many, which says a little more",
                "text_entities": [{{"type": "plain", "text": "message number {id} of many, which says a little more"}}]}}{end}"#
            )
            .into_bytes();
            if self.left == 0 {
                self.now.append(&mut self.end);
            }
        }
        let count = into.len().min(self.now.len());
        into[..count].copy_from_slice(&self.now[..count]);
        self.now.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_hundred_thousand_messages_are_read_one_at_a_time() {
    let begun = Instant::now();
    let file = || {
        let now = br#"{"messages": ["#.to_vec();
        let end = br#"], "name": "Many", "type": "private_group", "id": 1}"#.to_vec();
        BufReader::new(Endless { left: 100_000, now, end })
    };
    let survey = survey(file()).unwrap();
    let mut count = 0;
    read(file(), &survey, &mut |_| {
        count += 1;
        true
    })
    .unwrap();
    assert_eq!(count, 100_001);
    println!("{:?}", begun.elapsed());
}
