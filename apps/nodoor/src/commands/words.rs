// SPDX-License-Identifier: AGPL-3.0-or-later
//! The recovery words: print, ask back and erase, make new ones, recover with them.

use std::io::IsTerminal as _;

use nodoor_view::{
    command::{Command, Reply},
    device::{Command as OfDevices, Reply as DeviceReply},
};
use ratatui::crossterm::{
    event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    terminal::{disable_raw_mode, enable_raw_mode},
};
use serde_json::json;
use zeroize::Zeroizing;

use super::{devices::line, people::print};
use crate::{failure::Failure, output::Me, session::Session};

/// How many words there are.
const WORDS: usize = 24;
/// They were erased here, or never were here.
const NOT_HERE: Failure = Failure::Said("not_here", "words-not-here");

pub(super) async fn show(session: &Session) -> Result<(), Failure> {
    match session.ask(Command::Words).await? {
        Reply::Words(words) => print(session, &json!({ "words": words }), &numbered(&words)),
        Reply::Nothing => Err(NOT_HERE),
        _ => Err(Failure::unexpected()),
    }
}

/// As they are written on paper: by number, four on a line.
fn numbered(words: &str) -> String {
    let mut text = String::new();
    for (number, word) in (1..).zip(words.split_whitespace()) {
        let end = if number % 4 == 0 || number == WORDS { "\n" } else { "" };
        text += &format!("{:<16}{end}", format!("{number:>2} {word}"));
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Asks three of them back, and erases them here.
pub(super) async fn confirm(session: &Session) -> Result<(), Failure> {
    let asked = Command::Device { of: OfDevices::WordsAsk };
    let places = match session.ask(asked).await? {
        Reply::Device(DeviceReply::Places { places }) => places,
        Reply::Nothing => return Err(NOT_HERE),
        _ => return Err(Failure::unexpected()),
    };
    let numbers: Vec<String> = places.iter().map(ToString::to_string).collect();
    let said = session.texts.get("words-asked", &[("places", (&numbers.join(", ")).into())]);
    print(session, &json!({ "places": places }), &said)?;
    let mut words: Vec<String> = Vec::new();
    while words.len() < places.len() {
        words.extend(line().await?.split_whitespace().map(str::to_owned));
    }
    match session.ask(Command::Device { of: OfDevices::WordsConfirm { words } }).await? {
        Reply::Done => {
            print(session, &json!({ "saved": true }), &session.texts.get("words-saved", &[]))
        }
        _ => Err(Failure::unexpected()),
    }
}

/// New words instead of the old ones. They are printed, and are on this device until they are asked back.
pub(super) async fn renew(session: &Session) -> Result<(), Failure> {
    let old = match session.ask(Command::Words).await? {
        Reply::Words(_) => Zeroizing::new(String::new()),
        _ => typed(session, "-").await?,
    };
    session.catch_up().await;
    let of = OfDevices::NewWords { words: old.to_string() };
    session.do_it(Command::Device { of }).await?;
    show(session).await?;
    session.finish().await;
    Ok(())
}

/// The 24 words: as they were given, or from standard input if that is `-`. A terminal does not show them.
pub(super) async fn typed(session: &Session, given: &str) -> Result<Zeroizing<String>, Failure> {
    if given != "-" {
        return Ok(unnumbered(given));
    }
    if std::io::stdin().is_terminal() {
        eprint!("{} ", session.texts.get("words-type", &[]));
        let read = tokio::task::spawn_blocking(hidden).await;
        eprintln!();
        return match read {
            Ok(Ok(words)) => Ok(unnumbered(&words)),
            Ok(Err(error)) => Err(Failure::system(&error)),
            Err(_) => Err(Failure::unexpected()),
        };
    }
    let mut words = Zeroizing::new(String::new());
    while unnumbered(&words).split_whitespace().count() < WORDS {
        match line().await {
            Ok(line) => words.push_str(&line),
            // Fewer than 24 are wrong, and the engine says so.
            Err(_) if !words.trim().is_empty() => break,
            Err(failure) => return Err(failure),
        }
        words.push(' ');
    }
    Ok(unnumbered(&words))
}

/// A line of standard input; a terminal is told what to type, and does not show it.
pub(super) async fn hidden_line(
    session: &Session,
    ask: &'static str,
) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return line().await.map(Zeroizing::new);
    }
    eprint!("{} ", session.texts.get(ask, &[]));
    let read = tokio::task::spawn_blocking(hidden).await;
    eprintln!();
    match read {
        Ok(Ok(typed)) => Ok(typed),
        Ok(Err(error)) => Err(Failure::system(&error)),
        Err(_) => Err(Failure::unexpected()),
    }
}

/// Without the numbers that they are printed with.
fn unnumbered(words: &str) -> Zeroizing<String> {
    let is_word = |word: &&str| !word.trim_end_matches('.').bytes().all(|b| b.is_ascii_digit());
    let words: Vec<&str> = words.split_whitespace().filter(is_word).collect();
    Zeroizing::new(words.join(" "))
}

/// A line of the terminal that is not shown on it.
fn hidden() -> std::io::Result<Zeroizing<String>> {
    enable_raw_mode()?;
    let read = keys();
    disable_raw_mode()?;
    read
}

fn keys() -> std::io::Result<Zeroizing<String>> {
    let mut typed = Zeroizing::new(String::new());
    loop {
        match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Enter => return Ok(typed),
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    return Err(std::io::ErrorKind::Interrupted.into());
                }
                KeyCode::Char(letter) => typed.push(letter),
                KeyCode::Backspace => {
                    typed.pop();
                }
                _ => {}
            },
            Event::Paste(text) => typed.push_str(&text),
            _ => {}
        }
    }
}

/// Makes this the only device of the account that goes by a handle.
pub(super) async fn recover(session: &Session, handle: &str, words: &str) -> Result<(), Failure> {
    let words = typed(session, words).await?;
    let of = OfDevices::Recover { handle: handle.to_owned(), words: words.to_string() };
    let Reply::Profile(profile) = session.ask(Command::Device { of }).await? else {
        return Err(Failure::unexpected());
    };
    session.remember_server()?;
    print(session, &Me::whole(&profile), &format!("@{} · {}", profile.handle, profile.server))?;
    // The keys others need to write to this device go up now.
    session.finish().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{numbered, unnumbered};

    #[test]
    fn words_are_written_with_numbers_and_read_with_them() {
        let words: Vec<String> = (0..24).map(|n| format!("word{}", char::from(b'a' + n))).collect();
        let words = words.join(" ");
        let text = numbered(&words);
        assert_eq!(text.lines().count(), 6);
        assert!(text.starts_with(" 1 worda         2 wordb"), "{text}");
        assert!(text.ends_with("24 wordx"), "{text}");
        assert_eq!(*unnumbered(&text), words);
        assert_eq!(*unnumbered("1. worda 2. wordb"), "worda wordb");
    }
}
