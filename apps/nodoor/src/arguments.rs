// SPDX-License-Identifier: AGPL-3.0-or-later
//! What can be written on the command line.

mod groups;

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, error::ErrorKind};

pub(crate) use self::groups::{GroupVerb, RoleName, WhoWrites};
use crate::{failure::Failure, target::Target};

/// Messages only their readers can open. Without a command it opens the full screen.
#[derive(Debug, Parser)]
#[command(name = "nodoor", version, about, max_term_width = 100, after_help = SURROUNDINGS)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The folder with the account and its messages [default: ~/.local/share/nodoor]
    #[arg(long, global = true, value_name = "DIR", env = "NODOOR_PROFILE")]
    pub(crate) profile: Option<PathBuf>,
    /// The server [default: where the account was registered, else http://127.0.0.1:8448]
    #[arg(long, global = true, value_name = "URL", env = "NODOOR_SERVER")]
    pub(crate) server: Option<String>,
    /// One JSON object a line on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say on standard error what protects the database
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Draw with ASCII characters alone
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create the account
    Register {
        /// 2 to 32 of a-z, 0-9 and . _ -
        #[arg(long, value_name = "NAME")]
        handle: String,
        /// What the operator gave you, where one is asked for
        #[arg(long, default_value = "", hide_default_value = true)]
        ticket: String,
    },
    /// Who am I here
    Whoami,
    /// Send a message
    Send {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// The text; `-` reads standard input
        #[arg(required_unless_present = "file", default_value = "", hide_default_value = true)]
        text: String,
        /// Let it be read once: when they close it, it is gone
        #[arg(long)]
        once: bool,
        /// Send a file
        #[arg(long, value_name = "PATH", conflicts_with = "text")]
        file: Option<PathBuf>,
        /// The text under the file
        #[arg(
            long = "text",
            value_name = "TEXT",
            requires = "file",
            default_value = "",
            hide_default_value = true
        )]
        caption: String,
    },
    /// Answer a message
    Reply {
        /// The id of the message, or its first 8 digits
        #[arg(value_parser = message_id)]
        message: String,
        /// The text; `-` reads standard input
        text: String,
    },
    /// Change the text of your own message, for everyone; within 48 hours
    Edit {
        /// The id of the message, or its first 8 digits
        #[arg(value_parser = message_id)]
        message: String,
        /// The new text; `-` reads standard input
        text: String,
    },
    /// Delete a message on your devices, or for everyone
    Delete {
        /// The id of the message, or its first 8 digits
        #[arg(value_parser = message_id)]
        message: String,
        /// Ask all devices of the chat to delete it too; only your own
        #[arg(long)]
        everyone: bool,
    },
    /// React to a message, in place of your reaction before
    React {
        /// The id of the message, or its first 8 digits
        #[arg(value_parser = message_id)]
        message: String,
        /// One emoji; empty takes the reaction back
        emoji: String,
    },
    /// Pin a message for everyone in the chat
    Pin {
        /// The id of the message, or its first 8 digits
        #[arg(value_parser = message_id)]
        message: String,
        /// Take the pin off
        #[arg(long)]
        off: bool,
    },
    /// The pinned messages of a chat, newest pin first
    Pinned {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
    },
    /// Send a message on; nothing says whose it was
    Forward {
        /// The id of the message, or its first 8 digits
        #[arg(value_parser = message_id)]
        message: String,
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
    },
    /// Read a message that can be read once; afterwards it is gone
    Open {
        /// The id of the message, or its first 8 digits
        #[arg(value_parser = message_id)]
        message: String,
    },
    /// Have new messages of a chat disappear so long after they are read
    Disappear {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// 30s, 5m, 8h, 1d, 4w, or off
        #[arg(value_parser = duration)]
        after: u32,
    },
    /// Write the file of a message to a place where nothing stands
    Save {
        /// The id of the message, or its first 8 digits or more
        message: String,
        /// A file, or a folder
        path: PathBuf,
    },
    /// Print messages that were not read yet, and count them as read
    Receive {
        /// Wait up to so many seconds for messages
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// Stop waiting when there were at least so many
        #[arg(long, value_name = "N", default_value_t = 1)]
        count: usize,
        /// Begin each line with the first digits of the message's id
        #[arg(long)]
        ids: bool,
    },
    /// The chats, newest first
    Conversations,
    /// Messages of a chat, oldest first
    History {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// At most the newest so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        /// Begin each line with the first digits of the message's id
        #[arg(long)]
        ids: bool,
    },
    /// Find messages that have all words of a text, newest first; the beginning of a word is enough
    Search {
        /// What to look for
        query: String,
        /// In this chat alone: @handle or the id of a conversation
        #[arg(long = "in", value_name = "TO", value_parser = Target::parse)]
        within: Option<Target>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Keep what was said in a sealed file, and take it in again
    Backup {
        #[command(subcommand)]
        verb: BackupVerb,
    },
    /// Write what was said for people or programs to read: anyone who has the files can
    Export {
        /// All chats
        #[arg(long)]
        all: bool,
        /// Pages to read, or JSON for programs
        #[arg(long, value_enum, default_value_t = Format::Html)]
        format: Format,
        /// Unless it is --all: @handle or the id of a conversation. Then an empty folder, or one that is not there yet
        #[arg(value_name = "TO DIR", required = true)]
        places: Vec<String>,
    },
    /// Take in what was said in another messenger
    Import {
        #[command(subcommand)]
        verb: ImportVerb,
    },
    /// People who wrote and were not accepted yet
    Requests,
    /// Accept a request
    Accept {
        /// @handle or the id of a request
        #[arg(value_parser = Target::parse)]
        to: Target,
    },
    /// Delete a request; the sender is not told
    Decline {
        /// @handle or the id of a request
        #[arg(value_parser = Target::parse)]
        to: Target,
    },
    /// Block a person; they are not told
    Block {
        /// @handle or the id of a conversation or request
        #[arg(value_parser = Target::parse)]
        to: Target,
    },
    /// Take a block back
    Unblock {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
    },
    /// Where a chat stands in the list: pinned, put away, muted, unread, in folders
    List {
        #[command(subcommand)]
        verb: ListVerb,
    },
    /// Groups
    Group {
        #[command(subcommand)]
        verb: GroupVerb,
    },
    /// One's own devices
    Device {
        #[command(subcommand)]
        verb: DeviceVerb,
    },
    /// Open a chat
    Chat {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// One line a message, a prompt below: for screen readers, logs and slow links
        #[arg(long)]
        plain: bool,
    },
    /// Set the name contacts see; empty removes it
    Name {
        /// At most 60 characters
        name: String,
    },
    /// Print the 24 recovery words
    Words {
        /// Ask three of them back (on standard input), and erase them on this device
        #[arg(long)]
        confirm: bool,
        /// Make 24 new ones instead of these; the old ones, if they are not on this device any more, are read from
        /// standard input
        #[arg(long, conflicts_with = "confirm")]
        new: bool,
    },
    /// Handles
    Handle {
        #[command(subcommand)]
        verb: HandleVerb,
    },
    /// Have this device called through a push service when something waits (Web Push, UnifiedPush)
    Push {
        #[command(subcommand)]
        verb: PushVerb,
    },
    /// Make this the only device of an account, with its recovery words
    Recover {
        /// Whose account
        #[arg(long, value_name = "NAME")]
        handle: String,
        /// All 24, in order; `-` reads them from standard input, so that no shell remembers them
        #[arg(long, value_name = "WORDS", default_value = "-")]
        words: String,
    },
    /// Cosign checkpoints of public logs, for those who ask
    Witness {
        #[command(subcommand)]
        verb: WitnessVerb,
    },
    /// Follow a deployment's public log, and check what it says
    Audit {
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// Check the keys of a chat against the public log
    Verify {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// Show the sixty digits that you two compare in person as well
        #[arg(long)]
        digits: bool,
    },
    /// Files that prove what an operator did
    Evidence {
        #[command(subcommand)]
        verb: EvidenceVerb,
    },
    /// Build, sign and log releases
    Release {
        #[command(subcommand)]
        verb: ReleaseVerb,
    },
    /// Newer versions
    Update {
        #[command(subcommand)]
        verb: UpdateVerb,
    },
    /// Remove the account's keys and all messages from this device
    Erase {
        /// Really: this device may hold the only copy
        #[arg(long, required = true)]
        yes: bool,
    },
}

/// What can be done with the list of chats.
#[derive(Debug, Subcommand)]
pub(crate) enum ListVerb {
    /// Keep a chat at the top
    Pin {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// Let it go
        #[arg(long)]
        off: bool,
    },
    /// Put a chat away; a new message brings it back, unless it is muted
    Archive {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// Bring it back
        #[arg(long)]
        off: bool,
    },
    /// Have a chat tell nothing for a while
    Mute {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
        /// 30m, 8h, 1d, 4w; always; or off
        #[arg(value_parser = mute_span)]
        span: MuteSpan,
    },
    /// Mark a chat as unread
    Unread {
        /// @handle or the id of a conversation
        #[arg(value_parser = Target::parse)]
        to: Target,
    },
    /// One's folders
    Folders,
    /// Put a chat into a folder; it is made if there is none of that name
    Folder {
        /// Its name
        name: String,
        /// @handle or the id of a conversation; without it the folder's chats are printed
        #[arg(value_parser = Target::parse)]
        to: Option<Target>,
        /// Take the chat out of it; without a chat, remove the folder
        #[arg(long)]
        off: bool,
    },
    /// Print the id of the chat with oneself; what is sent there is kept on all of one's devices
    Saved,
}

/// What can be done with groups.
/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Pages for a browser
    Html,
    /// One file a chat
    Json,
}

/// `backup`.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupVerb {
    /// Write a backup; a passphrase is read from standard input
    Write {
        /// The file; it must not be there yet
        file: PathBuf,
        /// Seal it with the 24 words, and no passphrase
        #[arg(long)]
        words: bool,
    },
    /// Take in a backup of this account; what is here already stays as it is
    Restore {
        /// The file
        file: PathBuf,
    },
}

/// `import`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportVerb {
    /// A machine-readable export of Telegram Desktop
    Telegram {
        /// The folder with `result.json`
        folder: PathBuf,
    },
}

/// What can be done with handles.
#[derive(Debug, Subcommand)]
pub(crate) enum HandleVerb {
    /// Ask for the handle of an account that is lost: it moves here a week after the public log has it, unless a device
    /// of that account is alive
    Move {
        /// The handle
        #[arg(value_name = "NAME")]
        handle: String,
    },
    /// Show the handle that is asked for, and from when it may move
    Show,
}

/// What can be done with calls.
#[derive(Debug, Subcommand)]
pub(crate) enum PushVerb {
    /// Call this device here, and nowhere else
    Set {
        /// What the push service or distributor gave: https
        url: String,
        /// What calls are sealed to (p256dh), base64url; without it a call has no body
        #[arg(long, value_name = "KEY", requires = "auth")]
        key: Option<String>,
        /// The secret beside it (auth), base64url
        #[arg(long, value_name = "SECRET", requires = "key")]
        auth: Option<String>,
    },
    /// Call it no more
    Off,
    /// Show where it is called, and by what key push services know the server
    Show,
}

/// What can be done with devices.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceVerb {
    /// List them
    List,
    /// On a new device: print a link, then read the code that the other device shows
    Link,
    /// On a device of the account: approve the new device whose link this is
    Approve {
        /// Its 24 letters
        link: String,
        /// Really: the new device can read what comes from then on
        #[arg(long, required = true)]
        yes: bool,
        /// Send it what was said before, at once and not after a day: the 24 words are read from standard input first
        #[arg(long)]
        history: bool,
    },
    /// Send a device that was linked here what was said before it came; the 24 words are read from standard input
    History {
        /// Its id
        id: String,
    },
    /// Give a device a name; only your devices know it
    Rename {
        /// Its id
        id: String,
        /// At most 60 characters
        name: String,
    },
    /// Remove a device: it reads nothing that comes after
    Remove {
        /// Its id
        id: String,
        /// Also if it is this one
        #[arg(long)]
        yes: bool,
    },
    /// On a device that was removed by somebody else: object, until the recovery words settle it
    Dispute,
}

/// What a witness does.
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessVerb {
    /// Answer `add-checkpoint` until stopped
    Run(WitnessRun),
    /// Print the public key of a key file, for policy files
    Key {
        /// The key; made if there is no such file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The name of a key that is made
        #[arg(long, value_name = "NAME", default_value = "nodoor-witness")]
        name: String,
    },
}

/// How a witness runs.
#[derive(Debug, Args)]
pub(crate) struct WitnessRun {
    /// The witness's key; made if there is no such file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The name of a key that is made
    #[arg(long, value_name = "NAME", default_value = "nodoor-witness")]
    pub(crate) name: String,
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8450")]
    pub(crate) listen: SocketAddr,
    /// Where it keeps what it cosigned [default: FILE.logs]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// A log to follow, by its verifier key; may be given several times. With --server its log is followed too, as it
    /// was at the first start
    #[arg(long = "log", value_name = "VKEY")]
    pub(crate) logs: Vec<String>,
    /// Follow the logs of this policy file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// What an auditor does.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Check every entry of the log at --server, from the first on
    Run(AuditRun),
    /// Whether a downloaded file is a release that is signed and logged; asks nobody
    CheckRelease(CheckRelease),
}

/// How an auditor runs.
#[derive(Debug, Args)]
pub(crate) struct AuditRun {
    /// Where it keeps how far it came, the policy it pinned, and evidence
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// One round, then end
    #[arg(long)]
    pub(crate) once: bool,
    /// Cosign what was checked, with this key; made if there is no such file
    #[arg(long, value_name = "FILE")]
    pub(crate) cosign: Option<PathBuf>,
    /// The name of a key that is made
    #[arg(long, value_name = "NAME", default_value = "nodoor-auditor")]
    pub(crate) name: String,
    /// The policy to go by [default: the server's at the first round, pinned in DIR]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The builders whose releases count; without it releases are only counted
    #[arg(long, value_name = "FILE")]
    pub(crate) builders: Option<PathBuf>,
}

/// What a release is held against.
#[derive(Debug, Args)]
pub(crate) struct CheckRelease {
    /// What was downloaded
    pub(crate) file: PathBuf,
    /// Its .tlog-proof
    pub(crate) proof: PathBuf,
    /// The policy of the deployment
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The builders whose releases count
    #[arg(long, value_name = "FILE")]
    pub(crate) builders: PathBuf,
}

/// What a builder does.
#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseVerb {
    /// Print the public key of a builder's key file
    Key(ReleaseKey),
    /// Write the unsigned entry of files that were built; `cargo xtask release` does it
    Write(ReleaseWrite),
    /// Sign an entry, in place
    Sign(ReleaseSign),
    /// Fetch the .tlog-proof of an entry that was logged at --server
    Proof(ReleaseProof),
}

/// A builder's key.
#[derive(Debug, Args)]
pub(crate) struct ReleaseKey {
    /// The key; made if there is no such file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The name of a key that is made
    #[arg(long, value_name = "NAME", default_value = "builder")]
    pub(crate) name: String,
}

/// What stands in an entry.
#[derive(Debug, Args)]
pub(crate) struct ReleaseWrite {
    /// The files, or folders of them
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// web, terminal, desktop or server
    #[arg(long)]
    pub(crate) kind: String,
    /// Rises with each release
    #[arg(long, value_name = "NUMBER")]
    pub(crate) sequence: u64,
    /// The commit it was built from
    #[arg(long, value_name = "HEX")]
    pub(crate) commit: String,
    /// What describes the compilers
    #[arg(long, value_name = "FILE")]
    pub(crate) toolchain: PathBuf,
    /// The manifest of a web app
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// When it may be installed, milliseconds since 1970
    #[arg(long, value_name = "MS")]
    pub(crate) not_before: u64,
    /// Without a cool-down; everybody sees that
    #[arg(long)]
    pub(crate) emergency: bool,
    /// Where the entry goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// How an entry is signed.
#[derive(Debug, Args)]
pub(crate) struct ReleaseSign {
    /// The entry of what you built
    pub(crate) entry: PathBuf,
    /// Your key; made if there is no such file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The name of a key that is made
    #[arg(long, value_name = "NAME", default_value = "builder")]
    pub(crate) name: String,
    /// Take another builder's signatures over, if the entry is the same; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
}

/// Which proof is fetched.
#[derive(Debug, Args)]
pub(crate) struct ReleaseProof {
    /// The signed entry
    pub(crate) entry: PathBuf,
    /// Where the proof goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Where evidence goes, if two builders signed the entry and the log does not have it although it may be installed
    #[arg(long, value_name = "FILE", requires = "builders")]
    pub(crate) evidence: Option<PathBuf>,
    /// Whose signatures count for that: lines `builder NAME KEY`
    #[arg(long, value_name = "FILE")]
    pub(crate) builders: Option<PathBuf>,
}

/// What can be done with a newer version.
#[derive(Debug, Subcommand)]
pub(crate) enum UpdateVerb {
    /// Whether a downloaded file may be installed: logged, signed, newer, and past its cool-down; asks nobody
    Check(CheckUpdate),
}

/// What an update is held against.
#[derive(Debug, Args)]
pub(crate) struct CheckUpdate {
    /// What was downloaded; of the web app its integrity.json
    pub(crate) file: PathBuf,
    /// Its .tlog-proof
    pub(crate) proof: PathBuf,
    /// web, terminal, desktop or server
    #[arg(long, default_value = "terminal")]
    pub(crate) kind: String,
    /// The number of what is installed [default: of this program itself]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) installed: Option<u64>,
    /// The policy of the deployment [default: `policy` in the profile]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The builders whose releases count [default: `builders` in the profile, else those compiled in]
    #[arg(long, value_name = "FILE")]
    pub(crate) builders: Option<PathBuf>,
}

/// What is done with evidence.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceVerb {
    /// Say what a file proves; asks nobody
    Check {
        /// The file
        file: PathBuf,
    },
    /// Write the evidence that this device keeps into a folder
    Save {
        /// The folder
        folder: PathBuf,
    },
    /// Say that you have read the proof: chats whose keys were verified send again
    Answer,
}

/// What else is read, as `--help` says it.
const SURROUNDINGS: &str = "\
Environment:
  NODOOR_PROFILE, NODOOR_SERVER  as the flags
  NODOOR_PASSPHRASE              encrypts the database of a new profile, and opens it from then on
  SSL_CERT_FILE                  certificates (PEM) to trust beside the usual ones
  NO_COLOR, EDITOR               as everywhere";

impl Arguments {
    /// Reads the command line. Without anything to run: what was asked for (help, version), or what is wrong.
    ///
    /// # Errors
    /// [`Failure::Usage`], one line.
    pub(crate) fn read(
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Result<Self, String>, Failure> {
        let error = match Self::try_parse_from(words) {
            Ok(arguments) => return Ok(Ok(arguments)),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Err(error.to_string())),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Err(Failure::Usage("a word is missing; --help after it lists them".to_owned()))
            }
            _ => Err(Failure::Usage(said_in_a_line(&error.to_string()))),
        }
    }

    /// What another process is told of this one: verbs, never what a person wrote.
    pub(crate) fn command(&self) -> &'static str {
        match &self.verb {
            None => "nodoor",
            Some(Verb::Register { .. }) => "nodoor register",
            Some(Verb::Whoami) => "nodoor whoami",
            Some(Verb::Send { .. }) => "nodoor send",
            Some(Verb::Reply { .. }) => "nodoor reply",
            Some(Verb::Edit { .. }) => "nodoor edit",
            Some(Verb::Delete { .. }) => "nodoor delete",
            Some(Verb::React { .. }) => "nodoor react",
            Some(Verb::Pin { .. }) => "nodoor pin",
            Some(Verb::Pinned { .. }) => "nodoor pinned",
            Some(Verb::Forward { .. }) => "nodoor forward",
            Some(Verb::Open { .. }) => "nodoor open",
            Some(Verb::Disappear { .. }) => "nodoor disappear",
            Some(Verb::Save { .. }) => "nodoor save",
            Some(Verb::Receive { .. }) => "nodoor receive",
            Some(Verb::Conversations) => "nodoor conversations",
            Some(Verb::History { .. }) => "nodoor history",
            Some(Verb::Search { .. }) => "nodoor search",
            Some(Verb::Backup { .. }) => "nodoor backup",
            Some(Verb::Export { .. }) => "nodoor export",
            Some(Verb::Import { .. }) => "nodoor import",
            Some(Verb::Requests) => "nodoor requests",
            Some(Verb::Accept { .. }) => "nodoor accept",
            Some(Verb::Decline { .. }) => "nodoor decline",
            Some(Verb::Block { .. }) => "nodoor block",
            Some(Verb::Unblock { .. }) => "nodoor unblock",
            Some(Verb::Group { .. }) => "nodoor group",
            Some(Verb::List { .. }) => "nodoor list",
            Some(Verb::Device { .. }) => "nodoor device",
            Some(Verb::Chat { .. }) => "nodoor chat",
            Some(Verb::Name { .. }) => "nodoor name",
            Some(Verb::Words { .. }) => "nodoor words",
            Some(Verb::Verify { .. }) => "nodoor verify",
            Some(Verb::Handle { .. }) => "nodoor handle",
            Some(Verb::Push { .. }) => "nodoor push",
            Some(Verb::Recover { .. }) => "nodoor recover",
            Some(Verb::Witness { .. }) => "nodoor witness",
            Some(Verb::Audit { .. }) => "nodoor audit",
            Some(Verb::Evidence { .. }) => "nodoor evidence",
            Some(Verb::Release { .. }) => "nodoor release",
            Some(Verb::Update { .. }) => "nodoor update",
            Some(Verb::Erase { .. }) => "nodoor erase",
        }
    }
}

/// The id of a message or its beginning, in lower case.
fn message_id(text: &str) -> Result<String, String> {
    let id = text.to_ascii_lowercase();
    if (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(id);
    }
    Err("a message is written with 8 or more digits of its id; `nodoor history TO --ids` shows them"
        .to_owned())
}

/// A number and its unit, as seconds: `30s`, `5m`, `8h`, `1d`, `4w`; `off` is none.
pub(crate) fn duration(text: &str) -> Result<u32, String> {
    if text == "off" {
        return Ok(0);
    }
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
    let seconds = units.into_iter().find_map(|(unit, seconds)| {
        text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(seconds)
    });
    seconds
        .filter(|seconds| (1..=LONGEST_TIMER).contains(seconds))
        .ok_or_else(|| "write 30s, 5m, 8h, 1d or 4w, at most a year, or off".to_owned())
}

/// For how long a chat is muted: seconds, none for always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MuteSpan(pub(crate) Option<u32>);

fn mute_span(text: &str) -> Result<MuteSpan, String> {
    if text == "always" {
        Ok(MuteSpan(None))
    } else {
        duration(text).map(|span| MuteSpan(Some(span)))
    }
}

/// A year.
const LONGEST_TIMER: u32 = 365 * 86_400;

/// What clap says over several paragraphs, without its usage and its advice how to get more.
fn said_in_a_line(error: &str) -> String {
    let paragraphs = error.split("\n\n").map(str::trim);
    let told = paragraphs.filter(|text| {
        !(text.is_empty() || text.starts_with("Usage:") || text.starts_with("For more"))
    });
    let words: Vec<&str> = told.flat_map(str::split_whitespace).collect();
    let line = words.join(" ");
    format!("{}; --help lists what there is", line.strip_prefix("error: ").unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn wrong_use_is_one_line_and_says_what_is_wrong() {
        let line = |text: &str| match Arguments::read(text.split(' ').map(OsString::from)) {
            Err(Failure::Usage(line)) => line,
            other => panic!("{text}: {other:?}"),
        };
        for (text, part) in [
            ("nodoor register", "--handle <NAME>"),
            ("nodoor fly", "unrecognized subcommand 'fly'"),
            ("nodoor sent @ben hi", "similar subcommand exists: 'send'"),
            ("nodoor group", "--help"),
            ("nodoor history ben", "@handle"),
        ] {
            let said = line(text);
            assert!(said.contains(part) && !said.contains('\n'), "{said}");
            assert!(!said.contains("Usage:") && !said.starts_with("error"), "{said}");
        }
    }

    #[test]
    fn help_names_what_is_read_from_the_environment() {
        let help = Arguments::read(["nodoor", "--help"].map(OsString::from)).unwrap().unwrap_err();
        assert!(help.contains("NODOOR_PASSPHRASE"), "{help}");
    }

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_consistent() {
        <Arguments as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_anywhere() {
        for line in [
            "nodoor --json --profile /tmp/a send @ben hi",
            "nodoor send @ben hi --json --profile /tmp/a",
            "nodoor send --json @ben --profile /tmp/a hi",
        ] {
            let arguments = parse(line).unwrap();
            assert!(arguments.global.json);
            assert_eq!(arguments.global.profile, Some("/tmp/a".into()));
            let Some(Verb::Send { to, text, once: false, .. }) = arguments.verb else {
                panic!("{line}")
            };
            assert_eq!((to, text.as_str()), (Target::Handle("ben".into()), "hi"));
        }
    }

    #[test]
    fn every_documented_line_is_understood_and_wrong_use_exits_with_2() {
        for line in [
            "nodoor",
            "nodoor register --handle mira",
            "nodoor whoami",
            "nodoor send @ben -",
            "nodoor send @ben - --once",
            "nodoor reply 0011223344 hi",
            "nodoor edit 0011223344 -",
            "nodoor delete 0011223344 --everyone",
            "nodoor react 00AA223344 👍",
            "nodoor pin 0011223344 --off",
            "nodoor pinned @ben",
            "nodoor forward 0011223344 @ben",
            "nodoor open 0011223344",
            "nodoor list pin @ben --off",
            "nodoor list archive 0011223344",
            "nodoor list mute @ben 8h",
            "nodoor list mute @ben always",
            "nodoor list unread @ben",
            "nodoor list folders",
            "nodoor list folder Friends @ben",
            "nodoor list folder Friends --off",
            "nodoor list saved",
            "nodoor disappear @ben 1w",
            "nodoor disappear @ben off",
            "nodoor receive --wait 5 --count 2 --ids",
            "nodoor conversations",
            "nodoor history 0011223344 --limit 5",
            "nodoor requests",
            "nodoor accept @ben",
            "nodoor decline @ben",
            "nodoor block @ben",
            "nodoor group create Garden --member @a --member @b",
            "nodoor group add 0011223344 @c",
            "nodoor group remove 0011223344 @c",
            "nodoor group rename 0011223344 Yard",
            "nodoor group leave 0011223344",
            "nodoor group members 0011223344",
            "nodoor device list",
            "nodoor device approve ABCD-EFGH-IJKL-MNOP-QRST-UVWX --yes --history",
            "nodoor device history 0011223344",
            "nodoor words --new",
            "nodoor recover --handle mira",
            "nodoor recover --handle mira --words -",
            "nodoor handle show",
            "nodoor handle move mira",
            "nodoor chat @ben --plain",
            "nodoor witness run --key k --listen 127.0.0.1:0",
            "nodoor witness key --key k --name auditor.example",
            "nodoor audit run --server http://127.0.0.1:8448 --state d --once --cosign k",
            "nodoor audit check-release f p --policy o --builders b",
            "nodoor evidence check f",
            "nodoor release key --key k",
            "nodoor release sign terminal.entry --key k --with theirs.entry",
            "nodoor release proof terminal.entry --out nodoor.tlog-proof",
            "nodoor update check nodoor nodoor.tlog-proof",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "nodoor register",
            "nodoor send @ben",
            "nodoor history ben",
            "nodoor reply 001122 hi",
            "nodoor reply 00112233zz hi",
            "nodoor disappear @ben 0s",
            "nodoor disappear @ben 53w",
            "nodoor disappear @ben 99999999999w",
            "nodoor disappear @ben soon",
            "nodoor fly",
            "nodoor erase",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
