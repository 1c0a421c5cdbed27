// SPDX-License-Identifier: AGPL-3.0-or-later
//! Values to CBOR (RFC 8949), fast: MLS state is written with every message.
//!
//! As serde's other encoders of CBOR write it: structs and variants as maps with text keys. Sequences of `u8`, which OpenMLS has for every
//! key and serde takes for lists of numbers, become byte strings: half the size, and read back as either. A
//! [`Cutter`] is told where fields of structs begin and end, for [`super::pieces`].
//!
//! Floats, 128-bit integers and sequences of unknown length are in nothing that OpenMLS keeps, and refused.

use serde::{
    Serialize, Serializer,
    ser::{self, Error as _},
};

use crate::store::Damaged;

/// Encodes.
pub(super) fn to_vec(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Damaged> {
    let mut writer = Writer::new(None);
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

/// Encodes and tells `cutter` of every field on the way.
pub(super) fn to_vec_cut(
    value: &impl Serialize,
    cutter: &mut dyn Cutter,
) -> Result<Vec<u8>, Damaged> {
    let mut writer = Writer::new(Some(cutter));
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

/// Who wants to know where the fields of structs are.
pub(super) trait Cutter {
    /// The value of a field begins at `at`. False: it is left out.
    fn begins(&mut self, within: &'static str, field: &'static str, at: usize) -> bool;
    /// The value of that field, begun at `at`, is the end of `out`. Not told of one left out.
    fn ended(&mut self, within: &'static str, field: &'static str, at: usize, out: &[u8]);
}

impl ser::Error for Damaged {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Writer<'c> {
    out: Vec<u8>,
    /// A sequence whose first element decides whether it is a byte string.
    undecided: Option<usize>,
    /// Inside a byte string.
    in_bytes: bool,
    cutter: Option<&'c mut dyn Cutter>,
}

impl<'c> Writer<'c> {
    fn new(cutter: Option<&'c mut dyn Cutter>) -> Self {
        Self { out: Vec::with_capacity(512), undecided: None, in_bytes: false, cutter }
    }

    /// The head of a data item: every item but a byte of a byte string begins here.
    fn head(&mut self, major: u8, argument: u64) -> Result<(), Damaged> {
        self.decide()?;
        self.put_head(major, argument);
        Ok(())
    }

    /// An undecided sequence whose first element is no byte is an array.
    fn decide(&mut self) -> Result<(), Damaged> {
        if self.in_bytes {
            return Err(Damaged::custom("a sequence of bytes and others"));
        }
        if let Some(length) = self.undecided.take() {
            self.put_head(ARRAY, length as u64);
        }
        Ok(())
    }

    fn put_head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        match argument {
            0..24 => self.out.push(major | argument.to_le_bytes()[0]),
            24..0x100 => self.out.extend([major | 24, argument.to_le_bytes()[0]]),
            0x100..0x1_0000 => self.put_wide(major | 25, argument, 2),
            0x1_0000..0x1_0000_0000 => self.put_wide(major | 26, argument, 4),
            _ => self.put_wide(major | 27, argument, 8),
        }
    }

    fn put_wide(&mut self, head: u8, argument: u64, width: usize) {
        self.out.push(head);
        self.out.extend(argument.to_be_bytes().iter().skip(8 - width));
    }

    fn text(&mut self, text: &str) -> Result<(), Damaged> {
        self.head(TEXT, text.len() as u64)?;
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn simple(&mut self, value: u8) -> Result<(), Damaged> {
        self.head(SIMPLE, value.into())
    }

    /// The map of one that a variant with something in it is.
    fn variant(&mut self, variant: &str) -> Result<(), Damaged> {
        self.head(MAP, 1)?;
        self.text(variant)
    }
}

type Written = Result<(), Damaged>;

impl<'w, 'c> Serializer for &'w mut Writer<'c> {
    type Ok = ();
    type Error = Damaged;
    type SerializeSeq = Compound<'w, 'c>;
    type SerializeTuple = Compound<'w, 'c>;
    type SerializeTupleStruct = Compound<'w, 'c>;
    type SerializeTupleVariant = Compound<'w, 'c>;
    type SerializeMap = Compound<'w, 'c>;
    type SerializeStruct = Compound<'w, 'c>;
    type SerializeStructVariant = Compound<'w, 'c>;

    fn serialize_u8(self, value: u8) -> Written {
        if let Some(length) = self.undecided.take() {
            self.put_head(BYTES, length as u64);
            self.in_bytes = true;
        }
        if self.in_bytes {
            self.out.push(value);
            return Ok(());
        }
        self.head(UNSIGNED, value.into())
    }

    fn serialize_u16(self, value: u16) -> Written {
        self.head(UNSIGNED, value.into())
    }

    fn serialize_u32(self, value: u32) -> Written {
        self.head(UNSIGNED, value.into())
    }

    fn serialize_u64(self, value: u64) -> Written {
        self.head(UNSIGNED, value)
    }

    fn serialize_i8(self, value: i8) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Written {
        // Two's complement: the complement of a negative number is the argument of its head.
        let argument = value.max(!value).unsigned_abs();
        self.head(if value < 0 { NEGATIVE } else { UNSIGNED }, argument)
    }

    fn serialize_bool(self, value: bool) -> Written {
        self.simple(if value { TRUE } else { FALSE })
    }

    fn serialize_char(self, value: char) -> Written {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        self.head(BYTES, value.len() as u64)?;
        self.out.extend_from_slice(value);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Written {
        Err(Damaged)
    }

    fn serialize_f64(self, _: f64) -> Written {
        Err(Damaged)
    }

    fn serialize_none(self) -> Written {
        self.simple(NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        // A list of perhaps a number each is none of bytes.
        self.decide()?;
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.simple(NULL)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.simple(NULL)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        self.variant(variant)?;
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, Damaged> {
        self.decide()?;
        self.undecided = Some(length.ok_or(Damaged)?);
        Ok(Compound { writer: self, within: "" })
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, Damaged> {
        self.head(ARRAY, length as u64)?;
        Ok(Compound { writer: self, within: "" })
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, Damaged> {
        self.serialize_tuple(length)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, Damaged> {
        self.variant(variant)?;
        self.serialize_tuple(length)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, Damaged> {
        self.head(MAP, length.ok_or(Damaged)? as u64)?;
        Ok(Compound { writer: self, within: "" })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, Damaged> {
        self.head(MAP, length as u64)?;
        Ok(Compound { writer: self, within: name })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, Damaged> {
        self.variant(variant)?;
        self.head(MAP, length as u64)?;
        Ok(Compound { writer: self, within: "" })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Something with several values in it; their number is written already.
struct Compound<'w, 'c> {
    writer: &'w mut Writer<'c>,
    /// The struct, if it is one.
    within: &'static str,
}

impl Compound<'_, '_> {
    fn field(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Written {
        self.writer.text(key)?;
        let at = self.writer.out.len();
        let within = self.within;
        if let Some(cutter) = &mut self.writer.cutter
            && !cutter.begins(within, key, at)
        {
            return Ok(());
        }
        value.serialize(&mut *self.writer)?;
        if let Some(cutter) = &mut self.writer.cutter {
            cutter.ended(within, key, at, &self.writer.out);
        }
        Ok(())
    }

    fn finish(self) -> Written {
        // A sequence of nothing is still undecided.
        if !std::mem::take(&mut self.writer.in_bytes) {
            self.writer.decide()?;
        }
        Ok(())
    }
}

impl ser::SerializeSeq for Compound<'_, '_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeTuple for Compound<'_, '_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Written {
        Ok(())
    }
}

impl ser::SerializeTupleStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Written {
        Ok(())
    }
}

impl ser::SerializeTupleVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Written {
        Ok(())
    }
}

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        key.serialize(&mut *self.writer)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Written {
        Ok(())
    }
}

impl ser::SerializeStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }
    fn end(self) -> Written {
        Ok(())
    }
}

impl ser::SerializeStructVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }
    fn end(self) -> Written {
        Ok(())
    }
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;
const FALSE: u8 = 20;
const TRUE: u8 = 21;
const NULL: u8 = 22;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::store::read::from_slice;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Nothing,
        One(u16),
        Two(u8, String),
        Named { bytes: Vec<u8>, maybe: Option<u8> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        unsigned: Vec<u64>,
        signed: Vec<i64>,
        text: String,
        yes: bool,
        bytes: Vec<u8>,
        none: Vec<u8>,
        lists: Vec<Vec<u8>>,
        perhaps: Vec<Option<u8>>,
        fixed: [u8; 3],
        shapes: Vec<Shape>,
        map: BTreeMap<u32, Vec<u8>>,
        pair: (u8, char),
    }

    fn all() -> All {
        All {
            unsigned: vec![0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_296, u64::MAX],
            signed: vec![0, -1, -24, -25, -256, -257, i64::MIN, i64::MAX],
            text: "é".repeat(200),
            yes: true,
            bytes: (0..=255).collect(),
            none: Vec::new(),
            lists: vec![vec![], vec![1], vec![255; 300]],
            perhaps: vec![Some(7), None],
            fixed: [1, 2, 200],
            shapes: vec![
                Shape::Nothing,
                Shape::One(900),
                Shape::Two(3, "x".to_owned()),
                Shape::Named { bytes: vec![9; 24], maybe: Some(1) },
            ],
            map: [(1, vec![1]), (70_000, vec![])].into(),
            pair: (1, 'é'),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(from_slice::<All>(&to_vec(&all()).unwrap()).unwrap(), all());
    }

    #[test]
    fn bytes_are_bytes() {
        assert_eq!(to_vec(&vec![1_u8, 200]).unwrap(), [0x42, 1, 200]);
        assert_eq!(to_vec(&vec![1_u16, 200]).unwrap(), [0x82, 1, 0x18, 200]);
    }

    #[test]
    fn numbers_are_as_another_encoder_writes_them() {
        for value in [0, 23, 24, 255, 256, 65_535, 65_536, 1 << 32, u64::MAX] {
            let mut theirs = Vec::new();
            ciborium::into_writer(&value, &mut theirs).unwrap();
            assert_eq!(to_vec(&value).unwrap(), theirs, "{value}");
        }
        for value in [-1, -24, -25, -256, -257, i64::MIN, i64::MAX] {
            let mut theirs = Vec::new();
            ciborium::into_writer(&value, &mut theirs).unwrap();
            assert_eq!(to_vec(&value).unwrap(), theirs, "{value}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(to_vec(&1.5_f64), Err(Damaged));
        assert_eq!(to_vec(&1_u128), Err(Damaged));
    }
}
