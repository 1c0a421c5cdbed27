// SPDX-License-Identifier: AGPL-3.0-or-later
//! Blind rooms: found, commit, send, catch up. Showing the roster key of an epoch is the permission to act in it.
//!
//! The server learns a room's tokens and commit keys for as long as it opens a roster that somebody showed the key
//! of, and keeps them in memory alone. It never learns who acts. On disk a room has a hashed name, sealed rosters
//! and sealed commits.
//!
//! Carries out `docs/book/protocol.md`, 3. It calls `crate::writer`, which decides at the store whether the head is
//! still the head.

mod heads;

use std::sync::Arc;

use bytes::Bytes;
use nodoor_transparency::key;
use nodoor_wire::{
    code::Code,
    header::{COMMIT_LABEL, CommitHeader},
    id::{CommitId, RoomId, Token, TokenHash, TransportId, first_16, labelled_hash},
    limits::{FRAME, MEMBERS, REQUEST, ROSTER},
    proto::{self, answer, body},
    roster::{CLASSES, LARGEST, Roster},
    sealed,
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

pub(crate) use crate::rooms::heads::Heads;
use crate::{
    anonymous::REQUESTS,
    connection::Connection,
    refusal::{Handled, Refusal, at_most, identifier},
    rooms::heads::Head,
    server::{Inner, done},
    storage::{Day, EpochRecord, MoveRoom, Op, Outcome, RoomName},
    writer::{Letter, Recipient, Work},
};

/// Founding and committing cost more than messages: a signature, a roster, a write of the room that stays.
const COMMIT_COST: u32 = 5;
/// One more for so many bytes that stay,
const BYTES_A_REQUEST: usize = 4 * 1024;
/// and for so many mailboxes that are written to.
const MAILBOXES_A_REQUEST: usize = 32;

/// A token pays for the dearest commit: all its bytes, a mailbox for each leaf there may be, and as many for its Welcomes.
const _: () = assert!(
    COMMIT_COST as usize
        + REQUEST / BYTES_A_REQUEST
        + (LARGEST / 64 + 4 * MEMBERS) / MAILBOXES_A_REQUEST
        <= REQUESTS as usize
);

/// Bytes of a frame that is passed on and kept nowhere.
const SIGNAL: usize = 256;

impl Inner {
    pub(crate) async fn found_room(
        &self,
        connection: &Connection,
        found: proto::RoomFound,
    ) -> Handled {
        self.anonymous(connection, COMMIT_COST + cost_of_bytes(found.roster.len()))?;
        let room: RoomId = identifier(&found.room)?;
        check_roster(&found.roster)?;
        let operation = Op::FoundRoom {
            room: name(&room),
            key_check: hash(&found.key_check)?,
            roster: found.roster,
            day: Day::of_ms(self.clock.now_ms()),
        };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::RoomExists.into()),
        }
    }

    pub(crate) async fn send(&self, connection: &Connection, send: proto::Send) -> Handled {
        connection.anonymous()?;
        at_most(send.frame.len(), FRAME)?;
        self.anonymous(connection, 1 + cost_of_bytes(send.frame.len()))?;
        let room: RoomId = identifier(&send.room)?;
        let transport: TransportId = identifier(&send.transport_id)?;
        let key = hash(&send.key)?;
        let head = self.head_at(&room, send.epoch).await?;
        if head.epoch() != send.epoch {
            return Err(Box::pin(self.stale(&room, send.epoch, &key)).await);
        }
        let tokens = head.open(&room, &key)?.token_hashes().to_vec();
        self.anonymous(connection, cost_of_mailboxes(tokens.len()))?;
        let letter = Letter::new(
            room,
            transport,
            body::Body::Frame(send.frame),
            self.mailboxes(tokens).await?,
            &self.entropy,
        )
        .that_calls(!send.quiet);
        let work = Work::Append { head: (name(&room), send.epoch), letter };
        match self.writer.submit(work).await? {
            Outcome::Appended(_) => {
                let day = Day::of_ms(self.clock.now_ms());
                if head.used(day) {
                    let room = name(&room);
                    self.writer.submit(Work::Plain(Op::TouchRoom { room, day })).await?;
                }
                done()
            }
            _ => {
                self.heads.forget(&room);
                Err(Box::pin(self.stale(&room, send.epoch, &key)).await)
            }
        }
    }

    /// Passes something on to devices of the room that are subscribed now. Nothing is stored and nobody is told who was there.
    pub(crate) async fn signal(&self, connection: &Connection, signal: proto::Signal) -> Handled {
        connection.anonymous()?;
        at_most(signal.frame.len(), SIGNAL)?;
        self.anonymous(connection, 1)?;
        let room: RoomId = identifier(&signal.room)?;
        let key = hash(&signal.key)?;
        let head = self.head_at(&room, signal.epoch).await?;
        if head.epoch() != signal.epoch {
            return Err(Box::pin(self.stale(&room, signal.epoch, &key)).await);
        }
        let tokens = head.open(&room, &key)?.token_hashes().to_vec();
        self.anonymous(connection, cost_of_mailboxes(tokens.len()))?;
        let devices = self.mailboxes(tokens).await?;
        let signalled = proto::Signalled { room: signal.room, frame: signal.frame };
        self.outlets.signal(devices.iter().map(|recipient| recipient.device), &signalled);
        done()
    }

    pub(crate) async fn commit_to_room(
        &self,
        connection: &Connection,
        commit: proto::Commit,
    ) -> Handled {
        connection.anonymous()?;
        let size = check_commit(&commit)?;
        self.anonymous(connection, COMMIT_COST + cost_of_bytes(size))?;
        let room: RoomId = identifier(&commit.room)?;
        let key = hash(&commit.key)?;
        let header = CommitHeader::of(&commit);
        let commit_id = header.commit_id();
        let head = self.head_at(&room, commit.epoch).await?;
        let roster = if head.epoch() == commit.epoch {
            head.open(&room, &key)?.roster().clone()
        } else {
            // The very same commit again gets the same yes, and its appends once more.
            let past = self.past(&room, commit.epoch, &key).await?;
            if past.commit_id != commit_id.0 {
                return Err(self.stale(&room, commit.epoch, &key).await);
            }
            open_roster(&key, &room, commit.epoch, &past.roster)?
        };
        let commit_key = hash(&commit.commit_key)?;
        if !roster.has_commit_key(&commit_key) {
            return Err(Code::BadSignature.into());
        }
        let header = header.to_vec();
        key::verify(&commit_key, COMMIT_LABEL, &header, &commit.signature)
            .map_err(|_| Code::BadSignature)?;

        let stored = proto::StoredCommit {
            epoch: commit.epoch,
            frame: commit.frame,
            header: header.into(),
            commit_key: commit.commit_key,
            signature: commit.signature,
        };
        let change = Box::new(MoveRoom {
            room: name(&room),
            epoch: commit.epoch,
            commit_id: commit_id.0,
            commit: seal_commit(&key, &room, &stored),
            next_key_check: hash(&commit.next_key_check)?,
            next_roster: commit.next_roster,
            appends: Vec::new(),
            day: Day::of_ms(self.clock.now_ms()),
        });
        let next = Head::after(&change);
        let welcomed: usize = commit.welcomes.iter().map(|welcome| welcome.tokens.len()).sum();
        self.anonymous(connection, cost_of_mailboxes(roster.tokens().len() + welcomed))?;
        let tokens: Vec<TokenHash> = roster.tokens().iter().map(|t| Token(*t).hash()).collect();
        let sending = Sending { key, commit_id };
        let letters = self.letters(room, &sending, tokens, stored, commit.welcomes).await?;
        match self.writer.submit(Work::Move { change, letters }).await? {
            Outcome::Moved(_) => {
                self.heads.keep(&room, next);
                done()
            }
            _ => {
                self.heads.forget(&room);
                Err(self.stale(&room, commit.epoch, &key).await)
            }
        }
    }

    pub(crate) async fn catch_up(
        &self,
        connection: &Connection,
        catch_up: proto::CatchUp,
    ) -> Handled {
        self.anonymous(connection, 1)?;
        let room: RoomId = identifier(&catch_up.room)?;
        let key = hash(&catch_up.key)?;
        let (commit, head) = self.commit_after(&room, catch_up.epoch, &key).await?;
        Ok(answer::Body::Commits(proto::CommitsAnswer { commit, head }))
    }

    /// The commit to the old roster, so that a removed device learns it, and each Welcome to its tokens.
    async fn letters(
        &self,
        room: RoomId,
        sending: &Sending,
        tokens: Vec<TokenHash>,
        stored: proto::StoredCommit,
        welcomes: Vec<proto::WelcomeOut>,
    ) -> Result<Vec<Letter>, Refusal> {
        let mut letters = vec![Letter::new(
            room,
            sending.transport(0),
            body::Body::Commit(stored),
            self.mailboxes(tokens).await?,
            &self.entropy,
        )];
        for (place, welcome) in (1..).zip(welcomes) {
            let tokens = welcome
                .tokens
                .iter()
                .map(|token| Ok(identifier::<Token>(token)?.hash()))
                .collect::<Result<_, Refusal>>()?;
            letters.push(Letter::new(
                room,
                sending.transport(place),
                body::Body::Welcome(proto::WelcomeIn { welcome: welcome.body }),
                self.mailboxes(tokens).await?,
                &self.entropy,
            ));
        }
        Ok(letters)
    }

    /// Where tokens lead. One that nobody holds is left out, and nobody is told.
    async fn mailboxes(&self, tokens: Vec<TokenHash>) -> Result<Vec<Recipient>, Refusal> {
        let found = self.storage.mailboxes_of(tokens.clone()).await?;
        let recipient = |(token, found)| Some(Recipient::new(token, found?));
        Ok(tokens.into_iter().zip(found).filter_map(recipient).collect())
    }

    async fn head(&self, room: &RoomId) -> Result<Arc<Head>, Refusal> {
        if let Some(head) = self.heads.get(room) {
            return Ok(head);
        }
        // An unknown room and a wrong key are one answer.
        let record = self.storage.room(name(room)).await?.ok_or(Code::Forbidden)?;
        Ok(self.heads.keep(room, Head::from(record)))
    }

    /// The head, read anew if the one in memory is of another epoch than the caller's: who sent the commit that ended
    /// that one may have gone before its answer, and nobody told the memory.
    async fn head_at(&self, room: &RoomId, epoch: u64) -> Result<Arc<Head>, Refusal> {
        let head = self.head(room).await?;
        if head.epoch() == epoch {
            return Ok(head);
        }
        self.heads.forget(room);
        self.head(room).await
    }

    /// The record of an epoch that is over, if the shown key is that epoch's.
    async fn past(
        &self,
        room: &RoomId,
        epoch: u64,
        key: &[u8; 32],
    ) -> Result<EpochRecord, Refusal> {
        let past = self.storage.epoch(name(room), epoch).await?.ok_or(Code::Forbidden)?;
        if past.key_check != key_check(key) {
            return Err(Code::Forbidden.into());
        }
        Ok(past)
    }

    async fn stale(&self, room: &RoomId, epoch: u64, key: &[u8; 32]) -> Refusal {
        match self.commit_after(room, epoch, key).await {
            Ok(_) => Code::StaleEpoch.into(),
            Err(refusal) => refusal,
        }
    }

    /// The commit that ended the caller's epoch, none at the head, and the head's epoch. The commit after it is
    /// sealed under the next epoch's key, which the caller can show once it has applied this one.
    async fn commit_after(
        &self,
        room: &RoomId,
        epoch: u64,
        key: &[u8; 32],
    ) -> Result<(Option<proto::StoredCommit>, u64), Refusal> {
        let record = self.storage.room(name(room)).await?.ok_or(Code::Forbidden)?;
        if epoch == record.epoch && record.key_check == key_check(key) {
            return Ok((None, record.epoch));
        }
        let past = self.past(room, epoch, key).await?;
        Ok((Some(open_commit(key, room, epoch, &past.commit)?), record.epoch))
    }
}

fn name(room: &RoomId) -> RoomName {
    RoomName(labelled_hash("nodoor room name", room.as_bytes()))
}

fn key_check(key: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], Refusal> {
    identifier(bytes)
}

/// Seals a commit for its epoch's record: its frame and header name the room. Who can show the epoch's key
/// lets the server open it, and the server alone cannot. The record key seals one plaintext: the store keeps one
/// commit of an epoch.
fn seal_commit(key: &[u8; 32], room: &RoomId, commit: &proto::StoredCommit) -> Bytes {
    let data = record_data(room, commit.epoch);
    sealed::seal(&record_key(key), 0, &data, &commit.encode_to_vec()).into()
}

fn open_commit(
    key: &[u8; 32],
    room: &RoomId,
    epoch: u64,
    sealed: &[u8],
) -> Result<proto::StoredCommit, Refusal> {
    sealed::open(&record_key(key), 0, &record_data(room, epoch), sealed)
        .ok()
        .and_then(|plain| proto::StoredCommit::decode(&*plain).ok())
        .ok_or_else(|| Code::Internal.into())
}

fn record_key(roster_key: &[u8; 32]) -> [u8; 32] {
    labelled_hash("nodoor commit record", roster_key)
}

fn record_data(room: &RoomId, epoch: u64) -> Vec<u8> {
    [b"nodoor commit record v1".as_slice(), room.as_bytes(), &epoch.to_be_bytes()].concat()
}

fn open_roster(
    key: &[u8; 32],
    room: &RoomId,
    epoch: u64,
    sealed: &[u8],
) -> Result<Roster, Refusal> {
    // The key fits and the roster does not open: whoever made this epoch sealed something else.
    Roster::open(key, room, epoch, sealed).map_err(|_| Code::Forbidden.into())
}

/// What a commit brings to mailboxes has transport ids of its own: the same again for the same commit. The roster key is in
/// them, because the disk names commits: who has the disk must not find their sendings among what it remembers.
struct Sending {
    key: [u8; 32],
    commit_id: CommitId,
}

impl Sending {
    fn transport(&self, place: u64) -> TransportId {
        let bytes = [&self.key, self.commit_id.as_bytes(), place.to_be_bytes().as_slice()].concat();
        TransportId(first_16(labelled_hash("nodoor commit transport", &bytes)))
    }
}

fn cost_of_bytes(bytes: usize) -> u32 {
    u32::try_from(bytes / BYTES_A_REQUEST).unwrap_or(u32::MAX / 2)
}

fn cost_of_mailboxes(mailboxes: usize) -> u32 {
    u32::try_from(mailboxes / MAILBOXES_A_REQUEST).unwrap_or(u32::MAX / 2)
}

fn check_roster(roster: &[u8]) -> Result<(), Refusal> {
    at_most(roster.len(), ROSTER)?;
    if roster.len() == roster_bytes(roster.len() / 64) {
        Ok(())
    } else {
        Err(Code::Malformed.into())
    }
}

/// The size of the sealed roster of so many leaves.
fn roster_bytes(leaves: usize) -> usize {
    let class = CLASSES.into_iter().find(|class| *class >= leaves).unwrap_or(usize::MAX / 64 - 1);
    4 + class * 64 + 16
}

/// Checks the sizes of a commit, and gives that of all it brings.
fn check_commit(commit: &proto::Commit) -> Result<usize, Refusal> {
    check_roster(&commit.next_roster)?;
    let welcomes: usize = commit.welcomes.iter().map(|w| w.body.len() + w.tokens.len() * 34).sum();
    let size = commit.frame.len() + commit.next_roster.len() + welcomes;
    at_most(size, REQUEST)?;
    at_most(commit.welcomes.iter().map(|w| w.tokens.len()).sum(), 4 * MEMBERS)?;
    if commit.frame.is_empty() || commit.epoch == u64::MAX {
        return Err(Code::Malformed.into());
    }
    if !commit.tree_blob.is_empty() {
        // A tree must be here before its commit is accepted, and this server takes no blobs yet.
        hash(&commit.tree_blob)?;
        return Err(Code::NotFound.into());
    }
    Ok(size)
}
