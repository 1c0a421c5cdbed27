// SPDX-License-Identifier: AGPL-3.0-or-later
//! The rules of the server as clients meet them, each with its attack first, on the store in memory.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod accounts;
#[cfg(test)]
mod anonymous;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod handles;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod mailboxes;
#[cfg(test)]
mod person;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod storage;
