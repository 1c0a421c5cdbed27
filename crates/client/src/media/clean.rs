// SPDX-License-Identifier: AGPL-3.0-or-later
//! Leaves out of a picture what is not the picture: where and when it was taken, by whom and with what.

use super::{big, little};

/// A picture without its notes; nothing if it is not built as its kind is. What turns it the right way up is kept.
#[must_use]
pub fn clean(content_type: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    match content_type {
        "image/jpeg" => jpeg(bytes),
        "image/png" => png(bytes),
        "image/webp" => webp(bytes),
        _ => None,
    }
}

/// A JPEG segment: its marker, what it holds (with its length, without its marker), and where the next one is.
pub(super) fn segment(bytes: &[u8], at: usize) -> Option<(u8, &[u8], usize)> {
    let mut at = at;
    if *bytes.get(at)? != 0xff {
        return None;
    }
    // Any number of them may fill.
    while *bytes.get(at)? == 0xff {
        at = at.checked_add(1)?;
    }
    let marker = *bytes.get(at)?;
    let from = at.checked_add(1)?;
    if matches!(marker, 0x01 | 0xd0..=0xd9) {
        return Some((marker, &[], from));
    }
    let length = usize::try_from(big(bytes, from, 2)?).ok().filter(|length| *length >= 2)?;
    let after = from.checked_add(length)?;
    Some((marker, bytes.get(from..after)?, after))
}

fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(bytes.get(..2)?);
    let (mut at, mut is_turned) = (2, false);
    loop {
        let (marker, segment, after) = segment(bytes, at)?;
        at = after;
        let holds = segment.get(2..).unwrap_or_default();
        let kept = match marker {
            0xd9 => {
                // What stands behind the end is another file.
                out.extend_from_slice(&[0xff, 0xd9]);
                return Some(out);
            }
            0xe0 => holds.starts_with(b"JFIF\0"),
            0xe2 => holds.starts_with(b"ICC_PROFILE\0"),
            0xee => holds.starts_with(b"Adobe"),
            0xe1 => {
                let turned = holds.strip_prefix(b"Exif\0\0").and_then(orientation);
                if let Some(turned) = turned.filter(|_| !std::mem::replace(&mut is_turned, true)) {
                    out.extend_from_slice(&only_orientation(turned));
                }
                false
            }
            0xe3..=0xef | 0xfe => false,
            _ => true,
        };
        if kept {
            out.extend_from_slice(&[0xff, marker]);
            out.extend_from_slice(segment);
        }
        if marker == 0xda {
            let rest = bytes.get(at..)?;
            let ends = |pair: &[u8]| matches!(pair, [0xff, next] if !matches!(next, 0 | 0xd0..=0xd7 | 0xff));
            let length = rest.windows(2).position(ends)?;
            out.extend_from_slice(rest.get(..length)?);
            at = at.checked_add(length)?;
        }
    }
}

/// How a picture is to be turned, 2 to 8.
fn orientation(tiff: &[u8]) -> Option<u8> {
    let number: fn(&[u8], usize, usize) -> Option<u32> = match tiff.get(..4)? {
        b"II*\0" => little,
        b"MM\0*" => big,
        _ => return None,
    };
    let directory = usize::try_from(number(tiff, 4, 4)?).ok()?;
    let count = usize::try_from(number(tiff, directory, 2)?).ok()?;
    let entries = (0..count.min(512)).map(|entry| directory.saturating_add(2 + 12 * entry));
    let mut found = entries.filter(|at| number(tiff, *at, 2) == Some(0x0112));
    let value = number(tiff, found.next()?.checked_add(8)?, 2)?;
    u8::try_from(value).ok().filter(|turned| (2..=8).contains(turned))
}

/// A segment that says how the picture is to be turned and nothing else.
fn only_orientation(turned: u8) -> Vec<u8> {
    let mut segment = vec![0xff, 0xe1, 0, 34];
    segment.extend_from_slice(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    segment.extend_from_slice(&[turned, 0, 0, 0, 0, 0, 0]);
    segment
}

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    const KEPT: [&[u8; 4]; 15] = [
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
        b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
    ];
    let mut out = bytes.get(..8)?.to_vec();
    let mut at = 8_usize;
    loop {
        let length = usize::try_from(big(bytes, at, 4)?).ok()?;
        let after = at.checked_add(12)?.checked_add(length)?;
        let chunk = bytes.get(at..after)?;
        let name = chunk.get(4..8)?;
        if KEPT.iter().any(|kept| kept.as_slice() == name) {
            out.extend_from_slice(chunk);
        }
        if name == b"IEND" {
            return Some(out);
        }
        at = after;
    }
}

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    const KEPT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP"];
    /// In `VP8X`: there are Exif and XMP.
    const NOTES: u8 = 0x08 | 0x04;
    let end = usize::try_from(little(bytes, 4, 4)?).ok()?.checked_add(8)?;
    let whole = bytes.get(..end)?;
    let mut chunks = Vec::with_capacity(whole.len());
    let mut at = 12_usize;
    while at < whole.len() {
        let length = usize::try_from(little(whole, at + 4, 4)?).ok()?;
        let after = at.checked_add(8)?.checked_add(length)?.checked_add(length % 2)?;
        let chunk = whole.get(at..after.min(whole.len()))?;
        let name = chunk.get(..4)?;
        if KEPT.iter().any(|kept| kept.as_slice() == name) {
            let from = chunks.len();
            chunks.extend_from_slice(chunk);
            if let Some(flags) = chunks.get_mut(from + 8).filter(|_| name == b"VP8X") {
                *flags &= !NOTES;
            }
        }
        at = after;
    }
    let size = u32::try_from(chunks.len().checked_add(4)?).ok()?;
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(b"WEBP");
    out.append(&mut chunks);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Look, PLAIN, look};

    fn part(marker: u8, holds: &[u8]) -> Vec<u8> {
        let length = u16::try_from(holds.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], length.as_slice(), holds].concat()
    }

    fn exif(turned: u8) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
        tiff.extend_from_slice(&[0x0f, 1, 2, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
        tiff.extend_from_slice(&[0x12, 1, 3, 0, 1, 0, 0, 0, turned, 0, 0, 0]);
        tiff.extend_from_slice(b"\0\0\0\0GPS 52.5 13.4");
        [b"Exif\0\0".as_slice(), &tiff].concat()
    }

    fn photo() -> Vec<u8> {
        let frame = [8, 0x01, 0xe0, 0x02, 0x80, 1, 1, 0x11, 0];
        [
            vec![0xff, 0xd8],
            part(0xe0, b"JFIF\0\x01\x01"),
            part(0xe1, &exif(6)),
            part(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>Alice</x:xmpmeta>"),
            part(0xe2, b"MPF\0secret"),
            part(0xfe, b"a comment of Alice"),
            part(0xdb, &[0; 65]),
            part(0xc0, &frame),
            part(0xda, &[1, 1, 0, 0, 63, 0]),
            vec![1, 2, 0xff, 0, 3, 0xff, 0xd0, 4],
            part(0xfe, b"Alice between two scans"),
            part(0xda, &[1, 1, 0, 0, 63, 0]),
            vec![5, 6, 0xff, 0xd9],
            b"PK\x03\x04 another file of Alice".to_vec(),
        ]
        .concat()
    }

    fn has(bytes: &[u8], what: &[u8]) -> bool {
        bytes.windows(what.len()).any(|part| part == what)
    }

    #[test]
    fn a_photo_keeps_its_picture_and_how_it_is_turned_and_nothing_else() {
        let photo = photo();
        assert_eq!(look(&photo), Look { content_type: "image/jpeg", width: 640, height: 480 });
        let cleaned = clean("image/jpeg", &photo).unwrap();
        for secret in [b"GPS".as_slice(), b"Alice", b"xmp", b"MPF", b"PK"] {
            assert!(has(&photo, secret) && !has(&cleaned, secret));
        }
        assert!(has(&cleaned, &[1, 2, 0xff, 0, 3, 0xff, 0xd0, 4]), "the first scan");
        assert!(cleaned.ends_with(&[5, 6, 0xff, 0xd9]), "the second, and the end");
        let (marker, segment, _) = segment(&cleaned, 2 + 11).unwrap();
        assert_eq!((marker, orientation(&segment[8..])), (0xe1, Some(6)));
        assert_eq!(clean("image/jpeg", &cleaned).as_ref(), Some(&cleaned));
        assert_eq!(look(&cleaned), look(&photo));
    }

    fn chunk(name: &[u8; 4], holds: &[u8]) -> Vec<u8> {
        let length = u32::try_from(holds.len()).unwrap().to_be_bytes();
        [length.as_slice(), name, holds, &[0; 4]].concat()
    }

    #[test]
    fn a_png_loses_its_texts() {
        let picture = |more: &[u8]| {
            let header = [0, 0, 2, 0, 0, 0, 1, 0, 8, 2, 0, 0, 0];
            let (header, data) = (chunk(b"IHDR", &header), chunk(b"IDAT", b"pixels"));
            let end = chunk(b"IEND", b"");
            [b"\x89PNG\r\n\x1a\n".as_slice(), &header, more, &data, &end].concat()
        };
        let notes =
            [chunk(b"tEXt", b"Author\0Alice"), chunk(b"eXIf", b"GPS"), chunk(b"tIME", b"x")];
        let dirty = [picture(&notes.concat()), b"<script>".to_vec()].concat();
        assert_eq!(clean("image/png", &dirty), Some(picture(&[])));
        assert_eq!((look(&dirty).width, look(&dirty).height), (512, 256));
    }

    #[test]
    fn a_webp_loses_its_notes_and_says_so() {
        let riff = |chunks: &[u8]| {
            let size = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
            [b"RIFF".as_slice(), &size, b"WEBP", chunks].concat()
        };
        let chunk = |name: &[u8; 4], holds: &[u8]| {
            let size = u32::try_from(holds.len()).unwrap().to_le_bytes();
            let odd = vec![0; holds.len() % 2];
            [name.as_slice(), &size, holds, &odd].concat()
        };
        let extended = |flags: u8| chunk(b"VP8X", &[flags, 0, 0, 0, 99, 0, 0, 49, 0, 0]);
        let picture = chunk(b"VP8L", b"pix");
        let notes = [chunk(b"EXIF", b"GPS"), chunk(b"XMP ", b"Alice")].concat();
        let dirty = [riff(&[extended(0x1c), picture.clone(), notes].concat()), b"tail".to_vec()];
        let dirty = dirty.concat();
        assert_eq!(clean("image/webp", &dirty), Some(riff(&[extended(0x10), picture].concat())));
        assert_eq!((look(&dirty).width, look(&dirty).height), (100, 50));
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_no_picture() {
        let photo = photo();
        for length in 0..photo.len() - 40 {
            let _ = (clean("image/jpeg", &photo[..length]), look(&photo[..length]));
        }
        assert_eq!(clean("image/jpeg", &photo[..200]), None);
        let mut huge = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        huge.extend_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        assert_eq!(look(&huge).content_type, PLAIN);
        assert_eq!(look(b"<html>").content_type, "text/plain");
        assert_eq!(look(b"MZ\x90\0\x03").content_type, PLAIN);
        assert_eq!(look(b"").content_type, PLAIN);
        assert_eq!(look(b"RIFF\0\0\0\0WAVEfmt ").content_type, "audio/wav");
    }
}
