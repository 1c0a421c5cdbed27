// SPDX-License-Identifier: AGPL-3.0-or-later
//! The full screen: the design's section "Terminal", over the same view models and texts as the page.
//!
//! [`app`] is what the screen knows, [`keys`] what keys do to it, [`draw`], [`layout`] and [`layers`] how it looks;
//! none of them waits or asks. This file is the loop: keys and events in, wishes to the engine, one drawing after each.

mod alarm;
mod app;
mod doing;
mod draw;
mod editor;
mod field;
mod keys;
mod layers;
mod layout;
mod look;
mod rich;
mod search;
#[cfg(test)]
mod tests;
mod wishes;
mod wrap;

use std::{
    future::Future,
    io::Write,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::tz::TimeZone;
use nodoor_sdk::native::Events;
use nodoor_view::{
    command::{Command, Reply},
    device::Standing,
    event::Event,
    model::{ConversationId, MessageId, Milliseconds},
};
use ratatui::{
    DefaultTerminal,
    crossterm::{
        event::{
            self, DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste,
            EnableFocusChange, KeyEventKind,
        },
        execute,
        terminal::SetTitle,
    },
};
use tokio::sync::mpsc;

use self::{
    app::{App, Wish},
    draw::Pen,
    layout::Clock,
    look::Look,
    wishes::Came,
};
use crate::{failure::Failure, session::Session, target::Target};

/// Runs until the person quits.
pub(crate) async fn run(
    session: &Session,
    to: Option<&Target>,
    ascii: bool,
) -> Result<(), Failure> {
    let terminal = ratatui::try_init().map_err(|error| Failure::system(&error))?;
    // What the terminal does not know it ignores.
    let _ = execute!(std::io::stdout(), EnableBracketedPaste, EnableFocusChange);
    let mut screen = Screen::new(session, terminal, ascii);
    // From before the rows are read: what comes in between is told, not missed.
    let events = session.events();
    let outcome = screen.begin(to).await;
    let outcome = match outcome {
        Ok(()) => screen.live(events).await,
        failed => failed,
    };
    let _ =
        execute!(std::io::stdout(), DisableBracketedPaste, DisableFocusChange, SetTitle("nodoor"));
    ratatui::restore();
    outcome
}

/// The screen and what it waits for.
struct Screen<'s> {
    session: &'s Session,
    terminal: DefaultTerminal,
    pen: Pen<'s>,
    app: App,
    keys: mpsc::UnboundedReceiver<event::Event>,
    /// Held while the keyboard belongs to somebody else.
    keyboard: Arc<Mutex<()>>,
    /// What takes the network's time; keys go on meanwhile.
    pending: Option<Pin<Box<dyn Future<Output = Came> + 's>>>,
    /// What the engine was last told of where the person looks.
    looking: Option<Option<ConversationId>>,
    title: Option<u32>,
    /// See [`draw::is_uncertain`].
    uncertain: bool,
    done: bool,
}

impl<'s> Screen<'s> {
    fn new(session: &'s Session, terminal: DefaultTerminal, ascii: bool) -> Self {
        let keyboard = Arc::new(Mutex::new(()));
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let pen = Pen {
            texts: &session.texts,
            look: Look::new(ascii, colours),
            clock: Clock { zone: TimeZone::system() },
        };
        Self {
            session,
            terminal,
            pen,
            app: App::new(session.address.as_str(), now()),
            keys: read_keys(keyboard.clone()),
            keyboard,
            pending: None,
            looking: None,
            title: None,
            uncertain: false,
            done: false,
        }
    }

    /// Reads what is on disk, so that the first drawing is whole.
    async fn begin(&mut self, to: Option<&Target>) -> Result<(), Failure> {
        // Anything else: no account yet, and the first start is drawn.
        if let Reply::Profile(profile) = self.session.client.ask(Command::WhoAmI).await {
            self.app.profile = Some(profile);
            self.reload().await?;
            if let Reply::Ledger(state) = self.session.ask(Command::Ledger).await? {
                self.app.ledger = Some(state);
                self.keep_evidence().await?;
            }
            self.look_at_standing().await?;
            if let Some(to) = to {
                let row = self.session.open_chat(to).await?;
                self.open(row).await?;
            } else {
                self.app.focus = app::Focus::List;
            }
        }
        Ok(())
    }

    /// The list and the requests as they are.
    async fn reload(&mut self) -> Result<(), Failure> {
        self.app.chats = self.session.conversations().await?;
        let requests = self.session.requests().await?;
        self.app.requests_are(requests);
        Ok(())
    }

    async fn live(&mut self, mut events: Events) -> Result<(), Failure> {
        let mut tick = tokio::time::interval(TICK);
        while !self.done {
            self.draw()?;
            self.tell_looking().await?;
            tokio::select! {
                key = self.keys.recv() => match key {
                    Some(key) => self.keyed(key).await?,
                    None => return Ok(()),
                },
                event = events.next() => match event {
                    Some(event) => self.told(event).await?,
                    None => return Ok(()),
                },
                came = next(&mut self.pending) => {
                    self.pending = None;
                    self.came(came).await?;
                }
                _ = tick.tick() => self.ticked().await?,
            }
            // Whatever else is there already goes into the same drawing.
            while let Ok(key) = self.keys.try_recv() {
                self.keyed(key).await?;
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.app.moved) && self.uncertain {
            self.terminal.clear().map_err(|error| Failure::system(&error))?;
        }
        let (app, pen) = (&mut self.app, &self.pen);
        let drawn = self.terminal.draw(|frame| draw::draw(frame, app, pen));
        self.uncertain = draw::is_uncertain(drawn.map_err(|error| Failure::system(&error))?.buffer);
        if self.title != Some(self.app.unread_chats) {
            self.title = Some(self.app.unread_chats);
            let title = match self.app.unread_chats {
                0 => "nodoor".to_owned(),
                chats => format!("nodoor ({chats})"),
            };
            let _ = execute!(std::io::stdout(), SetTitle(title));
            let _ = std::io::stdout().flush();
        }
        Ok(())
    }

    async fn keyed(&mut self, event: event::Event) -> Result<(), Failure> {
        let wishes = match event {
            event::Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.app.key(key, &self.session.texts)
            }
            event::Event::Paste(text) => {
                self.app.pasted(&text);
                vec![]
            }
            event::Event::FocusGained => {
                self.app.looked_at = true;
                vec![]
            }
            event::Event::FocusLost => {
                self.app.looked_at = false;
                vec![]
            }
            _ => vec![],
        };
        for wish in wishes {
            self.fulfil(wish).await?;
        }
        Ok(())
    }

    async fn told(&mut self, event: Event) -> Result<(), Failure> {
        match &event {
            Event::Requests { .. } if self.app.profile.is_some() => {
                let requests = self.session.requests().await?;
                self.app.requests_are(requests);
            }
            Event::ClockWrong { seconds } => {
                let minutes = [("minutes", (seconds.unsigned_abs() as u32 / 60).into())];
                self.app.trouble = Some(self.session.texts.get("clock-wrong", &minutes));
            }
            Event::ServerUnfit { problem } => {
                self.app.trouble = Some(self.session.texts.problem(problem));
            }
            Event::Device { .. } => {
                let said = crate::commands::devices::said(&event, &self.session.texts);
                self.app.trouble = said.or(self.app.trouble.take());
                self.look_at_standing().await?;
            }
            Event::DiskTrouble => {
                self.app.trouble = Some(self.session.texts.get("disk-trouble", &[]));
            }
            _ => {}
        }
        let ledger = matches!(event, Event::Ledger { .. });
        let event = match event {
            Event::Conversation { row } => Event::Conversation { row: self.session.called(row) },
            other => other,
        };
        self.app.told(event);
        if ledger {
            self.keep_evidence().await?;
        }
        Ok(())
    }

    /// Puts the evidence of what is proved into the profile, where a person finds it.
    async fn keep_evidence(&mut self) -> Result<(), Failure> {
        if self.app.alarm().is_some()
            && let Reply::Evidence(all) = self.session.ask(Command::Evidence).await?
        {
            let folder = self.session.folder().join("evidence");
            self.app.evidence = crate::commands::verify::write(&all, &folder)?;
        }
        Ok(())
    }

    /// Whether this device is one of the account's still.
    async fn look_at_standing(&mut self) -> Result<(), Failure> {
        if self.app.profile.is_some() {
            let standing = crate::commands::devices::standing(self.session).await?;
            self.app.removed = matches!(standing, Standing::Removed { .. });
        }
        Ok(())
    }

    /// Tells the engine which chat is looked at, and up to where it was seen.
    async fn tell_looking(&mut self) -> Result<(), Failure> {
        if self.app.profile.is_none() {
            return Ok(());
        }
        let visible = self.app.shown.is_some()
            || self.app.open.as_ref().is_some_and(|open| open.rows.is_empty());
        let open = self.app.open.as_ref().map(|open| open.id);
        let at = open.filter(|_| self.app.looked_at && visible);
        if self.looking != Some(at) {
            self.looking = Some(at);
            self.session.do_it(Command::Looking { at }).await?;
        }
        let (Some(conversation), Some(up_to)) = (at, self.app.shown) else { return Ok(()) };
        let unread = self.app.open_row().and_then(|row| row.first_unread);
        let read: Option<MessageId> = self.app.open.as_ref().and_then(|open| open.read);
        if unread.is_some_and(|first| first <= up_to) && read < Some(up_to) {
            if let Some(open) = &mut self.app.open {
                open.read = Some(up_to);
            }
            self.session.do_it(Command::MarkRead { conversation, up_to }).await?;
        }
        Ok(())
    }

    async fn ticked(&mut self) -> Result<(), Failure> {
        self.app.tick(now());
        let time = self.app.now.0;
        let settled =
            |at: Option<Milliseconds>| at.is_some_and(|at| time.saturating_sub(at.0) >= SETTLED_MS);
        if settled(self.app.draft_changed) {
            self.keep_draft().await?;
        }
        if settled(self.app.start.changed) && self.pending.is_none() {
            self.app.start.changed = None;
            let handle = self.app.start.handle.text();
            if !handle.is_empty() {
                self.fulfil(Wish::CheckHandle(handle)).await?;
            }
        }
        Ok(())
    }

    /// Puts what stands in the composer on disk.
    async fn keep_draft(&mut self) -> Result<(), Failure> {
        if self.app.draft_changed.take().is_some()
            && let Some(open) = &self.app.open
        {
            let command = Command::SetDraft { conversation: open.id, text: self.app.draft() };
            self.session.do_it(command).await?;
        }
        Ok(())
    }
}

/// What is pending, or nothing ever.
async fn next<'s>(pending: &mut Option<Pin<Box<dyn Future<Output = Came> + 's>>>) -> Came {
    match pending {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// Keys, read on a thread of their own; it looks away while `keyboard` is held.
fn read_keys(keyboard: Arc<Mutex<()>>) -> mpsc::UnboundedReceiver<event::Event> {
    let (read, keys) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        loop {
            {
                let Ok(_held) = keyboard.lock() else { return };
                match event::poll(Duration::from_millis(40)) {
                    Ok(true) => {
                        let Ok(event) = event::read() else { return };
                        if read.send(event).is_err() {
                            return;
                        }
                        continue;
                    }
                    Ok(false) => {}
                    Err(_) => return,
                }
            }
            // Whoever waits for the keyboard gets it here.
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    keys
}

fn now() -> Milliseconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Milliseconds(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

const TICK: Duration = Duration::from_millis(250);
/// A draft is kept, and a handle asked about, this long after the last key.
const SETTLED_MS: u64 = 300;
