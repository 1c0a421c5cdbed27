// SPDX-License-Identifier: AGPL-3.0-or-later
//! An account for a program: open a profile, register, hear, answer. What bots and tools are written with.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use nodoor_sdk::account::{Account, Arrival, Body};
//!
//! # async fn run() -> Result<(), nodoor_sdk::account::Error> {
//! let server = "http://127.0.0.1:8448";
//! let account = Account::open(Path::new("echo-profile"), server, None).await?;
//! account.register("echo", "").await?;
//! account.be_a_bot("Echo").await?;
//! let mut arrivals = account.arrivals();
//! while let Some(arrival) = arrivals.next().await? {
//!     match arrival {
//!         Arrival::Request(request) => drop(account.accept(&request).await?),
//!         Arrival::Message(message) => {
//!             if let Body::Text(text) = &message.body
//!                 && !message.from.is_bot
//!             {
//!                 account.reply(&message, text).await?;
//!             }
//!             account.seen(&message).await?;
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! An [`Account`] is one device of one account in one folder, held by one process. All that it promises is on disk when a
//! call returns; what could not go out for want of a connection goes out by itself when there is one. It sees what its
//! members' list says it may see and nothing more: there is no interface of the server's for bots, and no other key.
//!
//! What is not here can be asked of [`Account::client`] in the words of `nodoor_view::command`, which both clients speak.
//!
//! Handbook: `docs/book/sdk.md`. The examples in `examples/` run.

mod arrivals;
mod message;
mod sending;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use nodoor_view::{
    command::{Command, Reply},
    model::{self, ConversationId, Problem, ProblemKind},
    text::Texts,
};
use zeroize::Zeroizing;

pub use self::{
    arrivals::{Arrival, Arrivals},
    message::{Attachment, Body, Message, Messages, Sender},
};
use crate::native::{
    Client, OpenError,
    address::{Address, AddressError},
    profile::{Profile, ProfileError},
};

/// One account on one device, running.
///
/// Ends with [`Account::close`]; dropped without it, what was queued goes out next time.
pub struct Account {
    client: Client,
    texts: Texts,
    folder: PathBuf,
    address: Address,
}

/// Why something did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server's address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The profile or its database does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The profile is at another server: an account stays where it was made.
    #[error("this profile has an account at {0}")]
    Elsewhere(String),
    /// It was refused, here or by the server, and nothing changed. `kind` says why.
    #[error("refused: {kind:?}")]
    Refused {
        /// Why.
        kind: ProblemKind,
        /// How long to wait, where that helps; else zero.
        wait: Duration,
    },
    /// A file, a folder or a pipe.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The engine ended, or answered what it does not answer: a fault of ours.
    #[error("the engine gave no answer")]
    Internal,
}

impl From<ProfileError> for Error {
    fn from(error: ProfileError) -> Self {
        Self::Open(error.into())
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let wait = Duration::from_secs(problem.wait_seconds.into());
        Self::Refused { kind: problem.kind, wait }
    }
}

/// Who one is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Me {
    /// Account id, hexadecimal.
    pub account: String,
    /// Without `@`.
    pub handle: String,
    /// The name others see, or empty.
    pub name: String,
    /// Others are told that a program speaks here.
    pub is_bot: bool,
    /// What others open to write to this account.
    pub invite_link: String,
}

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chat {
    /// The same on every device, hexadecimal.
    pub id: String,
    /// A group's title; of two, the other's name or `@handle`.
    pub title: String,
    /// More than two can be in it.
    pub is_group: bool,
    /// Who is on the other side, of two.
    pub with: Option<Sender>,
    row: ConversationId,
}

/// Somebody who is not accepted yet: nothing is answered, and they are told nothing, before [`Account::accept`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The chat that it becomes.
    pub chat: Chat,
    /// Who asks, or invites.
    pub from: Sender,
    /// The first 500 characters of what they wrote.
    pub text: String,
}

impl Account {
    /// Opens the profile in `folder`, or makes one there, and goes online if it has an account.
    ///
    /// `server` is like `https://server.example`, or `http://127.0.0.1:8448` on this machine. A `passphrase` protects the
    /// database of a new profile, and opens it again; without one its key lies in the folder. Waits up to ten seconds for
    /// another process that has the profile.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Open`]; [`Error::Elsewhere`] if the profile's account is at another server.
    pub async fn open(
        folder: &Path,
        server: &str,
        passphrase: Option<String>,
    ) -> Result<Self, Error> {
        let address = Address::parse(server)?;
        let profile = Profile::take(folder, "nodoor sdk", LOCK_WAIT).await?;
        if let Some(home) = profile.server().filter(|home| home != address.as_str()) {
            return Err(Error::Elsewhere(home));
        }
        let passphrase = passphrase.map(Zeroizing::new);
        let client = Client::open(profile, &address, passphrase, DEVICE).await?;
        let (texts, folder) = (Texts::terminal("en"), folder.to_owned());
        Ok(Self { client, texts, folder, address })
    }

    /// Makes the account. Done again with the same handle, it only says who one is.
    ///
    /// `handle` is without `@`, and free; `ticket` is the invitation of a server that asks for one, else empty.
    ///
    /// # Errors
    /// [`Error::Refused`] with `HandleTaken`, `HandleForm`, `RegistrationClosed`, `Offline` or another kind.
    pub async fn register(&self, handle: &str, ticket: &str) -> Result<Me, Error> {
        let (handle, ticket) = (handle.to_owned(), ticket.to_owned());
        let me = match self.ask(Command::Register { handle, ticket }).await? {
            Reply::Profile(profile) => me(profile),
            _ => return Err(Error::Internal),
        };
        Profile::remember_server(&self.folder, &self.address)?;
        // The keys that others need to write to this device go up now.
        self.finish().await;
        Ok(me)
    }

    /// Who one is; nothing before there is an account.
    ///
    /// # Errors
    /// [`Error::Refused`] if the disk fails.
    pub async fn me(&self) -> Result<Option<Me>, Error> {
        Ok(match self.ask(Command::WhoAmI).await? {
            Reply::Profile(profile) => Some(me(profile)),
            _ => None,
        })
    }

    /// Takes a name, and says to everybody one talks with or will talk with that a program speaks here: at once, before a
    /// first message, and to whoever comes later. For good: an account does not become a person's again.
    ///
    /// A program that speaks for itself calls this. One that acts for a person at a keyboard does not.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NoAccount` before [`Account::register`].
    pub async fn be_a_bot(&self, name: &str) -> Result<Me, Error> {
        self.ask(Command::SetName { name: name.to_owned() }).await?;
        match self.ask(Command::BecomeBot).await? {
            Reply::Profile(profile) => Ok(me(profile)),
            _ => Err(Error::Internal),
        }
    }

    /// All chats, the newest first. Requests are not among them.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NoAccount`.
    pub async fn chats(&self) -> Result<Vec<Chat>, Error> {
        match self.ask(Command::Conversations).await? {
            Reply::Conversations(rows) => Ok(rows.iter().map(Chat::of).collect()),
            _ => Err(Error::Internal),
        }
    }

    /// The chat with a handle, found at the server if there is none yet. Nothing is sent: they hear of it with the first
    /// message.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound`, or `Offline` for somebody new.
    pub async fn chat_with(&self, handle: &str) -> Result<Chat, Error> {
        match self.ask(Command::OpenDirect { handle: handle.to_owned() }).await? {
            Reply::Conversation(row) => Ok(Chat::of(&row)),
            _ => Err(Error::Internal),
        }
    }

    /// Who waits to be accepted. [`Account::arrivals`] tells of them as well.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NoAccount`.
    pub async fn requests(&self) -> Result<Vec<Request>, Error> {
        match self.ask(Command::Requests).await? {
            Reply::Requests(rows) => Ok(rows.iter().map(Request::of).collect()),
            _ => Err(Error::Internal),
        }
    }

    /// Accepts a request: what waits in it arrives, and they learn that somebody is there.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` if it is gone.
    pub async fn accept(&self, request: &Request) -> Result<Chat, Error> {
        match self.ask(Command::Accept { conversation: request.chat.row }).await? {
            Reply::Conversation(row) => Ok(Chat::of(&row)),
            _ => Err(Error::Internal),
        }
    }

    /// Refuses a request. They are told nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` if it is gone.
    pub async fn decline(&self, request: &Request) -> Result<(), Error> {
        self.ask(Command::Decline { conversation: request.chat.row }).await.map(drop)
    }

    /// Waits until everything asked so far is done at the server too, for as long as it answers. False if it is not: then
    /// it is on disk, and goes out with the next connection.
    pub async fn finish(&self) -> bool {
        let done = matches!(self.client.ask(Command::Finish).await, Reply::Done);
        self.client.settle(QUIET, PATIENCE).await && done
    }

    /// The client underneath, for what has no name here.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends what is queued, closes the connections and frees the profile.
    pub async fn close(self) {
        self.client.close().await;
    }

    async fn ask(&self, command: Command) -> Result<Reply, Error> {
        match self.client.ask(command).await {
            Reply::Problem(problem) => Err(problem.into()),
            reply => Ok(reply),
        }
    }
}

impl Chat {
    fn of(row: &model::ConversationRow) -> Self {
        Self {
            id: row.reference.clone(),
            title: row.title.clone(),
            is_group: row.kind == model::Kind::Group,
            with: row.person.as_ref().map(Sender::of),
            row: row.id,
        }
    }
}

impl Request {
    fn of(row: &model::RequestRow) -> Self {
        let is_group = row.kind == model::Kind::Group;
        let from = Sender::of(&row.from);
        let title = if is_group { row.title.clone() } else { format!("@{}", row.from.handle) };
        let with = (!is_group).then(|| from.clone());
        let chat = Chat { id: row.reference.clone(), title, is_group, with, row: row.conversation };
        Self { chat, from, text: row.text.clone() }
    }
}

fn me(profile: model::Profile) -> Me {
    let model::Profile { account, handle, name, bot: is_bot, invite_link, .. } = profile;
    Me { account, handle, name, is_bot, invite_link }
}

/// What the device is called in the account's own list.
const DEVICE: &str = "Program";
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// A server that said nothing for so long has nothing more for us.
const QUIET: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(10);
