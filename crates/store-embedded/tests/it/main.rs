// SPDX-License-Identifier: AGPL-3.0-or-later
//! The folder as the server, a crash, and a thief meet it.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod ledger_speed;
#[cfg(test)]
#[expect(dead_code, reason = "the server's own tests use all of it")]
#[path = "../../../server/tests/it/person.rs"]
mod person;
#[cfg(test)]
mod seized;
#[cfg(test)]
mod settled;
#[cfg(test)]
mod speed;
