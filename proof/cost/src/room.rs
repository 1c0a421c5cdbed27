// SPDX-License-Identifier: AGPL-3.0-or-later
//! Devices of as many accounts in one room, each with a disk in memory.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use anyhow::{Context as _, Result, bail};
use ed25519_dalek::SigningKey;
use getrandom::SysRng;
use nodoor_e2ee::{
    content::{self, Content},
    group::{Change, Group},
    identity::Identity,
    join::Candidate,
    key_package,
    open::Opened,
    room::{RoomContext, RoomKind},
    store::KeyValue,
};
use nodoor_wire::id::{AccountId, DeviceId, RoomId};
use rand_core::UnwrapErr;

const ROOM: RoomId = RoomId([7; 32]);

/// A map, and the bytes written into it.
#[derive(Default)]
pub(crate) struct Disk {
    rows: RefCell<BTreeMap<Vec<u8>, Vec<u8>>>,
    written: Cell<usize>,
}

impl Disk {
    pub(crate) fn written(&self) -> usize {
        self.written.get()
    }

    pub(crate) fn forget_written(&self) {
        self.written.set(0);
    }
}

impl KeyValue for Disk {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.borrow().get(key).cloned()
    }

    fn put(&self, key: Vec<u8>, value: Vec<u8>) {
        self.written.set(self.written.get() + value.len());
        self.rows.borrow_mut().insert(key, value);
    }

    fn delete(&self, key: &[u8]) {
        self.rows.borrow_mut().remove(key);
    }
}

/// A device and what it holds of the room.
pub(crate) struct Device {
    pub(crate) me: Identity,
    pub(crate) device_key: SigningKey,
    pub(crate) disk: Disk,
    pub(crate) group: Option<Group>,
}

impl Device {
    fn new(number: u8) -> Self {
        Self {
            me: Identity::new(AccountId([number; 16]), DeviceId([number; 16]), 1, [number; 32]),
            device_key: SigningKey::from_bytes(&[number.wrapping_add(100); 32]),
            disk: Disk::default(),
            group: None,
        }
    }

    /// Reads the room from the disk.
    pub(crate) fn load(&mut self) -> Result<()> {
        self.group = Group::load(&self.disk, &ROOM)?;
        Ok(())
    }

    fn group(&mut self) -> Result<&mut Group> {
        self.group.as_mut().context("not in the room")
    }
}

/// The room as all its devices hold it; the first founded it.
pub(crate) struct Room {
    pub(crate) devices: Vec<Device>,
}

impl Room {
    pub(crate) fn of(size: u8) -> Result<Self> {
        let mut devices: Vec<Device> = (1..=size).map(Device::new).collect();
        let (founder, others) = devices.split_first_mut().context("a room of nobody")?;
        let context = RoomContext::new(RoomKind::Group, AccountId([1; 16]), "Cost");
        let mut group = Group::found(&founder.disk, &founder.me, ROOM, context, &mut rng())?;
        let mut add = Vec::new();
        for other in &*others {
            add.push(key_package::make(&other.disk, &other.me, false, &mut rng())?.bytes);
        }
        let change = Change { add, ..Change::default() };
        let commit = group.commit(&founder.disk, &founder.me, change, &mut rng())?;
        group.merge_pending(&founder.disk)?;
        founder.group = Some(group);
        let welcome = commit.welcomes.first().context("a commit without a welcome")?;
        for other in others {
            let candidate = Candidate::open(&other.disk, &welcome.body)?;
            other.group = Some(candidate.join(&other.disk)?);
        }
        Ok(Self { devices })
    }

    /// Everybody sends one message, which the first two read.
    pub(crate) fn everybody_writes(&mut self) -> Result<()> {
        let text = content::encode(&Content::Text("here".to_owned()).into(), [7; 16]);
        for from in 0..self.devices.len() {
            let sender = self.devices.get_mut(from).context("a sender")?;
            let Device { me, disk, group, .. } = sender;
            let frame = group.as_mut().context("a member")?.seal(disk, me, &text)?;
            for (at, reader) in self.devices.iter_mut().enumerate().take(2) {
                if at != from {
                    let Device { disk, group, .. } = reader;
                    group.as_mut().context("a member")?.open(disk, &frame)?;
                }
            }
        }
        Ok(())
    }

    /// The first renews its keys and the others follow.
    pub(crate) fn next_epoch(&mut self) -> Result<()> {
        let (first, others) = self.devices.split_first_mut().context("a room of nobody")?;
        let Device { me, disk, group, .. } = first;
        let group = group.as_mut().context("a member")?;
        let commit = group.commit(disk, me, Change::default(), &mut rng())?;
        group.merge_pending(disk)?;
        for other in others {
            let Device { disk, .. } = other;
            let disk = std::mem::take(disk);
            let group = other.group()?;
            let Opened::Commit(staged) = group.open(&disk, &commit.frame)? else {
                bail!("not a commit");
            };
            group.merge(&disk, *staged)?;
            other.disk = disk;
        }
        Ok(())
    }
}

pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
