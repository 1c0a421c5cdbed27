// SPDX-License-Identifier: AGPL-3.0-or-later
//! The ledger of a deployment: what stands in it, the tree over it, and who vouches for the tree.
//!
//! Formats, maths and checks; no file, no socket, no clock. A `u64` of milliseconds comes in wherever the time
//! counts. Nothing here is secret but the two signing keys of [`note`].
//!
//! From below: [`note`] (signed text), [`tree`] (RFC 6962 over tiles), [`entry`] (what is logged; [`disclosure`]: each hour),
//! [`checkpoint`] (size and root, signed and cosigned), [`policy`] (whose cosignatures count), [`proof`] (an entry
//! under a checkpoint), [`witness`] (what a cosigner decides), [`evidence`] (two things that cannot both be honest).
//!
//! Carries out `docs/book/ledger.md`, 1 and 3 to 5, and the C2SP formats it names. `server` writes with it;
//! `gateway`, `client` and the terminal's `witness`, `audit` and `evidence` read with it.

pub mod checkpoint;
pub mod disclosure;
pub mod entry;
pub mod evidence;
pub mod note;
pub mod policy;
pub mod proof;
pub mod tree;
pub mod witness;

mod text;
