// SPDX-License-Identifier: AGPL-3.0-or-later
//! The sealed file of a backup: whole or not at all.

use nodoor_sdk::backup::{BackupError, Kind, Reader, Secret, Writer, kind};
use zeroize::Zeroizing;

fn words(byte: u8) -> Secret {
    Secret::Words(Zeroizing::new([byte; 32]))
}

fn sealed(secret: &Secret, pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), secret).unwrap();
    pieces.iter().for_each(|piece| writer.piece(piece).unwrap());
    writer.end().unwrap()
}

fn opened(file: &[u8], secret: &Secret) -> Result<Vec<Vec<u8>>, BackupError> {
    let mut reader = Reader::open(file, secret)?;
    let mut pieces = Vec::new();
    while let Some(piece) = reader.piece()? {
        pieces.push(piece.to_vec());
    }
    Ok(pieces)
}

#[test]
fn pieces_of_every_size_come_back_in_order() {
    let sizes = [0, 1, 4, 65_531, 65_532, 65_533, 65_536, 200_000];
    for take in 0..=sizes.len() {
        let pieces: Vec<Vec<u8>> = sizes
            .iter()
            .take(take)
            .map(|size| vec![u8::try_from(size % 251).unwrap(); *size])
            .collect();
        let file = sealed(&words(1), &pieces);
        assert_eq!(opened(&file, &words(1)).unwrap(), pieces);
        assert!(matches!(opened(&file, &words(2)), Err(BackupError::WrongSecret)));
    }
    // One segment exactly.
    let file = sealed(&words(1), &[vec![7; 65_532]]);
    assert_eq!(opened(&file, &words(1)).unwrap(), [vec![7; 65_532]]);
}

#[test]
fn a_file_that_was_cut_off_or_changed_anywhere_is_refused() {
    let pieces: Vec<Vec<u8>> = (0..4).map(|number| vec![number; 50_000]).collect();
    let file = sealed(&words(1), &pieces);
    for end in (0..file.len()).step_by(9_973).chain([file.len() - 1, 61, 60, 61 + 65_552]) {
        assert!(opened(&file[..end], &words(1)).is_err(), "cut off at {end}");
    }
    for at in (0..file.len()).step_by(7_919).chain(0..62) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(opened(&changed, &words(1)).is_err(), "changed at {at}");
    }
    let mut longer = file.clone();
    longer.push(0);
    assert!(opened(&longer, &words(1)).is_err());
    // Segments in another order.
    let mut turned = file.clone();
    turned[61..61 + 2 * 65_552].rotate_left(65_552);
    assert!(opened(&turned, &words(1)).is_err());
    assert!(matches!(opened(b"PK\x03\x04", &words(1)), Err(BackupError::NotABackup)));
}

#[test]
fn a_passphrase_opens_what_it_sealed_and_a_file_asks_for_no_more_than_is_sensible() {
    let secret = |text: &str| Secret::Passphrase(Zeroizing::new(text.to_owned()));
    let file = sealed(&secret("correct horse"), &[b"hello".to_vec()]);
    assert_eq!(kind(file.as_slice()).unwrap(), Kind::Passphrase);
    assert_eq!(opened(&file, &secret("correct horse")).unwrap(), [b"hello".to_vec()]);
    assert!(matches!(opened(&file, &secret("wrong horse")), Err(BackupError::WrongSecret)));
    assert!(matches!(opened(&file, &words(1)), Err(BackupError::WrongSecret)));
    let mut greedy = file.clone();
    greedy[49] = 0xFF;
    assert!(matches!(opened(&greedy, &secret("correct horse")), Err(BackupError::TooNew)));
    let empty = Writer::begin(Vec::new(), &secret(""));
    assert!(matches!(empty, Err(BackupError::EmptyPassphrase)));
    assert!(!file.windows(5).any(|some| some == b"hello"));
}
