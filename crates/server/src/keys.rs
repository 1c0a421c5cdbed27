// SPDX-License-Identifier: AGPL-3.0-or-later
//! Tokens and key packages: how others reach a device without knowing more of it.
//!
//! A token is known here by its hash, and registered by showing the seed it was made from: every member of a
//! room reads its tokens in the tree, and the seed is what only the device has that made the token.
//!
//! Carries out `docs/book/protocol.md`, 3 (tokens) and 7 (key packages).

use bytes::Bytes;
use nodoor_wire::{
    code::Code,
    id::{AccountId, DeviceId, Token, TokenHash},
    limits::{BATCH, DEVICES, KEY_PACKAGE, KEY_PACKAGES},
    proto::{self, answer},
};

use crate::{
    accounts::{cost_of, newest_list},
    connection::Connection,
    refusal::{Handled, Refusal, at_most, identifier, present},
    server::{Inner, done},
    storage::{Day, Op, Outcome, Taken},
    writer::Work,
};

impl Inner {
    pub(crate) async fn put_tokens(
        &self,
        connection: &Connection,
        put: proto::TokenPut,
    ) -> Handled {
        let (_, device) = self.known_device(connection)?;
        let hashes = token_hashes(&put.seeds)?;
        // Each stays until it is deleted.
        let cost = u32::try_from(hashes.len()).unwrap_or(u32::MAX);
        self.budgets.device.spend(&device.0, cost, self.clock.now_ms())?;
        let mailbox = self.storage.mailbox(device).await?.ok_or(Code::Unauthorised)?;
        if mailbox.key.is_empty() {
            // Nothing could be sealed to it: state a mailbox key first.
            return Err(Code::Forbidden.into());
        }
        let of_key_packages = put.of_key_packages;
        let operation = Op::PutTokens { device, hashes, of_key_packages };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            Outcome::TooMany => Err(Code::TooLarge.into()),
            _ => Err(Code::Unauthorised.into()),
        }
    }

    pub(crate) async fn delete_tokens(
        &self,
        connection: &Connection,
        delete: proto::TokenDelete,
    ) -> Handled {
        let (_, device) = self.known_device(connection)?;
        let hashes = token_hashes(&delete.seeds)?;
        self.of_mailbox(Op::DeleteTokens { device, hashes }).await
    }

    pub(crate) async fn put_key_packages(
        &self,
        connection: &Connection,
        put: proto::KeyPackagePut,
    ) -> Handled {
        let (_, device) = self.known_device(connection)?;
        at_most(put.single_use.len(), KEY_PACKAGES)?;
        for package in put.single_use.iter().chain([&put.last_resort]) {
            at_most(package.len(), KEY_PACKAGE)?;
        }
        if put.single_use.iter().any(Bytes::is_empty) {
            return Err(Code::Malformed.into());
        }
        self.of_mailbox(Op::PutKeyPackages {
            device,
            single_use: put.single_use,
            last_resort: put.last_resort,
            renew: put.renew,
            day: Day::of_ms(self.clock.now_ms()),
        })
        .await
    }

    pub(crate) async fn take_key_packages(
        &self,
        connection: &Connection,
        take: proto::KeyPackageTake,
    ) -> Handled {
        self.may_take(connection, &take.account, 1)?;
        at_most(take.devices.len(), DEVICES)?;
        let account: AccountId = identifier(&take.account)?;
        let record = self.storage.account(account).await?.ok_or(Code::NotFound)?;
        let listed: Vec<DeviceId> = newest_list(&record)
            .map(|list| list.devices().iter().map(|device| device.id).collect())
            .unwrap_or_default();
        let mut devices = if take.devices.is_empty() {
            listed
        } else {
            let asked = take.devices.iter().map(|device| identifier(device));
            let asked = asked.collect::<Result<Vec<DeviceId>, Refusal>>()?;
            listed.into_iter().filter(|device| asked.contains(device)).collect()
        };
        devices.sort_unstable();
        devices.dedup();
        let now_ms = self.clock.now_ms();
        let cost = u32::try_from(devices.len()).unwrap_or(u32::MAX).max(1);
        self.may_take(connection, &take.account, cost_of(&record))?;
        self.budgets.take.spend_by_address(connection.budget_key(), cost, now_ms)?;
        // Who empties this budget empties nothing else: the last-resort package is everybody's.
        let wait = self.budgets.taken.spend(&account.0, cost, now_ms).err();
        let taken = match &wait {
            None => self.take(&devices).await?,
            Some(_) => self.storage.last_resorts(devices.clone()).await?,
        };
        let packages: Vec<proto::TakenKeyPackage> = devices
            .iter()
            .zip(taken)
            .filter_map(|(device, taken)| {
                let taken = taken?;
                Some(proto::TakenKeyPackage {
                    device: device.to_bytes(),
                    key_package: taken.key_package,
                    last_resort: taken.last_resort,
                })
            })
            .collect();
        if packages.is_empty() {
            return Err(wait.unwrap_or_else(|| Code::NoKeyPackage.into()));
        }
        let answer = proto::KeyPackageTakeAnswer { packages };
        Ok(answer::Body::KeyPackageTake(answer))
    }

    /// Where key packages are taken: on the anonymous connection, but those of one's own other devices, which would say whose
    /// connection that is, on the login connection.
    ///
    /// Spec: `docs/book/ledger.md`, 7.
    fn may_take(&self, connection: &Connection, of: &[u8], cost: u32) -> Result<(), Refusal> {
        if connection.login().is_err() {
            return self.anonymous(connection, cost);
        }
        match connection.device() {
            Ok((own, device, _)) if own.as_bytes() == of => {
                self.budgets.device.spend(&device.0, cost, self.clock.now_ms())
            }
            _ => Err(Code::WrongConnection.into()),
        }
    }

    /// Takes a key package of each device.
    async fn take(&self, devices: &[DeviceId]) -> Result<Vec<Option<Taken>>, Refusal> {
        let operation = Op::TakeKeyPackages { devices: devices.to_vec() };
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Taken(taken) => Ok(taken),
            _ => Err(Code::Internal.into()),
        }
    }

    /// Commits an operation on the mailbox of a device that is logged in, and may have been removed since.
    async fn of_mailbox(&self, operation: Op) -> Handled {
        match self.writer.submit(Work::Plain(operation)).await? {
            Outcome::Done => done(),
            _ => Err(Code::Unauthorised.into()),
        }
    }
}

fn token_hashes(seeds: &[Bytes]) -> Result<Vec<TokenHash>, Refusal> {
    at_most(seeds.len(), BATCH)?;
    present((!seeds.is_empty()).then_some(()))?;
    seeds.iter().map(|seed| Ok(Token::of_seed(&identifier(seed)?).hash())).collect()
}
