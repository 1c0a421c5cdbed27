// SPDX-License-Identifier: AGPL-3.0-or-later
//! The code of a linking, as a password that two devices prove to each other: SPAKE2, one run a try.
//!
//! The device one has draws the code and shows it; it goes nowhere but through a person's eyes and fingers. What the two
//! send each other lets whoever stands between them test one guess a run, and says nothing about the code otherwise. So
//! whoever shows a link of their own, and has it scanned, is not linked by that: they would have to be told the code.
//!
//! A run is bound to slots 0 and 1, and with them to the new device's keys and to the account, by the two names.
//!
//! Spec: `docs/book/ledger.md`, 8; RFC 9382 in the form of the crate `spake2`; decision 0012.

use nodoor_transparency::{link::Code, meeting::EXCHANGE};
use nodoor_wire::id::labelled_hash;
use rand_core::CryptoRng;
use spake2::{Ed25519Group, Identity, Password, Spake2};
use subtle::ConstantTimeEq as _;

use crate::tokens::Draws;

/// A message of the exchange: which side, and a point.
pub(crate) type Message = [u8; EXCHANGE];

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The device one has, where the code is shown.
    Old,
    /// The new device, where it is typed.
    New,
}

/// Half of a run: what was drawn, waiting for the other's message.
pub(crate) struct Half {
    run: Spake2<Ed25519Group>,
    message: Message,
}

impl Half {
    /// Begins a run. `said` is slot 0 and slot 1, one behind the other.
    pub(crate) fn begin(
        side: Side,
        code: Code,
        said: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<Self> {
        let password = Password::new(code.to_string());
        let old = Identity::new(&labelled_hash("nodoor link old device", said));
        let new = Identity::new(&labelled_hash("nodoor link new device", said));
        let (run, message) = match side {
            Side::Old => Spake2::start_a_with_rng(&password, &old, &new, Draws(rng)),
            Side::New => Spake2::start_b_with_rng(&password, &old, &new, Draws(rng)),
        };
        let message = message.try_into().ok()?;
        Some(Self { run, message })
    }

    /// What the other is sent.
    pub(crate) fn message(&self) -> Message {
        self.message
    }

    /// The other's message came. Whether it knows the code only its proof shows. Nothing: it is no such message.
    pub(crate) fn finish(self, message: &Message) -> Option<Proofs> {
        let key = self.run.finish(message).ok()?;
        Some(Proofs {
            old: labelled_hash("nodoor link old proof", &key),
            new: labelled_hash("nodoor link new proof", &key),
        })
    }
}

/// What either shows the other when the run is over: the same pair on both sides, if the code was the same.
#[derive(Clone)]
pub(crate) struct Proofs {
    old: [u8; 32],
    new: [u8; 32],
}

impl Proofs {
    /// The proof that this side shows.
    pub(crate) fn of(&self, side: Side) -> [u8; 32] {
        match side {
            Side::Old => self.old,
            Side::New => self.new,
        }
    }

    /// Whether the other side's proof is right.
    pub(crate) fn is_right(&self, side: Side, proof: &[u8; 32]) -> bool {
        self.of(side).ct_eq(proof).into()
    }
}
