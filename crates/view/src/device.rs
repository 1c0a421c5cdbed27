// SPDX-License-Identifier: AGPL-3.0-or-later
//! One's own devices: linking, removal, disputes, recovery words. What an interface asks, and what it is told.
//!
//! **Linking.** The new device asks [`Command::LinkStart`] and shows the link. The device one has asks
//! [`Command::LinkApprove`] with it and shows the six digits of the answer. They are typed on the new device
//! ([`Command::LinkCode`]). From then on both go by themselves; each says where it stands by [`Event::Linking`], and the
//! last of those is [`Linking::Linked`] or [`Linking::Ended`]. Nothing is signed before the digits matched.
//!
//! **Names** of devices are private to the account: they are in no list and no contact sees them.
//!
//! Spec: `docs/book/ledger.md`, 8.

use serde::{Deserialize, Serialize};

use crate::model::{DeviceRow, Milliseconds, Problem};

/// What an interface may ask about devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// On a device without an account: begins to make it one of an account's. A link that was shown before is over.
    /// Answer: `Link`. It is good for five minutes.
    LinkStart,
    /// On the new device: the six digits that the other device shows, spaces anywhere. Answer: `Done` if they match; a
    /// problem of kind `WrongCode` if not, and of kind `LinkOver` after the third.
    LinkCode {
        /// As typed.
        code: String,
    },
    /// On the device one has: approves the device whose link this is. Answer: `Code`, once the new device has answered.
    /// Then [`Event::Linking`] says how it goes on.
    LinkApprove {
        /// The 24 letters as typed, or all of a QR code's text.
        link: String,
    },
    /// Ends the linking under way on this device, if nothing is signed yet. Answer: `Done`.
    LinkCancel,
    /// Gives a device of one's own a name. Answer: `Done`.
    Rename {
        /// Its id, hexadecimal.
        device: String,
        /// 1 to 60 characters.
        name: String,
    },
    /// Removes a device of one's own, this one too. Answer: `Done`, when the list without it is at the server and it is
    /// out of every room that this device is in. Takes a while; a problem of kind `Offline` means that the rest follows
    /// by itself.
    Remove {
        /// Its id, hexadecimal.
        device: String,
    },
    /// Sends a device that this one linked what was said before it came, at once and not only after a day: the 24 words
    /// say that it is the person. Answer: `Done`; the rest goes by itself.
    History {
        /// Its id, hexadecimal.
        device: String,
        /// As typed, separated by white space.
        words: String,
    },
    /// On a device that another one removed: objects. The account adds no device, and contacts hold their messages,
    /// until the recovery words settle it. Answer: `Done`, once the server has it.
    Dispute,
    /// How one's account stands. Answer: `Standing`.
    Standing,
    /// Which three of the 24 words are asked back. Answer: `Places`; `Nothing` once they were erased here.
    WordsAsk,
    /// The three words, in the order asked. Answer: `Done`, and the words are erased on this device; a problem of kind
    /// `WrongWords` if one is wrong, and then three others are to be asked for.
    WordsConfirm {
        /// As typed.
        words: Vec<String>,
    },
    /// Makes 24 new words in place of the old ones: a list that both keys sign, seen by everybody. Answer: `Done`, once
    /// it is at the server; `Command::Words` then shows the new ones until they are asked back. A problem of kind `WrongWords`
    /// if the old ones are wrong, `ListChanged` if another list came first: the old ones count still.
    NewWords {
        /// The old ones as typed; empty only if they are on this device still.
        words: String,
    },
    /// Asks for a handle that another account holds: it moves here a week after the log has the claim, unless a device of
    /// that account is alive to say no. Asked again by itself until then. Answer: `Handle`; problems of kind `NotFound`
    /// (nobody has it), `HandleTaken` (somebody else asks for it), `HandleKept`, `HandleWaits` (another one is asked for).
    MoveHandle {
        /// As typed.
        handle: String,
    },
    /// The handle that is asked for, if one is. Answer: `Moving`, or `Nothing`.
    Moving,
    /// On a device without an account: the 24 words make it the only device of the account that goes by this handle.
    /// Answer: `Profile`.
    Recover {
        /// As typed.
        handle: String,
        /// As typed, separated by white space.
        words: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A link to show.
    Link {
        /// `ABCD-EFGH-IJKL-MNOP-QRST-UVWX`.
        letters: String,
        /// Until when it is good.
        until: Milliseconds,
    },
    /// Six digits to show, and who asks.
    Code {
        /// Six digits.
        code: String,
        /// What the new device calls itself.
        name: String,
    },
    /// Which words are asked back.
    Places {
        /// Counted from 1, ascending, three of them.
        places: Vec<u8>,
    },
    /// How one's account stands.
    Standing(Standing),
    /// A handle that is asked for and is not ours yet.
    Moving {
        /// The handle.
        handle: String,
        /// Ledger time from which it may move; none before the log has the claim.
        from: Option<Milliseconds>,
    },
    /// A handle that was asked for.
    Handle {
        /// The handle.
        handle: String,
        /// Ledger time from which it may move; none once it is ours.
        from: Option<Milliseconds>,
    },
}

/// How one's account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// This device speaks for it.
    Good,
    /// This device was removed by a list; what it holds can still be read here.
    Removed {
        /// When this device learnt it.
        since: Milliseconds,
        /// Whether it can object still: not what the recovery key signed, and for seven days.
        may_dispute: bool,
    },
    /// A removed device objects. No device can be added until the recovery words settle it.
    Disputed,
}

/// What interfaces are told of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A linking on this device went on.
    Linking {
        /// Where it stands.
        state: Linking,
    },
    /// A device was added to one's account.
    Added {
        /// The device; its name is empty as long as it is not known here.
        device: DeviceRow,
        /// The name of the device that approved it; empty if that is not known, or the words did.
        by: String,
        /// The recovery words signed it, and not a device.
        by_words: bool,
    },
    /// A device of one's account was removed. The current one: it was removed by another.
    Removed {
        /// The device, as it was last called here.
        device: DeviceRow,
        /// The recovery words signed it, and not a device.
        by_words: bool,
    },
    /// One's account goes by this handle now. Empty: the one it had belongs to another account.
    Handle {
        /// The handle.
        handle: String,
    },
    /// Somebody else asked for one's handle. This device said no by itself: nothing is to be done.
    HandleAsked {
        /// The handle.
        handle: String,
    },
    /// Whoever holds the handle that was asked for keeps it.
    HandleRefused {
        /// The handle.
        handle: String,
    },
    /// What was asked for signs a list of one's devices, and waits until the public log shows the newest one.
    LogAwaited,
    /// How one's account stands has changed.
    Standing {
        /// As it is now.
        standing: Standing,
    },
}

/// Where a linking stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Linking {
    /// On the new device: the other one has answered and shows a code. It is to be typed here.
    CodeWanted {
        /// How often it may be typed still.
        tries_left: u8,
    },
    /// On both: the code matched, keys are being signed.
    Matched,
    /// On the new device: signed. It waits until the list that names it is at the server.
    Pending,
    /// It is done. On the device one has: the new one; on the new device: itself.
    Linked {
        /// The new device.
        device: DeviceRow,
    },
    /// It is over, and nothing was added.
    Ended {
        /// Why: `LinkOver` (time, tries, or the other side ended it), `Forged`, `ListChanged`, `TooManyDevices`.
        problem: Problem,
    },
}
