// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a file is, by its first bytes; and pictures without what they tell beside the picture.
//!
//! Nothing is decoded: headers are read, segments copied or left out. What is kept of a picture is a list of what is known
//! to be needed, so that a kind of note nobody knew here goes too, and so does whatever stands behind its end. Knows no file,
//! no message and no disk.
//!
//! Drivers call it before a file is sealed and after one came. Spec: `docs/book/protocol.md`, 9; ITU T.81; RFC 2083;
//! RFC 9649; CIPA DC-008 (Exif, orientation alone).

mod clean;

pub use clean::clean;

/// Of a file nobody knows, or whose claims do not hold.
pub const PLAIN: &str = "application/octet-stream";
/// Pixels of the largest picture that is one here; beyond it is a plain file.
const PIXELS: u64 = 50_000_000;
/// Bytes that [`look`] wants to see, if there are so many.
pub const LOOK: usize = 64 * 1024;
/// A larger picture is not cleaned, and goes as a plain file.
pub const CLEANED: u64 = 64 * 1024 * 1024;

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// A MIME type.
    pub content_type: &'static str,
    /// Of a picture, pixels; else 0.
    pub width: u32,
    /// Of a picture, pixels; else 0.
    pub height: u32,
}

impl Look {
    /// A plain file.
    pub const PLAIN: Self = Self { content_type: PLAIN, width: 0, height: 0 };

    /// Whether it is a picture that [`clean`] knows.
    #[must_use]
    pub fn is_cleaned(&self) -> bool {
        matches!(self.content_type, "image/jpeg" | "image/png" | "image/webp")
    }
}

/// Looks at the first bytes of a file.
#[must_use]
pub fn look(bytes: &[u8]) -> Look {
    let content_type = kind(bytes);
    if !content_type.starts_with("image/") {
        return Look { content_type, width: 0, height: 0 };
    }
    match size(content_type, bytes) {
        Some((width, height))
            if width > 0 && height > 0 && u64::from(width) * u64::from(height) <= PIXELS =>
        {
            Look { content_type, width, height }
        }
        _ => Look::PLAIN,
    }
}

fn kind(bytes: &[u8]) -> &'static str {
    let at =
        |from: usize, what: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(what));
    let table: [(&'static str, &[u8], &[u8]); 15] = [
        ("image/jpeg", &[0xff, 0xd8, 0xff], b""),
        ("image/png", b"\x89PNG\r\n\x1a\n", b""),
        ("image/gif", b"GIF87a", b""),
        ("image/gif", b"GIF89a", b""),
        ("image/webp", b"RIFF", b"WEBP"),
        ("audio/wav", b"RIFF", b"WAVE"),
        ("application/pdf", b"%PDF-", b""),
        ("application/ogg", b"OggS", b""),
        ("video/webm", &[0x1a, 0x45, 0xdf, 0xa3], b""),
        ("audio/mpeg", b"ID3", b""),
        ("audio/mpeg", &[0xff, 0xfb], b""),
        ("audio/mpeg", &[0xff, 0xf3], b""),
        ("application/zip", b"PK\x03\x04", b""),
        ("application/zip", b"PK\x05\x06", b""),
        ("application/gzip", &[0x1f, 0x8b, 8], b""),
    ];
    let found = table.iter().find(|(_, first, eighth)| at(0, first) && at(8, eighth));
    match found {
        Some((content_type, ..)) => content_type,
        None if at(4, b"ftyp") => "video/mp4",
        None if is_text(bytes) => "text/plain",
        None => PLAIN,
    }
}

/// UTF-8 without control characters; the last character may be cut.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let whole = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
}

fn size(content_type: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    match content_type {
        "image/png" => Some((big(bytes, 16, 4)?, big(bytes, 20, 4)?)),
        "image/gif" => Some((little(bytes, 6, 2)?, little(bytes, 8, 2)?)),
        "image/webp" => match bytes.get(12..16)? {
            b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
            b"VP8L" => {
                let bits = little(bytes, 21, 4)?;
                Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
            }
            b"VP8 " => Some((little(bytes, 26, 2)? & 0x3fff, little(bytes, 28, 2)? & 0x3fff)),
            _ => None,
        },
        "image/jpeg" => jpeg_size(bytes),
        _ => None,
    }
}

fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let (marker, segment, after) = clean::segment(bytes, at)?;
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big(segment, 5, 2)?, big(segment, 3, 2)?));
            }
            0xda | 0xd9 => return None,
            _ => at = after,
        }
    }
}

fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let number = bytes.get(at..at.checked_add(length)?)?;
    Some(number.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

fn little(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let number = bytes.get(at..at.checked_add(length)?)?;
    Some(number.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
