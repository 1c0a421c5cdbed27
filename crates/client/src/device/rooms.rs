// SPDX-License-Identifier: AGPL-3.0-or-later
//! Devices of ours in rooms: a new one is brought into every room that this device is in, once its list is logged; one
//! that our newest list does not name is put out of them. One commit each, by the intents that everybody's devices come
//! and go by, so that nothing here is a second way into a room.
//!
//! Spec: `docs/book/ledger.md`, 8; `docs/book/protocol.md`, 3.2 and 5.

use nodoor_view::device::Standing;
use nodoor_wire::id::{DeviceId, RoomId};

use crate::{
    device::rows::{self, Named},
    rows::{Intent, Room, Status, Who, key},
    step::Step,
};

/// How soon a device that could not be added is tried again, milliseconds: at first it is making its key packages.
const SOON: u64 = 3_000;
const RARELY: u64 = 60_000;
/// Until when soon, after it came.
const NEW: u64 = 2 * 60_000;

impl Step<'_> {
    /// Looks through all rooms, when something changed or a while went by.
    pub(super) fn advance_devices_in_rooms(&mut self) {
        let at = self.live.device.rooms_again_at;
        if at > self.now || self.is_removed() {
            return;
        }
        // Nothing until something changes: a list, a room that is founded, a device that has no key packages yet.
        self.live.device.rooms_again_at = u64::MAX;
        let others = self.other_devices();
        if others.is_empty() && at != 0 {
            return;
        }
        for room in self.own_rooms() {
            self.prune_room(&room);
        }
        for device in others {
            self.bring_in(&device);
        }
    }

    /// Our devices but this one, of the newest list.
    fn other_devices(&mut self) -> Vec<DeviceId> {
        let Some(account) = self.account() else {
            return Vec::new();
        };
        let known = self.known(&account.account);
        let devices = known.map(|known| known.chain.newest().devices().to_vec());
        let ids = devices.unwrap_or_default().into_iter().map(|device| device.id);
        ids.filter(|id| *id != account.device).collect()
    }

    /// Rooms in which this device can commit.
    fn own_rooms(&self) -> Vec<RoomId> {
        self.disk
            .prefixed(key::ROOMS, usize::MAX)
            .iter()
            .filter_map(|(_, value)| self.disk.decode::<Room>(value))
            .filter(|room| !room.closed && room.stuck.is_none())
            .filter(|room| {
                let conversation = self.conversation(room.conversation);
                conversation.is_some_and(|one| one.status == Status::Open)
            })
            .map(|room| room.room)
            .collect()
    }

    /// A device of ours that our newest list does not name goes, by a commit of its own and not only before the next
    /// message.
    fn prune_room(&mut self, room: &RoomId) {
        let Some(me) = self.me() else {
            return;
        };
        let intent = Intent::Prune(me);
        if !self.unlisted(room, &me).is_empty() && !self.is_intended(room, &intent) {
            self.intend(room, &intent);
        }
    }

    /// Whether no room that this device can commit in holds a device of ours that is removed.
    pub(super) fn rooms_are_pruned(&mut self) -> bool {
        let Some(me) = self.me() else {
            return true;
        };
        self.own_rooms().iter().all(|room| self.unlisted(room, &me).is_empty())
    }

    fn bring_in(&mut self, device: &DeviceId) {
        let row = rows::named(device);
        let mut named: Named = self.disk.get(&row).unwrap_or_default();
        let Some(me) = self.me().filter(|_| !named.in_rooms) else {
            return;
        };
        if self.standing() != Standing::Good {
            return;
        }
        if !self.is_own_list_logged() {
            self.live.device.rooms_again_at = self.now + super::PAUSE;
            return;
        }
        let who = Who { account: me, device: Some(*device) };
        let intent = Intent::Add(vec![who]);
        for room in self.own_rooms() {
            let there = self.with_group(&room, |_, group| {
                group.leaves().iter().any(|leaf| leaf.name.device == *device)
            });
            if there == Some(false) && !self.is_intended(&room, &intent) {
                self.intend(&room, &intent);
            }
        }
        named.in_rooms = true;
        self.disk.put(row, &named);
    }

    /// A room that this device founds: its other devices belong there too.
    pub(crate) fn intend_own_devices(&mut self, room: &RoomId) {
        let Some(me) = self.me().filter(|_| self.is_own_list_logged()) else {
            return;
        };
        for device in self.other_devices() {
            self.intend(room, &Intent::Add(vec![Who { account: me, device: Some(device) }]));
        }
    }

    /// A device of ours could not be brought into a room: it may have no key packages yet. Nothing waits for it
    /// meanwhile, and it is tried again.
    pub(crate) fn own_device_out_of_reach(&mut self, room: &RoomId, who: Who) {
        let rows = self.disk.prefixed(&key::intents(room), usize::MAX);
        for (row, value) in rows {
            if self.disk.decode::<Intent>(&value) == Some(Intent::Add(vec![who])) {
                self.disk.remove(&row);
            }
        }
        let Some(device) = who.device else {
            return;
        };
        let row = rows::named(&device);
        let named: Named = self.disk.get(&row).unwrap_or_default();
        let is_new = self.now.saturating_sub(named.added_at) < NEW;
        self.live.device.rooms_again_at = self.now + if is_new { SOON } else { RARELY };
        self.disk.put(row, &Named { in_rooms: false, ..named });
    }

    fn is_intended(&self, room: &RoomId, intent: &Intent) -> bool {
        let rows = self.disk.prefixed(&key::intents(room), usize::MAX);
        rows.iter()
            .filter_map(|(_, value)| self.disk.decode::<Intent>(value))
            .any(|one| one == *intent)
    }

    /// Whether our newest list is in the log, where there is one: before that no device is added anywhere.
    fn is_own_list_logged(&mut self) -> bool {
        let Some(me) = self.me() else {
            return false;
        };
        let logged = self.is_logged(&me);
        if !logged {
            self.seek_proof(me);
        }
        logged
    }
}
