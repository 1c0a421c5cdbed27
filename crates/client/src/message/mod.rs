// SPDX-License-Identifier: AGPL-3.0-or-later
//! What becomes of a message after it was said: edits, deletions, reactions and pins ([`marks`], and our own: [`own`]), its
//! end ([`ending`]), who has and read it ([`status`]), and how its row is shown ([`shown`]).
//!
//! May not know: rooms and frames. [`crate::incoming`] hands in what was signed and by whom; what goes out takes the queue
//! of [`crate::outbox`].
//!
//! Spec: `docs/book/protocol.md`, 6 and 7.

mod ending;
mod marks;
mod own;
mod shown;
mod status;

use nodoor_e2ee::content::{self, Content, MimiContent};
use nodoor_wire::id::MessageId as Reference;

pub(crate) use marks::{About, Heard};

use crate::rows::Stored;

/// A clock further ahead counts as of so much ahead, milliseconds: what it says must not outlast all that comes later.
const AHEAD: u64 = 300_000;

impl Stored {
    /// What it says, if it is a content that this version reads.
    pub(crate) fn said(&self) -> Option<MimiContent> {
        match self {
            Self::Content(bytes) => content::decode(bytes).ok(),
            Self::Payload(_) | Self::Line(_) | Self::Gone | Self::Imported(_) => None,
        }
    }

    /// The text, if it is one this version reads, without its marks.
    pub(crate) fn text(&self) -> Option<String> {
        let said = self.said().filter(|said| !said.once)?;
        match said.body {
            Content::Text(text) => Some(text),
            Content::Markdown(text) => Some(nodoor_view::rich::plain(&text, &called)),
            Content::File(file) if file.caption.is_empty() => {
                Some(crate::files::safe_name(&file.name))
            }
            Content::File(file) => Some(file.caption),
            _ => None,
        }
    }
}

/// A mention by what its writer called it.
fn called(_: &str, called: &str) -> String {
    called.to_owned()
}

/// The same content about another message: salt and all else stay.
pub(crate) fn aimed(encoded: &[u8], at: Reference) -> Option<Vec<u8>> {
    let (salt, mut said) = (content::salt(encoded).ok()?, content::decode(encoded).ok()?);
    let target = match About::of(&said)? {
        About::Edit(_) | About::Deletion(_) => &mut said.replaces,
        About::Reaction(..) | About::Pin(..) => &mut said.in_reply_to,
    };
    *target = Some(at);
    Some(content::encode(&said, salt))
}
