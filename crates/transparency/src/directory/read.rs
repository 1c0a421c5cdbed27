// SPDX-License-Identifier: AGPL-3.0-or-later
//! akd's proofs from their bytes: protobuf, in the one form that akd writes.
//!
//! Fields stand in the order of their numbers, each that is always there is there, numbers are as short as they can be, and nothing
//! unknown is passed over: so a proof has one encoding, and everybody who is shown its bytes reads the same. What is read is
//! as large as its bytes at most. It shows nothing yet; [`super::verify_lookup`] and [`super::verify_history`] ask.
//!
//! Fields and their numbers: `proto/specs/types.proto` of `akd_core` 0.13.

use akd_core::{
    AkdValue, AzksElement, AzksValue, Direction, HistoryProof, LookupProof, MembershipProof,
    NodeLabel, NonMembershipProof, SiblingProof, UpdateProof,
};

/// Reads akd's `LookupProof`.
pub(super) fn lookup_proof(bytes: &[u8]) -> Option<LookupProof> {
    let mut fields = Fields(bytes);
    let proof = LookupProof {
        epoch: fields.number(1)?,
        value: AkdValue(fields.bytes(2)?.to_vec()),
        version: fields.number(3)?,
        existence_vrf_proof: fields.bytes(4)?.to_vec(),
        existence_proof: membership(fields.bytes(5)?)?,
        marker_vrf_proof: fields.bytes(6)?.to_vec(),
        marker_proof: membership(fields.bytes(7)?)?,
        freshness_vrf_proof: fields.bytes(8)?.to_vec(),
        freshness_proof: non_membership(fields.bytes(9)?)?,
        commitment_nonce: fields.bytes(10)?.to_vec(),
    };
    fields.end(proof)
}

/// Reads akd's `HistoryProof`.
pub(super) fn history_proof(bytes: &[u8]) -> Option<HistoryProof> {
    let mut fields = Fields(bytes);
    let copied = |bytes: &[u8]| Some(bytes.to_vec());
    let proof = HistoryProof {
        update_proofs: fields.all(1, update)?,
        past_marker_vrf_proofs: fields.all(2, copied)?,
        existence_of_past_marker_proofs: fields.all(3, membership)?,
        future_marker_vrf_proofs: fields.all(4, copied)?,
        non_existence_of_future_marker_proofs: fields.all(5, non_membership)?,
    };
    fields.end(proof)
}

fn update(bytes: &[u8]) -> Option<UpdateProof> {
    let mut fields = Fields(bytes);
    let proof = UpdateProof {
        epoch: fields.number(1)?,
        value: AkdValue(fields.bytes(2)?.to_vec()),
        version: fields.number(3)?,
        existence_vrf_proof: fields.bytes(4)?.to_vec(),
        existence_proof: membership(fields.bytes(5)?)?,
        previous_version_vrf_proof: match fields.begins(6) {
            true => Some(fields.bytes(6)?.to_vec()),
            false => None,
        },
        previous_version_proof: match fields.begins(7) {
            true => Some(membership(fields.bytes(7)?)?),
            false => None,
        },
        commitment_nonce: fields.bytes(8)?.to_vec(),
    };
    fields.end(proof)
}

fn membership(bytes: &[u8]) -> Option<MembershipProof> {
    let mut fields = Fields(bytes);
    let proof = MembershipProof {
        label: label(fields.bytes(1)?)?,
        hash_val: hash(fields.bytes(2)?)?,
        sibling_proofs: fields.all(3, sibling)?,
    };
    fields.end(proof)
}

fn non_membership(bytes: &[u8]) -> Option<NonMembershipProof> {
    let mut fields = Fields(bytes);
    let proof = NonMembershipProof {
        label: label(fields.bytes(1)?)?,
        longest_prefix: label(fields.bytes(2)?)?,
        longest_prefix_children: [element(fields.bytes(3)?)?, element(fields.bytes(3)?)?],
        longest_prefix_membership_proof: membership(fields.bytes(4)?)?,
    };
    fields.end(proof)
}

fn sibling(bytes: &[u8]) -> Option<SiblingProof> {
    let mut fields = Fields(bytes);
    let proof = SiblingProof {
        label: label(fields.bytes(1)?)?,
        siblings: [element(fields.bytes(2)?)?],
        direction: match fields.number(3)? {
            0 => Direction::Left,
            1 => Direction::Right,
            _ => return None,
        },
    };
    fields.end(proof)
}

fn element(bytes: &[u8]) -> Option<AzksElement> {
    let mut fields = Fields(bytes);
    let element = AzksElement { label: label(fields.bytes(1)?)?, value: hash(fields.bytes(2)?)? };
    fields.end(element)
}

/// At most 256 bits; zeros at the end are not written. Akd has a label with bits set behind its end, which stands for nobody.
fn label(bytes: &[u8]) -> Option<NodeLabel> {
    let mut fields = Fields(bytes);
    let value = fields.bytes(1)?;
    let bits = u32::try_from(fields.number(2)?).ok()?;
    if bits > 256 || value.len() > 32 || value.last() == Some(&0) {
        return None;
    }
    let mut label_val = [0; 32];
    label_val.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
    fields.end(NodeLabel { label_val, label_len: bits })
}

fn hash(bytes: &[u8]) -> Option<AzksValue> {
    bytes.try_into().ok().map(AzksValue)
}

/// The rest of a message. Field numbers are below 16, so that a key is one byte.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Whether the next field is this one, of bytes.
    fn begins(&self, field: u8) -> bool {
        self.0.first() == Some(&(field << 3 | 2))
    }

    fn key(&mut self, key: u8) -> Option<()> {
        let (found, rest) = self.0.split_first()?;
        self.0 = rest;
        (*found == key).then_some(())
    }

    fn number(&mut self, field: u8) -> Option<u64> {
        self.key(field << 3)?;
        self.varint()
    }

    fn bytes(&mut self, field: u8) -> Option<&'a [u8]> {
        self.key(field << 3 | 2)?;
        let length = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A field that may come any number of times.
    fn all<T>(&mut self, field: u8, read: impl Fn(&'a [u8]) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        while self.begins(field) {
            all.push(read(self.bytes(field)?)?);
        }
        Some(all)
    }

    /// A number in its shortest form.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            value |= bits << (7 * place);
            if byte & 0x80 == 0 {
                let fits = value >> (7 * place) == bits;
                return (fits && (place == 0 || *byte != 0)).then_some(value);
            }
        }
        None
    }

    /// What was read, if it was all.
    fn end<T>(&self, read: T) -> Option<T> {
        self.0.is_empty().then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use akd_core::proto::specs::types;
    use proptest::{collection::vec, option, prelude::*};
    use protobuf::Message as _;

    use super::*;

    fn a_label() -> impl Strategy<Value = NodeLabel> {
        // Labels often end in zeros, which are not written.
        (any::<[u8; 32]>(), 0..=32_usize, 0..=256_u32).prop_map(
            |(mut label_val, kept, label_len)| {
                label_val[kept..].fill(0);
                NodeLabel { label_val, label_len }
            },
        )
    }

    fn a_hash() -> impl Strategy<Value = AzksValue> {
        any::<[u8; 32]>().prop_map(AzksValue)
    }

    fn an_element() -> impl Strategy<Value = AzksElement> {
        (a_label(), a_hash()).prop_map(|(label, value)| AzksElement { label, value })
    }

    fn a_sibling() -> impl Strategy<Value = SiblingProof> {
        (a_label(), an_element(), any::<bool>()).prop_map(|(label, sibling, right)| SiblingProof {
            label,
            siblings: [sibling],
            direction: if right { Direction::Right } else { Direction::Left },
        })
    }

    fn a_membership() -> impl Strategy<Value = MembershipProof> {
        (a_label(), a_hash(), vec(a_sibling(), 0..3)).prop_map(
            |(label, hash_val, sibling_proofs)| MembershipProof { label, hash_val, sibling_proofs },
        )
    }

    fn an_absence() -> impl Strategy<Value = NonMembershipProof> {
        (a_label(), a_label(), an_element(), an_element(), a_membership()).prop_map(
            |(label, longest_prefix, left, right, longest_prefix_membership_proof)| {
                NonMembershipProof {
                    label,
                    longest_prefix,
                    longest_prefix_children: [left, right],
                    longest_prefix_membership_proof,
                }
            },
        )
    }

    fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
        vec(any::<u8>(), 0..140)
    }

    fn an_update() -> impl Strategy<Value = UpdateProof> {
        let first = (any::<u64>(), some_bytes(), any::<u64>(), some_bytes(), a_membership());
        let rest = (option::of(some_bytes()), option::of(a_membership()), some_bytes());
        (first, rest).prop_map(
            |((epoch, value, version, vrf, proof), (previous_vrf, previous, nonce))| UpdateProof {
                epoch,
                value: AkdValue(value),
                version,
                existence_vrf_proof: vrf,
                existence_proof: proof,
                previous_version_vrf_proof: previous_vrf,
                previous_version_proof: previous,
                commitment_nonce: nonce,
            },
        )
    }

    fn a_lookup() -> impl Strategy<Value = LookupProof> {
        let first = (any::<u64>(), some_bytes(), any::<u64>(), some_bytes(), a_membership());
        let rest = (some_bytes(), a_membership(), some_bytes(), an_absence(), some_bytes());
        (first, rest).prop_map(
            |(
                (epoch, value, version, existence_vrf_proof, existence_proof),
                (marker_vrf_proof, marker_proof, freshness_vrf_proof, freshness_proof, nonce),
            )| LookupProof {
                epoch,
                value: AkdValue(value),
                version,
                existence_vrf_proof,
                existence_proof,
                marker_vrf_proof,
                marker_proof,
                freshness_vrf_proof,
                freshness_proof,
                commitment_nonce: nonce,
            },
        )
    }

    fn a_history() -> impl Strategy<Value = HistoryProof> {
        let past = (vec(some_bytes(), 0..3), vec(a_membership(), 0..3));
        let future = (vec(some_bytes(), 0..3), vec(an_absence(), 0..3));
        (vec(an_update(), 0..4), past, future).prop_map(
            |(update_proofs, (past_vrf, past), (future_vrf, future))| HistoryProof {
                update_proofs,
                past_marker_vrf_proofs: past_vrf,
                existence_of_past_marker_proofs: past,
                future_marker_vrf_proofs: future_vrf,
                non_existence_of_future_marker_proofs: future,
            },
        )
    }

    fn akds_lookup(bytes: &[u8]) -> Option<LookupProof> {
        LookupProof::try_from(&types::LookupProof::parse_from_bytes(bytes).ok()?).ok()
    }

    fn akds_history(bytes: &[u8]) -> Option<HistoryProof> {
        HistoryProof::try_from(&types::HistoryProof::parse_from_bytes(bytes).ok()?).ok()
    }

    /// Bytes changed here and there, and cut off.
    fn damage(
        bytes: &[u8],
        changes: &[(prop::sample::Index, u8)],
        end: prop::sample::Index,
    ) -> [Vec<u8>; 2] {
        let mut changed = bytes.to_vec();
        for (place, byte) in changes {
            if !changed.is_empty() {
                let place = place.index(changed.len());
                changed[place] = *byte;
            }
        }
        let cut = changed[..end.index(changed.len() + 1)].to_vec();
        [changed, cut]
    }

    proptest! {
        #[test]
        fn what_akd_writes_is_read_as_akd_reads_it(lookup in a_lookup(), history in a_history()) {
            let bytes = types::LookupProof::from(&lookup).write_to_bytes().unwrap();
            prop_assert_eq!(akds_lookup(&bytes), Some(lookup.clone()));
            prop_assert_eq!(lookup_proof(&bytes), Some(lookup));
            let bytes = types::HistoryProof::from(&history).write_to_bytes().unwrap();
            prop_assert_eq!(akds_history(&bytes), Some(history.clone()));
            prop_assert_eq!(history_proof(&bytes), Some(history));
        }

        #[test]
        fn what_else_is_read_is_akds_form_of_what_akd_reads(
            lookup in a_lookup(),
            history in a_history(),
            changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            end in any::<prop::sample::Index>(),
        ) {
            let bytes = types::LookupProof::from(&lookup).write_to_bytes().unwrap();
            for bytes in damage(&bytes, &changes, end) {
                if let Some(read) = lookup_proof(&bytes) {
                    prop_assert_eq!(akds_lookup(&bytes), Some(read.clone()));
                    prop_assert_eq!(types::LookupProof::from(&read).write_to_bytes().unwrap(), bytes);
                }
            }
            let bytes = types::HistoryProof::from(&history).write_to_bytes().unwrap();
            for bytes in damage(&bytes, &changes, end) {
                if let Some(read) = history_proof(&bytes) {
                    prop_assert_eq!(akds_history(&bytes), Some(read.clone()));
                    prop_assert_eq!(types::HistoryProof::from(&read).write_to_bytes().unwrap(), bytes);
                }
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300)) {
            let _ = lookup_proof(&bytes);
            let _ = history_proof(&bytes);
        }
    }

    #[test]
    fn a_proof_has_one_encoding() {
        let number = |bytes: &[u8]| Fields(bytes).varint();
        assert_eq!(number(&[0]), Some(0));
        assert_eq!(number(&[0x80, 1]), Some(128));
        assert_eq!(number(&[0x80, 0]), None, "longer than it need be");
        assert_eq!(number(&[0xff; 10]), None);
        let largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(number(&largest), Some(u64::MAX));
        let beyond = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        assert_eq!(number(&beyond), None);
        // An unknown field behind the known ones, which akd passes over.
        let none = HistoryProof {
            update_proofs: vec![],
            past_marker_vrf_proofs: vec![],
            existence_of_past_marker_proofs: vec![],
            future_marker_vrf_proofs: vec![],
            non_existence_of_future_marker_proofs: vec![],
        };
        assert_eq!(history_proof(&[]), Some(none.clone()));
        assert_eq!(akds_history(&[0x7a, 0]), Some(none));
        assert_eq!(history_proof(&[0x7a, 0]), None);
    }
}
