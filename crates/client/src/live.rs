// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the engine holds in memory alone: connections, what is in flight, caches. All of it can be lost
//! at any moment; the rows on disk say what is still to do.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    ops::Range,
};

use bytes::Bytes;
use nodoor_e2ee::{content, group::Group};
use nodoor_view::{
    event::Connection,
    model::{ConversationId, ProblemKind},
};
use nodoor_wire::{
    id::{AccountId, BodyId, DeploymentId, HourKeyId, MessageId, RoomId},
    limits, proto,
    sealed::HourKey,
};

use crate::{
    command::Parked,
    directory::Known,
    held::Holding,
    io::Wire,
    ledger::{Checking, gossip::Claim, growth::Growth},
    resend::Askings,
    rows::Who,
    selfgroup::About,
    tokens::{DayKey, Issue},
};

/// Volatile state.
pub(crate) struct Live {
    /// The address shown to the person.
    pub(crate) server: String,
    /// What this device is called.
    pub(crate) device_name: String,
    /// Single-use key packages kept at the server.
    pub(crate) stock: usize,
    /// Row numbers of this run that came of what a person asked.
    pub(crate) asked_rows: Vec<Range<u64>>,
    /// A command is carried out in this step.
    pub(crate) commanded: bool,
    /// By what push services know the server; empty where it calls nobody, nothing before a login.
    pub(crate) push_key: Option<Vec<u8>>,
    /// The login connection.
    pub(crate) login: Link,
    /// The anonymous connection.
    pub(crate) anonymous: Link,
    /// The server that a connection reached first: both must reach the same.
    pub(crate) deployment: Option<DeploymentId>,
    /// Why the server we reach is not one we can talk to, as it was told.
    pub(crate) unfit: Option<ProblemKind>,
    /// Key packages made and not yet known to be at the server.
    pub(crate) upload: Option<Upload>,
    /// When members of a group in slow mode said what they said last, milliseconds.
    pub(crate) paces: BTreeMap<(RoomId, AccountId), Vec<u64>>,
    /// Leaves of a room's epoch whose devices showed that they see the same room.
    pub(crate) same: BTreeMap<RoomId, (u64, BTreeSet<u32>)>,
    /// Handles that the answer at hand proved to have moved.
    pub(crate) moved: BTreeSet<String>,
    /// What our other devices are to be told at the end of the step.
    pub(crate) own_changed: BTreeSet<About>,
    /// Something about a room waits for the anonymous connection to be let in.
    pub(crate) admission_wanted: Cell<bool>,
    /// No token is shown before this time.
    pub(crate) admission_after: u64,
    /// The person knows that there are no tokens.
    pub(crate) told_out_of_tokens: bool,
    /// Tokens asked for.
    pub(crate) issue: Option<Issue>,
    /// No tokens are asked for before this time.
    pub(crate) issue_after: u64,
    /// The newest key that the public log was seen to name.
    pub(crate) logged_key: Option<DayKey>,
    /// The log is being asked for a key.
    pub(crate) asking_for_key: bool,
    /// When the keys of the next day are asked for.
    pub(crate) keys_due: u64,
    /// What is under way of our own devices.
    pub(crate) device: crate::device::Volatile,
    /// Deletions of tokens are on their way, or were refused on this connection.
    pub(crate) forgetting: bool,
    /// The challenge of the login connection, until it is answered.
    pub(crate) challenge: Option<[u8; 32]>,
    /// Groups loaded from disk.
    pub(crate) groups: HashMap<RoomId, Group>,
    /// What is being asked about the public log.
    pub(crate) checking: Checking,
    /// What waits on this device.
    pub(crate) held: Holding,
    /// What verified of accounts since the start.
    pub(crate) known: HashMap<AccountId, Known>,
    /// Keys of the mailbox by hour: the server gives each again on the next connection.
    pub(crate) hour_keys: HashMap<HourKeyId, HourKey>,
    /// Entries received and not processed, in order.
    pub(crate) incoming: VecDeque<proto::Entry>,
    /// Bodies fetched for them, still sealed; `None` means gone at the server.
    pub(crate) bodies: HashMap<BodyId, Option<Bytes>>,
    /// Bodies asked for.
    pub(crate) fetching: bool,
    /// An acknowledgement that was refused for a while, and when it goes again.
    pub(crate) ack_again: Option<(u64, proto::Ack)>,
    /// No bodies are asked for before this time: the last answer brought none.
    pub(crate) fetch_after: u64,
    /// When to try to log in again, after a refusal that passes.
    pub(crate) log_in_at: Option<u64>,
    /// The server said since the start how far this device had come: its disk is known to be the newest.
    pub(crate) disk_weighed: bool,
    /// Since when both connections stand.
    pub(crate) online_since: Option<u64>,
    /// Asks that wait for the server.
    pub(crate) parked: Vec<Parked>,
    /// Answers of look-ups by handle, with their time.
    pub(crate) handles: HashMap<String, (Option<AccountId>, u64)>,
    /// When an account was last looked up.
    pub(crate) fresh: HashMap<AccountId, u64>,
    /// When the question was sent whose answer was the last one about an account.
    pub(crate) asked: HashMap<AccountId, u64>,
    /// For which version of an account's list it was last looked up for the sake of a room, and when.
    pub(crate) undecided: HashMap<(RoomId, AccountId), (u64, u32)>,
    /// Look-ups that are wanted or under way.
    pub(crate) searches: BTreeMap<Sought, Search>,
    /// Look-ups that were found to be missing, if somebody wants to know.
    pub(crate) lacking: Option<Vec<Sought>>,
    /// Key packages taken for a room's next Add.
    pub(crate) packages: HashMap<RoomId, BTreeMap<Who, Vec<Vec<u8>>>>,
    /// A key package may have to go.
    pub(crate) offers_changed: bool,
    /// When to look again at what is offered.
    pub(crate) offers_due: u64,
    /// What was asked for again, and by whom.
    pub(crate) askings: Askings,
    /// Rooms with a request in flight.
    pub(crate) busy: HashSet<RoomId>,
    /// Rooms whose waiting commit was judged to have waited in vain or not, since anything was learnt.
    pub(crate) judged: HashSet<RoomId>,
    /// Rooms that wait until a time.
    pub(crate) retry_at: HashMap<RoomId, u64>,
    /// Rooms that lack a commit, and when to ask for it: the mailbox brings it too, in its place among the
    /// messages before it, and is given a moment to do so.
    pub(crate) behind: BTreeMap<RoomId, u64>,
    /// Rooms that were told they are behind, and send nothing until they asked what they lack.
    pub(crate) stale: HashSet<RoomId>,
    /// How often in a row a room asked for a commit and got none that helped.
    pub(crate) fruitless: HashMap<RoomId, u32>,
    /// What the person looks at.
    pub(crate) looking_at: Option<ConversationId>,
    /// When it was last told that one types in a chat.
    pub(crate) typed_at: HashMap<ConversationId, u64>,
    /// Who types where, and until when that is shown.
    pub(crate) typing: BTreeMap<(ConversationId, AccountId), u64>,
    /// The time of the newest word of typing of a leaf.
    pub(crate) typing_heard: HashMap<(RoomId, u32), u64>,
    /// Conversations whose row interfaces must be told.
    pub(crate) changed: BTreeSet<ConversationId>,
    /// A connection broke or could not be made since both stood.
    pub(crate) lost: bool,
    /// What was last told of the connection.
    pub(crate) told_connection: Option<Connection>,
    /// What was last told of unread chats and of requests.
    pub(crate) told_counts: Option<(u32, u32)>,
    /// Receipts to give, by room: message ids.
    pub(crate) reports: BTreeMap<RoomId, Vec<(MessageId, content::Status)>>,
    /// Work on files.
    pub(crate) files: crate::files::AtWork,
}

impl Live {
    /// Nothing connected, nothing cached.
    pub(crate) fn new(server: &str, device_name: &str) -> Self {
        Self {
            paces: BTreeMap::new(),
            same: BTreeMap::new(),
            moved: BTreeSet::new(),
            server: server.to_owned(),
            device_name: device_name.to_owned(),
            stock: limits::KEY_PACKAGES,
            asked_rows: Vec::new(),
            commanded: false,
            push_key: None,
            login: Link::default(),
            anonymous: Link::default(),
            deployment: None,
            unfit: None,
            upload: None,
            own_changed: BTreeSet::new(),
            admission_wanted: Cell::new(false),
            admission_after: 0,
            told_out_of_tokens: false,
            issue: None,
            issue_after: 0,
            logged_key: None,
            asking_for_key: false,
            keys_due: 0,
            device: crate::device::Volatile::default(),
            forgetting: false,
            challenge: None,
            groups: HashMap::new(),
            checking: Checking::default(),
            held: Holding::default(),
            known: HashMap::new(),
            hour_keys: HashMap::new(),
            incoming: VecDeque::new(),
            bodies: HashMap::new(),
            fetching: false,
            ack_again: None,
            fetch_after: 0,
            log_in_at: None,
            disk_weighed: false,
            online_since: None,
            parked: Vec::new(),
            handles: HashMap::new(),
            fresh: HashMap::new(),
            asked: HashMap::new(),
            undecided: HashMap::new(),
            searches: BTreeMap::new(),
            lacking: None,
            packages: HashMap::new(),
            offers_changed: false,
            offers_due: 0,
            askings: Askings::default(),
            busy: HashSet::new(),
            judged: HashSet::new(),
            retry_at: HashMap::new(),
            behind: BTreeMap::new(),
            stale: HashSet::new(),
            fruitless: HashMap::new(),
            looking_at: None,
            typed_at: HashMap::new(),
            typing: BTreeMap::new(),
            typing_heard: HashMap::new(),
            changed: BTreeSet::new(),
            lost: false,
            told_connection: None,
            told_counts: None,
            reports: BTreeMap::new(),
            files: crate::files::AtWork::default(),
        }
    }

    /// As after a start: what was held in memory is gone.
    pub(crate) fn emptied(&self) -> Self {
        let (stock, asked_rows) = (self.stock, self.asked_rows.clone());
        Self { stock, asked_rows, ..Self::new(&self.server, &self.device_name) }
    }
}

/// Key packages and the tokens in them: the tokens first, for a Welcome to a token that nobody holds is lost.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// Seeds of the tokens.
    pub(crate) tokens: proto::TokenPut,
    /// The packages.
    pub(crate) packages: proto::KeyPackagePut,
    /// Not to be tried before, if it was refused.
    pub(crate) again_at: Option<u64>,
}

/// Who is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sought {
    /// By account.
    Account(AccountId),
    /// By handle.
    Handle(String),
}

/// A look-up, from the first wish to a good answer.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// When it was sent, if it is under way.
    pub(crate) asked_at: Option<u64>,
    /// When it is wanted: the earliest that anybody said.
    pub(crate) not_before: u64,
    /// Not to be sent before, whoever wants it: the last answers were no use.
    pub(crate) paused_until: u64,
    /// Answers in a row that were no use.
    pub(crate) failures: u32,
    /// It is asked once more after the answer: that is to a question of before something was seen.
    pub(crate) again: bool,
}

impl Search {
    /// When it may be sent.
    pub(crate) fn due(&self) -> u64 {
        self.not_before.max(self.paused_until)
    }
}

/// One of the two connections.
#[derive(Default)]
pub(crate) struct Link {
    /// Where it stands.
    pub(crate) state: LinkState,
    /// Number of the next request.
    pub(crate) next: u64,
    /// What each unanswered request was for.
    pub(crate) awaiting: HashMap<u64, Purpose>,
    /// Whether it may ask about rooms.
    pub(crate) admission: Admission,
    /// The server does nothing about rooms on it without a token.
    pub(crate) barred: bool,
    /// It was opened before there was an account.
    pub(crate) before_account: bool,
    /// The keys its greeting named, oldest first.
    pub(crate) token_keys: Vec<DayKey>,
}

/// What a token did for the anonymous connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Admission {
    /// None was shown.
    #[default]
    None,
    /// One was shown, and not answered.
    Asked,
    /// One was taken.
    Given,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LinkState {
    /// Not there.
    #[default]
    Closed,
    /// The driver was asked for it.
    Asked,
    /// Hello, registration or login is under way.
    Greeting,
    /// Requests may go.
    Ready,
}

/// What a request was for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Purpose {
    /// The greeting.
    Hello,
    /// Of our own devices.
    Device(crate::device::Request),
    /// Registration; the ask to answer.
    Register,
    /// Login.
    Login,
    /// A token, shown.
    Admission,
    /// The greeting again, for the keys of a new day.
    TokenKeys,
    /// Where the log names this key.
    TokenKey(DayKey),
    /// New tokens.
    Tokens,
    /// Nothing depends on the answer.
    Nothing,
    /// Tokens of key packages: then the packages.
    PackageTokens,
    /// Key packages.
    Packages,
    /// A new mailbox key.
    MailboxKey,
    /// Where we are called.
    Called(crate::rows::Called),
    /// Entries are done with.
    Ack(proto::Ack),
    /// Deletion of the tokens of these rows.
    Forget(Vec<Vec<u8>>),
    /// Our token in a room.
    Token(RoomId),
    /// A look-up.
    Lookup(Sought),
    /// Whether the public log only grew; on this connection.
    Grows(Wire, Box<Growth>),
    /// Whether the log that we hold and that which somebody told of are one.
    Gossip(Box<Claim>),
    /// So many of the newest publications of our own list.
    History(usize),
    /// The policy in force.
    Policy,
    /// Key packages for a room.
    Take(RoomId, Who),
    /// Founding a room.
    Found(RoomId),
    /// Our commit in a room.
    Commit(RoomId),
    /// The outgoing of this key, in this room.
    Send(RoomId, Vec<u8>),
    /// Commits we lack.
    CatchUp(RoomId),
    /// Bodies not inline.
    Bodies(Vec<BodyId>),
    /// A pass for the file of a message row.
    Pass(u64),
}
