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

use std::collections::BTreeMap;

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
    id::AccountId,
    proto::{self, answer, request},
};
use serde::{Deserialize, Serialize};

use crate::{
    io::Wire,
    ledger::{Held, Ledger, growth::hashes},
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
    /// A checkpoint of theirs as the log signed it, which the log has not shown to be one with ours yet.
    #[serde(default)]
    open: Option<Open>,
}

/// A question that the log did not answer. It is asked again each hour, and the log is as old as the question.
#[derive(Clone, Serialize, Deserialize)]
struct Open {
    #[serde(with = "serde_bytes")]
    note: Vec<u8>,
    /// Since when, by our clock.
    since: u64,
}

/// Whether two trees are one, as the log is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    from: AccountId,
    /// What we held when we asked; what we hold later goes on from it.
    ours: Held,
    theirs: TreeHead,
    /// Theirs as the log signed it, if they showed that.
    note: Option<Vec<u8>>,
    /// The answer did not fit, and this asks for what would prove it: its hashes.
    doubted: Option<Vec<Hash>>,
}

impl Claim {
    /// The smaller tree and the larger one.
    fn ordered(&self) -> (TreeHead, TreeHead) {
        let ours = self.ours.head();
        if ours.size < self.theirs.size { (ours, self.theirs) } else { (self.theirs, ours) }
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
                let from = *from;
                self.ask_log(Claim { from, ours: held, theirs, note: None, doubted: None });
            }
        }
    }

    fn ask_log(&mut self, claim: Claim) {
        if !self.is_ready(Wire::Anonymous) {
            return self.gossip_unanswered(&claim);
        }
        let (small, large) = claim.ordered();
        // One entry more shows the root of a tree of a power of two, which is left out otherwise.
        let from = small.size + u64::from(claim.doubted.is_some());
        let body = request::Body::Consistency(proto::Consistency { from, to: large.size });
        self.request(Wire::Anonymous, body, Purpose::Gossip(Box::new(claim)));
    }

    /// The log said nothing, or not now: no reason to believe anything. The other one is asked for what it signed; what it
    /// signed is asked about again.
    pub(crate) fn gossip_unanswered(&mut self, claim: &Claim) {
        if let (None, Some((ledger, _))) = (&claim.note, self.standing_ledger()) {
            self.ask_for_checkpoint(&ledger, &claim.from);
        }
    }

    /// The log's answer.
    pub(crate) fn gossip_answered(&mut self, claim: Claim, body: &answer::Body) {
        let found = match body {
            answer::Body::Consistency(found) => hashes(found),
            _ => None,
        };
        if self.standing_ledger().is_none() {
            return;
        }
        let (small, large) = claim.ordered();
        let fits = |hashes: &Vec<Hash>| small.grows_into(&large, hashes).is_ok();
        if claim.doubted.is_none() && found.as_ref().is_some_and(fits) {
            return self.close_question(&claim.from);
        }
        match (&claim.note, found) {
            (None, _) => self.gossip_unanswered(&claim),
            (Some(note), Some(found)) => self.prove(&claim, note, found),
            // The log that we see does not have their tree: they ask the one that they see, and we ask again.
            (Some(_), None) => {}
        }
    }

    /// What somebody showed and the log left open is kept.
    fn open_question(&mut self, from: &AccountId, note: &[u8]) {
        let mut talk = self.talk(from);
        let since = talk.open.as_ref().map_or(self.now, |open| open.since);
        talk.open = Some(Open { note: note.to_vec(), since });
        self.set_talk(from, &talk);
        let open = &mut self.live.checking.open;
        open.get_or_insert_default().insert(*from, since);
        let again = &mut self.live.checking.open_again;
        if *again <= self.now {
            *again = self.now + HOUR_MS;
        }
    }

    fn close_question(&mut self, from: &AccountId) {
        let mut talk = self.talk(from);
        if talk.open.take().is_some() {
            self.set_talk(from, &talk);
            self.open_questions().remove(from);
        }
    }

    /// Whose checkpoints the log has not shown to be one with ours, and since when.
    fn open_questions(&mut self) -> &mut BTreeMap<AccountId, u64> {
        if self.live.checking.open.is_none() {
            let talks = self.disk.prefixed(key::TALKS, usize::MAX);
            let read = |(row, value): (Vec<u8>, Vec<u8>)| {
                let talk: Talk = self.disk.decode(&value)?;
                Some((key::read_talk(&row)?, talk.open?.since))
            };
            self.live.checking.open = Some(talks.into_iter().filter_map(read).collect());
        }
        self.live.checking.open.get_or_insert_default()
    }

    /// The log is asked again about what it left open, once an hour.
    pub(crate) fn advance_gossip(&mut self) {
        if self.live.checking.open_again > self.now || !self.is_ready(Wire::Anonymous) {
            return;
        }
        self.live.checking.open_again = self.now + HOUR_MS;
        let all: Vec<AccountId> = self.open_questions().keys().copied().collect();
        for who in all {
            if let Some(open) = self.talk(&who).open {
                self.hold_against(&who, &open.note);
            }
        }
    }

    /// When that is due.
    pub(crate) fn gossip_due(&self) -> Option<u64> {
        let open = self.live.checking.open.as_ref().is_some_and(|open| !open.is_empty());
        open.then_some(self.live.checking.open_again)
    }

    /// Since when the log leaves a question open, by our clock.
    pub(super) fn open_since(&self) -> Option<u64> {
        self.live.checking.open.as_ref()?.values().min().copied()
    }

    /// Two signed checkpoints of different sizes, and hashes of the larger tree.
    fn prove(&mut self, claim: &Claim, note: &[u8], found: Vec<Hash>) {
        let held = &claim.ours;
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
            let ours_is_small = small == held.head();
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
            Relation::Same => self.close_question(from),
            Relation::Fork => self.two_histories(&held.note, &shown, Vec::new()),
            Relation::Larger | Relation::Smaller => {
                self.open_question(from, note);
                let (theirs, note) = (shown.head(), Some(note.to_vec()));
                self.ask_log(Claim { from: *from, ours: held, theirs, note, doubted: None });
            }
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

    /// Whom a room is a direct chat with, if we accepted them; ourselves in that of our own devices.
    fn gossips_with(&self, room: &Room) -> Option<AccountId> {
        let conversation = self.conversation(room.conversation)?;
        let contact = self.contact(&conversation.other);
        let known = contact.accepted && !contact.blocked || self.is_me(&conversation.other);
        let counts =
            conversation.kind == Kind::Direct && conversation.status == Status::Open && known;
        counts.then_some(conversation.other)
    }

    fn say(&mut self, who: &AccountId, content: &Content) {
        let conversation = self.direct_conversation(who, Status::Open);
        self.queue(conversation.id, None, &content.clone().into(), None);
    }

    fn talk(&self, who: &AccountId) -> Talk {
        self.disk.get(&key::gossip(who)).unwrap_or_default()
    }

    fn set_talk(&mut self, who: &AccountId, talk: &Talk) {
        self.disk.put(key::gossip(who), talk);
    }
}
