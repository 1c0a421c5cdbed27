// SPDX-License-Identifier: AGPL-3.0-or-later
//! View models: what a row, a sheet or a line needs to be drawn.
//!
//! Names and texts of others are as they came. An interface isolates and cleans them when it draws
//! (`text::for_terminal`, `<bdi>`); nobody before it does, so that there is one place to look.

use serde::{Deserialize, Serialize};

use crate::{
    group::{Charter, Role},
    list::Place,
    message::{Marks, Mention},
};

/// A conversation's local row number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(pub u64);

/// A message's local row number; grows with the order shown, within a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub u64);

/// Milliseconds since 1970-01-01 UTC.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Milliseconds(pub u64);

/// One's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Account id, hexadecimal.
    pub account: String,
    /// This device's id, hexadecimal.
    pub device: String,
    /// Without `@`.
    pub handle: String,
    /// The name contacts see; empty if none.
    pub name: String,
    /// A program speaks for it, and contacts are told so.
    #[serde(default)]
    pub bot: bool,
    /// As the engine was started with, e.g. `http://127.0.0.1:8448`.
    pub server: String,
    /// `server/#@handle`.
    pub invite_link: String,
}

/// Kind of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two people.
    Direct,
    /// More.
    Group,
}

/// A person, as much as an interface needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Account id, hexadecimal: what colour and picture are chosen by.
    pub account: String,
    /// Without `@`; empty if the account has none.
    pub handle: String,
    /// The name they gave themselves; empty if none.
    pub name: String,
    /// They say that a program speaks for them.
    #[serde(default)]
    pub bot: bool,
}

/// One row of the chat list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRow {
    /// Row number.
    pub id: ConversationId,
    /// The conversation's id for scripts, hexadecimal: the same on every device.
    pub reference: String,
    /// Direct or group.
    pub kind: Kind,
    /// The group's title, or the person's name, or `@handle`.
    pub title: String,
    /// The other person of a direct chat.
    pub person: Option<Person>,
    /// Unread messages (system lines never count).
    pub unread: u32,
    /// The first unread message.
    pub first_unread: Option<MessageId>,
    /// The last message, for the preview line.
    pub last: Option<LastLine>,
    /// What stands in the composer; empty if nothing.
    pub draft: String,
    /// What orders the list.
    pub sorted_at: Milliseconds,
    /// Whether one can write here, and if not, why.
    pub writable: Writable,
    /// What is written here waits for the key check of a device, and not for a connection.
    #[serde(default)]
    pub held: bool,
    /// Whether this is a request that waits for an answer.
    pub request: bool,
    /// One of the unread messages names us.
    #[serde(default)]
    pub mentioned: bool,
    /// New messages disappear so many seconds after they are read; 0: they stay.
    #[serde(default)]
    pub timer: u32,
    /// Where its person put it in the list.
    #[serde(default)]
    pub place: Place,
    /// It is the chat with oneself.
    #[serde(default)]
    pub saved: bool,
    /// People that can read this chat, oneself included, and their devices: from the MLS tree. Zero before the first message.
    pub people: u32,
    /// See `people`.
    pub devices: u32,
}

/// The preview line of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastLine {
    /// Who wrote it.
    pub from: From,
    /// What it says: of a text the first 200 characters, as one line.
    pub content: Content,
    /// State, if it is one's own.
    pub state: Option<SendState>,
    /// When.
    pub at: Milliseconds,
}

/// Whether one can write in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writable {
    /// Yes.
    Yes,
    /// A request: accept first.
    Request,
    /// One left the group.
    Left,
    /// One was removed.
    Removed,
    /// One blocked the person.
    Blocked,
    /// Only admins and owners write here.
    Announcements,
    /// It came from another messenger.
    Imported,
    /// The group cannot go on for this device until a member repairs it; messages wait.
    Stuck,
    /// A device of the other person says that it was removed by somebody else; messages wait until they settle it.
    Disputed,
}

/// Who a line is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// Oneself.
    Me,
    /// Somebody else.
    Them(Person),
    /// A neutral line of the app.
    System,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Row number; order within the conversation.
    pub id: MessageId,
    /// Which conversation.
    pub conversation: ConversationId,
    /// The MIMI message id, hexadecimal; empty for system lines.
    pub reference: String,
    /// Who wrote it.
    pub from: From,
    /// What it is.
    pub content: Content,
    /// When its sender says it was sent.
    pub sent_at: Milliseconds,
    /// When this device had it.
    pub received_at: Milliseconds,
    /// For one's own messages.
    pub state: Option<SendState>,
    /// What it answers, reactions, and what else is to be shown with it.
    #[serde(default)]
    pub marks: Marks,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Text.
    Text(String),
    /// Text with light formatting and mentions, as `rich` reads it.
    Markdown {
        /// The text with its marks.
        text: String,
        /// Whom it names.
        mentions: Vec<Mention>,
    },
    /// Its sender deleted it for everyone.
    Deleted,
    /// It is shown once, when somebody opens it.
    Once {
        /// It was; nothing is left of it.
        opened: bool,
    },
    /// A file.
    File(Box<crate::file::File>),
    /// A line of the app; `text` knows the words.
    System(SystemLine),
    /// A kind this version does not know.
    NeedsNewerVersion,
}

/// Neutral lines in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemLine {
    /// The group was made.
    GroupCreated {
        /// By whom; `None` is oneself.
        by: Option<Person>,
    },
    /// Somebody was added.
    Added {
        /// By whom; `None` is oneself.
        by: Option<Person>,
        /// Who; `None` is oneself.
        who: Option<Person>,
    },
    /// Somebody was removed.
    Removed {
        /// By whom; `None` is oneself.
        by: Option<Person>,
        /// Who; `None` is oneself.
        who: Option<Person>,
    },
    /// Somebody left.
    Left {
        /// Who; `None` is oneself.
        who: Option<Person>,
    },
    /// The title changed.
    Renamed {
        /// By whom; `None` is oneself.
        by: Option<Person>,
        /// The new title.
        title: String,
    },
    /// Somebody may do more, or less, than before.
    Role {
        /// By whom; `None` is oneself.
        by: Option<Person>,
        /// Who; `None` is oneself.
        who: Option<Person>,
        /// What they are now.
        role: Role,
    },
    /// Somebody may not come in again, or may.
    Banned {
        /// By whom; `None` is oneself.
        by: Option<Person>,
        /// Who.
        who: Person,
        /// Banned from now on.
        on: bool,
    },
    /// Only admins and owners write from now on, or everybody.
    Announcements {
        /// By whom; `None` is oneself.
        by: Option<Person>,
        /// Only admins and owners.
        on: bool,
    },
    /// There is an invite link to the group, or no more.
    Link {
        /// Who made or ended it; `None` is oneself.
        by: Option<Person>,
        /// There is.
        on: bool,
    },
    /// One asked whoever this chat is with to be let into a group.
    AskedToJoin,
    /// Members leave a pause between two messages from now on.
    Slow {
        /// By whom; `None` is oneself.
        by: Option<Person>,
        /// Seconds; 0: none.
        seconds: u32,
    },
    /// A person's device was added, approved by a device they had.
    DeviceAdded {
        /// Whose.
        who: Person,
    },
    /// A person's device was added with their recovery words.
    DeviceAddedByWords {
        /// Whose.
        who: Person,
    },
    /// The person's handle belongs to another account now: the chat stays with whom it was with.
    HandleMoved {
        /// The handle.
        handle: String,
    },
    /// The group went on in a new room after a change nobody could follow.
    Successor,
    /// The chat of two went on in a new room.
    SuccessorOfTwo,
    /// This device was out of the group for a while: what was sent meanwhile may be missing here.
    MayBeMissing,
    /// This device's data was put back to an older state: it renewed its keys, and what was said since may be missing.
    PutBack,
    /// Messages could not be read; the device that wrote them was asked to send them again.
    AskedAgain {
        /// Whose; `None` is another device of one's own.
        who: Option<Person>,
        /// So many are not here yet.
        count: u32,
    },
    /// Messages could not be read, and cannot be sent again.
    NotRead {
        /// Whose; `None` is another device of one's own.
        who: Option<Person>,
        /// So many.
        count: u32,
    },
    /// What could not be read is here.
    Repaired {
        /// So many messages.
        count: u32,
    },
    /// This device was away for longer than what came is kept.
    Away {
        /// So many days.
        days: u32,
    },
    /// Messages disappear from now on, or no longer do.
    Timer {
        /// Who set it; `None` is oneself.
        by: Option<Person>,
        /// Seconds after reading; 0: they stay.
        seconds: u32,
    },
    /// A message was pinned.
    Pinned {
        /// By whom; `None` is oneself.
        by: Option<Person>,
    },
}

/// State of one's own message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendState {
    /// On disk, not yet accepted by the server.
    Waiting,
    /// Durable at the server.
    Sent,
    /// On at least one device of every other member.
    Delivered,
    /// Everybody says that they read it.
    Read,
    /// Kept here, with the reason.
    NotSent {
        /// Why.
        reason: Problem,
    },
}

/// A page of messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePage {
    /// Oldest first.
    pub rows: Vec<MessageRow>,
    /// Whether older ones exist.
    pub more_before: bool,
    /// Whether newer ones exist.
    pub more_after: bool,
}

/// What Info shows of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDetail {
    /// The row.
    pub row: MessageRow,
    /// For one's own message in a group: who has it.
    pub delivered_to: Vec<Person>,
    /// For one's own message: who says that they read it.
    #[serde(default)]
    pub read_by: Vec<Person>,
    /// When the server had it.
    pub sent_at_server: Option<Milliseconds>,
}

/// A request of somebody not yet accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRow {
    /// Row number of its conversation.
    pub conversation: ConversationId,
    /// The conversation's id for scripts.
    pub reference: String,
    /// Direct, or an invitation to a group.
    pub kind: Kind,
    /// Who asks or invites.
    pub from: Person,
    /// A group's title; empty for a direct request.
    pub title: String,
    /// A group one is in already that has the same title.
    pub same_title_as_mine: bool,
    /// Who is in the group.
    pub members: Vec<Person>,
    /// First 500 characters of what they wrote, as plain text.
    pub text: String,
    /// When this device first had it.
    pub first_seen: Milliseconds,
}

/// A person found by handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPerson {
    /// The person.
    pub person: Person,
    /// Their devices in the verified list.
    pub devices: u32,
    /// The chat with them, if there is one.
    pub conversation: Option<ConversationId>,
    /// Whether it is oneself.
    pub me: bool,
}

/// A member of a group, counted from the MLS tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Who.
    pub person: Person,
    /// Leaves of this account in the tree.
    pub devices: u32,
    /// Whether it is oneself.
    pub me: bool,
    /// What they may do.
    pub role: Role,
}

/// A contact or group sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// The chat.
    pub row: ConversationRow,
    /// Who can read it, oneself included.
    pub members: Vec<GroupMember>,
    /// What is known of the keys.
    pub check: Check,
    /// When the person last compared the digits of this chat with the other one (direct chats).
    pub compared_at: Option<Milliseconds>,
    /// Groups both are in (direct chats).
    pub groups_in_common: Vec<ConversationRow>,
    /// Whether one may add and remove people here.
    pub may_manage: bool,
    /// What a group says of its people, for who is in it.
    #[serde(default)]
    pub charter: Option<Charter>,
}

/// What is known of the keys of a chat's devices: of several people, what holds for the one behind most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// How far it is.
    pub state: CheckState,
    /// When this device last saw their newest list proved; nothing if never.
    pub checked_at: Option<Milliseconds>,
    /// Entries of the public log that it was proved under; 0 if never.
    pub ledger_size: u64,
    /// How old the log is that this device holds.
    pub freshness: Freshness,
    /// The time that the log itself carries: "Not checked since". Nothing if this device holds none.
    pub log_time: Option<Milliseconds>,
}

impl Check {
    /// Nothing is proved, and there is no log.
    #[must_use]
    pub const fn unchecked() -> Self {
        Self {
            state: CheckState::Unchecked,
            checked_at: None,
            ledger_size: 0,
            freshness: Freshness::Fresh,
            log_time: None,
        }
    }
}

/// How far the keys are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// In the public log, and the outsiders of the policy vouch that everybody sees the same one.
    Verified,
    /// In the public log, which nobody outside watches.
    Unwitnessed,
    /// Signed by their owner's devices and not (yet) proved to be in a public log.
    Unchecked,
    /// A removed device objects; the account adds none until its recovery key signs.
    Disputed,
    /// There is proof that the log, or this account's history, was rewritten.
    Refused,
}

impl CheckState {
    /// The id of the line that says it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Verified => "check-verified",
            Self::Unwitnessed => "check-unwitnessed",
            Self::Unchecked => "not-checked",
            Self::Disputed => "check-disputed",
            Self::Refused => "check-refused",
        }
    }

    /// As scripts read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unwitnessed => "unwitnessed",
            Self::Unchecked => "unchecked",
            Self::Disputed => "disputed",
            Self::Refused => "refused",
        }
    }
}

/// How old the log is that this device holds, by the time it carries. A view, never a reason to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Under 24 hours, or there is no log here: nothing is said.
    Fresh,
    /// Over 24 hours: amber.
    Amber,
    /// Over 72 hours: a line in red.
    Red,
}

/// What this device knows of the deployment's public log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerState {
    /// How old it is.
    pub freshness: Freshness,
    /// The time it carries; nothing if none was seen.
    pub log_time: Option<Milliseconds>,
    /// Its size.
    pub size: u64,
    /// Nobody outside watches it.
    pub unwitnessed: bool,
    /// People whose keys are looked for in it now, because something here waits for them.
    pub awaited: u32,
    /// Proof of tampering, the newest.
    pub proof: Option<Proof>,
    /// Those outside who have to vouch for it, some or all of them, by the names that its policy gives them.
    #[serde(default)]
    pub witnesses: Vec<String>,
    /// Others will have to, or do since this month.
    #[serde(default)]
    pub change: Option<PolicyChange>,
}

/// Another policy of the public log: the log announces it, devices go by it a week after they saw that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// When this device goes by it, at the earliest; or since when it does.
    pub due: Milliseconds,
    /// It does.
    pub done: bool,
    /// Who vouches for the log then. Nobody: it stays, or becomes, unwitnessed.
    pub witnesses: Vec<String>,
}

/// Proof of tampering, as the red screen shows it. The file is an answer to `Evidence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Of what.
    pub kind: ProofKind,
    /// When this device found it.
    pub at: Milliseconds,
    /// Whose account it is about, if it is about another's.
    pub who: Option<Person>,
    /// It is about one's own account: all sending stays stopped.
    pub own: bool,
    /// The screen was answered: verified chats send again.
    pub answered: bool,
}

/// What proof is of. Each goes by the name that evidence files give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofKind {
    /// The log signed two histories.
    Equivocation,
    /// The key directory did not only add.
    BadAppend,
    /// Two roots of one epoch.
    EpochReuse,
    /// A published list that no device of the list before signed.
    GhostDevice,
    /// A build that two builders signed and the log does not have.
    UnloggedCode,
    /// Two lists of one version of one account.
    Fork,
}

impl ProofKind {
    /// Its name in evidence files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equivocation => "equivocation",
            Self::BadAppend => "bad-append",
            Self::EpochReuse => "epoch-reuse",
            Self::GhostDevice => "ghost-device",
            Self::UnloggedCode => "unlogged-code",
            Self::Fork => "fork",
        }
    }
}

/// A file of evidence, which `nodoor evidence check` reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// A file name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// One of one's own devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// Id, hexadecimal.
    pub device: String,
    /// The name this account gave it.
    pub name: String,
    /// When it was added.
    pub added_at: Milliseconds,
    /// Whether it is this one.
    pub current: bool,
}

/// Settings kept on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// System, light or dark.
    pub theme: Theme,
    /// 90 to 200 percent.
    pub text_percent: u16,
    /// Bubbles or lines.
    pub lines: bool,
    /// Off, without text, with text.
    pub notifications: Notifications,
    /// Whether delivery receipts are given.
    pub receipts: bool,
    /// Whether read marks are given, and shown.
    #[serde(default = "yes")]
    pub read_marks: bool,
    /// Whether others are told that one types, and shown.
    #[serde(default = "yes")]
    pub typing: bool,
    /// Whether Enter sends (else Ctrl+Enter does).
    pub enter_sends: bool,
    /// A language tag such as `ar`; empty for the system's.
    pub language: String,
}

fn yes() -> bool {
    true
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            text_percent: 100,
            lines: false,
            notifications: Notifications::WithoutText,
            receipts: true,
            read_marks: true,
            typing: true,
            enter_sends: true,
            language: String::new(),
        }
    }
}

/// Colour scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What a notification shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notifications {
    /// None.
    Off,
    /// That there is something.
    WithoutText,
    /// Name and text.
    WithText,
}

/// Why something did not happen. `text` knows the sentence; `code` goes under "Details".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The refusal's number, or 0.
    pub code: u32,
    /// Seconds to wait, where that helps.
    pub wait_seconds: u32,
}

/// Kinds of problems a person can understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// No account on this device yet.
    NoAccount,
    /// There is an account on this device already.
    HasAccount,
    /// Not a handle.
    HandleForm,
    /// The handle is taken.
    HandleTaken,
    /// Nobody of that name, or no such row.
    NotFound,
    /// The server was not reached; nothing is lost.
    Offline,
    /// Too many attempts.
    SlowDown,
    /// The server is full or at fault.
    Server,
    /// Text too long or empty, title too long, too many members.
    Size,
    /// The person's account no longer exists, or has no device to send to.
    AccountGone,
    /// One is not, or no longer, in this group.
    NotAMember,
    /// One may not do that here.
    NotAllowed,
    /// The person is banned from this group.
    Banned,
    /// Not the link of a group.
    GroupLink,
    /// One blocked this person.
    Blocked,
    /// Accept the request first.
    Request,
    /// A device is not in its owner's signed list: nothing was encrypted to it.
    UnknownDevice,
    /// Server data that does not verify.
    Forged,
    /// The server's version and this one's do not fit.
    Version,
    /// Registration is closed here.
    RegistrationClosed,
    /// The server's certificate is not one that this device trusts; nothing was sent.
    Certificate,
    /// No token is left for the anonymous connection: what is written waits for the next ones, and goes out then.
    OutOfTokens,
    /// That is oneself.
    Yourself,
    /// The six digits are not those that the other device shows; `wait_seconds` is not used.
    WrongCode,
    /// The letters are no link, or the linking is over: time, tries, or the other device ended it.
    LinkOver,
    /// Not 24 recovery words, or not those of this account.
    WrongWords,
    /// The account's devices changed meanwhile: try again.
    ListChanged,
    /// The account has as many devices as it may have.
    TooManyDevices,
    /// A removed device objects: no device can be added until the recovery words settle it.
    Disputed,
    /// This device is not, or no longer, one of the account's.
    NotADevice,
    /// The disk is full or failed.
    Disk,
    /// The handle belongs to another account now; the chat with the one before is still there. Asked again, it leads to
    /// the new one.
    HandleMoved,
    /// Whoever holds the handle keeps it.
    HandleKept,
    /// Another handle is asked for already: one at a time.
    HandleWaits,
    /// It is signed already, and not taken back: a device is removed under Devices.
    Approved,
    /// Proof of tampering stands: nothing is signed.
    Stopped,
    /// The public log has not shown that one's newest device list is the newest one: nothing is signed on top of it yet.
    LogWaits,
    /// The server has no room for files now.
    FilesFull,
    /// That is of another account.
    OtherAccount,
    /// A fault of this app.
    Internal,
}
