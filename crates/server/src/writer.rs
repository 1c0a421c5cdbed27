// SPDX-License-Identifier: AGPL-3.0-or-later
//! The writer: one thread that gives mailbox entries their sequences, seals them, and commits in groups.
//!
//! Everything that changes the store passes here, in one order: so a message sent at an epoch never stands after the
//! commit that ended it, and a mailbox's sequences rise in the order in which they become durable. It waits for
//! nothing: what came in while the last group was synced is the next group.
//!
//! What survives a crash: a group is one atomic commit, so of each job all or nothing, and nobody had a yes before.
//! Hour keys live in memory alone; after a restart new ones are drawn, so no key and sequence meet twice.
//!
//! Carries out `docs/book/protocol.md`, 4, and `docs/decisions/0009` (groups). The handlers submit;
//! it calls the store and then `crate::delivery`.

mod mailbox;

use std::{
    collections::VecDeque,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, JoinHandle, Thread},
};

use bytes::Bytes;
use nodoor_wire::{
    id::{DeviceId, RoomId, TransportId},
    proto,
    sealed::{self, BodySecret, HourKey},
};
use prost::Message as _;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
};

pub(crate) use crate::writer::mailbox::Recipient;
use crate::{
    bounded::Bounded,
    config::{Config, Quota},
    delivery::{Outlets, Pushed},
    entropy::Entropy,
    logins::Logins,
    server::{Clock, Counters},
    storage::{
        Append, Day, Delivered, EntryRecord, HourKeyRecord, MoveRoom, NewEntry, Op, Outcome,
        RoomName, Storage, StorageError,
    },
    writer::mailbox::{Hour, Mailbox},
};

/// A group is committed when it has this many bytes, or when nothing more waits.
const GROUP_BYTES: usize = 1024 * 1024;
/// Bytes of jobs that may wait; beyond that submitters wait.
const WAITING_BYTES: usize = 64 * 1024 * 1024;
const HOUR_MS: u64 = 3_600_000;

/// A body on its way to mailboxes.
pub(crate) struct Letter {
    room: RoomId,
    transport: TransportId,
    secret: BodySecret,
    plain: Bytes,
    sealed: Bytes,
    mailboxes: Vec<Recipient>,
    /// Whoever is not connected is called for it.
    calls: bool,
}

impl Letter {
    /// Seals a body under a fresh secret. Done by the submitter, beside the writer.
    pub(crate) fn new(
        room: RoomId,
        transport: TransportId,
        body: proto::body::Body,
        mut mailboxes: Vec<Recipient>,
        entropy: &Entropy,
    ) -> Self {
        let plain: Bytes = proto::Body { body: Some(body) }.encode_to_vec().into();
        let secret = BodySecret(entropy.bytes());
        let sealed = secret.seal(&plain).into();
        // Of two tokens of a mailbox the one that is in no key package counts: it sorts first.
        mailboxes.sort_unstable();
        mailboxes.dedup_by_key(|recipient| recipient.device);
        Self { room, transport, secret, plain, sealed, mailboxes, calls: false }
    }

    /// A message: devices that are not connected are called.
    pub(crate) fn that_calls(mut self, calls: bool) -> Self {
        self.calls = calls;
        self
    }

    fn size(&self) -> usize {
        self.sealed.len() + self.mailboxes.len() * 300
    }
}

/// What is submitted.
pub(crate) enum Work {
    /// An operation as it is.
    Plain(Op),
    /// A letter, sent at an epoch that must be the room's head.
    Append { head: (RoomName, u64), letter: Letter },
    /// A commit, its appends still to be made from the letters.
    Move { change: Box<MoveRoom>, letters: Vec<Letter> },
}

impl Work {
    fn size(&self) -> usize {
        match self {
            Self::Plain(operation) => size_of_plain(operation),
            Self::Append { letter, .. } => letter.size(),
            Self::Move { change, letters } => {
                change.commit.len()
                    + change.next_roster.len()
                    + letters.iter().map(Letter::size).sum::<usize>()
            }
        }
    }
}

/// Bytes that an operation holds, about.
fn size_of_plain(operation: &Op) -> usize {
    let held = match operation {
        Op::Register { list, handle_claim, mailbox_key, .. } => {
            size_of_list(list) + handle_claim.body.len() + mailbox_key.len()
        }
        Op::PutList { list, .. } => size_of_list(list),
        Op::PutMailboxKey { key, .. } => key.len(),
        Op::PutDispute { dispute, .. } => dispute.body.len(),
        Op::PutTokens { hashes, .. } | Op::DeleteTokens { hashes, .. } => hashes.len() * 64,
        Op::PutKeyPackages { single_use, last_resort, .. } => {
            single_use.iter().map(Bytes::len).sum::<usize>() + last_resort.len()
        }
        // What is read for it counts as well: a key package each.
        Op::TakeKeyPackages { devices } => devices.len() * 4096,
        Op::FoundRoom { roster, .. } => roster.len(),
        Op::PutHourKey(record) => record.sealed.len(),
        Op::PutPush { subscription, .. } => subscription.len(),
        Op::Acknowledge { releases, .. } => releases.len() * 128,
        _ => 0,
    };
    held + 256
}

fn size_of_list(list: &proto::SignedList) -> usize {
    list.body.len() + list.signatures.len() * 96
}

/// The submitters' end. Dropping it lets the writer finish what waits and joins its thread.
pub(crate) struct Writer {
    jobs: Option<mpsc::UnboundedSender<Job>>,
    waiting: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    work: Work,
    size: usize,
    reply: oneshot::Sender<Told>,
    /// Where the submitter runs.
    runtime: Option<Handle>,
    _waiting: OwnedSemaphorePermit,
}

/// What a submitter is told.
pub(crate) type Told = Result<Outcome, StorageError>;

/// What follows from commits, in their order: pushes and answers. The writer fills it and starts one task a group, where
/// its submitters run, that hands out for all of them. A wake across threads enters the kernel; hundreds of them a group
/// cost more than the group. None of the submitters hands out: its connection may be writing to somebody who does not
/// read, and all others would wait.
struct Finished {
    outlets: Arc<Outlets>,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    queue: Mutex<VecDeque<Finish>>,
}

struct Finish {
    stored: Vec<(DeviceId, Pushed)>,
    reply: oneshot::Sender<Told>,
    outcome: Outcome,
    _permit: OwnedSemaphorePermit,
}

/// Hands out when it is dropped: run, refused or forgotten, nothing stays behind.
struct HandOut(Arc<Finished>);

impl Drop for HandOut {
    fn drop(&mut self) {
        // Held throughout, so that two groups do not mix: an outlet takes entries in their order only.
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(finish) = queue.pop_front() {
            let away = self.0.outlets.push(finish.stored);
            self.0.outlets.calls().arrived(&away, self.0.clock.now_ms(), &self.0.entropy);
            // Whoever asked may have gone; what it asked for stands.
            let _ = finish.reply.send(Ok(finish.outcome));
        }
    }
}

impl Writer {
    pub(crate) fn start(
        storage: Arc<dyn Storage>,
        outlets: Arc<Outlets>,
        entropy: Arc<Entropy>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
        logins: Arc<Logins>,
        config: &Config,
    ) -> std::io::Result<Self> {
        let (jobs, received) = mpsc::unbounded_channel();
        let core = Core {
            storage,
            finished: Arc::new(Finished {
                outlets,
                clock: Arc::clone(&clock),
                entropy: Arc::clone(&entropy),
                queue: Mutex::default(),
            }),
            entropy,
            clock,
            counters,
            logins,
            mailboxes: Bounded::new(config.mailboxes_in_memory),
            quota: config.quota,
        };
        let thread =
            thread::Builder::new().name("writer".to_owned()).spawn(move || core.run(received))?;
        let waiting = Arc::new(Semaphore::new(WAITING_BYTES));
        Ok(Self { jobs: Some(jobs), waiting, thread: Some(thread) })
    }

    /// Submits work; the answer comes when it is durable.
    pub(crate) async fn submit(&self, work: Work) -> Result<Outcome, StorageError> {
        self.post(work).await?.await.map_err(|_| stopped())?
    }

    /// Submits work; it is durable when the receiver says so. Whoever drops that spares the writer the telling.
    pub(crate) async fn post(&self, work: Work) -> Result<oneshot::Receiver<Told>, StorageError> {
        let size = work.size().min(WAITING_BYTES);
        let permits = u32::try_from(size).unwrap_or(u32::MAX);
        let waiting = Arc::clone(&self.waiting).acquire_many_owned(permits).await;
        let (reply, answer) = oneshot::channel();
        let (runtime, _waiting) = (Handle::try_current().ok(), waiting.map_err(|_| stopped())?);
        let job = Job { work, size, reply, runtime, _waiting };
        self.jobs.as_ref().ok_or_else(stopped)?.send(job).map_err(|_| stopped())?;
        Ok(answer)
    }
}

fn stopped() -> StorageError {
    StorageError::Failed("the writer stopped".to_owned())
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the panic hook; here is nothing left to do.
            let _ = thread.join();
        }
    }
}

/// The thread's own.
struct Core {
    storage: Arc<dyn Storage>,
    finished: Arc<Finished>,
    entropy: Arc<Entropy>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    logins: Arc<Logins>,
    mailboxes: Bounded<DeviceId, Mailbox>,
    quota: Quota,
}

/// What a job waits for, and what it pushes when its operation stands.
struct Waiting {
    reply: oneshot::Sender<Told>,
    /// One for each append, one for each of its entries.
    pushes: Vec<Vec<(Recipient, Pushed)>>,
    /// Devices whose logins end once the operation stands, and whose mailboxes are forgotten here.
    changed: Vec<DeviceId>,
    permit: OwnedSemaphorePermit,
}

impl Core {
    fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            // Who is about to submit, and would have to wait for the next group, may do so now. Nothing, if nobody is.
            thread::yield_now();
            let mut bytes = first.size;
            let mut group = vec![first];
            while bytes < GROUP_BYTES {
                let Ok(job) = jobs.try_recv() else { break };
                bytes += job.size;
                group.push(job);
            }
            self.commit(group);
        }
    }

    fn commit(&mut self, group: Vec<Job>) {
        let now_ms = self.clock.now_ms();
        let runtime = group.iter().find_map(|job| job.runtime.clone());
        let mut operations = Vec::with_capacity(group.len());
        // The place of each job's own operation among those of the group: hour keys come in between.
        let mut waiting = Vec::with_capacity(group.len());
        for job in group {
            match self.prepare(job.work, now_ms, &mut operations) {
                Ok((operation, pushes, changed)) => {
                    let place = operations.len();
                    operations.push(operation);
                    let wait = Waiting { reply: job.reply, pushes, changed, permit: job._waiting };
                    waiting.push((place, wait));
                }
                // Its sequences stay unused, which is harmless.
                Err(error) => drop(job.reply.send(Err(error))),
            }
        }
        if operations.is_empty() {
            return;
        }
        self.counters.committed();
        match block_on(self.storage.commit(operations)) {
            Ok(outcomes) => {
                if outcomes.contains(&Outcome::Full) {
                    // An hour key may be among what was not stored: draw new ones.
                    self.mailboxes.clear();
                }
                let mut outcomes: Vec<Option<Outcome>> = outcomes.into_iter().map(Some).collect();
                for (place, wait) in waiting {
                    let outcome = outcomes.get_mut(place).and_then(Option::take);
                    self.finish(outcome, wait);
                }
                let all = HandOut(Arc::clone(&self.finished));
                match runtime {
                    Some(runtime) => drop(runtime.spawn(async move { drop(all) })),
                    // Its submitters belong to no runtime: here.
                    None => drop(all),
                }
            }
            Err(error) => {
                // Hour keys drawn for this group may not be stored: draw new ones, never reuse these.
                self.mailboxes.clear();
                for (_, wait) in waiting {
                    let _ = wait.reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn finish(&mut self, outcome: Option<Outcome>, wait: Waiting) {
        let Some(outcome) = outcome else {
            let short = StorageError::Damaged("fewer outcomes than operations");
            let _ = wait.reply.send(Err(short));
            return;
        };
        self.take_back(&wait.pushes, &outcome);
        if outcome == Outcome::Full {
            let _ = wait.reply.send(Err(StorageError::Full));
            return;
        }
        if outcome == Outcome::Done {
            // Here, since whoever put the list may have gone before it is answered.
            for device in &wait.changed {
                self.mailboxes.remove(device);
                self.logins.end(*device);
                self.finished.outlets.close(device);
                self.finished.outlets.calls().forget(device);
            }
        }
        let delivered: &[Vec<Delivered>] = match &outcome {
            Outcome::Appended(one) => std::slice::from_ref(one),
            Outcome::Moved(all) => all,
            _ => &[],
        };
        let stored: Vec<(DeviceId, Pushed)> = wait
            .pushes
            .into_iter()
            .zip(delivered)
            .flat_map(|(pushes, delivered)| pushes.into_iter().zip(delivered))
            .filter(|(_, delivered)| **delivered == Delivered::Now)
            .map(|((to, push), _)| (to.device, push))
            .collect();
        self.counters.appended(stored.len());
        if stored.is_empty() && wait.reply.is_closed() {
            return;
        }
        let finish = Finish { stored, reply: wait.reply, outcome, _permit: wait.permit };
        let mut queue = self.finished.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(finish);
    }

    /// What was given a sequence and is not stored takes no place in its mailbox.
    fn take_back(&mut self, pushes: &[Vec<(Recipient, Pushed)>], outcome: &Outcome) {
        let delivered: &[Vec<Delivered>] = match outcome {
            Outcome::Appended(one) => std::slice::from_ref(one),
            Outcome::Moved(all) => all,
            _ => &[],
        };
        for (place, of_letter) in pushes.iter().enumerate() {
            for (entry, (to, push)) in of_letter.iter().enumerate() {
                let became = delivered.get(place).and_then(|letter| letter.get(entry));
                if became != Some(&Delivered::Now)
                    && let Some(mailbox) = self.mailboxes.get_mut(&to.device)
                {
                    mailbox.give_back(push.body.len() as u64, to.stranger);
                }
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "used once, right above")]
    fn prepare(
        &mut self,
        work: Work,
        now_ms: u64,
        operations: &mut Vec<Op>,
    ) -> Result<(Op, Vec<Vec<(Recipient, Pushed)>>, Vec<DeviceId>), StorageError> {
        match work {
            Work::Plain(operation) => {
                let mut changed = Vec::new();
                match &operation {
                    Op::PutList { added, removed, .. } => {
                        changed = added.iter().chain(removed).copied().collect();
                    }
                    Op::Acknowledge { device, up_to, .. } => {
                        if let Some(mailbox) = self.mailboxes.get_mut(device) {
                            mailbox.done(*up_to);
                        }
                    }
                    _ => {}
                }
                Ok((operation, Vec::new(), changed))
            }
            Work::Append { head, letter } => {
                let (append, pushes) = self.seal(letter, now_ms, operations)?;
                Ok((Op::Append { head, append }, vec![pushes], Vec::new()))
            }
            Work::Move { mut change, letters } => {
                let mut pushes = Vec::with_capacity(letters.len());
                for letter in letters {
                    let (append, of_letter) = self.seal(letter, now_ms, operations)?;
                    change.appends.push(append);
                    pushes.push(of_letter);
                }
                Ok((Op::MoveRoom(change), pushes, Vec::new()))
            }
        }
    }

    /// Gives a letter its entries: sequence, hour key, release check, seal.
    fn seal(
        &mut self,
        letter: Letter,
        now_ms: u64,
        operations: &mut Vec<Op>,
    ) -> Result<(Append, Vec<(Recipient, Pushed)>), StorageError> {
        let day = Day::of_ms(now_ms);
        let body_id = letter.secret.id();
        let plain = proto::EntryPlain {
            room: letter.room.to_bytes(),
            body_secret: Bytes::copy_from_slice(&letter.secret.0),
        }
        .encode_to_vec();
        let mut entries = Vec::with_capacity(letter.mailboxes.len());
        let mut pushes = Vec::with_capacity(letter.mailboxes.len());
        for recipient in letter.mailboxes {
            let device = recipient.device;
            let Some((sequence, hour)) =
                self.next_sequence(recipient, letter.plain.len(), now_ms, operations)?
            else {
                continue;
            };
            let salt = self.entropy.bytes();
            let record = EntryRecord {
                key_id: hour.key.id(),
                salt,
                release_check: sealed::release_check(&body_id, &salt),
                sealed: hour.key.seal_entry(&device, sequence, &plain).into(),
            };
            let pushed = Pushed {
                sequence,
                key_id: record.key_id,
                sealed: record.sealed.clone(),
                body: letter.plain.clone(),
                hour_key: hour.sealed,
                // Requests never ring: what comes under a token that is anybody's calls nobody.
                calls: letter.calls && recipient.stranger.is_none(),
            };
            entries.push(NewEntry { device, sequence, record });
            pushes.push((recipient, pushed));
        }
        let body_name = sealed::body_disk_name(&body_id);
        let once = sealed::once_key(&letter.room, &letter.transport);
        Ok((Append { once, body_name, body: letter.sealed, entries, day }, pushes))
    }

    /// The next sequence of a mailbox for a body of this size, and the key of this hour; nothing if the mailbox is gone
    /// or has too much already.
    fn next_sequence(
        &mut self,
        Recipient { device, stranger }: Recipient,
        size: usize,
        now_ms: u64,
        operations: &mut Vec<Op>,
    ) -> Result<Option<(u64, Hour)>, StorageError> {
        if self.mailboxes.get_mut(&device).is_none() {
            let Some(record) = block_on(self.storage.mailbox(device))? else { return Ok(None) };
            self.mailboxes.insert(device, Mailbox::read(&record));
        }
        let quota = self.quota;
        let Some(mailbox) = self.mailboxes.get_mut(&device) else { return Ok(None) };
        let size = size as u64;
        let is_full = |mailbox: &Mailbox| mailbox.is_full(quota, size, stranger);
        let minute = now_ms / 60_000;
        if is_full(mailbox) && mailbox.looked != minute {
            // What expired gave its place back without a word.
            mailbox.looked = minute;
            if let Some(record) = block_on(self.storage.mailbox(device))? {
                mailbox.done(record.done);
            }
        }
        if is_full(mailbox) {
            return Ok(None);
        }
        let number = now_ms / HOUR_MS;
        let hour = match &mailbox.hour {
            Some(hour) if hour.number == number => hour.clone(),
            _ => {
                let Some(record) = block_on(self.storage.mailbox(device))? else {
                    return Ok(None);
                };
                mailbox.done(record.done);
                let mut rng = self.entropy.lock();
                let key = HourKey::generate(&mut **rng);
                let Ok(sealed) = key.seal(&device, &record.key, &mut **rng) else {
                    // No token leads to a mailbox before it has a key that was tried.
                    tracing::error!("a mailbox key does not seal");
                    return Ok(None);
                };
                drop(rng);
                let sealed = Bytes::from(sealed);
                operations.push(Op::PutHourKey(HourKeyRecord {
                    device,
                    id: key.id(),
                    sealed: sealed.clone(),
                    day: Day::of_ms(now_ms),
                }));
                let hour = Hour { number, key, sealed };
                mailbox.hour = Some(hour.clone());
                hour
            }
        };
        Ok(Some((mailbox.take(size, stranger), hour)))
    }
}

/// Waits for a store on this thread, which belongs to no runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
