// SPDX-License-Identifier: AGPL-3.0-or-later
//! One's own account: keys, registration, key packages, mailbox key, recovery words.
//!
//! All keys are made here from the random source handed in and never leave but as public halves. The
//! `Register` request is on disk before it is sent, so a lost answer repeats the same bytes.
//!
//! Spec: `docs/book/protocol.md`, 1.1.

use nodoor_transparency::{
    key::{Signer, SigningKey},
    list::{Device, DeviceList},
    statement::{HandleClaim, MailboxKey},
};
use nodoor_view::model::{Problem, ProblemKind};
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, DeploymentId, labelled_hash},
    limits,
    proto::{self, answer, request},
    sealed::MailboxSecret,
};
use prost::Message as _;
use serde_bytes::ByteArray;

use crate::{
    io::Wire,
    link::{class_of, problem_of},
    live::{LinkState, Purpose, Upload},
    rows::{Account, Contact, key},
    step::{Step, problem},
};

/// A mailbox key older than this is renewed, milliseconds.
const MAILBOX_KEY_AGE: u64 = 30 * 24 * 3600 * 1000;

/// How long a refused upload of key packages waits at least, milliseconds.
const UPLOAD_PAUSE: u64 = 60_000;

/// The signing key of recovery words' entropy.
pub(crate) fn recovery_key(entropy: &[u8; 32]) -> SigningKey {
    SigningKey::from_seed(labelled_hash("nodoor recovery v1", entropy))
}

/// The 24 words of an entropy.
///
/// # Errors
/// `None` never happens for 32 bytes.
pub(crate) fn words(entropy: &[u8; 32]) -> Option<String> {
    bip39::Mnemonic::from_entropy(entropy).ok().map(|mnemonic| mnemonic.to_string())
}

impl Step<'_> {
    /// Makes keys and device list 1, puts the registration on disk and asks for the login connection.
    pub(crate) fn begin_registration(&mut self, handle: &Handle, ticket: &str) {
        let device_seed = self.random();
        let mls_seed = self.random();
        let login_seed = self.random();
        let mailbox_seed = self.random();
        let entropy = self.random();
        let device_key = SigningKey::from_seed(device_seed);
        let recovery = recovery_key(&entropy);
        let device = Device::new(
            device_key.public(),
            SigningKey::from_seed(mls_seed).public(),
            SigningKey::from_seed(login_seed).public(),
        );
        let device_id = device.id;
        let list = DeviceList::first(recovery.public(), device);
        let signed = list.sign(&[Signer::Device(&device_key), Signer::Recovery(&recovery)]);
        let claim = HandleClaim { handle: handle.clone(), account: list.account() };
        let public = MailboxSecret::from_seed(mailbox_seed).public();
        let register = proto::Register {
            list: Some(signed.clone()),
            handle_claim: Some(claim.sign(Signer::Device(&device_key))),
            mailbox_key: Some(MailboxKey::sign(&public, self.now, &device_key)),
            ticket: ticket.to_owned(),
        };
        let account = Account {
            account: list.account(),
            device: device_id,
            handle: handle.as_str().to_owned(),
            name: String::new(),
            bot: false,
            device_seed,
            mls_seed,
            login_seed,
            recovery_entropy: Some(entropy),
            mailbox_seeds: vec![ByteArray::new(mailbox_seed)],
            mailbox_next: None,
            made_at: self.now,
            device_name: self.live.device_name.clone(),
            registering: Some(register.encode_to_vec()),
            deployment: None,
            list_version: 1,
        };
        self.set_account(&account);
        let known = proto::LookupAnswer {
            account: list.account().to_bytes(),
            lists: vec![signed],
            handle_claim: register.handle_claim,
            disputes: Vec::new(),
            directory: None,
        };
        let own = Contact {
            lookup: known.encode_to_vec(),
            handle: handle.as_str().to_owned(),
            accepted: true,
            ..Contact::default()
        };
        self.set_contact(&list.account(), &own);
        self.continue_registration();
    }

    /// Sends a registration that is on disk, or asks for the connection to do so.
    pub(crate) fn continue_registration(&mut self) {
        if self.live.login.state == LinkState::Greeting && self.live.login.awaiting.is_empty() {
            let register = self
                .account()
                .and_then(|account| account.registering)
                .and_then(|bytes| proto::Register::decode(bytes.as_slice()).ok());
            if let Some(register) = register {
                self.request(Wire::Login, request::Body::Register(register), Purpose::Register);
            }
        } else {
            self.want(Wire::Login);
        }
    }

    /// The server's answer to a registration.
    pub(crate) fn registered(&mut self, body: answer::Body) {
        let Some(mut account) = self.account() else {
            return;
        };
        match body {
            answer::Body::Register(answer)
                if AccountId::try_from(answer.account.as_ref()) == Ok(account.account) =>
            {
                account.registering = None;
                self.set_account(&account);
                if let Some(deployment) = self.deployment() {
                    self.log_in(&deployment);
                }
            }
            answer::Body::Refusal(refusal)
                if class_of(&refusal) != nodoor_wire::code::Class::Permanent =>
            {
                self.fail_registration(problem_of(&refusal));
            }
            answer::Body::Refusal(refusal) => {
                self.forget_registration(&account);
                self.fail_registration(problem_of(&refusal));
            }
            _ => self.fail_registration(problem(ProblemKind::Forged)),
        }
    }

    /// Drops keys that never became an account.
    pub(crate) fn forget_registration(&mut self, account: &Account) {
        self.disk.remove(key::ACCOUNT);
        self.forget_contact(&account.account);
    }

    fn fail_registration(&mut self, problem: Problem) {
        self.fail_parked(&problem, |ask| {
            matches!(ask.command, nodoor_view::command::Command::Register { .. })
        });
    }

    /// Uploads key packages when few are left or they are a month old, their tokens first.
    pub(crate) fn refill_key_packages(&mut self, left: u32) {
        let stock = self.live.stock;
        // Low is two fifths of the stock: 20 of 50.
        let low =
            (left as usize) * limits::KEY_PACKAGES < stock * limits::KEY_PACKAGES_LOW as usize;
        // One whose answer was lost: a refill got there if enough are left, a new stock is put again.
        self.live.upload.take_if(|upload| !low && !upload.packages.renew);
        if self.live.upload.is_none() {
            self.live.upload = if self.is_stock_old() {
                self.make_new_stock()
            } else if low {
                self.make_packages(stock.saturating_sub(left as usize))
            } else {
                return self.replace_unwanted();
            };
        }
        self.put_package_tokens();
    }

    pub(crate) fn put_package_tokens(&mut self) {
        if let Some(upload) = &mut self.live.upload {
            upload.again_at = None;
            let tokens = request::Body::TokenPut(upload.tokens.clone());
            self.request(Wire::Login, tokens, Purpose::PackageTokens);
        }
    }

    /// Tries an upload again that was refused.
    pub(crate) fn upload_again(&mut self) {
        let due = |upload: &Upload| upload.again_at.is_some_and(|at| at <= self.now);
        if self.live.upload.as_ref().is_some_and(due) && self.is_ready(Wire::Login) {
            self.put_package_tokens();
        }
    }

    /// The server knows the tokens of the key packages, and only now may it hand those out.
    pub(crate) fn package_tokens_answered(&mut self, body: &answer::Body) {
        match (body, &self.live.upload) {
            (answer::Body::Done(_), Some(upload)) => {
                let packages = request::Body::KeyPackagePut(upload.packages.clone());
                self.request(Wire::Login, packages, Purpose::Packages);
            }
            _ => self.upload_refused(body),
        }
    }

    /// The server has the key packages.
    pub(crate) fn packages_answered(&mut self, body: &answer::Body) {
        match body {
            answer::Body::Done(_) => {
                if let Some(upload) = self.live.upload.take() {
                    self.offered(&upload.packages);
                }
            }
            _ => self.upload_refused(body),
        }
    }

    fn upload_refused(&mut self, body: &answer::Body) {
        let seconds = match body {
            answer::Body::Refusal(refusal) => u64::from(refusal.retry_after_seconds),
            _ => 0,
        };
        if let Some(upload) = &mut self.live.upload {
            upload.again_at = Some(self.now + (seconds * 1000).max(UPLOAD_PAUSE));
        }
    }

    /// Renews the mailbox key once a month: one new key, put again until the server's yes. Old ones stay to open what
    /// waits.
    pub(crate) fn renew_mailbox_key(&mut self, made_at: u64) {
        // 0: the server has none yet.
        if self.now.saturating_sub(made_at) < MAILBOX_KEY_AGE {
            return;
        }
        let seed: [u8; 32] = self.random();
        let (Some(mut account), Some(device_key)) = (self.account(), self.device_key()) else {
            return;
        };
        let seed = account.mailbox_next.get_or_insert(ByteArray::new(seed)).into_array();
        self.set_account(&account);
        let public = MailboxSecret::from_seed(seed).public();
        let statement = MailboxKey::sign(&public, self.now, &device_key);
        let put = proto::MailboxKeyPut { mailbox_key: Some(statement) };
        self.request(Wire::Login, request::Body::MailboxKeyPut(put), Purpose::MailboxKey);
    }

    /// The server's answer to a new mailbox key: only now may the oldest go.
    pub(crate) fn mailbox_key_answered(&mut self, body: &answer::Body) {
        if let (answer::Body::Done(_), Some(mut account)) = (body, self.account())
            && let Some(seed) = account.mailbox_next.take()
        {
            account.mailbox_seeds.insert(0, seed);
            account.mailbox_seeds.truncate(3);
            self.set_account(&account);
            if let Some(left) = self.live.device.packages_left.take() {
                self.refill_key_packages(left);
            }
        }
    }

    /// The deployment pinned at registration.
    pub(crate) fn deployment(&self) -> Option<DeploymentId> {
        self.account().and_then(|account| account.deployment)
    }
}
