// SPDX-License-Identifier: AGPL-3.0-or-later
//! One opened profile, as commands, the line mode and the screen use it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nodoor_sdk::native::{
    Client, Events,
    address::Address,
    profile::{Profile, Protection},
};
use nodoor_view::{
    command::{Command, Reply},
    model::{ConversationRow, Kind, RequestRow},
    text::Texts,
};
use zeroize::Zeroizing;

use crate::{
    arguments::{Arguments, Global, Verb},
    failure::Failure,
    target::Target,
};

/// An engine that runs, and how to talk to its person.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) texts: Texts,
    pub(crate) json: bool,
    pub(crate) address: Address,
    folder: PathBuf,
}

impl Session {
    /// Takes the profile (waiting up to 10 seconds for it) and starts its engine.
    pub(crate) async fn open(arguments: &Arguments) -> Result<Self, Failure> {
        let global = &arguments.global;
        let folder = profile_folder(global)?;
        let profile = Profile::take(&folder, arguments.command(), LOCK_WAIT).await?;
        let home = profile.server();
        let server = global.server.clone().or_else(|| home.clone());
        let server = server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let address = Address::parse(&server).map_err(|error| Failure::Usage(error.to_string()))?;
        // An account is at one server: a second one takes a second profile.
        if let Some(home) = home.filter(|home| home != address.as_str())
            && matches!(arguments.verb, Some(Verb::Register { .. }))
        {
            let hint = format!("this profile has an account at {home}; use another --profile");
            return Err(Failure::Surroundings("has_account", hint));
        }
        let texts = Texts::terminal(&crate::language());
        let passphrase = std::env::var("NODOOR_PASSPHRASE").ok().map(Zeroizing::new);
        if global.verbose {
            let id = match profile.protection(passphrase.is_some()) {
                Protection::KeyFile => "profile-key-file",
                Protection::Passphrase => "profile-passphrase",
            };
            eprintln!("nodoor: {}", texts.get(id, &[]));
        }
        let client = Client::open(profile, &address, passphrase, &device_name()).await?;
        Ok(Self { client, texts, json: global.json, address, folder })
    }

    /// Asks; a problem is a failure.
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, Failure> {
        match self.client.ask(command).await {
            Reply::Problem(problem) => Err(Failure::Problem(problem)),
            reply => Ok(reply),
        }
    }

    /// Asks for what is answered by `Done`.
    pub(crate) async fn do_it(&self, command: Command) -> Result<(), Failure> {
        self.ask(command).await.map(|_| ())
    }

    /// Asks for what is answered by a conversation.
    pub(crate) async fn conversation(&self, command: Command) -> Result<ConversationRow, Failure> {
        match self.ask(command).await? {
            Reply::Conversation(row) => Ok(self.called(row)),
            _ => Err(Failure::unexpected()),
        }
    }

    /// The chats, newest first.
    pub(crate) async fn conversations(&self) -> Result<Vec<ConversationRow>, Failure> {
        match self.ask(Command::Conversations).await? {
            Reply::Conversations(rows) => {
                Ok(rows.into_iter().map(|row| self.called(row)).collect())
            }
            _ => Err(Failure::unexpected()),
        }
    }

    /// With the title that its person reads.
    pub(crate) fn called(&self, row: ConversationRow) -> ConversationRow {
        ConversationRow { title: self.texts.title(&row), ..row }
    }

    /// The requests, newest first.
    pub(crate) async fn requests(&self) -> Result<Vec<RequestRow>, Failure> {
        match self.ask(Command::Requests).await? {
            Reply::Requests(rows) => Ok(rows),
            _ => Err(Failure::unexpected()),
        }
    }

    /// Fetches what waits at the server, as long as it answers; without a connection returns at once.
    pub(crate) async fn catch_up(&self) -> bool {
        self.settle().await.is_some()
    }

    /// The same for what only shows: people are told when it is what this disk has and no more.
    pub(crate) async fn look_in(&self) {
        if !self.catch_up().await {
            eprintln!("nodoor: {}", self.texts.get("only-here", &[]));
        }
    }

    /// Waits until what was just asked is done at the server too; else says that it is not. What is left of it the engine
    /// knows, however long the server is quiet in between.
    pub(crate) async fn finish(&self) {
        let done = self.client.ask(Command::Finish).await == Reply::Done;
        // Keys that are awaited may be a stranger's: what was asked is done all the same.
        if self.settle().await.is_none() || !done {
            eprintln!("nodoor: {}", self.texts.get("not-here", &[]));
        }
    }

    /// Waits until nothing moves, and a little for keys that are about to be in the public log. Whether all is done;
    /// nothing without a connection.
    async fn settle(&self) -> Option<bool> {
        let until = Instant::now() + LOG_PATIENCE;
        loop {
            if !self.client.settle(QUIET, CATCH_UP).await {
                return None;
            }
            let awaited = match self.ask(Command::Ledger).await {
                Ok(Reply::Ledger(ledger)) => ledger.awaited > 0,
                _ => false,
            };
            if !awaited || Instant::now() >= until {
                return Some(!awaited);
            }
            tokio::time::sleep(QUIET).await;
        }
    }

    /// The profile's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the policy of the public log that this client pinned into the profile, where `update check` looks for it. One
    /// that somebody put there by hand stays.
    pub(crate) async fn keep_policy(&self) {
        let Reply::LogPolicy(Some(policy)) = self.client.ask(Command::LogPolicy).await else {
            return;
        };
        let path = self.folder.join("policy");
        let text = format!("{PINNED}\n{policy}");
        match std::fs::read_to_string(&path) {
            Ok(there) if there == text || !there.starts_with(PINNED) => return,
            _ => {}
        }
        // Whole or not at all: what is checked against half a policy is checked against none.
        let fresh = self.folder.join("policy.new");
        let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, &path));
        if let Err(error) = written {
            eprintln!("nodoor: {}", Failure::system(&error).line(&self.texts));
        }
    }

    /// Remembers the server beside the account.
    pub(crate) fn remember_server(&self) -> Result<(), Failure> {
        Ok(Profile::remember_server(&self.folder, &self.address)?)
    }

    /// The conversation that `to` names, made if it is a handle and there is none.
    pub(crate) async fn open_chat(&self, to: &Target) -> Result<ConversationRow, Failure> {
        match (self.known(to).await?, to) {
            (Some(row), _) => Ok(row),
            (None, Target::Handle(handle)) => {
                self.conversation(Command::OpenDirect { handle: handle.clone() }).await
            }
            (None, Target::Id(_)) => Err(NO_CONVERSATION),
        }
    }

    /// The conversation on this device that `to` names, if there is one.
    pub(crate) async fn known(&self, to: &Target) -> Result<Option<ConversationRow>, Failure> {
        to.pick(self.conversations().await?, |row| {
            let person = row.person.as_ref().filter(|_| row.kind == Kind::Direct);
            (person.map_or("", |person| &person.handle), &row.reference)
        })
    }

    /// The request that `to` names, if there is one. A handle means the request to talk, not a group.
    pub(crate) async fn request(&self, to: &Target) -> Result<Option<RequestRow>, Failure> {
        to.pick(self.requests().await?, |row| {
            (if row.kind == Kind::Direct { &row.from.handle } else { "" }, &row.reference)
        })
    }

    /// Events from now on.
    pub(crate) fn events(&self) -> Events {
        self.client.events()
    }
}

/// There is no such request.
pub(crate) const NO_REQUEST: Failure = Failure::Said("not_found", "no-such-request");
/// There is no such conversation.
pub(crate) const NO_CONVERSATION: Failure = Failure::Said("not_found", "no-such-conversation");

/// The profile's folder, as it was asked for or as it is by default.
pub(crate) fn profile_folder(global: &Global) -> Result<PathBuf, Failure> {
    global.profile.clone().map_or_else(default_profile, Ok)
}

fn default_profile() -> Result<PathBuf, Failure> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("nodoor"))
        .ok_or_else(|| Failure::Usage("there is no HOME; name a folder with --profile".to_owned()))
}

/// What this device is called in the person's own list.
fn device_name() -> String {
    let host = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    match host.trim() {
        "" => "Terminal".to_owned(),
        host => format!("Terminal on {host}"),
    }
}

/// The first line of a policy that this client wrote.
const PINNED: &str = "# pinned by nodoor";
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:8448";
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// A server that answered everything and said nothing for so long has nothing more for us.
const QUIET: Duration = Duration::from_millis(300);
const CATCH_UP: Duration = Duration::from_secs(10);
/// How long a command waits for the next entries of the public log: a first contact right after a registration needs them.
const LOG_PATIENCE: Duration = Duration::from_secs(5);
