// SPDX-License-Identifier: AGPL-3.0-or-later
//! Gossip: two people who talk find out whether Olga shows them one log.
//!
//! In direct chats with accepted contacts, at most once an hour, a payload carries size and root of a checkpoint that was
//! held an hour ago: the other one, whose own is newer, holds it against what they hold. Where the log itself cannot show
//! that both are one, each sends the other the checkpoint *as the log signed it*; two that do not fit are proof, kept by
//! both. What somebody merely says proves nothing and shows nothing.
//!
//! What is asked and answered here is never shown, goes out once an hour and person at most, and goes out even while proof
//! stops all else. It may not know what is said in the chat. Spec: `docs/book/ledger.md`, 4.

use nodoor_e2ee::{content::Content, payload::Gossip};
use nodoor_transparency::ledger::{
    checkpoint::{Relation, SignedCheckpoint, TreeHead, origin},
    evidence::{EVIDENCE_BYTES, Evidence},
    note::NOTE_BYTES,
    policy::Policy,
    tree::{Hash, prefix_root},
};
use nodoor_view::model::Kind;
use nodoor_wire::{
    code::Class,
    id::AccountId,
    proto::{self, answer, request},
};
use serde::{Deserialize, Serialize};

use crate::{
    io::Wire,
    ledger::{Held, Ledger, growth::hashes},
    link::class_of,
    live::Purpose,
    rows::{Room, Status, key},
    step::Step,
};

const HOUR_MS: u64 = 3_600_000;
/// The longest evidence that goes into a message, bytes.
const SHARED_EVIDENCE: usize = 48 * 1024;

/// `a/gossip`: what was held an hour ago, and what will have been.
#[derive(Default, Serialize, Deserialize)]
struct Aged {
    told: Option<Held>,
    next: Option<(Held, u64)>,
}

/// When what went to and fro with a person, by our clock.
#[derive(Default, Serialize, Deserialize)]
struct Talk {
    told: u64,
    heard: u64,
    asked: u64,
    answered: u64,
    /// Their signed checkpoint is awaited.
    waits: bool,
}

/// Whether two trees are one, as the log is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    from: AccountId,
    /// What we held when we asked.
    ours: TreeHead,
    theirs: TreeHead,
    /// Theirs as the log signed it, if they showed that.
    note: Option<Vec<u8>>,
    /// The answer did not fit, and this asks for what would prove it: its hashes.
    doubted: Option<Vec<Hash>>,
}

impl Claim {
    /// The smaller tree and the larger one.
    fn ordered(&self) -> (TreeHead, TreeHead) {
        if self.ours.size < self.theirs.size {
            (self.ours, self.theirs)
        } else {
            (self.theirs, self.ours)
        }
    }
}

impl Step<'_> {
    /// What we hold ages: an hour later it may be told.
    pub(super) fn age_checkpoints(&mut self) {
        let Some(held) = self.ledger().and_then(|ledger| ledger.held) else {
            return;
        };
        let mut aged: Aged = self.disk.get(key::AGED).unwrap_or_default();
        let ripe = |at: &u64| self.now.saturating_sub(*at) >= HOUR_MS;
        if aged.next.as_ref().is_some_and(|(_, at)| ripe(at)) {
            aged.told = aged.next.take().map(|(held, _)| held);
        } else if aged.next.is_some() {
            return;
        }
        if aged.told.as_ref().is_none_or(|told| told.head() != held.head()) {
            aged.next = Some((held, self.now));
        }
        self.disk.put(key::AGED.to_vec(), &aged);
    }

    /// What goes into the next payload of a room: in a direct chat with somebody we accepted, once an hour.
    pub(crate) fn gossip_for(&mut self, room: &Room) -> Option<Gossip> {
        let other = self.gossips_with(room)?;
        self.standing_ledger()?;
        self.age_checkpoints();
        let mut talk = self.talk(&other);
        let told = self.disk.get::<Aged>(key::AGED)?.told?;
        if talk.told.saturating_add(HOUR_MS) > self.now {
            return None;
        }
        talk.told = self.now;
        self.set_talk(&other, &talk);
        Some(Gossip { size: told.size, root: told.root })
    }

    /// A member says what they saw.
    pub(crate) fn hear_gossip(&mut self, room: &Room, from: &AccountId, gossip: Gossip) {
        let Some((ledger, held)) = self.standing_ledger() else {
            return;
        };
        let mut talk = self.talk(from);
        let often = talk.heard.saturating_add(HOUR_MS) > self.now;
        if self.gossips_with(room) != Some(*from) || often || gossip.size == 0 {
            return;
        }
        talk.heard = self.now;
        self.set_talk(from, &talk);
        let theirs = TreeHead { size: gossip.size, root: gossip.root };
        match held.head().relation(&theirs) {
            Relation::Same => {}
            Relation::Fork => self.ask_for_checkpoint(&ledger, from),
            Relation::Larger | Relation::Smaller => {
                let (ours, from) = (held.head(), *from);
                self.ask_log(Claim { from, ours, theirs, note: None, doubted: None });
            }
        }
    }

    fn ask_log(&mut self, claim: Claim) {
        if self.is_ready(Wire::Anonymous) {
            let (small, large) = claim.ordered();
            // One entry more shows the root of a tree of a power of two, which is left out otherwise.
            let from = small.size + u64::from(claim.doubted.is_some());
            let body = request::Body::Consistency(proto::Consistency { from, to: large.size });
            self.request(Wire::Anonymous, body, Purpose::Gossip(Box::new(claim)));
        }
    }

    /// The log's answer.
    pub(crate) fn gossip_answered(&mut self, claim: Claim, body: &answer::Body) {
        let found = match body {
            answer::Body::Consistency(found) => hashes(found),
            // Not now: the next hour is soon enough.
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => return,
            _ => None,
        };
        let Some((ledger, held)) = self.standing_ledger() else {
            return;
        };
        if held.head() != claim.ours {
            return;
        }
        let (small, large) = claim.ordered();
        let fits = |hashes: &Vec<Hash>| small.grows_into(&large, hashes).is_ok();
        if claim.doubted.is_none() && found.as_ref().is_some_and(fits) {
            return;
        }
        match (&claim.note, found) {
            (None, _) => self.ask_for_checkpoint(&ledger, &claim.from),
            (Some(note), Some(found)) => self.prove(&held, &claim, note, found),
            // The log that we see does not have their tree: they ask the one that they see.
            (Some(_), None) => {}
        }
    }

    /// Two signed checkpoints of different sizes, and hashes of the larger tree.
    fn prove(&mut self, held: &Held, claim: &Claim, note: &[u8], found: Vec<Hash>) {
        let (small, large) = claim.ordered();
        let leads = |subtrees: &Vec<Hash>| {
            prefix_root(small.size, large.size, &large.root, subtrees)
                .is_ok_and(|root| root != small.root)
        };
        let beginnings: Vec<Vec<Hash>> = match &claim.doubted {
            Some(first) => found.iter().map(|one| [&[*one], first.as_slice()].concat()).collect(),
            None => vec![found.clone()],
        };
        if let Some(subtrees) = beginnings.into_iter().find(leads) {
            let ours_is_small = small == claim.ours;
            let (one, other) = if ours_is_small {
                (held.note.as_slice(), note)
            } else {
                (note, held.note.as_slice())
            };
            if let Ok(other) = SignedCheckpoint::parse(other) {
                self.two_histories(one, &other, subtrees);
                self.share_proof(&claim.from);
            }
        } else if claim.doubted.is_none()
            && small.size.is_power_of_two()
            && large.size - small.size > 1
        {
            self.ask_log(Claim { doubted: Some(found), ..claim.clone() });
        }
    }

    /// What they say does not fit: only what the log signed counts. Ours goes with the question, so that both can judge.
    fn ask_for_checkpoint(&mut self, ledger: &Ledger, who: &AccountId) {
        let mut talk = self.talk(who);
        talk.waits = true;
        let due = talk.asked.saturating_add(HOUR_MS) <= self.now;
        if due {
            talk.asked = self.now;
        }
        self.set_talk(who, &talk);
        if let Some(held) = ledger.held.as_ref().filter(|_| due) {
            self.say(who, &Content::Checkpoint { note: held.note.clone(), asks: true });
        }
    }

    /// A checkpoint as the log signed it, with a question or as the answer to ours.
    pub(crate) fn hear_checkpoint(
        &mut self,
        room: &Room,
        from: &AccountId,
        note: &[u8],
        asks: bool,
    ) {
        if self.gossips_with(room) != Some(*from) || note.len() > NOTE_BYTES {
            return;
        }
        let Some(ledger) = self.ledger() else {
            return;
        };
        let mut talk = self.talk(from);
        let counts = if asks {
            talk.answered.saturating_add(HOUR_MS) <= self.now
        } else {
            std::mem::take(&mut talk.waits)
        };
        if !counts {
            return;
        }
        if asks {
            talk.answered = self.now;
        }
        self.set_talk(from, &talk);
        if let Some(held) = ledger.held.filter(|_| asks) {
            self.say(from, &Content::Checkpoint { note: held.note, asks: false });
        }
        self.hold_against(from, note);
    }

    /// Holds a signed checkpoint against ours.
    fn hold_against(&mut self, from: &AccountId, note: &[u8]) {
        let Some((ledger, held)) = self.standing_ledger() else {
            return;
        };
        let policy = Policy::parse(ledger.policy.as_bytes()).ok();
        let (Some(policy), Ok(shown)) = (policy, SignedCheckpoint::parse(note)) else {
            return;
        };
        let ours = shown.checkpoint().origin() == origin(&ledger.deployment);
        if !ours || policy.signed_by_log(&shown).is_err() {
            return;
        }
        match held.head().relation(&shown.head()) {
            Relation::Same => {}
            Relation::Fork => self.two_histories(&held.note, &shown, Vec::new()),
            Relation::Larger | Relation::Smaller => self.ask_log(Claim {
                from: *from,
                ours: held.head(),
                theirs: shown.head(),
                note: Some(note.to_vec()),
                doubted: None,
            }),
        }
    }

    /// A file that a member says is proof: it is checked as anybody's, and against the log we know.
    pub(crate) fn hear_evidence(&mut self, room: &Room, from: &AccountId, file: &[u8]) {
        if self.gossips_with(room) != Some(*from)
            || file.len() > EVIDENCE_BYTES.min(SHARED_EVIDENCE)
            || self.standing_ledger().is_none()
        {
            return;
        }
        if let Ok(Evidence::Equivocation { checkpoints: [one, other], subtrees, .. }) =
            Evidence::parse(file)
        {
            self.two_histories(&one.to_vec(), &other, subtrees);
        }
    }

    /// Tells somebody of the proof that came of what they showed.
    fn share_proof(&mut self, who: &AccountId) {
        let files = self.evidence_files();
        let file = files.into_iter().rfind(|file| {
            let parsed = Evidence::parse(file.text.as_bytes());
            matches!(parsed, Ok(Evidence::Equivocation { .. }))
        });
        if let Some(file) = file.filter(|file| file.text.len() <= SHARED_EVIDENCE) {
            self.say(who, &Content::Evidence(file.text.into_bytes()));
        }
    }

    /// What we hold, unless it is known already that the log has two histories.
    fn standing_ledger(&self) -> Option<(Ledger, Held)> {
        let ledger = self.ledger()?;
        let stands = ledger.tampered.as_ref().is_none_or(|found| found.who.is_some());
        let held = ledger.held.clone().filter(|_| stands)?;
        Some((ledger, held))
    }

    /// Whom a room is a direct chat with, if we accepted them.
    fn gossips_with(&self, room: &Room) -> Option<AccountId> {
        let conversation = self.conversation(room.conversation)?;
        let contact = self.contact(&conversation.other);
        let counts = conversation.kind == Kind::Direct
            && conversation.status == Status::Open
            && contact.accepted
            && !contact.blocked
            && !self.is_me(&conversation.other);
        counts.then_some(conversation.other)
    }

    fn say(&mut self, who: &AccountId, content: &Content) {
        let conversation = self.direct_conversation(who, Status::Open);
        self.queue(conversation.id, None, content, None);
    }

    fn talk(&self, who: &AccountId) -> Talk {
        self.disk.get(&key::gossip(who)).unwrap_or_default()
    }

    fn set_talk(&mut self, who: &AccountId, talk: &Talk) {
        self.disk.put(key::gossip(who), talk);
    }
}
