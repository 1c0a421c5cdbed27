// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoord capabilities`: what this server can be made to show, in plain words. Kept honest by whoever changes a
//! store, a protocol message or a log line: the change and this text go together.
//!
//! Spec: `docs/book/threat-model.md`; `docs/book/protocol.md`, 3 and 4.

/// The whole text.
pub(crate) const TEXT: &str = "\
What this server can be made to show

1. A SEIZED DISK (the data folder, copied while the server is off)

It shows:
  - Every account: its id, its handle, all versions of its signed device list with the public keys of its
    devices, disputes of removed devices. Handles and lists are public anyway: the server hands them to anyone.
  - Of each device: the public key of its mailbox and when it was made; its unused key packages (public keys)
    and hashes of those it uploaded within 30 days; how many delivery tokens it has, as hashes, and which of them
    are in key packages. The number of the others says roughly how many rooms the device is in. Which devices were
    removed within the hour.
  - Of each device whose person switched that on: where it is called when something waits for it. That is an address at
    a push service (Google's, Apple's, Mozilla's, or one of the person's own), and the service knows who it is of: for
    the large ones, an account or a device of theirs. With it stand a public key and a secret of the browser, and a
    day in whose month the device was there. It is forgotten when the person switches it off, when the service says it
    is over, and after 180 days.
  - Of each mailbox: how many entries wait, how many it ever got, which of them came within the same hour, and
    on which day that was. The entries are sealed under keys that are on the disk only sealed to the device.
  - For 8 days, a hash of each sending, so that none is stored twice. It joins nothing to anyone who does not
    know the room and the sending already.
  - Message bodies that wait to be fetched: sealed under keys that are only inside those entries. Their padded
    sizes show, and in how many mailboxes each waits.
  - Of each room: a hash of its id, how many times its membership or keys changed, the sealed roster with its
    padded size (4, 16, 64, 256, 1024 or 4096 places), the sealed commits of 30 days with their day, and roughly
    when it was last used: the day of its last commit, or one at most 30 days before its last message.
  - Of each file that somebody sent within 30 days: its sealed bytes, and so its padded size (told to an eighth), and
    when it was put there or renewed: by date to the day, and by what the disk itself notes of changes to the second.
    Files that are on their way up, the same. The name of a file is the hash of its sealed bytes: whoever has the
    message that names it finds it, and nobody else learns from it who sent it or may read it.
  - What was written together: the entries of one message stand side by side, with their mailboxes, in one row of
    the store's journal and log. Who takes the disk reads there which mailboxes got the same message: of the last
    16 MiB of messages or the last hour, whichever is less, and further back, up to 256 MiB, as far as the journal
    has not been rewritten. What still waits after that is numbered by the write that put it in its place, for as
    long as it waits; each such write holds an hour's messages or thousands of them, so the number says
    that it was one of these, and which one it was only if there were no others.
  - Rows that are not of messages (a new device list with the mailboxes it makes, a commit's room record) keep the
    number of their write for as long as they stand: which of them were written at once shows.
  - What was deleted but not yet overwritten: entries and bodies stay readable as sealed bytes until the store
    compacts its files, and in a file `journal.cut` or `ledger.cut` if a power cut left one.
  - Of the store itself: how many writes there were, and on which day it last deleted what was old.

  - The public ledger: epochs of the key directory with their times and how many labels changed, announcements,
    and the tree under them. All of it is public, for ever: anyone fetches it. Labels in it are hidden by a key, and
    values by commitments, so the public learns how many accounts and handles there are, not whose.
  - That key, and the one that signs the ledger (the folder `keys`). Who takes them can tell which label is whose
    account's, which this disk shows anyway, and can sign a second ledger, which witnesses and chats would notice.
  - Of each account, when every version of its list was published, for ever; which labels wait to be published,
    for seconds.
  - Hashes of the tokens that were spent today and yesterday, joined to nobody: they were fetched blinded.

It does not show: messages, files, names of people or groups, who is in which room, contacts, who wrote
anything, phone numbers, IP addresses, when anyone was online. The server has no key that opens what it stores.
Backups of the folder show the same, for the time at which they were made.

2. THE MEMORY OF THE RUNNING SERVER, UNMODIFIED

  - The keys of the current hour's entries, and messages until their receivers have taken them, as ciphertext.
  - The rosters of rooms that were used lately: which mailboxes, and so which devices, they reach.
  - Open connections: which ones are logged in as which device. Senders are not logged in: they show that they
    know a room's key, not who they are.
  - How many tokens each account fetched today; which connection was opened by a token, not whose.
  - Boxes of a second device that is being linked, sealed, and the hashed network of who left the first, for five
    minutes.
  - Which devices are to be called within minutes, and which were called within five.
  - Callers' networks, as a hash under a key drawn at start. Addresses are not kept or logged.

3. A MODIFIED SERVER, FROM THE MOMENT IT IS MODIFIED

It could record, and nobody could see from outside that it does:
  - The IP address and time of every connection, and so guess which anonymous connection belongs to which account.
  - Which mailboxes every sending reaches: over time, who is in a room with whom, how often and how much they write.
  - Who looks up whose handle, by IP address.
  - Which sendings a person wrote and which are receipts and the like: senders say so, for the sake of calls.
It could also:
  - Delay, drop or refuse anything, to anyone.
  - Show a stranger's first look-up of a handle another account, but only by publishing it in the ledger, for all to
    see and for ever; apps ask the ledger before they write. A link and its QR code carry the handle and do not guard
    against that; two people who compare their account ids do.
  - Serve a changed web app to a browser that loads it anew. The terminal client does not load code.

It could not, modified in whatever way:
  - Read or forge messages, files, names or group titles. It has no key to them and no code for it.
  - Add a device to an account that someone knows, without the signature of an older device or of the recovery words.
  - Add itself or anyone to a group: members' devices check every change themselves.
  - Recover what was delivered and acknowledged before it was modified.

4. WHAT AN ORDER CAN OBTAIN TODAY

No phone numbers and no IP addresses are recorded, so there is nothing of that kind to hand over. What stands
under 1 is what there is.

Nothing here protects a device that is itself hacked, or keeps a receiver from showing what they received.
";

#[cfg(test)]
mod tests {
    #[test]
    fn every_keyspace_is_spoken_of() {
        let text = super::TEXT.split_whitespace().collect::<Vec<_>>().join(" ");
        for (keyspace, words) in nodoor_store_embedded::shown() {
            assert!(text.contains(words), "{keyspace}: {words}");
        }
    }

    #[test]
    fn the_text_fits_a_terminal() {
        for line in super::TEXT.lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}
