// SPDX-License-Identifier: AGPL-3.0-or-later
//! From keys to a device: what waits on disk until a list of the account names it. Either the device one has puts that
//! list, or this one does, signed by the recovery key.
//!
//! Spec: `docs/book/ledger.md`, 8.

use nodoor_transparency::key::{Signer, SigningKey};
use nodoor_view::{
    command::{Command as Asked, Reply},
    device::{Command, Linking},
    model::{Problem, ProblemKind},
};
use nodoor_wire::{
    code::{Class, Code},
    handle::Handle,
    id::{AccountId, DeviceId},
    proto::{self, answer, request},
};
use prost::Message as _;
use serde_bytes::ByteArray;

use crate::{
    account::recovery_key,
    device::{
        DAY, PAUSE, Request,
        machine::Keys,
        rows::{self, JOINING, Joining, Named},
        words::entropy_of,
    },
    io::Wire,
    link::{class_of, problem_of},
    live::Purpose,
    lookup::Resolution,
    rows::Account,
    step::{Step, problem, refused},
};

/// After so long the list is asked for more rarely, milliseconds.
const SOON: u64 = 2 * 60_000;
const RARELY: u64 = 60_000;

impl Step<'_> {
    /// Keys that wait for a list.
    pub(super) fn joining(&self) -> Option<Joining> {
        self.disk.get(JOINING)
    }

    /// The keys of a meeting are on disk: the list that names them is signed by both sides.
    pub(super) fn begin_joining(&mut self, account: AccountId, keys: &Keys) {
        let account = self.account_of(account, keys, "");
        let joining = Joining { account, since: self.now, list: None };
        self.disk.put(JOINING.to_vec(), &joining);
        self.live.device.join_again_at = self.now + PAUSE;
    }

    /// The account as this device will have it.
    fn account_of(&mut self, account: AccountId, keys: &Keys, handle: &str) -> Account {
        Account {
            account,
            device: keys.device().id,
            handle: handle.to_owned(),
            name: String::new(),
            bot: false,
            device_seed: keys.device_seed,
            mls_seed: keys.mls_seed,
            login_seed: keys.login_seed,
            recovery_entropy: None,
            mailbox_seeds: Vec::new(),
            mailbox_next: Some(ByteArray::new(self.random())),
            made_at: self.now,
            device_name: self.live.device_name.clone(),
            registering: None,
            deployment: self.live.deployment,
            list_version: 0,
        }
    }

    /// Slot 6 says that the list is put: looks now, and not only in a while.
    pub(super) fn look_who_we_are(&mut self) {
        if let Some(joining) = self.joining() {
            self.live.fresh.remove(&joining.account.account);
            self.seek(joining.account.account);
        }
    }

    /// Becomes a device once a list names these keys; looks for one, and puts ours.
    pub(super) fn advance_joining(&mut self) {
        let Some(joining) = self.joining() else {
            return;
        };
        let account = joining.account.account;
        let own = self.known(&account).and_then(|known| {
            let list = known.chain.newest();
            let device = list.device(&joining.account.device)?;
            let login = SigningKey::from_seed(joining.account.login_seed).public();
            (device.login_key == login).then(|| list.version())
        });
        if let Some(version) = own {
            return self.join(joining, version);
        }
        let age = self.now.saturating_sub(joining.since);
        if age > DAY {
            return self.disk.remove(JOINING);
        }
        if joining.list.is_some() {
            return self.put_joining_list(&joining);
        }
        if self.live.device.join_again_at <= self.now {
            self.live.device.join_again_at = self.now + if age < SOON { PAUSE } else { RARELY };
            self.seek(account);
        }
    }

    fn put_joining_list(&mut self, joining: &Joining) {
        if !self.live.device.list.may_go(self.now) {
            return;
        }
        if !self.may_sign() {
            return self.want(Wire::Login);
        }
        let list = joining.list.as_deref().and_then(|list| proto::SignedList::decode(list).ok());
        if let Some(list) = list {
            self.live.device.list.under_way = true;
            let put = request::Body::ListPut(proto::ListPut { list: Some(list) });
            self.request(Wire::Login, put, Purpose::Device(Request::List));
        }
    }

    /// The server's answer to the list that the recovery key signed.
    pub(super) fn joining_list_answered(&mut self, body: &answer::Body) {
        let Some(joining) = self.joining() else {
            return;
        };
        match body {
            // Ours now, or after a lost answer: the look-up shows it, as anybody sees it.
            answer::Body::Done(_) => {
                self.live.device.list.again_at(self.now + RARELY);
                self.look_who_we_are();
            }
            answer::Body::Refusal(refusal)
                if Code::from_number(refusal.code) == Some(Code::ListConflict) =>
            {
                // Another list came first: signed again on top of it, by the command that waits.
                self.disk.remove(JOINING);
                self.live.fresh.remove(&joining.account.account);
                self.live.handles.clear();
            }
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Permanent => {
                self.disk.remove(JOINING);
                self.fail_recovery(&problem_of(refusal));
            }
            _ => self.live.device.list.again_at(self.now + PAUSE),
        }
    }

    fn fail_recovery(&mut self, why: &Problem) {
        self.fail_parked(why, |ask| {
            matches!(&ask.command, Asked::Device { of: Command::Recover { .. } })
        });
    }

    /// A list names us: from here on this is a device like any other.
    fn join(&mut self, joining: Joining, version: u64) {
        let mut account = joining.account;
        let me = account.account;
        account.list_version = u32::try_from(version).unwrap_or(u32::MAX);
        let claimed = self.known(&me).and_then(|known| known.handle.clone());
        if let Some(handle) = claimed {
            account.handle = handle;
        }
        let mut contact = self.contact(&me);
        contact.handle.clone_from(&account.handle);
        contact.accepted = true;
        self.set_contact(&me, &contact);
        self.set_account(&account);
        self.leave_room_for_history();
        self.disk.remove(JOINING);
        self.learn_of_others(&me, &account.device);
        self.live.device.list = super::Flight::default();
        if joining.list.is_none() {
            let device = self.device_row(&account.device);
            self.tell_linking(Linking::Linked { device });
        }
        match account.deployment {
            Some(deployment) if self.may_sign() => self.log_in(&deployment),
            _ => self.want(Wire::Login),
        }
        self.tell_connection();
    }

    /// The devices that were there before: this one learns of them now. What they are called they say themselves.
    fn learn_of_others(&mut self, me: &AccountId, own: &DeviceId) {
        let devices = self.known(me).map(|known| known.chain.newest().devices().to_vec());
        for device in devices.unwrap_or_default().iter().filter(|device| device.id != *own) {
            let row = rows::named(&device.id);
            let named: Named = self.disk.get(&row).unwrap_or_default();
            self.disk.put(row, &Named { added_at: self.now, ..named });
        }
    }

    /// The 24 words make this the account's only device.
    pub(super) fn recover(&mut self, handle: &str, words: &str) -> Option<Reply> {
        let Ok(handle) = Handle::parse(handle) else {
            return Some(refused(ProblemKind::HandleForm));
        };
        if let Some(account) = self.account() {
            let same = account.registering.is_none() && account.handle == handle.as_str();
            let profile = self.profile().filter(|_| same);
            return Some(profile.map_or_else(|| refused(ProblemKind::HasAccount), Reply::Profile));
        }
        let Some(entropy) = entropy_of(words) else {
            return Some(refused(ProblemKind::WrongWords));
        };
        if self.joining().is_some_and(|joining| joining.list.is_some()) {
            return None;
        }
        let account = match self.resolve(&handle) {
            Resolution::Pending => return None,
            Resolution::Nobody => return Some(refused(ProblemKind::NotFound)),
            Resolution::Known(account) => account,
        };
        let chain = self.known(&account).map(|known| known.chain.clone())?;
        let recovery = recovery_key(&entropy);
        if *chain.newest().recovery() != recovery.public() {
            return Some(Reply::Problem(problem(ProblemKind::WrongWords)));
        }
        if !self.may_sign_after(&account) {
            self.await_log(account);
            return None;
        }
        let keys =
            Keys { device_seed: self.random(), mls_seed: self.random(), login_seed: self.random() };
        let list = chain.newest().successor(vec![keys.device()]);
        let signers = [Signer::Device(&keys.device_key()), Signer::Recovery(&recovery)];
        let list = list.sign(&signers).encode_to_vec();
        let account = self.account_of(account, &keys, handle.as_str());
        let joining = Joining { account, since: self.now, list: Some(list) };
        self.disk.put(JOINING.to_vec(), &joining);
        self.live.device.list = super::Flight::default();
        self.want(Wire::Login);
        None
    }
}
