// SPDX-License-Identifier: AGPL-3.0-or-later
//! Accounts: who registers, logs in, changes a list, disputes, and is looked up.
//!
//! Every list and statement is verified by `transparency` before it is stored, from the account id on. Lists and
//! disputes need no login: their signatures say all, and the one who restores an account with the recovery words
//! has no device that could log in yet.
//!
//! Carries out `docs/book/protocol.md`, 1 and 2.

use nodoor_transparency::{
    chain::Chain,
    directory::handle_hash,
    error::{Fault, ListError, StatementError},
    key,
    list::DeviceList,
    statement::{Dispute, HandleClaim, HandleNo, MailboxKey},
};
use nodoor_wire::{
    code::Code,
    handle::Handle,
    id::{AccountId, DeviceId},
    limits::SIGNED,
    proto::{self, answer, lookup},
    sealed::HourKey,
};
use sha2::{Digest as _, Sha256};

use crate::{
    config::Registration,
    connection::Connection,
    refusal::{Handled, Refusal, at_most, identifier, present},
    server::{Inner, done},
    storage::{AccountRecord, Op, Outcome},
    writer::Work,
};

/// All lists of an account together, so that a look-up fits into one answer.
const LISTS_BYTES: usize = 3 * 1024 * 1024;
/// What devices may add to a chain by themselves: versions, and bytes of all of it. Beyond it a list is taken that the
/// recovery key signed, or that only takes devices away: whoever holds a device cannot fill the chain so that its owner
/// gets no list in, and a lost device can always be removed.
const VERSIONS: usize = 256;
const VERSIONS_BYTES: usize = LISTS_BYTES / 2;
/// Lists signed by the recovery key have a bound of their own, the first list among them.
const RECOVERY_VERSIONS: usize = 64;
/// A removed device may object for so long, in ledger time.
const DISPUTE_WITHIN_MS: u64 = 7 * 24 * 3_600_000;
/// Disputes of an account: those that stand, and all. One that stands says all that the others would.
const STANDING_DISPUTES: usize = 16;
const DISPUTES: usize = 64;
/// Reading an account costs one request more for so many bytes.
const BYTES_A_REQUEST: usize = 16 * 1024;

impl Inner {
    pub(crate) async fn register(
        &self,
        connection: &Connection,
        register: proto::Register,
    ) -> Handled {
        connection.login()?;
        let now_ms = self.clock.now_ms();
        self.budgets.register.spend_by_address(connection.budget_key(), 1, now_ms)?;
        match &self.config.registration {
            Registration::Open => {}
            Registration::Ticket(ticket) if *ticket == register.ticket => {}
            Registration::Ticket(_) | Registration::Closed => {
                return Err(Code::RegistrationClosed.into());
            }
        }
        let list = present(register.list)?;
        let handle_claim = present(register.handle_claim)?;
        let mailbox_key = present(register.mailbox_key)?;
        check_size(&list)?;

        let account = DeviceList::from_slice_unverified(&list.body).map_err(refuse_list)?.account();
        let chain = Chain::verify(&account, std::slice::from_ref(&list)).map_err(refuse_list)?;
        let claim = HandleClaim::verify(&chain, &handle_claim).map_err(|error| match error {
            StatementError::Form => Refusal::from(Code::HandleForm),
            error => refuse_statement(error),
        })?;
        let mailbox = MailboxKey::verify(&chain, &mailbox_key).map_err(refuse_statement)?;
        self.try_mailbox_key(&mailbox)?;

        let operation = Op::Register {
            account,
            list,
            handle: claim.handle,
            handle_claim,
            device: mailbox.device,
            mailbox_key: mailbox.public.into(),
            mailbox_key_made_at_ms: mailbox.made_at_ms,
        };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => {
                Ok(answer::Body::Register(proto::RegisterAnswer { account: account.to_bytes() }))
            }
            Outcome::HandleTaken => Err(Code::HandleTaken.into()),
            _ => Err(Code::ListConflict.into()),
        }
    }

    pub(crate) async fn log_in(&self, connection: &Connection, login: proto::Login) -> Handled {
        let challenge = self.signed(connection)?;
        let account: AccountId = identifier(&login.account)?;
        let device: DeviceId = identifier(&login.device)?;
        let since = self.logins.now();
        let record = self.storage.account(account).await?.ok_or(Code::Unauthorised)?;
        self.read(connection, &record)?;
        let login_key = newest_list(&record)
            .and_then(|list| list.device(&device).map(|device| device.login_key))
            .ok_or(Code::Unauthorised)?;
        let signed = key::login_bytes(&self.deployment, &challenge);
        key::verify(&login_key, key::label::LOGIN, &signed, &login.signature)
            .map_err(|_| Code::Unauthorised)?;
        let mailbox = self.storage.mailbox(device).await?.ok_or(Code::Unauthorised)?;
        connection.log_in(account, device, since)?;
        Ok(answer::Body::Login(proto::LoginAnswer {
            key_packages_left: self.storage.key_packages_left(device).await?,
            mailbox_key_made_at_ms: mailbox.key_made_at_ms,
            acknowledged: mailbox.acknowledged,
            push_key: self.push_key(),
        }))
    }

    pub(crate) async fn put_list(&self, connection: &Connection, put: proto::ListPut) -> Handled {
        self.signed(connection)?;
        let list = present(put.list)?;
        check_size(&list)?;
        let next = DeviceList::from_slice_unverified(&list.body).map_err(refuse_list)?;
        let account = next.account();
        let record = self.storage.account(account).await?.ok_or(Code::NotFound)?;
        if record.lists.last() == Some(&list) {
            return done();
        }
        self.read(connection, &record)?;
        let before = chain_of(account, &record)?;
        let mut chain = before.clone();
        chain.extend(&list).map_err(refuse_list)?;
        check_growth(&record, &before, &chain, &list)?;
        let brings_devices = next.added_since(before.newest()).next().is_some();
        // Seen from the chain with the new list: one signed by the recovery key ends the dispute.
        if brings_devices && standing(&record, &chain) > 0 {
            return Err(Code::Disputed.into());
        }

        let id_of = |device: &nodoor_transparency::list::Device| device.id;
        let operation = Op::PutList {
            account,
            version: next.version(),
            list,
            added: next.added_since(before.newest()).map(id_of).collect(),
            removed: next.removed_since(before.newest()).map(id_of).collect(),
        };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::ListConflict.into()),
        }
    }

    pub(crate) async fn put_mailbox_key(
        &self,
        connection: &Connection,
        put: proto::MailboxKeyPut,
    ) -> Handled {
        let (account, device) = self.known_device(connection)?;
        let statement = present(put.mailbox_key)?;
        let (_, chain) = self.chain(connection, account).await?;
        let mailbox = MailboxKey::verify(&chain, &statement).map_err(refuse_statement)?;
        if mailbox.device != device {
            return Err(Code::BadSignature.into());
        }
        self.try_mailbox_key(&mailbox)?;
        let operation = Op::PutMailboxKey {
            device,
            key: mailbox.public.into(),
            made_at_ms: mailbox.made_at_ms,
        };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::Unauthorised.into()),
        }
    }

    pub(crate) async fn put_dispute(
        &self,
        connection: &Connection,
        put: proto::DisputePut,
    ) -> Handled {
        self.signed(connection)?;
        let signed = present(put.dispute)?;
        let account = disputed_account(&signed)?;
        let (record, chain) = self.chain(connection, account).await?;
        let dispute = Dispute::verify(&chain, &signed).map_err(refuse_statement)?;
        if !record.disputes.contains(&signed) {
            self.check_deadline(&record, &dispute).await?;
        }
        let is_known = record.disputes.iter().any(|one| one.signer == signed.signer);
        let full = record.disputes.len() >= DISPUTES;
        if !is_known && (full || standing(&record, &chain) >= STANDING_DISPUTES) {
            return Err(Code::TooLarge.into());
        }
        let operation = Op::PutDispute { account, device: dispute.device, dispute: signed };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::NotFound.into()),
        }
    }

    /// Refuses what comes later than a week after the removing list, or one that followed it, was logged.
    async fn check_deadline(
        &self,
        record: &AccountRecord,
        dispute: &Dispute,
    ) -> Result<(), Refusal> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let lists = record.lists.iter().map(|list| Sha256::digest(&list.body).into());
        let lists = lists.skip_while(|list| *list != dispute.removed_by).collect();
        match ledger.logged_for_ms(dispute.account, &lists).await? {
            Some(logged_for) if logged_for >= DISPUTE_WITHIN_MS => Err(Code::TooLate.into()),
            _ => Ok(()),
        }
    }

    pub(crate) async fn look_up(&self, connection: &Connection, lookup: proto::Lookup) -> Handled {
        self.may_look_up(connection, lookup.of.as_ref(), 1)?;
        let of = present(lookup.of)?;
        let (account, handle) = match of.clone() {
            lookup::Of::Account(account) => (identifier(&account)?, None),
            lookup::Of::Handle(handle) => {
                let handle = Handle::parse(&handle).map_err(|_| Code::HandleForm)?;
                let account = self.storage.handle(handle.clone()).await?;
                (account.ok_or(Code::NotFound)?, Some(handle))
            }
        };
        let record = self.storage.account(account).await?.ok_or(Code::NotFound)?;
        let claimed = HandleClaim::handle_unverified(&record.handle_claim);
        if handle.is_some() && handle != claimed {
            // It is another handle that moved there.
            return Err(Code::NotFound.into());
        }
        self.may_look_up(connection, Some(&of), cost_of(&record))?;
        let directory = match (&self.ledger, record.lists.last()) {
            (Some(ledger), Some(newest)) => {
                let newest = Sha256::digest(&newest.body).into();
                ledger.directory_proof(account, &newest, handle.as_ref()).await?
            }
            _ => None,
        };
        Ok(answer::Body::Lookup(proto::LookupAnswer {
            account: account.to_bytes(),
            lists: record.lists,
            handle_claim: Some(record.handle_claim),
            disputes: record.disputes,
            directory,
        }))
    }

    /// Anybody on the anonymous connection. On the login connection one's own account, which would say there whose connection
    /// that is; who is not logged in may have been removed, and has to see by what list.
    ///
    /// Spec: `docs/book/ledger.md`, 7.
    fn may_look_up(
        &self,
        connection: &Connection,
        of: Option<&lookup::Of>,
        cost: u32,
    ) -> Result<(), Refusal> {
        if connection.login().is_err() {
            return self.without_token(connection, cost);
        }
        let now_ms = self.clock.now_ms();
        match (connection.device(), of) {
            (Ok((own, device, _)), Some(lookup::Of::Account(asked)))
                if AccountId::try_from(asked.as_ref()).is_ok_and(|asked| asked == own) =>
            {
                self.budgets.device.spend(&device.0, cost, now_ms)
            }
            (Err(_), Some(lookup::Of::Account(_))) => {
                self.budgets.login.spend_by_address(connection.budget_key(), cost, now_ms)
            }
            _ => Err(Code::WrongConnection.into()),
        }
    }

    /// Takes the account's own handle, signed anew by a device of its newest list or the recovery key.
    pub(crate) async fn put_handle(
        &self,
        connection: &Connection,
        put: proto::HandlePut,
    ) -> Handled {
        let (account, _) = self.known_device(connection)?;
        let handle_claim = present(put.handle_claim)?;
        let (_, chain) = self.chain(connection, account).await?;
        let claim = HandleClaim::verify(&chain, &handle_claim).map_err(refuse_statement)?;
        let operation = Op::PutHandleClaim { account, handle: claim.handle, handle_claim };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::HandleTaken.into()),
        }
    }

    /// A logged-in account asks for a handle that another one holds, or holds now.
    ///
    /// Spec: `docs/book/ledger.md`, 6.
    pub(crate) async fn move_handle(
        &self,
        connection: &Connection,
        asked: proto::HandleMove,
    ) -> Handled {
        let (account, _) = self.known_device(connection)?;
        let handle_claim = present(asked.handle_claim)?;
        let (_, chain) = self.chain(connection, account).await?;
        let claim = HandleClaim::verify(&chain, &handle_claim).map_err(refuse_statement)?;
        let handle = claim.handle;
        let holder = self.storage.handle(handle.clone()).await?.ok_or(Code::NotFound)?;
        if holder == account {
            return done();
        }
        // A name that its holder gave up for another: nobody would be told of the claim.
        if self.handle_of(holder).await? != Some(handle.clone()) {
            return Err(Code::HandleTaken.into());
        }
        let ledger = self.ledger()?;
        let hash = handle_hash(&handle);
        let has = self.handle_of(account).await?.map(|handle| handle_hash(&handle));
        let (row, now_ms) = ledger.claim(hash, (account, has), holder, asked.known)?;
        if now_ms < row.takes_effect_ms() {
            return Ok(answer::Body::HandleMove(proto::HandleMoveAnswer {
                takes_effect_ms: row.takes_effect_ms(),
                ledger_time_ms: now_ms,
            }));
        }
        // Entries of later claims have higher indices; the first mark of a handle is version 1.
        let version = row.index.saturating_add(2);
        let operation = Op::MoveHandle { handle, from: holder, to: account, handle_claim, version };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::HandleTaken.into()),
        }
    }

    /// The account that holds a handle keeps it.
    pub(crate) async fn keep_handle(
        &self,
        connection: &Connection,
        no: proto::HandleNo,
    ) -> Handled {
        let (account, _) = self.known_device(connection)?;
        let no = present(no.no)?;
        let (_, chain) = self.chain(connection, account).await?;
        let no = HandleNo::verify(&chain, &no).map_err(refuse_statement)?;
        if self.storage.handle(no.handle.clone()).await? != Some(account) {
            return Err(Code::HandleTaken.into());
        }
        self.ledger()?.keep(handle_hash(&no.handle), no.claimant, account)?;
        done()
    }

    /// The handle that an account claims.
    pub(crate) async fn handle_of(&self, account: AccountId) -> Result<Option<Handle>, Refusal> {
        let record = self.storage.account(account).await?.ok_or(Code::NotFound)?;
        Ok(HandleClaim::handle_unverified(&record.handle_claim))
    }

    /// The gate of every request of a logged-in device: within that device's budget.
    pub(crate) fn known_device(
        &self,
        connection: &Connection,
    ) -> Result<(AccountId, DeviceId), Refusal> {
        let (account, device, since) = connection.device()?;
        if !self.logins.stands(device, since) {
            return Err(Code::Unauthorised.into());
        }
        self.budgets.device.spend(&device.0, 1, self.clock.now_ms())?;
        Ok((account, device))
    }

    /// An account and its chain.
    async fn chain(
        &self,
        connection: &Connection,
        account: AccountId,
    ) -> Result<(AccountRecord, Chain), Refusal> {
        let record = self.storage.account(account).await?.ok_or(Code::NotFound)?;
        self.read(connection, &record)?;
        let chain = chain_of(account, &record)?;
        Ok((record, chain))
    }

    /// Whoever makes the server read a long account pays for it.
    fn read(&self, connection: &Connection, record: &AccountRecord) -> Result<(), Refusal> {
        let now_ms = self.clock.now_ms();
        self.budgets.login.spend_by_address(connection.budget_key(), cost_of(record), now_ms)
    }

    /// Refuses a key that cannot be sealed to: its mailbox would silently lose what is sent.
    fn try_mailbox_key(&self, mailbox: &MailboxKey) -> Result<(), Refusal> {
        let mut rng = self.entropy.lock();
        HourKey::generate(&mut **rng)
            .seal(&mailbox.device, &mailbox.public, &mut **rng)
            .map(drop)
            .map_err(|_| Code::BadSignature.into())
    }
}

/// The newest list of a record that was verified when it was stored.
pub(crate) fn newest_list(record: &AccountRecord) -> Option<DeviceList> {
    record.lists.last().and_then(|list| DeviceList::from_slice_unverified(&list.body).ok())
}

/// The chain of an account as it is stored: every list of it was verified before it was.
fn chain_of(account: AccountId, record: &AccountRecord) -> Result<Chain, Refusal> {
    Chain::read_back_unverified(&account, &record.lists).map_err(|_| Code::Internal.into())
}

/// Bounds a chain that grew by one list.
fn check_growth(
    record: &AccountRecord,
    before: &Chain,
    chain: &Chain,
    list: &proto::SignedList,
) -> Result<(), Refusal> {
    let bytes: usize = record.lists.iter().chain([list]).map(size_of_list).sum();
    at_most(bytes, LISTS_BYTES)?;
    let by_recovery = chain.signed_by_recovery();
    if by_recovery > before.signed_by_recovery() {
        return at_most(by_recovery, RECOVERY_VERSIONS);
    }
    let (old, new) = (before.newest(), chain.newest());
    if new.added_since(old).next().is_none() && new.removed_since(old).next().is_some() {
        return Ok(());
    }
    at_most(record.lists.len() + 1 - by_recovery, VERSIONS)?;
    at_most(bytes, VERSIONS_BYTES)
}

/// How many disputes of an account stand, seen from this chain.
fn standing(record: &AccountRecord, chain: &Chain) -> usize {
    record
        .disputes
        .iter()
        .filter_map(|dispute| Dispute::verify(chain, dispute).ok())
        .filter(|dispute| dispute.stands(chain))
        .count()
}

/// What reading an account costs beyond the request itself.
pub(crate) fn cost_of(record: &AccountRecord) -> u32 {
    let bytes: usize = record.lists.iter().map(size_of_list).sum();
    u32::try_from(bytes / BYTES_A_REQUEST).unwrap_or(u32::MAX)
}

fn size_of_list(list: &proto::SignedList) -> usize {
    list.body.len() + list.signatures.len() * 96
}

fn check_size(list: &proto::SignedList) -> Result<(), Refusal> {
    at_most(list.body.len(), SIGNED)?;
    at_most(list.signatures.len() * 96, SIGNED)
}

fn refuse_list(error: ListError) -> Refusal {
    match error.fault() {
        Fault::Race => Code::ListConflict.into(),
        _ => Code::BadSignature.into(),
    }
}

fn refuse_statement(_: StatementError) -> Refusal {
    Code::BadSignature.into()
}

/// The account a dispute speaks of, unverified: the first field of its CBOR array.
fn disputed_account(dispute: &proto::SignedBytes) -> Result<AccountId, Refusal> {
    let mut decoder = minicbor::Decoder::new(&dispute.body);
    let account = decoder.array().and_then(|_| decoder.bytes()).map_err(|_| Code::BadSignature)?;
    AccountId::try_from(account).map_err(|_| Code::BadSignature.into())
}
