// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a person asks for. Each command changes rows and is answered when they are on disk; what needs the
//! server first (a handle to look up) is parked, and answered or given up later.

mod groups;
mod messages;
mod requests;

use nodoor_view::{
    command::{Ask, Command, HandleState, Reply},
    model::{ConversationId, FoundPerson, Problem, ProblemKind},
};
use nodoor_wire::handle::Handle;

use crate::{
    io::{Effect, Wire},
    lookup::{Lacks, Resolution},
    names::tidy,
    rows::{Conversation, Intent, Status, key},
    selfgroup::About,
    step::{Step, refused},
};

/// How long an ask waits for the server, milliseconds.
const PATIENCE: u64 = 15_000;
/// How long one waits that is done in every room first, milliseconds.
const PATIENCE_ROOMS: u64 = 60_000;
/// How long one waits that signs a device list, which follows what the public log shows: an epoch and a little.
const PATIENCE_LOG: u64 = 90_000;
/// The same for a removal, which goes on without the log in the end.
const PATIENCE_REMOVAL: u64 = 240_000;
/// How long it waits once there was no connection to be had, milliseconds.
const PATIENCE_WITHOUT_SERVER: u64 = 4_000;
/// And if the server was not reached since the start: it is down, or the address is wrong.
const PATIENCE_NEVER_REACHED: u64 = 1_000;

/// An ask that waits for the server.
pub(crate) struct Parked {
    /// What was asked.
    ask: Ask,
    /// When it is given up, milliseconds.
    pub(crate) until: u64,
    /// What it waits for, as far as that is look-ups.
    lacks: Lacks,
}

/// The answer to a command, or that it has to wait.
#[expect(clippy::large_enum_variant, reason = "lives for one call")]
enum Answer {
    Now(Reply),
    Later,
}

use Answer::{Later, Now};

impl Step<'_> {
    /// Takes an ask: answers it or parks it.
    pub(crate) fn ask(&mut self, ask: Ask) {
        let until = self.now + patience_for(&ask.command, self.ledger().is_some());
        self.try_ask(ask, until);
    }

    fn try_ask(&mut self, ask: Ask, until: u64) {
        let (answer, lacks) = self.lacking(|step| step.command(&ask.command));
        match answer {
            Now(reply) => {
                self.live.commanded = true;
                self.answer(ask.ask, reply);
            }
            Later if until <= self.now => {
                let reply = match ask.command {
                    Command::CheckHandle { .. } => Reply::HandleState(HandleState::Unknown),
                    Command::Verify { conversation } => self
                        .check_of_conversation(conversation)
                        .map_or(refused(ProblemKind::NotFound), Reply::Check),
                    Command::Device { ref of } if self.awaits_log(of) => {
                        refused(ProblemKind::LogWaits)
                    }
                    _ => refused(self.live.unfit.unwrap_or(ProblemKind::Offline)),
                };
                self.answer(ask.ask, reply);
            }
            Later => self.live.parked.push(Parked { ask, until, lacks }),
        }
    }

    /// Tries parked asks again: something was learnt, or time went by. One of a thousand handles is looked at again
    /// when all are answered, not with each.
    pub(crate) fn retry_parked(&mut self) {
        let connected = self.is_ready(Wire::Anonymous);
        for mut parked in std::mem::take(&mut self.live.parked) {
            let awaits = connected && parked.lacks.still(&self.live.searches);
            if awaits && parked.until > self.now {
                self.live.parked.push(parked);
            } else {
                self.try_ask(parked.ask, parked.until);
            }
        }
    }

    /// A connection broke or was not to be had: parked asks wait a little for the next one, not as long as for an answer.
    pub(crate) fn hurry_parked(&mut self) {
        let reached = self.live.deployment.is_some();
        let patience = if reached { PATIENCE_WITHOUT_SERVER } else { PATIENCE_NEVER_REACHED };
        let soon = self.now + patience;
        self.live.parked.iter_mut().for_each(|parked| parked.until = soon.min(parked.until));
    }

    /// Answers the parked asks of a kind with a problem.
    pub(crate) fn fail_parked(&mut self, problem: &Problem, which: impl Fn(&Ask) -> bool) {
        self.answer_parked(&Reply::Problem(problem.clone()), which);
    }

    /// Answers the parked asks of a kind.
    pub(crate) fn answer_parked(&mut self, reply: &Reply, which: impl Fn(&Ask) -> bool) {
        let (answered, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.live.parked)
            .into_iter()
            .partition(|parked| which(&parked.ask));
        self.live.parked = rest;
        for parked in answered {
            self.answer(parked.ask.ask, reply.clone());
        }
    }

    /// Answers the parked asks that wait for this handle with a problem.
    pub(crate) fn fail_parked_for_handle(&mut self, handle: &str, problem: &Problem) {
        let same = |text: &str| Handle::parse(text).is_ok_and(|parsed| parsed.as_str() == handle);
        self.fail_parked(problem, |ask| match &ask.command {
            Command::Find { handle }
            | Command::OpenDirect { handle }
            | Command::CheckHandle { handle }
            | Command::GroupAdd { handle, .. } => same(handle),
            Command::GroupCreate { members, .. } => members.iter().any(|member| same(member)),
            _ => false,
        });
    }

    fn command(&mut self, command: &Command) -> Answer {
        match command {
            Command::CheckHandle { handle } => return self.check_handle(handle),
            Command::Register { handle, ticket } => return self.register(handle, ticket),
            Command::Settings => return Now(Reply::Settings(self.settings())),
            Command::SetSettings { settings } => {
                self.disk.put(key::SETTINGS.to_vec(), settings);
                return Now(Reply::Settings(settings.clone()));
            }
            Command::Erase => {
                self.effects.push(Effect::Erased);
                return Now(Reply::Done);
            }
            Command::Device { of } => return self.device_command(of).map_or(Later, Now),
            Command::WhoAmI => return Now(self.profile().map_or(Reply::Nothing, Reply::Profile)),
            _ => {}
        }
        if self.account().is_none_or(|account| account.registering.is_some()) {
            return Now(refused(ProblemKind::NoAccount));
        }
        self.account_command(command)
    }

    fn account_command(&mut self, command: &Command) -> Answer {
        match command {
            Command::Conversations => Now(Reply::Conversations(self.chat_list())),
            Command::Requests => Now(Reply::Requests(self.request_list())),
            Command::Blocked => Now(Reply::Conversations(self.blocked_list())),
            Command::Find { handle } => self.find(handle),
            Command::OpenDirect { handle } => self.open_direct(handle),
            Command::Messages { conversation, at, limit } => {
                Now(Reply::Messages(self.page(*conversation, *at, *limit)))
            }
            Command::MessageInfo { message } => Now(self
                .message_detail(*message)
                .map_or(refused(ProblemKind::NotFound), Reply::Message)),
            Command::SendText { conversation, text } => Now(self.send_text(*conversation, text)),
            Command::Retry { message } => Now(self.retry(*message)),
            Command::DeleteForMe { message } => Now(self.delete_for_me(*message)),
            Command::Undelete { message } => Now(self.undelete(*message)),
            Command::MarkRead { conversation, up_to } => Now(self.mark_read(*conversation, *up_to)),
            Command::SetDraft { conversation, text } => self.change(*conversation, |_, row| {
                row.draft.clone_from(text);
                Reply::Done
            }),
            Command::Accept { conversation } => self.change(*conversation, Step::accept),
            Command::Decline { conversation } => Now(self.decline(*conversation)),
            Command::Block { conversation } => self.change(*conversation, Step::block),
            Command::Unblock { conversation } => self.change(*conversation, Step::unblock),
            Command::GroupCreate { title, members } => self.group_create(title, members),
            Command::GroupAdd { conversation, handle } => self.group_add(*conversation, handle),
            Command::GroupRemove { conversation, handle } => {
                self.group_remove(*conversation, handle)
            }
            Command::GroupRename { conversation, title } => {
                let title = tidy(title, 100);
                self.manage(*conversation, |step, room| {
                    if title.is_empty() {
                        return refused(ProblemKind::Size);
                    }
                    step.intend(room, &Intent::Rename(title.clone()));
                    Reply::Done
                })
            }
            Command::GroupLeave { conversation } => self.change(*conversation, Step::leave),
            Command::GroupMembers { conversation } => {
                Now(Reply::Members(self.members(*conversation)))
            }
            Command::Sheet { conversation } => {
                Now(self.sheet(*conversation).map_or(refused(ProblemKind::NotFound), Reply::Sheet))
            }
            Command::Verify { conversation } => match self.verify(*conversation) {
                None => Later,
                Some(check) => Now(check.map_or(refused(ProblemKind::NotFound), Reply::Check)),
            },
            Command::Compare { conversation } => Now(self.compare(*conversation)),
            Command::Compared { conversation } => Now(self.compared(*conversation)),
            Command::Ledger => Now(Reply::Ledger(self.ledger_state())),
            Command::Evidence => Now(Reply::Evidence(self.evidence_files())),
            Command::AnswerProof => {
                self.answer_proof();
                Now(Reply::Ledger(self.ledger_state()))
            }
            Command::LogPolicy => Now(Reply::LogPolicy(self.ledger().map(|ledger| ledger.policy))),
            Command::Devices => Now(Reply::Devices(self.devices())),
            Command::Message { of } => Now(self.message_command(of)),
            Command::List { of } => Now(self.list_command(of)),
            Command::Group { of } => self.group_command(of),
            Command::File { of } => Now(self.file_command(of)),
            Command::Past { of } => Now(self.past_command(of)),
            Command::Push { of } => self.push_command(of).map_or(Later, Now),
            Command::Finish if !self.is_unfinished() => Now(Reply::Done),
            Command::Finish if self.live.lost => Now(refused(ProblemKind::Offline)),
            Command::Finish => Later,
            Command::Words => Now(self.own_words().map_or(Reply::Nothing, Reply::Words)),
            Command::SetName { name } => {
                if let Some(mut account) = self.account() {
                    account.name = tidy(name, 60);
                    self.set_account(&account);
                    self.own_devices_should_know(About::Name);
                }
                Now(self.profile().map_or(Reply::Nothing, Reply::Profile))
            }
            Command::BecomeBot => {
                self.become_bot();
                Now(self.profile().map_or(Reply::Nothing, Reply::Profile))
            }
            Command::Typing { conversation, on } => Now(self.type_in(*conversation, *on)),
            Command::Looking { at } => {
                self.look_at(*at);
                Now(Reply::Done)
            }
            _ => Now(refused(ProblemKind::Internal)),
        }
    }

    /// Changes one conversation row.
    fn change(
        &mut self,
        id: ConversationId,
        work: impl FnOnce(&mut Self, &mut Conversation) -> Reply,
    ) -> Answer {
        let Some(mut conversation) = self.conversation(id) else {
            return Now(refused(ProblemKind::NotFound));
        };
        let reply = work(self, &mut conversation);
        self.set_conversation(&conversation);
        let reply = match reply {
            // Rows are told as they stand after the change.
            Reply::Conversation(_) => Reply::Conversation(self.conversation_row(&conversation)),
            other => other,
        };
        Now(reply)
    }

    // ---- registration and people ---------------------------------------------------------------

    fn check_handle(&mut self, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(Reply::HandleState(HandleState::Malformed));
        };
        match self.resolve(&handle) {
            Resolution::Pending => Later,
            Resolution::Nobody => Now(Reply::HandleState(HandleState::Free)),
            Resolution::Known(_) => {
                let stem: String = handle.as_str().chars().take(26).collect();
                let number = 10 + u32::from(self.random::<1>()[0] % 90);
                let suggestions = vec![
                    format!("{stem}-{number}"),
                    format!("{stem}.{}", number + 7),
                    format!("the-{stem}"),
                ];
                Now(Reply::HandleState(HandleState::Taken { suggestions }))
            }
        }
    }

    fn register(&mut self, text: &str, ticket: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        match self.account() {
            Some(account) if account.registering.is_none() => match self.profile() {
                Some(profile) if account.handle == handle.as_str() => Now(Reply::Profile(profile)),
                _ => Now(refused(ProblemKind::HasAccount)),
            },
            Some(account) if account.handle == handle.as_str() => {
                // On its way: the answer comes, or the connection first.
                if self.live.login.state == crate::live::LinkState::Closed {
                    self.want(Wire::Login);
                }
                Later
            }
            Some(account) => {
                self.forget_registration(&account);
                self.begin_registration(&handle, ticket);
                Later
            }
            None => {
                self.begin_registration(&handle, ticket);
                Later
            }
        }
    }

    fn find(&mut self, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        match self.resolve(&handle) {
            Resolution::Pending => Later,
            Resolution::Nobody => Now(refused(ProblemKind::NotFound)),
            Resolution::Known(account) => {
                let devices = self.known(&account).map_or(0, |known| {
                    u32::try_from(known.chain.newest().devices().len()).unwrap_or(u32::MAX)
                });
                let conversation: Option<u64> = self.disk.get(&key::direct(&account));
                Now(Reply::Person(FoundPerson {
                    person: self.person(&account),
                    devices,
                    conversation: conversation.map(ConversationId),
                    me: self.is_me(&account),
                }))
            }
        }
    }

    fn open_direct(&mut self, text: &str) -> Answer {
        let Ok(handle) = Handle::parse(text) else {
            return Now(refused(ProblemKind::HandleForm));
        };
        match self.resolve(&handle) {
            Resolution::Pending => Later,
            Resolution::Nobody => Now(refused(ProblemKind::NotFound)),
            Resolution::Known(account) if self.is_me(&account) => {
                Now(refused(ProblemKind::Yourself))
            }
            Resolution::Known(account) => {
                let conversation = self.direct_conversation(&account, Status::Open);
                Now(Reply::Conversation(self.conversation_row(&conversation)))
            }
        }
    }
}

/// How long a command waits for the server, and for the public log if there is one.
fn patience_for(command: &Command, has_log: bool) -> u64 {
    use nodoor_view::device::Command::{LinkApprove, NewWords, Recover, Remove};
    match command {
        Command::Device { of: Remove { .. } | NewWords { .. } } if has_log => PATIENCE_REMOVAL,
        Command::Device { of: Remove { .. } } => PATIENCE_ROOMS,
        // Whoever recovers has heard of no log yet.
        Command::Device { of: Recover { .. } } => PATIENCE_LOG,
        Command::Device { of: LinkApprove { .. } } if has_log => PATIENCE_LOG,
        _ => PATIENCE,
    }
}
