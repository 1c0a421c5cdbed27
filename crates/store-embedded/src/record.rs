// SPDX-License-Identifier: AGPL-3.0-or-later
//! Values as bytes; the layouts stand at [`crate::keyspace::Space`].

use bytes::Bytes;
use nodoor_server::storage::{
    Day, EntryRecord, EpochRecord, HourKeyRecord, MailboxRecord, RoomRecord, StorageError,
    TokenRecord,
};
use nodoor_wire::id::{AccountId, DeviceId, HourKeyId};
use prost::Message;

/// Reads a value from its beginning.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Self {
        Self(value)
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], StorageError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, StorageError> {
        Ok(u32::from_be_bytes(self.take()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, StorageError> {
        Ok(u64::from_be_bytes(self.take()?))
    }

    pub(crate) fn day(&mut self) -> Result<Day, StorageError> {
        Ok(Day(self.u32()?))
    }

    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], StorageError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> Bytes {
        Bytes::copy_from_slice(self.0)
    }
}

const SHORT: StorageError = StorageError::Damaged("a value is too short");

pub(crate) fn message<M: Message + Default>(value: &[u8]) -> Result<M, StorageError> {
    M::decode(value).map_err(|_| StorageError::Damaged("a value is no message"))
}

pub(crate) fn device(value: &[u8]) -> Result<DeviceId, StorageError> {
    Reader::new(value).take().map(DeviceId)
}

pub(crate) fn account(value: &[u8]) -> Result<AccountId, StorageError> {
    Reader::new(value).take().map(AccountId)
}

/// A mailbox, and whether the token is in a key package.
pub(crate) fn token_row(token: &TokenRecord) -> Vec<u8> {
    [token.device.as_bytes(), [u8::from(token.of_key_package)].as_slice()].concat()
}

pub(crate) fn token(value: &[u8]) -> Result<TokenRecord, StorageError> {
    let mut reader = Reader::new(value);
    let device = DeviceId(reader.take()?);
    let [of_key_package] = reader.take()?;
    Ok(TokenRecord { device, of_key_package: of_key_package != 0 })
}

/// Number of versions and the handle claim.
pub(crate) fn account_row(versions: u64, claim: &impl Message) -> Vec<u8> {
    [versions.to_be_bytes().as_slice(), &claim.encode_to_vec()].concat()
}

/// A mailbox without its cursors, which are elsewhere.
pub(crate) fn mailbox_row(account: &AccountId, key: &[u8], made_at_ms: u64) -> Vec<u8> {
    [account.as_bytes(), &made_at_ms.to_be_bytes(), key].concat()
}

pub(crate) fn mailbox(value: &[u8]) -> Result<MailboxRecord, StorageError> {
    let mut reader = Reader::new(value);
    Ok(MailboxRecord {
        account: AccountId(reader.take()?),
        key_made_at_ms: reader.u64()?,
        key: reader.rest(),
        acknowledged: 0,
        done: 0,
        last: 0,
    })
}

/// How far a mailbox is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// Everything up to here was acknowledged.
    pub(crate) acknowledged: u64,
    /// No sequence up to here is used again.
    pub(crate) floor: u64,
}

impl Cursor {
    pub(crate) fn read(row: Option<impl AsRef<[u8]>>) -> Result<Self, StorageError> {
        let Some(row) = row else { return Ok(Self::default()) };
        let mut reader = Reader::new(row.as_ref());
        Ok(Self { acknowledged: reader.u64()?, floor: reader.u64()? })
    }

    pub(crate) fn to_row(self) -> Vec<u8> {
        [self.acknowledged.to_be_bytes(), self.floor.to_be_bytes()].concat()
    }
}

pub(crate) fn entry_row(entry: &EntryRecord) -> Vec<u8> {
    [entry.key_id.as_bytes(), &entry.salt, &entry.release_check, &entry.sealed].concat()
}

pub(crate) fn entry(value: &[u8]) -> Result<EntryRecord, StorageError> {
    let mut reader = Reader::new(value);
    Ok(EntryRecord {
        key_id: HourKeyId(reader.take()?),
        salt: reader.take()?,
        release_check: reader.take()?,
        sealed: reader.rest(),
    })
}

pub(crate) fn hour_key_row(record: &HourKeyRecord) -> Vec<u8> {
    [record.day.0.to_be_bytes().as_slice(), &record.sealed].concat()
}

pub(crate) fn share_row(shares: u32, day: Day) -> Vec<u8> {
    [shares.to_be_bytes(), day.0.to_be_bytes()].concat()
}

/// Where a device is called, and since when.
pub(crate) fn push_row(day: Day, subscription: &[u8]) -> Vec<u8> {
    [day.0.to_be_bytes().as_slice(), subscription].concat()
}

pub(crate) fn push(value: &[u8]) -> Result<(Day, Bytes), StorageError> {
    let mut reader = Reader::new(value);
    Ok((reader.day()?, reader.rest()))
}

/// A room without its day, which is elsewhere.
pub(crate) fn room_row(room: &RoomRecord) -> Vec<u8> {
    [room.epoch.to_be_bytes().as_slice(), &room.key_check, &room.roster].concat()
}

pub(crate) fn room(value: &[u8]) -> Result<RoomRecord, StorageError> {
    let mut reader = Reader::new(value);
    let (epoch, key_check) = (reader.u64()?, reader.take()?);
    Ok(RoomRecord { epoch, key_check, roster: reader.rest(), day: Day::default() })
}

/// When a room was used last, and whether it ever moved.
pub(crate) fn room_day_row(day: Day, moved: bool) -> Vec<u8> {
    [day.0.to_be_bytes().as_slice(), &[u8::from(moved)]].concat()
}

pub(crate) fn epoch_row(past: &EpochRecord) -> Vec<u8> {
    let roster_length = u32::try_from(past.roster.len()).unwrap_or(u32::MAX);
    [
        past.day.0.to_be_bytes().as_slice(),
        &past.key_check,
        &past.commit_id,
        &roster_length.to_be_bytes(),
        &past.roster,
        &past.commit,
    ]
    .concat()
}

pub(crate) fn epoch(epoch: u64, value: &[u8]) -> Result<EpochRecord, StorageError> {
    let mut reader = Reader::new(value);
    let day = reader.day()?;
    let key_check = reader.take()?;
    let commit_id = reader.take()?;
    let roster_length = usize::try_from(reader.u32()?).map_err(|_| SHORT)?;
    let roster = Bytes::copy_from_slice(reader.slice(roster_length)?);
    Ok(EpochRecord { epoch, key_check, roster, commit_id, commit: reader.rest(), day })
}
